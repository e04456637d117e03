"""Search: best first, from a bounded set of rows however common the words are."""

import pytest

from hubify.core.schema import Table
from hubify.core.search import search
from hubify.core.transaction import Transaction
from hubify.values import limits
from hubify.values.rows import Row, unique, words
from tests.core.test_transaction import Item, Store

COMMON = [f"common{number}" for number in range(limits.MAX_SEARCH_WORDS - 1)]


def found_by(reader: Transaction, text: str) -> list[str]:
    """Names of what is found, best first."""
    hits = search(reader, Item, text, title=lambda row: row.name, keep=lambda _row: True)
    return [row.name for _score, row in hits]


@pytest.fixture(scope="module")
def crowded() -> Store:
    """A store in which fifteen words stand in more rows than one search reads of a word."""
    store = Store()
    text = " ".join([*COMMON, "x" * 400])
    for start in range(0, limits.MAX_WORD_POSTINGS + 200, 100):
        store.add(*(Item(f"crowd {number}", text=text) for number in range(start, start + 100)))
    store.add(Item("rare one", text=" ".join([*COMMON, "gem"])))
    return store


def test_sixteen_words_that_most_rows_hold_are_answered_with_the_best_row_first(
    crowded: Store,
) -> None:
    reader = crowded.read()
    found = found_by(reader, " ".join([*COMMON, "gem"]))
    assert found[0] == "rare one"
    assert len(found) > 1
    assert reader.bytes_left > limits.MAX_BYTES_READ // 4, "what follows may read as well"


def test_a_search_reads_no_more_rows_than_its_share(
    crowded: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_ROWS_READ", limits.MAX_SEARCH_POSTINGS)
    assert found_by(crowded.read(), " ".join(COMMON))


def test_a_search_stops_at_half_of_the_bytes_that_may_be_read(
    crowded: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_BYTES_READ", 2_000_000)
    assert found_by(crowded.read(), " ".join(COMMON))


def test_room_that_rare_words_leave_goes_to_the_common_ones(
    crowded: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_SEARCH_POSTINGS", 100)
    even_share = 100 // 12  # six words, each whole and as a beginning
    assert len(found_by(crowded.read(), "there no such words gem common0")) > 1 + even_share


class Book(Row, frozen=True):
    """A row that only some may see, and some trust more than others."""

    title: str
    shelf: str
    stars: int = 0


BOOKS = Table("books", Book, (unique("title"), words("title", within=("shelf",), by=("stars",))))


def titles(store: Store, text: str, *shelves: str, also: tuple[Book, ...] = ()) -> list[str]:
    hits = search(
        store.read(),
        Book,
        text,
        title=lambda book: book.title,
        keep=lambda _book: True,
        shelves=[(shelf,) for shelf in shelves],
        also=also,
    )
    return [book.title for _score, book in hits]


def test_rows_of_another_shelf_use_up_nothing_of_what_a_search_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MAX_WORD_POSTINGS", 5)
    store = Store(BOOKS)
    store.add(*(Book(f"whale {number}", "closed") for number in range(9)))
    store.add(Book("the whale", "open"))
    assert titles(store, "whale", "open") == ["the whale"]
    assert len(titles(store, "whale", "open", "closed")) == 6


def test_of_a_word_that_too_many_rows_hold_the_highest_and_newest_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MAX_WORD_POSTINGS", 3)
    store = Store(BOOKS)
    store.add(Book("trusted whale", "open", stars=2))
    store.add(*(Book(f"whale {number}", "open") for number in range(9)))
    found = titles(store, "whale", "open")
    assert set(found) == {"trusted whale", "whale 8", "whale 7"}


def test_a_row_that_the_caller_knows_of_is_found_beyond_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MAX_WORD_POSTINGS", 3)
    store = Store(BOOKS)
    store.add(Book("whale", "open"), Book("shark", "open"))
    store.add(*(Book(f"white whale {number}", "open") for number in range(9)))
    known = store.read().take(Book.where().order_by("title"), limit=2)
    assert [book.title for book in known] == ["shark", "whale"]
    assert "whale" in titles(store, "whale", "open", also=tuple(known))
    assert "shark" not in titles(store, "whale", "open", also=tuple(known))
