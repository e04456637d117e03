"""`hubify call` and `hubify functions`: whatever a hub can do, by the name of the function.

Invariant: a function is called as the kind that the hub's own list says it is.
"""

from collections.abc import Sequence
from typing import Annotated, cast

import msgspec
from cyclopts import Parameter

from hubify.cli.answers import Function, Functions
from hubify.cli.options import DataOption, JsonOption, told
from hubify.cli.reach import reached
from hubify.cli.tables import columns, fields
from hubify.cli.targets import Hub
from hubify.cli.world import Misuse, World
from hubify.sdk.errors import BAD_ANSWER, HubifyError
from hubify.values.errors import AppError, InvalidInput
from hubify.values.values import Value
from hubify.wire import convex_json
from hubify.wire.calls import read_arguments
from hubify.wire.paths import canonical_path

STANDARD_INPUT = "-"


class FunctionCommands:
    """The commands, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def call(
        self,
        path: Annotated[str, told("The function, as `hubify functions` lists it.")],
        arguments: Annotated[
            str,
            told("Its arguments, one JSON object; `-` reads them from standard input."),
            Parameter(allow_leading_hyphen=True),
        ] = "{}",
        /,
        *,
        data: DataOption = None,
    ) -> None:
        """Call a function and print what it answers, as JSON.

        For example: hubify call skills:getByName '{"name": "tidy-imports"}'
        """
        given = self._arguments(arguments)
        name = _path(path)
        with reached(self._world, data) as hub:
            answer = _called(hub, name, given)
        self._world.print_json(answer)

    def list(
        self,
        prefix: Annotated[str, told("Only functions whose path begins so, such as `skills`.")] = "",
        /,
        *,
        json: JsonOption = False,
        data: DataOption = None,
    ) -> None:
        """List the functions that can be called.

        One that is named by its whole path is shown with its arguments.
        """
        with reached(self._world, data) as hub:
            text = hub.functions()
        found = [each for each in _listed(text) if each.path.startswith(prefix)]
        if json:
            self._world.print_json(_chosen(text, {each.path for each in found}))
        elif len(found) == 1:
            self._world.print("\n".join(_described(found[0])))
        else:
            rows = [(each.path, each.kind, each.scope or "public", each.summary) for each in found]
            headings = ("FUNCTION", "KIND", "SCOPE", "WHAT IT DOES")
            self._world.print("\n".join(columns(headings, rows, self._world.width)))

    def _arguments(self, text: str) -> dict[str, Value]:
        if text == STANDARD_INPUT:
            text = self._world.source.read()
        try:
            return read_arguments(convex_json.parse(text, "what was given"))
        except AppError as error:
            raise Misuse(error.message) from None


def _path(text: str) -> str:
    try:
        return canonical_path(text)
    except InvalidInput as error:
        raise Misuse(error.message) from None


def _called(hub: Hub, path: str, arguments: dict[str, Value]) -> Value:
    kinds = {name: each.kind for each in _listed(hub.functions()) for name in _names(each)}
    match kinds.get(path):
        case "query":
            return hub.query(path, arguments)
        case "mutation":
            return hub.mutation(path, arguments)
        case "action":
            return hub.action(path, arguments)
        case _:
            message = f"there is no function '{path}'; `hubify functions` lists them"
            raise HubifyError("NOT_FOUND", message)


def _names(function: Function) -> Sequence[str]:
    return [function.path, *function.aliases]


def _listed(text: bytes) -> list[Function]:
    try:
        return msgspec.json.decode(text, type=Functions).functions
    except (ValueError, RecursionError) as error:
        raise HubifyError(BAD_ANSWER, f"the list of functions cannot be read: {error}") from None


def _chosen(text: bytes, paths: set[str]) -> dict[str, object]:
    """The list as it came, schemas and all, with these functions only."""
    everything = msgspec.json.decode(text, type=dict[str, object])
    functions = cast("list[dict[str, object]]", everything["functions"])
    return everything | {"functions": [each for each in functions if each["path"] in paths]}


def _described(function: Function) -> list[str]:
    taken = [item.name if item.required else f"[{item.name}]" for item in function.arguments]
    return fields([
        ("function", function.path),
        ("kind", function.kind),
        ("scope", function.scope or "public"),
        ("also", ", ".join(function.aliases)),
        ("does", f"{function.summary} {function.description}"),
        ("takes", ", ".join(taken) or "nothing"),
    ])  # fmt: skip
