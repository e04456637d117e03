"""Reading and writing rows: indexes, order, pages, words, limits."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.core.committer import Accepted
from hubify.core.database import Database
from hubify.core.pages import InvalidCursor, PageRequest
from hubify.core.schema import Table
from hubify.core.search import search
from hubify.core.transaction import Transaction
from hubify.storage.memory import MemoryEngine, MemoryStore
from hubify.values import limits
from hubify.values.errors import Conflict, InvalidInput, TooLarge
from hubify.values.rows import Index, Row, index, unique, words


class Item(Row, frozen=True):
    """A row with something of everything."""

    name: str
    group: str = "g"
    size: int = 0
    text: str = ""
    extra: dict[str, object] | None = None


ITEMS = Table("items", Item, (unique("name"), index("group", "size"), index(), words("text")))


class Store:
    """A database in memory whose writes are flushed at once."""

    def __init__(self, table: Table = ITEMS, store: MemoryStore | None = None) -> None:
        self.now_ns = itertools.count(1_700_000_000_000_000_000, 1_000_000)
        self.database = Database(MemoryEngine(store), [table], lambda: next(self.now_ns))

    def write(self, change: Callable[[Transaction], object]) -> None:
        """Run a change and make it durable."""
        transaction = self.database.begin_write(lambda: None)
        change(transaction)
        accepted = Accepted(
            function="t", caller="t", reads=transaction.reads, writes=transaction.changes(),
            rerun=lambda: (transaction.reads, transaction.changes()),
            done=lambda _ts: None, failed=lambda error: pytest.fail(str(error)),
        )  # fmt: skip
        self.database.accept(accepted)
        self.database.flush()

    def add(self, *items: Row) -> None:
        """Insert rows in one transaction."""
        self.write(lambda transaction: [transaction.insert(item) for item in items])

    def read(self, at: int | None = None) -> Transaction:
        """A fresh reader."""
        return self.database.begin_read(lambda: None, at=at)


def names(rows: list[Item]) -> list[str]:
    """Their names."""
    return [row.name for row in rows]


def test_a_list_comes_in_the_order_of_the_field_after_the_equal_ones() -> None:
    store = Store()
    store.add(Item("b", size=2), Item("a", size=9), Item("c", size=2), Item("d", group="h"))
    query = Item.where(group="g").order_by("size")
    assert names(store.read().take(query, limit=9)) == ["b", "c", "a"]
    assert names(store.read().take(query.newest_first(), limit=2)) == ["a", "c"]


def test_ranges_take_or_leave_their_ends_as_asked() -> None:
    store = Store()
    store.add(*(Item(str(size), size=size) for size in range(6)))
    group = Item.where(group="g")
    read = store.read()
    assert names(read.take(group.above(size=1).below(size=4), limit=9)) == ["2", "3"]
    assert names(read.take(group.at_least(size=1).at_most(size=4), limit=9)) == ["1", "2", "3", "4"]
    assert read.take(group.above(size=4).below(size=2), limit=9) == []


def test_a_read_that_no_index_covers_is_refused_with_the_index_to_declare() -> None:
    with pytest.raises(TypeError, match=r"declare index\('size'\)"):
        Store().read().take(Item.where(size=1), limit=1)


def test_a_unique_index_refuses_a_second_row_and_allows_the_name_again_after_a_delete() -> None:
    store = Store()
    store.add(Item("a"))
    with pytest.raises(Conflict, match="same name"):
        store.add(Item("a"))

    def swap(transaction: Transaction) -> None:
        old = transaction.first(Item.where(name="a"))
        assert old is not None
        transaction.delete(old)
        transaction.insert(Item("a", size=7))

    store.write(swap)
    found = store.read().first(Item.where(name="a"))
    assert found is not None
    assert found.size == 7


def test_a_transaction_sees_its_own_writes_and_nobody_else_does_before_the_commit() -> None:
    store = Store()
    transaction = store.database.begin_write(lambda: None)
    made = transaction.insert(Item("a", size=3))
    assert transaction.get(Item, made.id) == made
    assert names(transaction.take(Item.where(group="g"), limit=5)) == ["a"]
    assert store.read().get(Item, made.id) is None


def test_an_id_of_another_table_or_no_id_at_all_finds_nothing() -> None:
    read = Store().read()
    assert read.get(Item, "00000000000000ffff") is None
    assert read.get(Item, "not an id") is None
    assert read.get(Item, "") is None


def test_a_past_timestamp_shows_the_past() -> None:
    store = Store()
    store.add(Item("a", size=1))
    before = store.database.head
    store.write(lambda t: t.replace(t.one(Item.where(name="a"), missing=Conflict("x")), size=2))
    old, new = store.read(before).first(Item.where(name="a")), store.read().first(Item.where())
    assert old is not None
    assert new is not None
    assert (old.size, new.size) == (1, 2)
    with pytest.raises(InvalidInput, match="future"):
        store.read(store.database.head + 10**9)


@given(st.lists(st.integers(0, 5), max_size=12), st.integers(1, 5), st.booleans())
def test_following_cursors_shows_every_row_once_in_order(
    sizes: list[int],
    count: int,
    backwards: bool,  # noqa: FBT001 - drawn
) -> None:
    store = Store()
    store.add(*(Item(f"i{place}", size=size) for place, size in enumerate(sizes)))
    query = Item.where(group="g").order_by("size")
    query = query.newest_first() if backwards else query
    read, cursor, shown = store.read(), None, list[str]()
    for _page in range(len(sizes) + 1):
        page = read.page(query, PageRequest(count, cursor))
        shown += names(page.page)
        cursor = page.continue_cursor
        if page.is_done:
            break
    assert shown == names(read.take(query, limit=100))


def test_a_page_with_an_end_keeps_it_while_rows_come_and_go_inside() -> None:
    store = Store()
    store.add(*(Item(str(size), size=size) for size in (10, 20, 30, 40)))
    query = Item.where(group="g").order_by("size")
    first = store.read().page(query, PageRequest(2))
    store.add(Item("15", size=15), Item("25", size=25))
    again = store.read().page(query, PageRequest(2, end_cursor=first.continue_cursor))
    assert names(again.page) == ["10", "15", "20"]
    after = store.read().page(query, PageRequest(9, first.continue_cursor))
    assert names(after.page) == ["25", "30", "40"]


def test_a_cursor_of_another_query_is_refused() -> None:
    store = Store()
    store.add(Item("a"), Item("b"))
    page = store.read().page(Item.where(group="g").order_by("size"), PageRequest(1))
    with pytest.raises(InvalidCursor):
        store.read().page(Item.where(group="h"), PageRequest(1, page.continue_cursor))
    with pytest.raises(InvalidCursor):
        store.read().page(Item.where(group="g"), PageRequest(1, "no cursor %"))


def test_search_prefers_rows_that_hold_more_and_rarer_words() -> None:
    store = Store()
    store.add(
        Item("one", text="parse json files"),
        Item("two", text="parse yaml files"),
        Item("three", text="parse json and yaml files quickly"),
        Item("four", text="nothing of it"),
    )
    found = search(
        store.read(), Item, "json YAML pars", title=lambda item: item.name, keep=lambda _item: True
    )
    assert [item.name for _score, item in found] == ["three", "one", "two"]


def test_writing_back_what_was_read_changes_nothing() -> None:
    store = Store()
    store.add(Item("a"))
    head = store.database.head
    store.write(lambda t: t.replace(t.one(Item.where(name="a"), missing=Conflict("x"))))
    assert store.database.head == head


def test_limits_say_how_to_stay_under_them() -> None:
    store = Store()
    with pytest.raises(TooLarge, match="1 MiB"):
        store.add(Item("a", text="x" * limits.MAX_DOCUMENT_BYTES))
    with pytest.raises(TooLarge, match="shorten"):
        store.add(Item("n" * limits.MAX_KEY_BYTES))
    deep: dict[str, object] = {}
    for _level in range(limits.MAX_DOCUMENT_NESTING + 1):
        deep = {"in": deep}
    with pytest.raises(TooLarge, match="flatten"):
        store.add(Item("d", extra=deep))
    with pytest.raises(InvalidInput, match="int64"):
        store.add(Item("e", extra={"big": 2**60}))


@pytest.mark.parametrize(
    ("limit", "message"),
    [("MAX_ROWS_READ", "take pages"), ("MAX_BYTES_READ", "take pages"), ("MAX_INTERVALS", "range")],
)
def test_reads_are_bounded(monkeypatch: pytest.MonkeyPatch, limit: str, message: str) -> None:
    store = Store()
    store.add(*(Item(str(number)) for number in range(10)))
    monkeypatch.setattr(limits, limit, 5)

    def read_all() -> None:
        read = store.read()
        for number in range(10):
            read.first(Item.where(name=str(number)))

    with pytest.raises(TooLarge, match=message):
        read_all()


def test_writes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_ROWS_WRITTEN", 3)
    with pytest.raises(TooLarge, match="jobs"):
        Store().add(*(Item(str(number)) for number in range(5)))


def test_an_index_declared_later_is_built_from_the_rows_and_a_dropped_one_is_retired() -> None:
    kept = MemoryStore()

    def opened(*indexes: Index) -> Store:
        return Store(Table("items", Item, indexes), kept)

    opened(unique("name")).add(Item("a", size=2), Item("b", size=1))
    with_size = opened(unique("name"), index("size"))
    assert names(with_size.read().take(Item.where().order_by("size"), limit=9)) == ["b", "a"]
    opened(unique("name")).add(Item("c", size=0))
    again = opened(unique("name"), index("size"))
    assert names(again.read().take(Item.where().order_by("size"), limit=9)) == ["c", "b", "a"]
