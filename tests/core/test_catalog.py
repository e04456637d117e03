"""Numbers of tables and indexes, and building an index over rows that are there already."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest

from hubify.core.catalog import MAX_OPENINGS, Catalog
from hubify.core.committer import Accepted
from hubify.core.database import Database, PastNotReadable
from hubify.core.schema import Table
from hubify.core.transaction import Transaction
from hubify.storage.engine import Commit, Seal
from hubify.storage.memory import MemoryEngine, MemoryStore
from hubify.values.errors import Unavailable
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


class RacedEngine(MemoryEngine):
    """An engine before whose first appends another process does something."""

    def __init__(self, store: MemoryStore, others: Sequence[Callable[[], object]]) -> None:
        super().__init__(store)
        self._others = [*others]

    def append(self, after: int, commits: Sequence[Commit]) -> Seal:
        """Let the other one go first."""
        if self._others:
            self._others.pop(0)()
        return super().append(after, commits)


def test_two_processes_that_open_an_empty_store_at_once_give_the_same_numbers() -> None:
    store = MemoryStore()
    tables = [books(unique("title"))]
    engine = RacedEngine(store, [lambda: Database(MemoryEngine(store), tables, lambda: NOW_NS)])
    late = Database(engine, tables, lambda: NOW_NS, alone=False)
    early = Database(MemoryEngine(store), tables, lambda: NOW_NS, alone=False)
    assert late.table_of(Book).number == early.table_of(Book).number
    assert late.head == early.head
    add(late, 1999)
    early.committer.catch_up()
    found = early.begin_read(lambda: None).take(Book.where(title="of 1999"), limit=9)
    assert [book.year for book in found] == [1999]


def test_an_index_is_built_whole_while_another_process_writes_between_the_steps(
    store: MemoryStore,
) -> None:
    other = Database(MemoryEngine(store), [books(unique("title"))], lambda: NOW_NS, alone=False)
    engine = RacedEngine(store, [lambda: None, lambda: add(other, 1990)])
    database = Database(engine, [books(unique("title"), index("year"))], lambda: NOW_NS)
    assert years(database.begin_read(lambda: None)) == [
        1990, *(2000 + number for number in range(ROWS))
    ]  # fmt: skip


def test_who_never_comes_to_open_a_busy_store_is_told_so(store: MemoryStore) -> None:
    other = Database(MemoryEngine(store), [books(unique("title"))], lambda: NOW_NS, alone=False)
    writes = [lambda year=year: add(other, year) for year in range(MAX_OPENINGS)]
    engine = RacedEngine(store, writes)
    with pytest.raises(Unavailable, match="keep writing"):
        Database(engine, [books(unique("title"), index("year"))], lambda: NOW_NS)


@pytest.mark.parametrize("indexes", [[], [unique("title"), index("year")]])
def test_who_is_not_alone_neither_builds_nor_retires_an_index(
    store: MemoryStore, indexes: list[Index]
) -> None:
    head = store.head
    with pytest.raises(Unavailable, match="alone first"):
        Database(MemoryEngine(store), [books(*indexes)], lambda: NOW_NS, alone=False)
    assert store.head == head


def test_a_past_before_an_index_was_built_is_refused_with_the_time_from_which_it_is_there(
    store: MemoryStore,
) -> None:
    before = store.head
    database = opened(store, unique("title"), index("year"))
    built = database.head
    add(database, 1999)
    past = database.begin_read(lambda: None, at=before)
    assert past.take(Book.where(title="of 2000"), limit=1), "an old index shows the past"
    with pytest.raises(PastNotReadable, match="ask for 2026-01-01T00:00") as told:
        years(past)
    assert told.value.code == "PAST_NOT_READABLE"
    assert told.value.details == {"readableFrom": -(-built // 1_000_000)}
    assert len(years(database.begin_read(lambda: None, at=built))) == ROWS


def test_the_past_of_a_table_that_was_not_there_yet_is_empty() -> None:
    store = MemoryStore()
    Database(MemoryEngine(store), [], lambda: NOW_NS)
    before = store.head
    database = opened(store, unique("title"), index("year"))
    add(database, 1999)
    assert years(database.begin_read(lambda: None, at=before)) == []
