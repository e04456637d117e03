"""Which way an amount should go, and which figures are asked for.

Invariant: a direction is given only when nothing of the same rank in the text points the other way.
"""

from typing import Final

from hubify.evidence.similarity.clauses import Clause
from hubify.evidence.similarity.lexicon import INSTEAD, NEGATORS, amount_way
from hubify.evidence.similarity.tokens import Language

NEGATION_REACH: Final = 3  # words between a negation and the amount it turns
FROM: Final = frozenset({"from", "von", "de", "从"})
TO: Final = frozenset({"to", "a", "auf", "zu", "到", "until"})


def direction_of(clauses: list[Clause], language: Language) -> int:
    """+1 or -1: first by what is asked, then by figures ("from 3 to 8"), then by what is told.

    What is told counts only when nothing is asked with words of its own: "add a delay, we sent too
    many requests" does not want less delay.
    """
    asks = any(_asks_in_full(clause) for clause in clauses)
    for ways in (
        [_way_of_head(clause) for clause in clauses],
        [_way(clause, language) for clause in clauses if clause.mode == "ask"],
        [_way_of_figures(clause, language) for clause in clauses if clause.mode == "ask"],
        [] if asks else [_way(clause, language) for clause in clauses if clause.mode == "tell"],
    ):
        found = set(ways) - {0}
        if found:
            return found.pop() if len(found) == 1 else 0
    return 0


def _asks_in_full(clause: Clause) -> bool:
    return clause.mode == "ask" and clause.head is not None and len(clause.words) >= FULL_REQUEST


FULL_REQUEST: Final = 3  # words from which a request says itself what it is about


def _way_of_head(clause: Clause) -> int:
    if clause.mode != "ask" or clause.head is None:
        return 0
    way = amount_way(clause.words[clause.head].text)
    return -way if clause.negated else way


def _way(clause: Clause, language: Language) -> int:
    found: set[int] = set()
    for place, token in enumerate(clause.words):
        way = amount_way(token.text)
        before = clause.words[max(0, place - NEGATION_REACH) : place]
        turned = sum(word.text in NEGATORS[language] for word in before) % 2
        found.add(-way if turned else way)
    found.discard(0)
    return found.pop() if len(found) == 1 else 0


def _way_of_figures(clause: Clause, language: Language) -> int:
    """`from 3 to 8` is +1, `3 instead of 8` is -1."""
    texts = [token.text for token in clause.words]
    figures = [place for place, token in enumerate(clause.words) if token.kind == "number"]
    if len(figures) != 2:
        return 0
    first, second = (_value(texts[place]) for place in figures)
    between = texts[figures[0] + 1 : figures[1]]
    if first is None or second is None or first == second:
        return 0
    way = 1 if second > first else -1
    if any(word in INSTEAD[language] for word in between):
        return -way
    before = texts[figures[0] - 1] if figures[0] else ""
    return way if before in FROM and any(word in TO for word in between) else 0


def _value(amount: str) -> float | None:
    try:
        return float(amount.rstrip("sbd%"))
    except ValueError:
        return None


def amounts_of(clauses: list[Clause]) -> tuple[str, ...]:
    """The figures that are asked for, in base units."""
    return tuple(
        token.text
        for clause in clauses
        if clause.mode == "ask"
        for token in clause.words
        if token.kind == "number"
    )
