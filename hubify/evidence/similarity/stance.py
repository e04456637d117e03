"""Give each content word of a clause its stance: wanted, not wanted, or said aside.

Invariant: a negation is never dropped. What stands in the scope of an odd number of turning words
has a negative stance; a condition, a reason or a description has none.
"""

from typing import Final

import msgspec

from hubify.evidence.similarity.clauses import Clause
from hubify.evidence.similarity.features import Term
from hubify.evidence.similarity.lexicon import (
    BLAME,
    CIRCUMSTANCE,
    COLOURLESS,
    EXCEPT,
    GIVING,
    INSTEAD,
    INSTEAD_AT_END,
    KEEPING,
    MEANS,
    NEGATORS,
    OFF,
    OVER,
    PLACE,
    PRONOUNS,
    SUBORDINATE,
    TAKING,
    WITHOUT,
    concept_of,
    is_action,
)
from hubify.evidence.similarity.terms import term_of
from hubify.evidence.similarity.tokens import Language

REPLACING: Final = frozenset({"replace", "change"})
SETTING: Final = frozenset({None, "configure", "set", "write"})

Found = list[tuple[Term, bool]]  # terms of a clause, each with whether it is set aside for another


def read_stances(clauses: list[Clause], language: Language) -> list[Found]:
    """The terms of each clause with their stances."""
    affirmed = {clause.head_concept for clause in clauses if not clause.negated}
    found = [_terms_of(clause, language, affirmed) for clause in clauses]
    _resolve_pronouns(clauses, found)
    if any(_says_instead(clause, language) for clause in clauses):
        found = [_unwanted_if_told(terms) for terms in found]
    return found


def _resolve_pronouns(clauses: list[Clause], found: list[Found]) -> None:
    """Read "X is noise. Leave it out": what is done to `it` is done to X."""
    for place in range(1, len(clauses)):
        clause, before = clauses[place], clauses[place - 1]
        if clause.mode == "ask" and before.mode == "tell" and _object_is_pronoun(clause):
            taking = clause.head_concept in TAKING or clause.head_concept == "limit"
            stance = -1 if clause.negated != taking else 1
            found[place - 1] = [
                (Term(term.key, term.weight, stance, asked=True), False)
                for term, _ in found[place - 1]
            ]


def _object_is_pronoun(clause: Clause) -> bool:
    after = clause.words[(clause.head or 0) + 1 :][:1]
    return clause.head is not None and bool(after) and after[0].text in PRONOUNS


def _says_instead(clause: Clause, language: Language) -> bool:
    return clause.mode == "ask" and any(
        token.text in INSTEAD_AT_END[language] for token in clause.words
    )


def _unwanted_if_told(terms: Found) -> Found:
    """Read "X is copied; do Y instead": what was told is what should not be."""
    return [
        (term, contrasted)
        if term.asked or is_action(term.key)
        else (Term(term.key, term.weight, -1, asked=False), contrasted)
        for term, contrasted in terms
    ]


class Scope(msgspec.Struct):
    """What holds at one place of a clause: the turning words read so far."""

    negated: bool
    taking: bool
    rejected: bool = False
    apart: bool = False
    softly: bool = False
    means: bool = False
    seen: int = 0

    def stance(self) -> float:
        """The stance of a term read now."""
        if self.apart:
            return 0
        if self.rejected:
            return -1
        turned = self.negated if self.means else self.negated != self.taking
        strength = 0.5 if self.softly else 1
        return -strength if turned else strength


def _terms_of(clause: Clause, language: Language, affirmed: set[str | None]) -> Found:
    if clause.mode == "tell":
        return _told_terms(clause, language)
    head = clause.head_concept
    scope = Scope(
        negated=clause.negated,
        taking=head in TAKING or head in REPLACING or _sets_to_nothing(clause),
        softly=head in KEEPING or (_forbids_an_act(clause) and head not in affirmed),
    )
    terms: Found = []
    for place, token in enumerate(clause.words):
        if token.kind == "end":
            scope.rejected = scope.apart = False
        elif token.kind in {"word", "han"}:
            _move_scope(scope, clause, place, language)
        term = term_of(token, language)
        if term is None:
            continue
        key, weight = term
        stance = 0 if place == clause.head else scope.stance()
        terms.append((Term(key, weight, stance, asked=True), scope.rejected))
        scope.seen += 1
    return terms


def _told_terms(clause: Clause, language: Language) -> Found:
    """Terms of a report: neutral, but what stands before a word of blame is not wanted."""
    blamed = next((place for place, token in enumerate(clause.words) if token.text in BLAME), -1)
    turned = any(token.text in NEGATORS[language] for token in clause.words[: max(blamed, 0)])
    terms: Found = []
    for place, token in enumerate(clause.words):
        term = term_of(token, language)
        if term is not None:
            key, weight = term
            stance = -1 if place < blamed and not turned else 0
            terms.append((Term(key, weight, stance, asked=False), False))
    return terms


def _forbids_an_act(clause: Clause) -> bool:
    """Tell "don't sort the keys", against sorting, from "don't use X", against X."""
    head = clause.head_concept
    return (
        clause.negated
        and head is not None
        and head not in GIVING
        and head not in TAKING
        and head not in COLOURLESS
    )


def _sets_to_nothing(clause: Clause) -> bool:
    """`set X to 0`, `X = false`, `X should be off`: an empty value turns the request."""
    if clause.head_concept not in SETTING:
        return False
    return any(
        word.text in OFF and (before.text in {"to", "=", "be"} or before.kind in {"code", "part"})
        for before, word in zip(clause.words, clause.words[1:], strict=False)
    )


def _move_scope(scope: Scope, clause: Clause, place: int, language: Language) -> None:
    """Let one grammar word act on what follows it in the clause."""
    word = clause.words[place].text
    after_head = clause.head is None or place > clause.head
    prefers = word in OVER[language] and any(
        concept_of(before.text, language) == "prefer" for before in clause.words[: place - 1]
    )
    without = word in WITHOUT[language] and not clause.negated
    if word in INSTEAD[language] or prefers or without:
        scope.rejected, scope.apart, scope.seen = True, False, 0
    elif word in WITHOUT[language]:
        scope.negated = scope.taking = scope.softly = False
    elif word in EXCEPT[language]:
        scope.apart = True
    elif word in NEGATORS[language] and after_head:
        scope.rejected, scope.seen = True, 0
    elif after_head:
        _end_scope(scope, clause, word, language)


def _end_scope(scope: Scope, clause: Clause, word: str, language: Language) -> None:
    """Let a conjunction or preposition end or soften what held before it."""
    if word in SUBORDINATE[language] and scope.seen:
        scope.apart = True
    elif word in CIRCUMSTANCE[language] and scope.seen:
        scope.rejected = False
        scope.softly = True
    elif word in PLACE[language] and scope.seen:
        scope.apart = scope.apart or (scope.stance() < 0 and not scope.rejected)
        scope.rejected = False
    elif word in MEANS[language]:
        scope.means = True
        scope.taking = scope.taking and clause.head_concept not in REPLACING
