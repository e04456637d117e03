"""Tables as declared, and as bound to the numbers under which an engine keeps them.

Invariant: a table's or index's number never changes once given; `catalog.py` keeps the pairs in the
store itself.
"""

import typing
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from operator import attrgetter
from types import NoneType
from typing import Any

import msgspec

from hubify.core.words import words_of
from hubify.values.ids import RowId, decode_id, encode_id, id_key
from hubify.values.interval import Interval, prefix_interval
from hubify.values.keys import encode_component, encode_key
from hubify.values.rows import Index, Query, Row
from hubify.values.values import Int64

INT64_EXTENSION = 1
ROW_KEY_BYTES = len(id_key(0))
EXACT_TYPES = (str, bytes, int, NoneType)


class Table(msgspec.Struct, frozen=True):
    """A declared table: its name, the type of its rows and the indexes over them."""

    name: str
    row_type: type[Row]
    indexes: tuple[Index, ...]


Entry = tuple[int, bytes]
"""An index's number and a key in it, which ends with the number of the row it points to."""


class BoundIndex:
    """One index under its number, able to compute the entries of a row."""

    def __init__(self, number: int, index: Index, hints: Mapping[str, Any]) -> None:
        self.number = number
        self.index = index
        self.fields = index.fields
        self._values = _reader(index.fields)
        self._within, self._by = _reader(index.within), _reader(index.by)
        keyed = (*index.within, *index.fields, *index.by)
        self._keyed = _reader(keyed)
        self._exact = all(_is_exact(hints[field]) for field in keyed)

    def may_differ(self, row: Row, other: Row) -> bool:
        """Whether two states of one row could have different entries here; never wrongly False."""
        return not self._exact or self._keyed(row) != self._keyed(other)

    def entries(self, row: Row, row_key: bytes) -> Iterator[Entry]:
        """The (index, key) pairs that point to this row."""
        values = self._values(row)
        if self.index.words:
            before, after = encode_key(self._within(row)), encode_key(self._by(row)) + row_key
            for word in words_of(values):
                yield self.number, before + encode_component(word) + after
        else:
            yield self.number, encode_key(values) + row_key


class BoundTable:
    """One table under its number, with its codec."""

    def __init__(self, table: Table, numbers: Mapping[str, int]) -> None:
        self.name = table.name
        self.row_type = table.row_type
        self.number = numbers[table.name]
        hints = hints_of(table.row_type)
        self.indexes = tuple(
            BoundIndex(numbers[f"{table.name}.{index.name}"], index, hints)
            for index in table.indexes
        )
        self.unique_indexes = tuple(bound for bound in self.indexes if bound.index.unique)
        self.encode: Callable[[Row], bytes] = msgspec.msgpack.Encoder(enc_hook=to_extension).encode
        self.decode: Callable[[bytes], Any] = msgspec.msgpack.Decoder(
            table.row_type, ext_hook=from_extension
        ).decode
        self.free_fields = free_fields(table.row_type)
        self._chosen: dict[tuple[tuple[str, ...], str | None], BoundIndex] = {}

    def id_of(self, number: int) -> RowId:
        """The text form of this table's row `number`."""
        return encode_id(self.number, number)

    def number_of(self, row_id: str) -> int | None:
        """The row number behind a row id, or None when it is no id of this table."""
        decoded = decode_id(row_id)
        return decoded[1] if decoded and decoded[0] == self.number else None

    def entries(self, row: Row, number: int) -> set[Entry]:
        """Every index entry that points to a row."""
        row_key = id_key(number)
        return {entry for index in self.indexes for entry in index.entries(row, row_key)}

    def moved_entries(self, before: Row, after: Row, number: int) -> tuple[set[Entry], set[Entry]]:
        """The entries that a change of a row removes, and those that it adds.

        The same as comparing all `entries` of both; only the indexes that saw a change are encoded.
        """
        row_key = id_key(number)
        removed: set[Entry] = set()
        added: set[Entry] = set()
        for index in self.indexes:
            if index.may_differ(before, after):
                removed.update(index.entries(before, row_key))
                added.update(index.entries(after, row_key))
        return removed - added, added - removed

    def index_for(self, query: Query[Any]) -> BoundIndex:
        """The declared index whose leading fields are the query's.

        Raises:
            TypeError: none covers it; the message names the index to declare.

        """
        asked = (tuple(query.equal), query.field)
        found = self._chosen.get(asked)
        if found is None:
            found = self._chosen[asked] = self._choose(set(query.equal), query.field)
        return found

    def words_index(self) -> BoundIndex:
        """The table's text index."""
        for bound in self.indexes:
            if bound.index.words:
                return bound
        message = f"table {self.name!r} declares no words(...) index to search in"
        raise TypeError(message)

    def _choose(self, equal: set[str], field: str | None) -> BoundIndex:
        count = len(equal)
        covering = [
            bound
            for bound in self.indexes
            if not bound.index.words
            and set(bound.fields[:count]) == equal
            and (field is None or bound.fields[count : count + 1] == (field,))
        ]
        if covering:
            # The shortest one sorts by creation right after the fixed fields.
            return min(covering, key=lambda bound: len(bound.fields))
        wanted = ", ".join(repr(name) for name in [*sorted(equal), *([field] if field else [])])
        message = f"no index of table {self.name!r} covers this read; declare index({wanted})"
        raise TypeError(message)


def entries_alike(key: bytes) -> Interval:
    """The range of all entries with the same fields as this one, whichever row they point to."""
    return prefix_interval(key[:-ROW_KEY_BYTES])


@cache
def hints_of(row_type: type[Row]) -> Mapping[str, Any]:
    """The types of a row's fields; working them out costs more than all else of opening a table."""
    return typing.get_type_hints(row_type)


@cache
def free_fields(row_type: type[Row]) -> tuple[str, ...]:
    """Fields that hold whatever JSON a caller sent, and so are checked before they are stored."""
    return tuple(name for name, hint in hints_of(row_type).items() if _is_free(hint))


def _is_free(hint: object) -> bool:
    return hint is Any or hint is object or any(_is_free(part) for part in typing.get_args(hint))


def _is_exact(hint: object) -> bool:
    """Whether equal values of a type always have equal keys: not so 0.0 and -0.0, or 1 and True."""
    leaves = set(_leaves(hint)) - {...}
    plain = all(isinstance(leaf, type) and issubclass(leaf, EXACT_TYPES) for leaf in leaves)
    return plain and not {int, bool} <= leaves


def _leaves(hint: object) -> Iterator[object]:
    hint = getattr(hint, "__supertype__", hint)  # what a NewType stands for
    parts = typing.get_args(hint)
    if not parts:
        yield hint
    for part in parts:
        yield from _leaves(part)


def _reader(fields: tuple[str, ...]) -> Callable[[Row], tuple[object, ...]]:
    if not fields:
        return lambda _row: ()
    getter = attrgetter(*fields)
    return getter if len(fields) > 1 else lambda row: (getter(row),)


def to_extension(value: object) -> object:
    """How an `Int64` is packed (msgspec's hook for what it does not know)."""
    if isinstance(value, Int64):
        return msgspec.msgpack.Ext(INT64_EXTENSION, value.number.to_bytes(8, "big", signed=True))
    message = f"a {type(value).__name__} cannot be stored"
    raise TypeError(message)


def from_extension(code: int, data: memoryview) -> object:
    """The `Int64` that was packed."""
    assert code == INT64_EXTENSION, "only int64 is stored as an extension"
    return Int64(int.from_bytes(data, "big", signed=True))
