"""Search by words: which rows hold them, and in which order a person would want them.

Invariant: everything read is read through the transaction as ranges of the text index, so a live
search is re-run exactly when a row with one of its words appears, changes or goes.

Ranking is the rarity-weighted coverage of the query's words: sum over matched words of
log(1 + N / df) (inverse document frequency, Sparck Jones 1972), doubled for words of the caller's
`title` field; rows that hold more of the query come first.
"""

import math
from collections.abc import Callable
from typing import Protocol, TypeVar

from hubify.core.words import split_words
from hubify.values import limits
from hubify.values.rows import Row

R = TypeVar("R", bound=Row)
PREFIX_WEIGHT = 0.6
MIN_PREFIX = 3


class WordReader(Protocol):
    """What a search needs of a transaction."""

    def holders(self, row_type: type[R], word: str, *, prefix: bool = False) -> list[tuple[int, R]]:
        """Rows that hold a word, each with its number."""
        ...


def search(
    reader: WordReader,
    row_type: type[R],
    text: str,
    *,
    title: Callable[[R], str],
    keep: Callable[[R], bool],
) -> list[tuple[float, R]]:
    """Rows that hold words of `text`, best first, each with its score (> 0).

    A word also matches as the beginning of longer ones (three letters or more), for less.
    """
    asked = list(dict.fromkeys(split_words(text)))[: limits.MAX_SEARCH_WORDS]
    found: dict[int, tuple[R, dict[str, float]]] = {}
    for word in asked:
        _collect(reader, row_type, word, found)
    kept = [(row, matched) for row, matched in found.values() if keep(row)]
    frequency = {word: sum(1 for _row, matched in kept if word in matched) for word in asked}
    scored = [
        (_score(matched, frequency, len(kept), set(split_words(title(row)))), row)
        for row, matched in kept
    ]
    scored.sort(key=lambda pair: (-pair[0], pair[1].id))
    return scored


def _collect(
    reader: WordReader,
    row_type: type[R],
    word: str,
    found: dict[int, tuple[R, dict[str, float]]],
) -> None:
    whole = reader.holders(row_type, word)
    for number, row in whole:
        found.setdefault(number, (row, {}))[1][word] = 1.0
    if len(word) >= MIN_PREFIX and len(whole) < limits.MAX_WORD_POSTINGS:
        for number, row in reader.holders(row_type, word, prefix=True):
            found.setdefault(number, (row, {}))[1].setdefault(word, PREFIX_WEIGHT)


def _score(
    matched: dict[str, float], frequency: dict[str, int], total: int, title: set[str]
) -> float:
    score = 0.0
    for word, weight in matched.items():
        rarity = math.log(1 + total / frequency[word])
        score += weight * rarity * (2 if word in title else 1)
    return score
