"""The values that functions take, answer and store, and what makes one valid.

Invariant: a plain Python int and an integral float are the same number (a float64 on the wire);
whole numbers beyond 2**53 travel as `Int64` only, so no number ever changes silently.
"""

from collections.abc import Mapping, Sequence
from typing import cast

from hubify.values import limits
from hubify.values.errors import InvalidInput, TooLarge

TYPE_NAMES: dict[type, str] = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    bytes: "bytes",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


class Int64:
    """A 64-bit whole number, Convex's `int64` (`bigint` in JavaScript, `ConvexInt64` in Python)."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        if not -(2**63) <= number < 2**63:
            message = f"{number} does not fit in 64 bits"
            raise InvalidInput(message)
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Int64) and other.number == self.number

    def __hash__(self) -> int:
        return hash((Int64, self.number))

    def __int__(self) -> int:
        return self.number

    def __repr__(self) -> str:
        return f"Int64({self.number})"


Value = None | bool | int | float | str | bytes | Int64 | list["Value"] | dict[str, "Value"]


def describe(value: object) -> str:
    """Name a value's type as an error message should: "a string", "an array"."""
    return TYPE_NAMES.get(type(value), "a " + type(value).__name__)


def check_storable(value: object, where: str = "the value", depth: int = 0) -> None:
    """Refuse what may not stand in a stored document.

    Raises:
        InvalidInput: lone surrogates, numbers out of range, non-string or reserved field names.
        TooLarge: nesting, array length or field count over the documented limits.

    """
    if depth > limits.MAX_DOCUMENT_NESTING:
        message = f"{where} is nested deeper than {limits.MAX_DOCUMENT_NESTING} levels; flatten it"
        raise TooLarge(message)
    if isinstance(value, str):
        check_text(value, where)
    elif isinstance(value, bool | None | float | bytes | Int64):
        return
    elif isinstance(value, int):
        check_number(value, where)
    elif isinstance(value, Mapping):
        _check_object(cast("Mapping[object, object]", value), where, depth)
    elif isinstance(value, Sequence):
        _check_array(cast("Sequence[object]", value), where, depth)
    else:
        message = f"{where} has a type that cannot be stored: {type(value).__name__}"
        raise InvalidInput(message)


def check_text(text: str, where: str) -> None:
    """Refuse text that is not valid Unicode (lone surrogates)."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            message = f"{where} holds a lone surrogate, which is not valid Unicode"
            raise InvalidInput(message) from None


def check_number(number: float, where: str) -> None:
    """Refuse a plain whole number that a float64 cannot hold exactly."""
    if isinstance(number, int) and abs(number) > limits.SAFE_INTEGER:
        message = f"{where} is beyond 2**53; send it as an int64"
        raise InvalidInput(message)


def _check_object(value: Mapping[object, object], where: str, depth: int) -> None:
    if len(value) > limits.MAX_OBJECT_FIELDS:
        message = f"{where} has more than {limits.MAX_OBJECT_FIELDS} fields; split it"
        raise TooLarge(message)
    for name, item in value.items():
        if not is_field_name(name):
            message = (
                f"{where} has a field name that is not plain ASCII, or begins with $: {name!r}"
            )
            raise InvalidInput(message)
        check_storable(item, f"{where}.{name}", depth + 1)


def _check_array(value: Sequence[object], where: str, depth: int) -> None:
    if len(value) > limits.MAX_ARRAY_LENGTH:
        message = f"{where} has more than {limits.MAX_ARRAY_LENGTH} elements; split it"
        raise TooLarge(message)
    for item in value:
        check_storable(item, f"{where}[]", depth + 1)


def is_field_name(name: object) -> bool:
    """Whether `name` may name a field of an object: printable ASCII, not beginning with `$`."""
    return (
        isinstance(name, str)
        and len(name) <= limits.MAX_FIELD_NAME
        and not name.startswith("$")
        and name.isascii()
        and (name.isprintable() or not name)
    )
