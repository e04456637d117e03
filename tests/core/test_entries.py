"""Index entries of changed rows: only what changed is encoded, and nothing that changed is missed.

Invariant: the shorter calculation gives what comparing all entries of both states would.
"""

from enum import StrEnum
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.core.committer import Accepted
from hubify.core.database import Database
from hubify.core.schema import BoundTable, Table
from hubify.core.transaction import Transaction
from hubify.storage.memory import MemoryEngine
from hubify.values.errors import Conflict
from hubify.values.ids import RowId
from hubify.values.rows import Row, index, unique, words


class Colour(StrEnum):
    """Strings with names."""

    RED = "red"
    BLUE = "blue"


class Thing(Row, frozen=True):
    """A row whose indexed fields have values that are equal and yet have keys of their own."""

    name: str
    size: float = 0.0
    flag: bool | int = False
    colour: Colour | None = None
    parent: RowId | None = None
    free: Any = None
    tags: tuple[str, ...] = ()
    note: str = ""


THINGS = Table(
    "things",
    Thing,
    (
        unique("name"), unique("colour", "parent", "name"), index("size", "name"), index("flag"),
        index("free"), index("colour", "size"), index(), words("tags", "note"),
    ),
)  # fmt: skip

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from(["a", "b", "a\0"]),
    "size": st.sampled_from([0.0, -0.0, 0, 1, 1.5]),
    "flag": st.sampled_from([False, True, 0, 1]),
    "colour": st.sampled_from([None, *Colour]),
    "parent": st.sampled_from([None, RowId("p")]),
    "free": st.sampled_from([None, 1, 1.0, True, "x", 0.0, -0.0]),
    "tags": st.sampled_from([(), ("one",), ("one", "two"), ("two", "one")]),
    "note": st.sampled_from(["", "one", "two three", "one two three"]),
}
CHANGES = st.fixed_dictionaries({}, optional=VALUES)


class Store:
    """A database in memory, a transaction at a time."""

    def __init__(self) -> None:
        ticks = count(1_700_000_000_000_000_000, 1_000_000)
        self.database = Database(MemoryEngine(), [THINGS], lambda: next(ticks))

    def begin(self) -> Transaction:
        return self.database.begin_write(lambda: None)

    def commit(self, transaction: Transaction) -> None:
        self.database.accept(
            Accepted(
                function="t", caller="t", reads=transaction.reads, writes=transaction.changes(),
                rerun=lambda: (transaction.reads, transaction.changes()),
                done=lambda _ts: None, failed=lambda error: pytest.fail(str(error)),
            )
        )  # fmt: skip
        self.database.flush()

    @property
    def table(self) -> BoundTable:
        return self.database.table_of(Thing)


@given(CHANGES, CHANGES)
def test_the_entries_that_a_change_moves_are_the_difference_of_all_entries(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    table = Store().table
    before = Thing("a", **{name: value for name, value in first.items() if name != "name"})
    after = before.changed(**second)
    all_before, all_after = table.entries(before, 7), table.entries(after, 7)
    removed, added = table.moved_entries(before, after, 7)
    assert (removed, added) == (all_before - all_after, all_after - all_before)


@given(steps=st.lists(CHANGES, min_size=1, max_size=6), stored=st.booleans(), deleted=st.booleans())
def test_several_writes_of_a_row_in_one_transaction_add_up_to_the_last(
    steps: list[dict[str, Any]], *, stored: bool, deleted: bool
) -> None:
    store = Store()
    transaction = store.begin()
    row = transaction.insert(Thing("first", tags=("one",)))
    number = store.table.number_of(row.id)
    assert number is not None
    before = store.table.entries(row, number) if stored else set()
    if stored:
        store.commit(transaction)
        transaction = store.begin()
    for step in steps:
        row = transaction.replace(row, **step)
    if deleted:
        transaction.delete(row)
    after = set() if deleted else store.table.entries(row, number)
    for write in transaction.changes():
        assert write.removed == tuple(sorted(before - after))
        assert write.added == tuple(sorted(after - before))
    assert transaction.changes() or before == after


@given(st.lists(CHANGES, min_size=1, max_size=5))
def test_what_a_transaction_wrote_is_found_under_its_newest_values_only(
    steps: list[dict[str, Any]],
) -> None:
    transaction = Store().begin()
    row = transaction.insert(Thing("first"))
    for step in steps:
        row = transaction.replace(row, **step)
    for colour in (None, *Colour):
        found = transaction.take(Thing.where(colour=colour).order_by("size"), limit=9)
        assert [thing.id for thing in found] == ([row.id] if row.colour == colour else [])
    for word in ("one", "two", "three"):
        holders = transaction.holders(Thing, word)
        assert bool(holders) == (word in row.tags or word in row.note.split())


def test_a_change_onto_anothers_unique_values_is_refused_and_one_of_other_fields_is_not() -> None:
    transaction = Store().begin()
    transaction.insert(Thing("a"))
    other = transaction.insert(Thing("b"))
    changed = transaction.replace(other, size=2.0)
    with pytest.raises(Conflict, match="same name"):
        transaction.replace(changed, name="a")


def test_values_that_were_looked_for_and_not_found_can_be_taken_once() -> None:
    transaction = Store().begin()
    assert transaction.first(Thing.where(name="a")) is None
    first = transaction.insert(Thing("a"))
    with pytest.raises(Conflict, match="same name"):
        transaction.insert(Thing("a", size=1.0))
    transaction.delete(first)
    assert transaction.first(Thing.where(name="a")) is None
    transaction.replace(transaction.insert(Thing("b")), name="a")
    with pytest.raises(Conflict, match="same name"):
        transaction.insert(Thing("a", size=1.0))


def test_looking_before_an_insert_leaves_the_range_read() -> None:
    store = Store()
    transaction = store.begin()
    assert transaction.first(Thing.where(name="a")) is None
    transaction.insert(Thing("a"))
    other = store.begin()
    other.insert(Thing("a"))
    assert any(transaction.reads.touched_by(write) for write in other.changes())
