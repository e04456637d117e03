"""Numbers of tables and indexes, and building an index over rows that are there already."""

from collections.abc import Sequence
from contextlib import suppress

import pytest

from hubify.core.catalog import Catalog
from hubify.core.committer import Accepted
from hubify.core.database import Database
from hubify.core.schema import Table
from hubify.core.transaction import Transaction
from hubify.storage.engine import Commit, Seal
from hubify.storage.memory import MemoryEngine, MemoryStore
from hubify.values.rows import Index, Row, index, unique

ROWS = 5
NOW_NS = 1_767_225_600_000_000_000


class Book(Row, frozen=True):
    """A row whose table gains an index."""

    title: str
    year: int


def books(*indexes: Index) -> Table:
    """The table under some indexes."""
    return Table("books", Book, indexes)


def opened(store: MemoryStore, *indexes: Index, dies_after: int = 1_000) -> Database:
    """A process that opens the store, and may die after some commits."""
    return Database(MortalEngine(store, dies_after), [books(*indexes)], lambda: NOW_NS)


class Killed(BaseException):
    """The process is gone."""


class MortalEngine(MemoryEngine):
    """An engine whose process is killed after some commits."""

    def __init__(self, store: MemoryStore, dies_after: int) -> None:
        super().__init__(store)
        self._left = dies_after

    def append(self, after: int, commits: Sequence[Commit]) -> Seal:
        """Count down."""
        self._left -= 1
        if self._left < 0:
            raise Killed
        return super().append(after, commits)


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubify.core.catalog.BACKFILL_ROWS", 2)


@pytest.fixture
def store() -> MemoryStore:
    """A store with a few books under one index."""
    made = MemoryStore()
    add(opened(made, unique("title")), *range(2000, 2000 + ROWS))
    return made


def add(database: Database, *years: int) -> None:
    """Store a book for each year."""
    transaction = database.begin_write(lambda: None)
    for year in years:
        transaction.insert(Book(title=f"of {year}", year=year))
    database.accept(
        Accepted(
            function="t", caller="t", reads=transaction.reads, writes=transaction.changes(),
            rerun=lambda: (transaction.reads, transaction.changes()),
            done=lambda _ts: None, failed=lambda error: pytest.fail(error.message),
        )
    )  # fmt: skip
    database.flush()


def years(transaction: Transaction) -> list[int]:
    """Read through the new index."""
    return [book.year for book in transaction.take(Book.where().order_by("year"), limit=100)]


def test_a_new_index_holds_the_rows_that_were_there(store: MemoryStore) -> None:
    database = opened(store, unique("title"), index("year"))
    assert years(database.begin_read(lambda: None)) == [2000 + number for number in range(ROWS)]


@pytest.mark.parametrize("commits", range(6))
def test_an_index_whose_building_was_cut_short_is_built_anew(
    store: MemoryStore, commits: int
) -> None:
    with suppress(Killed):
        opened(store, unique("title"), index("year"), dies_after=commits)
    database = opened(store, unique("title"), index("year"))
    assert years(database.begin_read(lambda: None)) == [2000 + number for number in range(ROWS)]


def test_an_index_that_was_left_out_for_a_while_is_built_anew(store: MemoryStore) -> None:
    opened(store, unique("title"), index("year"))
    database = opened(store, unique("title"))
    add(database, 1999)
    database = opened(store, unique("title"), index("year"))
    assert years(database.begin_read(lambda: None)) == [
        1999, *(2000 + number for number in range(ROWS))
    ]  # fmt: skip


def test_opening_again_changes_nothing(store: MemoryStore) -> None:
    head = store.head
    catalog = Catalog([books(unique("title"))])
    catalog.open(MemoryEngine(store), NOW_NS)
    assert store.head == head
