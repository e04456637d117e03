"""`hubify serve`, `hubify settings` and `hubify version`.

Invariant: each setting of the server is an option and a variable; none is written down here.
"""

import inspect
import logging
from collections.abc import Callable, Sequence
from typing import Annotated, get_args, get_type_hints

import msgspec

from hubify import __version__
from hubify.cli.options import JsonOption, told
from hubify.cli.tables import columns
from hubify.cli.targets import FUNCTIONS, KEY, URL, listed_functions
from hubify.cli.world import World
from hubify.sdk.errors import HubifyError

LEVELS = ("debug", "info", "warning", "error")
OTHER_VARIABLES = {
    FUNCTIONS: "Files or modules of your own functions, separated by commas.",
    URL: "The server that commands work on, instead of a data directory.",
    KEY: "The key that commands show.",
}
MAX_PORT = 65_535
HIDDEN = "(hidden)"
LOG_LINE = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class Setting(msgspec.Struct, frozen=True):
    """One setting as a person sees it."""

    variable: str
    value: str
    default: str
    is_set: bool
    meaning: str


def serve_command(world: World) -> Callable[..., None]:
    """`hubify serve`, with an option for every setting."""

    def serve(functions: Sequence[str] | None = None, **given: object) -> None:
        """Start a server on a data directory.

        The directory is made when it is missing. The first start prints an admin key, once. The
        server runs until it is interrupted.
        """
        _serve(world, functions, given)

    serve.__signature__ = inspect.Signature(_options())  # pyright: ignore[reportFunctionMemberAccess] - read by cyclopts
    serve.__annotations__ = {}
    return serve


class AboutCommands:
    """What this program is, and how it is set."""

    def __init__(self, world: World) -> None:
        self._world = world

    def settings(self, *, json: JsonOption = False) -> None:
        """Show every setting, and what it is now."""
        found = settings_of(self._world)
        if json:
            self._world.print_json(found)
            return
        rows = [
            (each.variable, each.value + (" *" if each.is_set else ""), each.default, each.meaning)
            for each in found
        ]
        headings = ("VARIABLE", "VALUE", "DEFAULT", "MEANING")
        for line in columns(headings, rows, self._world.width):
            self._world.print(line)
        self._world.say("* set by its variable")

    def version(self) -> None:
        """Show which version this is."""
        self._world.print(__version__)


def _serve(world: World, functions: Sequence[str] | None, given: dict[str, object]) -> None:
    from hubify.app.compose import warnings_about
    from hubify.app.serve import run_server
    from hubify.app.settings import read_settings, unknown_variables

    settings = read_settings(world.environment, given)
    if settings.log_level not in LEVELS:
        message = f"the log level must be one of {', '.join(LEVELS)}"
        raise HubifyError("VALIDATION_ERROR", message)
    if not 0 <= settings.port <= MAX_PORT:
        message = f"the port must be a number from 0 to {MAX_PORT}"
        raise HubifyError("VALIDATION_ERROR", message)
    logging.basicConfig(level=settings.log_level.upper(), format=LOG_LINE)
    unknown = [name for name in unknown_variables(world.environment) if name != FUNCTIONS]
    for warning in warnings_about(unknown):
        world.say(f"warning: {warning}")
    try:
        run_server(settings, functions or listed_functions(world.environment))
    except OSError as error:
        message = f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}"
        raise HubifyError("UNAVAILABLE", f"{message}; choose another --port") from None


def settings_of(world: World) -> list[Setting]:
    """Every setting with its value now; a secret only as being set."""
    from hubify.app.settings import Settings, read_settings, variable_of

    now, usual = read_settings(world.environment, {}), Settings()
    found = [
        Setting(
            variable=variable_of(name),
            value=str(getattr(now, name)),
            default=str(getattr(usual, name)),
            is_set=variable_of(name) in world.environment,
            meaning=meaning,
        )
        for name, (_type, meaning) in _declared().items()
    ]
    return found + [
        Setting(variable, HIDDEN if variable == KEY and value else value, "", bool(value), meaning)
        for variable, meaning in OTHER_VARIABLES.items()
        for value in [world.environment.get(variable, "")]
    ]


def _options() -> list[inspect.Parameter]:
    """An option for each setting, and `--functions`."""
    from hubify.app.settings import Settings, variable_of

    usual = Settings()
    options = [
        _option(
            name,
            Annotated[
                kind | None,
                told(f"{meaning} ({variable_of(name)}; default: {getattr(usual, name) or 'none'})"),
            ],
        )
        for name, (kind, meaning) in _declared().items()
    ]
    meaning = (
        "A .py file or module with functions of your own; may be given several times. "
        f"({FUNCTIONS}, separated by commas)"
    )
    return [*options, _option("functions", Annotated[list[str] | None, told(meaning, "FILE")])]


def _option(name: str, annotation: object) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation
    )


def _declared() -> dict[str, tuple[type, str]]:
    """Each setting's type and sentence."""
    from hubify.app.settings import Settings

    hints = get_type_hints(Settings, include_extras=True)
    return {name: get_args(hint)[:2] for name, hint in hints.items()}
