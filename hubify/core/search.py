"""Search by words: which rows hold them, and in which order a person would want them.

Invariant: everything read is read through the transaction as ranges of the text index, so a live
search is re-run exactly when a row with one of its words appears, changes or goes. It reads a
bounded number of rows, whatever is asked, and leaves its caller half of what a function may read.

Ranking is the rarity-weighted coverage of the query's words: sum over matched words of
log(1 + N / df) (inverse document frequency, Sparck Jones 1972), doubled for words of the caller's
`title` field; rows that hold more of the query come first.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from hubify.core.words import split_words
from hubify.values import limits
from hubify.values.rows import Row

R = TypeVar("R", bound=Row)
Shelf = tuple[object, ...]
"""Values of the fields that a text index stands apart by (`words(..., within=…)`)."""
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
        self, row_type: type[R], word: str, *, within: Shelf, prefix: bool = False, limit: int
    ) -> list[R]:
        """At most `limit` rows of a shelf that hold a word, those the index puts highest first."""
        ...


def search(
    reader: WordReader,
    row_type: type[R],
    text: str,
    *,
    title: Callable[[R], str],
    keep: Callable[[R], bool],
    shelves: Sequence[Shelf] = ((),),
    also: Iterable[R] = (),
) -> list[tuple[float, R]]:
    """Rows that hold words of `text`, best first, each with its score (> 0).

    A word also matches as the beginning of longer ones (three letters or more), for less. Of a word
    that very many rows hold, those that the index puts highest are read; it says little, and the
    rows that hold a rarer one as well are found by that and given credit for both. The `shelves`
    are read in order, each up to half of what those before it left. Rows that the caller knows of
    (`also`) are found however many others hold their words.
    """
    asked = _asked(text)
    postings = _Postings[R](asked, reader)
    for place, shelf in enumerate(shelves):
        postings.read(row_type, shelf, is_last=place == len(shelves) - 1)
    for row in also:
        postings.look_into(postings.take(row))
    kept = [found for found in postings.found.values() if found.matched and keep(found.row)]
    holding = {word: sum(1 for found in kept if word in found.matched) for word in asked}
    rarity = {word: math.log(1 + len(kept) / max(1, count)) for word, count in holding.items()}
    titles = {found.row.id: set(split_words(title(found.row))) for found in kept}

    def score(found: _Found[R], hoped: set[str] = NO_WORDS) -> float:
        matched = found.matched | dict.fromkeys(hoped, 1.0)
        named = titles[found.row.id]
        return sum(
            weight * rarity[word] * (2 if word in named else 1) for word, weight in matched.items()
        )

    if postings.cut:
        kept.sort(key=lambda found: -score(found, postings.unknown_of(found)))
        for found in kept[:MAX_CHECKED]:
            postings.look_into(found)
    scored = [(score(found), found.row) for found in kept]
    scored.sort(key=lambda pair: (-pair[0], pair[1].id))
    return scored


NO_WORDS: set[str] = set()


def is_held(reader: WordReader, row_type: type[R], text: str, within: Shelf = ()) -> bool:
    """Whether some row of a shelf holds a word of `text`, or one that begins with it."""
    return any(
        reader.holders(row_type, word, within=within, prefix=len(word) >= MIN_PREFIX, limit=1)
        for word in _asked(text)
    )


def _asked(text: str) -> list[str]:
    return list(dict.fromkeys(split_words(text)))[: limits.MAX_SEARCH_WORDS]


class _Found(Generic[R]):
    """A row, and the weight of each word that it is known to hold."""

    def __init__(self, row: R) -> None:
        self.row = row
        self.matched: dict[str, float] = {}


class _Postings(Generic[R]):
    """What was read of the lists of rows that hold each word."""

    def __init__(self, asked: list[str], reader: WordReader) -> None:
        self._asked = asked
        self._reader = reader
        self._left = limits.MAX_SEARCH_POSTINGS
        self.found: dict[str, _Found[R]] = {}
        self.cut: set[str] = set()
        """Words that more rows hold than were read."""

    def read(self, row_type: type[R], shelf: Shelf, *, is_last: bool) -> None:
        """Read whole words first, then beginnings; what one list leaves goes to those after it."""
        beginnings = [word for word in self._asked if len(word) >= MIN_PREFIX]
        scans = [*((word, False) for word in self._asked), *((word, True) for word in beginnings)]
        left = self._left if is_last else self._left // 2
        whole: set[str] = set()
        for place, (word, prefix) in enumerate(scans):
            if prefix and word not in whole:
                continue  # more rows hold the word itself than are read
            share = min(limits.MAX_WORD_POSTINGS, left // (len(scans) - place))
            if self._reader.bytes_left < limits.MAX_BYTES_READ // 2:
                share = 0
            rows = self._holders(row_type, word, shelf, prefix=prefix, limit=share)
            left -= len(rows)
            self._left -= len(rows)
            if not prefix:
                (whole if len(rows) < share else self.cut).add(word)
            for row in rows:
                self.take(row).matched.setdefault(word, PREFIX_WEIGHT if prefix else 1.0)

    def take(self, row: R) -> _Found[R]:
        """A row among what was found."""
        return self.found.setdefault(row.id, _Found(row))

    def look_into(self, found: _Found[R]) -> None:
        """Give a row credit for every word asked for that its own text holds."""
        held = self._reader.words_in(found.row)
        for word in self._asked:
            if word in held:
                found.matched[word] = 1.0
            elif len(word) >= MIN_PREFIX and any(longer.startswith(word) for longer in held):
                found.matched.setdefault(word, PREFIX_WEIGHT)

    def unknown_of(self, found: _Found[R]) -> set[str]:
        """The words that a row may hold beyond where their lists were read."""
        return self.cut - found.matched.keys()

    def _holders(
        self, row_type: type[R], word: str, shelf: Shelf, *, prefix: bool, limit: int
    ) -> list[R]:
        if limit == 0:
            return []
        return self._reader.holders(row_type, word, within=shelf, prefix=prefix, limit=limit)
