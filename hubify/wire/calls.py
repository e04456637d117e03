"""A call as Convex clients send it: which function, with which arguments.

Invariant: what is read names one function canonically and has one object of values as arguments;
anything else is refused with what to send instead.
"""

from typing import cast

import msgspec

from hubify.values.errors import InvalidInput
from hubify.values.values import Value
from hubify.wire.convex_json import from_json, parse
from hubify.wire.paths import canonical_path


def read_arguments(sent: object) -> dict[str, Value]:
    """The arguments from parsed JSON: one object, perhaps in an array of its own.

    Raises:
        InvalidInput, TooLarge: not that, or not values; the message says where.

    """
    arguments = from_json(_only(sent), "args")
    if not isinstance(arguments, dict):
        message = "args must be one object of named arguments, or an array that holds one"
        raise InvalidInput(message)
    return arguments


def parse_arguments(text: msgspec.Raw) -> dict[str, Value]:
    """The arguments from JSON text; errors as `read_arguments`."""
    return read_arguments(parse(bytes(text), "args"))


def read_path(path: str, component: str | None = None) -> str:
    """The canonical path of a function.

    Raises:
        InvalidInput: it cannot name a function of ours.

    """
    if component:
        message = "there are no components here; leave componentPath out"
        raise InvalidInput(message)
    return canonical_path(path)


def _only(sent: object) -> object:
    if not isinstance(sent, list):
        return sent
    items = cast("list[object]", sent)
    if not items:
        return {}
    return items[0] if len(items) == 1 else None
