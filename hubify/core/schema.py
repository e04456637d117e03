"""Tables as declared, and as bound to the numbers under which an engine keeps them.

Invariant: a table's or index's number never changes once given; `catalog.py` keeps the pairs in the
store itself.
"""

import typing
from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from typing import Any

import msgspec

from hubify.core.words import words_of
from hubify.values.ids import RowId, decode_id, encode_id, id_key
from hubify.values.keys import encode_component, encode_key
from hubify.values.rows import Index, Query, Row
from hubify.values.values import Int64

INT64_EXTENSION = 1


class Table(msgspec.Struct, frozen=True):
    """A declared table: its name, the type of its rows and the indexes over them."""

    name: str
    row_type: type[Row]
    indexes: tuple[Index, ...]


Entry = tuple[int, bytes]


class BoundIndex:
    """One index under its number, able to compute the entries of a row."""

    def __init__(self, number: int, index: Index) -> None:
        self.number = number
        self.index = index
        self.fields = index.fields
        self._values = _reader(index.fields)

    def entries(self, row: Row, row_key: bytes) -> Iterator[Entry]:
        """The (index, key) pairs that point to this row."""
        values = self._values(row)
        if self.index.words:
            for word in words_of(values):
                yield self.number, encode_component(word) + row_key
        else:
            yield self.number, encode_key(values) + row_key


class BoundTable:
    """One table under its number, with its codec."""

    def __init__(self, table: Table, numbers: Mapping[str, int]) -> None:
        self.name = table.name
        self.row_type = table.row_type
        self.number = numbers[table.name]
        self.indexes = tuple(
            BoundIndex(numbers[f"{table.name}.{index.name}"], index) for index in table.indexes
        )
        self.encode: Callable[[Row], bytes] = msgspec.msgpack.Encoder(enc_hook=to_extension).encode
        self.decode: Callable[[bytes], Row] = msgspec.msgpack.Decoder(
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


def free_fields(row_type: type[Row]) -> tuple[str, ...]:
    """Fields that hold whatever JSON a caller sent, and so are checked before they are stored."""
    hints = typing.get_type_hints(row_type)
    return tuple(name for name, hint in hints.items() if _is_free(hint))


def _is_free(hint: object) -> bool:
    return hint is Any or hint is object or any(_is_free(part) for part in typing.get_args(hint))


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
