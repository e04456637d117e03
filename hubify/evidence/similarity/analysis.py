"""Read one suggestion: what it wants, what not, which way, and by which words.

Invariant: the features depend on the text alone; any text, however hostile, has features.
"""

from itertools import chain
from typing import Final

from hubify.evidence.similarity.acts import acts_of, choices_of, slots_of
from hubify.evidence.similarity.amounts import amounts_of, direction_of
from hubify.evidence.similarity.clauses import clauses_of
from hubify.evidence.similarity.features import Suggestion, Term
from hubify.evidence.similarity.stance import read_stances
from hubify.evidence.similarity.terms import term_of

MAX_TERMS: Final = 120


def analyse(text: str) -> Suggestion:
    """The features of one suggestion's text, of which the first 2,000 characters count."""
    language, clauses = clauses_of(text)
    found = list(chain.from_iterable(read_stances(clauses, language)))
    terms = _joined([term for term, _ in found])
    return Suggestion(
        language=language,
        terms=tuple(terms.values()),
        acts=acts_of(clauses, language),
        direction=direction_of(clauses, language),
        amounts=amounts_of(clauses),
        codes=frozenset(
            term[0]
            for clause in clauses
            for token in clause.words
            if token.kind == "code" and (term := term_of(token, language))
        ),
        choices=frozenset(key for clause in clauses for key in choices_of(clause, language)),
        rejected=frozenset(
            term.key
            for term, set_aside in found
            if set_aside and term.key in terms and terms[term.key].stance < 0
        ),
        slots=tuple(slot for clause in clauses for slot in slots_of(clause, language)),
        keys=frozenset(terms),
    )


def _joined(found: list[Term]) -> dict[str, Term]:
    """One term a key: the strongest weight, and a stance only when all that have one agree."""
    terms: dict[str, Term] = {}
    for term in found:
        known = terms.get(term.key)
        if known is not None:
            terms[term.key] = _both(known, term)
        elif len(terms) < MAX_TERMS:
            terms[term.key] = term
    return terms


def _both(known: Term, term: Term) -> Term:
    stances = {known.stance, term.stance} - {0}
    stance = stances.pop() if len(stances) == 1 else 0
    weight = max(known.weight, term.weight)
    return Term(term.key, weight, stance, known.asked or term.asked)
