"""Rows as typed records, their indexes, and the questions one may ask of an index.

Invariant: a query names exactly one declared index by the fields it fixes; there is no other way
to read, so each read can be recorded as one interval of one index.
"""

from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, Self, TypeVar

import msgspec

from hubify.values.ids import UNSAVED, RowId, creation_time, decode_id


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A stored record; subclasses add fields, `Domain.table` gives it a name and indexes."""

    id: RowId = UNSAVED

    @property
    def creation_time(self) -> float:
        """When it was inserted: milliseconds since 1970, strictly increasing within a process."""
        decoded = decode_id(self.id)
        assert decoded is not None, "a row has a creation time once it is inserted"
        return creation_time(decoded[1])

    @classmethod
    def where(cls, **equal: object) -> "Query[Self]":
        """Ask for the rows with these field values, through the index that begins with them."""
        return Query(cls, equal)

    def changed(self, **changes: Any) -> Self:
        """The same row with some fields changed (not yet written)."""
        return msgspec.structs.replace(self, **changes)


R = TypeVar("R", bound=Row)


class Bound(NamedTuple):
    """One end of a range on a field; `inclusive` takes the value itself in."""

    value: object
    inclusive: bool


class Query(msgspec.Struct, Generic[R], frozen=True):
    """Rows of one index: equal leading fields, perhaps a range or an order on the next one."""

    row_type: type[R]
    equal: Mapping[str, object]
    field: str | None = None
    lower: Bound | None = None
    upper: Bound | None = None
    descending: bool = False

    def order_by(self, field: str) -> "Query[R]":
        """Sort by the index field that follows the equal ones (default: creation order)."""
        return msgspec.structs.replace(self, field=field)

    def at_least(self, **bound: object) -> "Query[R]":
        """Keep rows whose next index field is >= the value, e.g. `at_least(created_at=5)`."""
        return self._bounded("lower", bound, inclusive=True)

    def above(self, **bound: object) -> "Query[R]":
        """Keep rows whose next index field is > the value."""
        return self._bounded("lower", bound, inclusive=False)

    def at_most(self, **bound: object) -> "Query[R]":
        """Keep rows whose next index field is <= the value."""
        return self._bounded("upper", bound, inclusive=True)

    def below(self, **bound: object) -> "Query[R]":
        """Keep rows whose next index field is < the value."""
        return self._bounded("upper", bound, inclusive=False)

    def newest_first(self) -> "Query[R]":
        """Reverse the order: largest, or latest created, first."""
        return msgspec.structs.replace(self, descending=True)

    def _bounded(self, side: str, bound: Mapping[str, object], *, inclusive: bool) -> "Query[R]":
        ((field, value),) = bound.items()
        if self.field not in (None, field):
            message = f"one range per query: it already ranges over {self.field!r}"
            raise TypeError(message)
        return msgspec.structs.replace(self, **{"field": field, side: Bound(value, inclusive)})


class Index(msgspec.Struct, frozen=True):
    """An index over one table: the fields in order, perhaps unique; or the words of some texts.

    Of words, those of rows that agree on the fields `within` stand apart from others; rows with the
    same word are in order of the fields `by`, then of creation.
    """

    fields: tuple[str, ...]
    unique: bool = False
    words: bool = False
    within: tuple[str, ...] = ()
    by: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`by_name_version`, or `words_of_description`."""
        if self.words:
            about = [*self.fields, *self._told("within", self.within), *self._told("by", self.by)]
            return "words_of_" + "_".join(about)
        return "by_" + ("_".join(self.fields) or "creation")

    def _told(self, how: str, fields: tuple[str, ...]) -> tuple[str, ...]:
        return (how, *fields) if fields else ()


def index(*fields: str) -> Index:
    """Rows ordered by these fields, then by creation; with no field, by creation alone."""
    return Index(fields)


def unique(*fields: str) -> Index:
    """As `index`, and no two rows may agree on all of the fields."""
    return Index(fields, unique=True)


def words(*fields: str, within: tuple[str, ...] = (), by: tuple[str, ...] = ()) -> Index:
    """A text index over the words of these string fields (or arrays of strings).

    `within`: fields whose values a search must give, so that it passes no other rows; `by`: the
    order of the rows with one word, of which a search reads the highest first.
    """
    return Index(fields, words=True, within=within, by=by)
