"""What a clause asks to be done: the verb, its objects, what it picks, by which means.

Invariant: only clauses that ask have acts; a negated clause picks nothing and fills no slot.
"""

from typing import Final

from hubify.evidence.similarity.clauses import Clause
from hubify.evidence.similarity.features import Act
from hubify.evidence.similarity.lexicon import (
    CHOOSING,
    COLOURLESS,
    EXCEPT,
    INSTEAD,
    NEGATORS,
    SUBORDINATE,
    WITHOUT,
)
from hubify.evidence.similarity.terms import WEAK, term_of
from hubify.evidence.similarity.tokens import Language

MAX_OBJECTS: Final = 3
SLOT_WORDS: Final = {
    "by": "by",
    "nach": "by",
    "por": "by",
    "par": "by",
    "按": "by",
    "in": "in",
    "en": "in",
    "with": "with",
}


def acts_of(clauses: list[Clause], language: Language) -> tuple[Act, ...]:
    """The verbs that ask, with their objects."""
    return tuple(
        Act(clause.head_concept, _polarity(clause, language), _objects(clause, language))
        for clause in clauses
        if clause.mode == "ask" and clause.head_concept
    )


def _polarity(clause: Clause, language: Language) -> int:
    if _is_conditional(clause, language):
        return 0
    return -1 if clause.negated else 1


def _is_conditional(clause: Clause, language: Language) -> bool:
    """`never delete without asking` does not forbid deleting."""
    return clause.negated and any(
        token.text in WITHOUT[language] or token.text in EXCEPT[language] for token in clause.words
    )


def slots_of(clause: Clause, language: Language) -> list[tuple[str, str]]:
    """(`group by`, `type`) for "group the entries by type": the objects of prepositions."""
    if clause.mode != "ask" or clause.negated:
        return []
    slots: list[tuple[str, str]] = []
    verb = clause.head_concept or ""
    verb = "" if verb in COLOURLESS else verb
    preposition = ""
    for token in clause.words:
        if token.text in INSTEAD[language] or token.text in NEGATORS[language]:
            break
        term = term_of(token, language)
        if token.text in SLOT_WORDS:
            preposition = SLOT_WORDS[token.text]
        elif preposition and term:
            slots.append((f"{verb} {preposition}", term[0]))
            preposition = ""
    return slots


def choices_of(clause: Clause, language: Language) -> list[str]:
    """What a clause picks: "use X", "X should be the default", "compress with X"."""
    if clause.mode != "ask" or clause.negated:
        return []
    if clause.head_concept in CHOOSING:
        before, after = _around_head(clause, language)
        return [*before, *after][:1]
    return [key for slot, key in slots_of(clause, language) if slot.endswith(" with")][:1]


def _around_head(clause: Clause, language: Language) -> tuple[list[str], list[str]]:
    """Content before the verb ("keys should be sorted") and after it, up to a contrast."""
    head = clause.head or 0
    terms = (term_of(token, language) for token in clause.words[:head])
    before = [term[0] for term in terms if term is not None and term[1] > WEAK]
    after: list[str] = []
    for token in clause.words[head + 1 :]:
        if token.text in INSTEAD[language] or token.text in SUBORDINATE[language]:
            break
        term = term_of(token, language)
        if term is not None and term[1] > WEAK:
            after.append(term[0])
    return before, after


def _objects(clause: Clause, language: Language) -> tuple[str, ...]:
    before, after = _around_head(clause, language)
    return tuple([*after, *before][:MAX_OBJECTS])
