"""Search: best first, from a bounded set of rows however common the words are."""

import pytest

from hubify.core.search import search
from hubify.core.transaction import Transaction
from hubify.values import limits
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
