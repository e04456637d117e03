"""The vocabulary: which words of five languages mean the same, and which only do grammar.

Invariant: the lists are read once, at import, and never change; a word's concept depends on nothing
but the word and the language of its text.
"""

from functools import lru_cache
from typing import Final

from hubify.evidence.similarity.stems import stem
from hubify.evidence.similarity.wordlists import (
    by_language,
    phrase_starts,
    read_actions,
    read_concepts,
    read_wording,
    stems_of,
    word_list,
)

MAX_PHRASE: Final = 4  # words of the longest phrase a list may hold
SHORTEST_PART: Final = 4  # letters of a part of a German compound

CONCEPTS: Final = read_concepts()
ACTIONS: Final = read_actions()
_WORDING: Final = read_wording()
PHRASE_STARTS: Final = phrase_starts()

FUNCTION_WORDS: Final = by_language(_WORDING.function_words)
WEAK_WORDS: Final = by_language(_WORDING.weak_words) | {"en": stems_of(_WORDING.weak_words["en"])}
NEGATORS: Final = by_language(_WORDING.negators)
NOT_ONLY: Final = by_language(_WORDING.not_only)
INSTEAD: Final = by_language(_WORDING.instead)
OVER: Final = by_language(_WORDING.over)
INSTEAD_AT_END: Final = by_language(_WORDING.instead_at_end)
EXCEPT: Final = by_language(_WORDING.excepted)
WITHOUT: Final = by_language(_WORDING.without)
CIRCUMSTANCE: Final = by_language(_WORDING.circumstance)
SUBORDINATE: Final = by_language(_WORDING.subordinate)
PLACE: Final = by_language(_WORDING.place)
MEANS: Final = by_language(_WORDING.means)
MODALS: Final = by_language(_WORDING.modals)
BECAUSE: Final = by_language(_WORDING.because)
BECAUSE_AT_START: Final = frozenset(_WORDING.because_at_start.split())
SUBJECTS: Final = frozenset(_WORDING.subjects.split())
IMPERATIVES: Final = frozenset(_WORDING.imperatives.split())
VERB_STEMS: Final = stems_of(_WORDING.imperatives)
PRONOUNS: Final = frozenset(_WORDING.pronouns.split())
OFF: Final = frozenset(_WORDING.off.split())
BLAME: Final = word_list(_WORDING.blame, "blame")
MORE: Final = word_list(_WORDING.more, "more")
LESS: Final = word_list(_WORDING.less, "less")


@lru_cache(maxsize=16_384)
def concept_of(word: str, language: str) -> str | None:
    """The concept of one folded word (or phrase joined by `_`), or None when no list has it."""
    found = None
    if language != "en":
        found = CONCEPTS[language].name_of(word)
    if found is None and language == "de":
        found = _head_of_compound(word)
    return found or CONCEPTS["en"].name_of("_".join(stem(part) for part in word.split("_")))


def _head_of_compound(word: str) -> str | None:
    """A `Fehlermeldung` is a kind of `Meldung`: a German compound ends with what it is."""
    for cut in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1):
        found = CONCEPTS["de"].name_of(word[cut:])
        if found is not None:
            return found
    return None


@lru_cache(maxsize=4_096)
def amount_way(word: str) -> int:
    """+1 when the word asks for more of something, -1 for less, 0 otherwise."""
    stemmed = "_".join(stem(part) for part in word.split("_"))
    more = word in MORE or stemmed in MORE
    less = word in LESS or stemmed in LESS
    return more - less


def is_action(concept: str) -> bool:
    """Whether a concept stands among the actions of the list: something one can ask to be done."""
    return concept in ACTIONS


def _key_of(word: str) -> str:
    """The concept of an English word (or phrase joined by `_`), or its stem where no list has it.

    The name of a concept is its own key.
    """
    return word if word in CONCEPTS["en"].names() else concept_of(word, "en") or stem(word)


def _keys_of(words: str) -> frozenset[str]:
    """The concepts of English words, or their stems where no list has them."""
    return frozenset(concept_of(word, "en") or stem(word) for word in words.split())


TAKING: Final = _keys_of(_WORDING.taking)
KEEPING: Final = _keys_of(_WORDING.keeping)
GIVING: Final = _keys_of(_WORDING.giving)
CHOOSING: Final = _keys_of(_WORDING.choosing)
COLOURLESS: Final = _keys_of(_WORDING.colourless)
OPPOSITES: Final = tuple(
    (_key_of(one), _key_of(other))
    for one, other in (pair.split() for pair in _WORDING.opposites.splitlines() if pair.strip())
)


def _han_vocabulary() -> frozenset[str]:
    """Every Chinese word of every list: what a run of Chinese text is cut into."""
    tables = (FUNCTION_WORDS, NEGATORS, NOT_ONLY, INSTEAD, INSTEAD_AT_END, EXCEPT, WITHOUT)
    clauses = (CIRCUMSTANCE, SUBORDINATE, MODALS, BECAUSE)
    grammar = {word for table in (*tables, *clauses) for word in table["zh"]}
    amounts = {word for table in (MORE, LESS, BLAME) for word in table.words()}
    chinese = {word for word in amounts if not word.isascii()}
    return frozenset(grammar | chinese | set(CONCEPTS["zh"].words()))


HAN_WORDS: Final = _han_vocabulary()
LONGEST_HAN_WORD: Final = max(len(word) for word in HAN_WORDS)
