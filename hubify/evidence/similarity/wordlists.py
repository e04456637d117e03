"""Read the packaged word lists.

Invariant: an entry stands for one name only, the first it was given; a prefix stands for
inflections of a word, never for its compounds.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

import msgspec

from hubify.evidence.similarity.stems import stem

LANGUAGES: Final = ("en", "es", "de", "fr", "zh")
SHORTEST_PREFIX: Final = 3
LONGEST_ENDING: Final = 7  # as in `verific-aciones`


class Wording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tables of `language.toml`; those with words by language first."""

    function_words: Mapping[str, str]
    weak_words: Mapping[str, str]
    negators: Mapping[str, str]
    not_only: Mapping[str, str]
    instead: Mapping[str, str]
    over: Mapping[str, str]
    instead_at_end: Mapping[str, str]
    excepted: Mapping[str, str]
    without: Mapping[str, str]
    circumstance: Mapping[str, str]
    subordinate: Mapping[str, str]
    place: Mapping[str, str]
    means: Mapping[str, str]
    modals: Mapping[str, str]
    because: Mapping[str, str]
    because_at_start: str
    subjects: str
    imperatives: str
    pronouns: str
    off: str
    blame: str
    more: str
    less: str
    taking: str
    keeping: str
    giving: str
    choosing: str
    colourless: str
    opposites: str


class WordList:
    """Words, `prefix*` entries and `two_word` phrases that each stand for a name."""

    def __init__(self) -> None:
        self._words: dict[str, str] = {}
        self._prefixes: dict[str, str] = {}

    def put(self, entry: str, name: str, *, stemmed: bool) -> None:
        """Add one entry; the first name given to an entry stays."""
        if entry.endswith("*"):
            self._prefixes.setdefault(entry[:-1], name)
            return
        parts = [stem(part) if stemmed else part for part in entry.split("_")]
        self._words.setdefault("_".join(parts), name)

    def name_of(self, word: str) -> str | None:
        """The name of a word or joined phrase; of prefix entries the longest that fits.

        A prefix stands for inflections, so at most `LONGEST_ENDING` letters may follow it.
        """
        found = self._words.get(word)
        if found is not None or not self._prefixes:
            return found
        parts = word.count("_")
        shortest = max(SHORTEST_PREFIX, len(word) - LONGEST_ENDING)
        for length in range(len(word), shortest - 1, -1):
            found = self._prefixes.get(word[:length])
            if found is not None and word.count("_", 0, length) == parts:
                return found
        return None

    def __contains__(self, word: str) -> bool:
        return self.name_of(word) is not None

    def names(self) -> frozenset[str]:
        """Every name that an entry stands for."""
        return frozenset([*self._words.values(), *self._prefixes.values()])

    def words(self) -> tuple[str, ...]:
        """Every whole entry, in the order given."""
        return tuple(self._words)


def phrase_starts() -> frozenset[str]:
    """The first word of every phrase of the lists, as written and as a stem."""
    texts = "".join(_read(name) for name in ("language.toml", "concepts.txt", "subjects.txt"))
    entries = re.findall(r"(\w+?)_\w", texts)
    firsts = {entry.split("_")[0] for entry in entries}
    return frozenset(firsts | {stem(first) for first in firsts})


def fold(text: str) -> str:
    """Lower case without accents, so that `Größe` and `GROSSE` are one word."""
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def read_wording() -> Wording:
    """The grammar of the five languages, from `language.toml`."""
    return msgspec.convert(tomllib.loads(_read("language.toml")), Wording)


def read_concepts() -> dict[str, WordList]:
    """The concepts of `concepts.txt`, then those of `subjects.txt`, by language."""
    lists = {language: WordList() for language in LANGUAGES}
    for line in (_read("concepts.txt") + _read("subjects.txt")).splitlines():
        if not line or line.startswith("#"):
            continue
        name, *columns = (cell.strip() for cell in line.split("|"))
        for language, column in zip(LANGUAGES, columns, strict=True):
            for entry in column.split():
                lists[language].put(entry, name, stemmed=language == "en")
    return lists


def read_actions() -> frozenset[str]:
    """The concepts that stand among the actions: things one can ask to be done."""
    text = _read("concepts.txt")
    actions = text[text.index("# --- actions") : text.index("# --- amounts")]
    names = {line.split("|")[0].strip() for line in actions.splitlines()[1:] if "|" in line}
    return frozenset(names | {"raise", "lower"})


def word_list(entries: str, name: str) -> WordList:
    """A list of English words (any inflection), prefixes and phrases under one name."""
    words = WordList()
    for entry in entries.split():
        words.put(entry, name, stemmed=False)
        words.put(entry, name, stemmed=True)
    return words


def by_language(table: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Plain sets of words, one a language."""
    return {language: frozenset(table.get(language, "").split()) for language in LANGUAGES}


def stems_of(words: str) -> frozenset[str]:
    """The stems of English words."""
    return frozenset(stem(word) for word in words.split())


def _read(name: str) -> str:
    return files("hubify.evidence.similarity").joinpath(name).read_text("utf-8")
