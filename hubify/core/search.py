"""Search by words: which rows hold them, and in which order a person would want them.

Invariant: everything read is read through the transaction as ranges of the text index, so a live
search is re-run exactly when a row with one of its words appears, changes or goes. It reads a
bounded number of rows, whatever is asked, and leaves its caller half of what a function may read.

Ranking is the rarity-weighted coverage of the query's words: sum over matched words of
log(1 + N / df) (inverse document frequency, Sparck Jones 1972), doubled for words of the caller's
`title` field; rows that hold more of the query come first.
"""

import math
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from hubify.core.words import split_words
from hubify.values import limits
from hubify.values.rows import Row

R = TypeVar("R", bound=Row)
PREFIX_WEIGHT = 0.6
MIN_PREFIX = 3
MAX_CHECKED = 200  # rows whose own text is looked at for words whose lists were not read to the end


class WordReader(Protocol):
    """What a search needs of a transaction."""

    @property
    def bytes_left(self) -> int:
        """How many bytes of rows may still be read."""
        ...

    def words_in(self, row: Row) -> list[str]:
        """The words that a row is found by."""
        ...

    def holders(
        self, row_type: type[R], word: str, *, prefix: bool = False, limit: int
    ) -> list[tuple[int, R]]:
        """At most `limit` rows that hold a word, each with its number, by word and number."""
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

    A word also matches as the beginning of longer ones (three letters or more), for less. Of a word
    that very many rows hold, some rows are read; it says little, and the rows that hold a rarer one
    as well are found by that and given credit for both.
    """
    asked = list(dict.fromkeys(split_words(text)))[: limits.MAX_SEARCH_WORDS]
    postings = _Postings[R](asked)
    postings.read(reader, row_type)
    kept = [found for found in postings.found.values() if keep(found.row)]
    holding = {word: sum(1 for found in kept if word in found.matched) for word in asked}
    rarity = {word: math.log(1 + len(kept) / max(1, count)) for word, count in holding.items()}
    titles = {found.number: set(split_words(title(found.row))) for found in kept}

    def score(found: _Found[R], hoped: set[str] = NO_WORDS) -> float:
        matched = found.matched | dict.fromkeys(hoped, 1.0)
        named = titles[found.number]
        return sum(
            weight * rarity[word] * (2 if word in named else 1) for word, weight in matched.items()
        )

    if postings.cut:
        kept.sort(key=lambda found: -score(found, postings.unknown_of(found)))
        for found in kept[:MAX_CHECKED]:
            held = postings.unknown_of(found).intersection(reader.words_in(found.row))
            found.matched |= dict.fromkeys(held, 1.0)
    scored = [(score(found), found.row) for found in kept]
    scored.sort(key=lambda pair: (-pair[0], pair[1].id))
    return scored


NO_WORDS: set[str] = set()


class _Found(Generic[R]):
    """A row, and the weight of each word that it is known to hold."""

    def __init__(self, number: int, row: R) -> None:
        self.number = number
        self.row = row
        self.matched: dict[str, float] = {}


class _Postings(Generic[R]):
    """What was read of the lists of rows that hold each word."""

    def __init__(self, asked: list[str]) -> None:
        self._asked = asked
        self.found: dict[int, _Found[R]] = {}
        self.cut: dict[str, int] = {}
        """Words whose lists have more rows, each with the number of the last row read."""

    def read(self, reader: WordReader, row_type: type[R]) -> None:
        """Read whole words first, then beginnings; what one list leaves goes to those after it."""
        beginnings = [word for word in self._asked if len(word) >= MIN_PREFIX]
        scans = [*((word, False) for word in self._asked), *((word, True) for word in beginnings)]
        left = limits.MAX_SEARCH_POSTINGS
        for place, (word, prefix) in enumerate(scans):
            share = min(limits.MAX_WORD_POSTINGS, left // (len(scans) - place))
            if reader.bytes_left < limits.MAX_BYTES_READ // 2:
                share = 0
            if prefix and word in self.cut:
                continue  # the rows with the whole word come first in that list
            rows = reader.holders(row_type, word, prefix=prefix, limit=share) if share else []
            left -= len(rows)
            if len(rows) == share and not prefix:
                self.cut[word] = rows[-1][0] if rows else 0
            for number, row in rows:
                found = self.found.setdefault(number, _Found(number, row))
                found.matched.setdefault(word, PREFIX_WEIGHT if prefix else 1.0)

    def unknown_of(self, found: _Found[R]) -> set[str]:
        """The words that a row may hold beyond where their lists were read."""
        return {
            word
            for word, last in self.cut.items()
            if found.number > last and word not in found.matched
        }
