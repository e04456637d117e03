"""How a value is spelled for one kind of reader: Convex clients, plain JSON, REST of either case.

Invariant: the text depends on the value and the style alone, so equal values have equal bytes. The
names of a record's fields follow the style's case; keys of a dict are data and stay as they are.
"""

import math
import struct
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any, cast

import msgspec
from msgspec import UNSET

from hubify.values import limits
from hubify.values.errors import TooLarge
from hubify.values.rows import Row
from hubify.values.values import Int64, describe

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
Convert = Callable[[Any, int], Plain]


class Style(msgspec.Struct, frozen=True):
    """One spelling of values.

    `tagged`: numbers are float64 (`1.0`), and what JSON cannot say goes in Convex's one-key tags.
    """

    camel: bool
    tagged: bool
    row_id: str
    creation_time: bool


CONVEX = Style(camel=True, tagged=True, row_id="_id", creation_time=True)
CLEAN = Style(camel=True, tagged=False, row_id="_id", creation_time=True)
CAMEL = Style(camel=True, tagged=False, row_id="_id", creation_time=False)
SNAKE = Style(camel=False, tagged=False, row_id="id", creation_time=False)

NAN, NEGATIVE_ZERO = math.nan, -0.0
to_json = msgspec.json.Encoder().encode
pack_float = struct.Struct("<d").pack


def encode(value: object, style: Style) -> bytes:
    """Spell a value, record or nesting of them as JSON text.

    Raises:
        TooLarge: nested deeper than `limits.MAX_NESTING`.
        TypeError, OverflowError, ValueError: not a value; a bug of the function that answered it.

    """
    return to_json(plain(value, style))


def plain(value: object, style: Style) -> Plain:
    """Spell a value, record or nesting of them in JSON's own types; errors as `encode`."""
    return _converters(style)[type(value)](value, 1)


def camel_case(name: str) -> str:
    """`skill_name` as `skillName`; leading underscores stay."""
    body = name.lstrip("_")
    first, *rest = body.split("_")
    return name[: len(name) - len(body)] + first + "".join(map(_capital, rest))


def field_name(kind: type, field: str, style: Style) -> str:
    """How a style spells a record's field; `__wire_names__` spells it otherwise, in every style.

    A record that shows a row under its `id` spells that as the row itself does.
    """
    own = _own_names(kind).get(field)
    if own is not None:
        return own
    if field == "id":
        return style.row_id
    return camel_case(field) if style.camel else field


class _Converters(dict[type, Convert]):
    """Per type, how one style spells it; an unknown type is looked into once."""

    def __init__(self, style: Style) -> None:
        numbers: dict[type, Convert] = (
            {int: _float_of_int, float: _tagged_float, bytes: _tagged_bytes, Int64: _tagged_int64}
            if style.tagged
            else {int: _whole, float: _number, bytes: _base64, Int64: _decimal}
        )
        super().__init__({str: _same, bool: _same, type(None): _same} | numbers)
        self.style = style
        self[list] = self[tuple] = self._array
        self[dict] = self._object

    def __missing__(self, kind: type) -> Convert:
        found = self._find(kind)
        self[kind] = found
        return found

    def _find(self, kind: type) -> Convert:
        if issubclass(kind, msgspec.Struct):
            return _record(self, kind)
        if issubclass(kind, Enum):
            return lambda member, depth: self[type(member.value)](member.value, depth)
        if issubclass(kind, str):
            return lambda value, _depth: str(value)
        if issubclass(kind, list | tuple):
            return self._array
        if issubclass(kind, Mapping):
            return self._object
        message = f"{kind.__qualname__} is not a value that can be sent"
        raise TypeError(message)

    def _array(self, items: Sequence[object], depth: int) -> Plain:
        _check_depth(depth)
        return [
            item
            if type(item) is str or item is None or type(item) is bool
            else self[type(item)](item, depth + 1)
            for item in items
        ]

    def _object(self, entries: Mapping[object, object], depth: int) -> Plain:
        _check_depth(depth)
        out: dict[str, Plain] = {}
        for name, item in entries.items():
            key = name if type(name) is str else _key(name)
            if type(item) is str or item is None or type(item) is bool:
                out[key] = item
            else:
                out[key] = self[type(item)](item, depth + 1)
        if self.style.tagged and len(out) == 1 and next(iter(out)).startswith("$"):
            message = "a Convex client would take an object whose only key begins with $ for a tag"
            raise ValueError(message)
        return out


@cache
def _converters(style: Style) -> _Converters:
    return _Converters(style)


def _record(table: _Converters, kind: type[msgspec.Struct]) -> Convert:
    """How to spell records of one type: which fields, under which names, worked out once."""
    style = table.style
    fields = tuple(_spelled_fields(kind, style))
    tag = cast("dict[str, Plain]", _tag(kind))
    is_row = issubclass(kind, Row)

    def convert(record: msgspec.Struct, depth: int) -> Plain:
        _check_depth(depth)
        out = tag.copy()
        if is_row:
            row = cast("Row", record)
            out[style.row_id] = row.id
            if style.creation_time:
                out["_creationTime"] = table[float](row.creation_time, depth)
        for field, name in fields:
            item: object = getattr(record, field)
            if type(item) is str or item is None or type(item) is bool:
                out[name] = item
            elif item is not UNSET:
                out[name] = table[type(item)](item, depth + 1)
        return out

    return convert


def _spelled_fields(kind: type[msgspec.Struct], style: Style) -> Iterator[tuple[str, str]]:
    """(field, its name on the wire) of what may leave; `__wire_hidden__` keeps one inside."""
    hidden: frozenset[str] = getattr(kind, "__wire_hidden__", frozenset())
    unknown = ({*_own_names(kind)} | hidden) - set(kind.__struct_fields__)
    assert not unknown, f"{kind.__qualname__} has no field {', '.join(sorted(unknown))}"
    for field in kind.__struct_fields__:
        if field in hidden or (field == "id" and issubclass(kind, Row)):
            continue
        yield field, field_name(kind, field, style)


def _own_names(kind: type) -> Mapping[str, str]:
    return getattr(kind, "__wire_names__", {})


def _tag(kind: type[msgspec.Struct]) -> dict[str, object]:
    config = kind.__struct_config__
    return {} if config.tag_field is None else {config.tag_field: config.tag}


def _key(name: object) -> str:
    if isinstance(name, str):
        return str(name)
    message = f"a key must be a string, not {describe(name)}"
    raise TypeError(message)


def _check_depth(depth: int) -> None:
    if depth > limits.MAX_NESTING:
        message = f"the answer is nested deeper than {limits.MAX_NESTING} levels; flatten it"
        raise TooLarge(message)


def _same(value: Plain, _depth: int) -> Plain:
    return value


def _whole(number: int, _depth: int) -> int:
    if -limits.SAFE_INTEGER <= number <= limits.SAFE_INTEGER:
        return number
    message = f"{number} is beyond 2**53; answer it as an Int64"
    raise OverflowError(message)


def _float_of_int(number: int, depth: int) -> float:
    return float(_whole(number, depth))


def _number(number: float, _depth: int) -> Plain:
    if number.is_integer() and abs(number) <= limits.SAFE_INTEGER:
        return int(number)
    if math.isfinite(number):
        return number
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


def _tagged_float(number: float, _depth: int) -> Plain:
    if math.isfinite(number) and (number or math.copysign(1, number) > 0):
        return number
    bits = pack_float(NAN if math.isnan(number) else number)
    return {"$float": b64encode(bits).decode()}


def _tagged_int64(number: Int64, _depth: int) -> Plain:
    return {"$integer": b64encode(number.number.to_bytes(8, "little", signed=True)).decode()}


def _decimal(number: Int64, _depth: int) -> str:
    return str(number.number)


def _tagged_bytes(data: bytes, _depth: int) -> Plain:
    return {"$bytes": b64encode(data).decode()}


def _base64(data: bytes, _depth: int) -> str:
    return b64encode(data).decode()


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]
