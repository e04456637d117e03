"""How likely two suggestions ask for the same improvement.

Invariant: `same_request` is true only when no conflict is known, both point the same way, the words
overlap enough and the score passes a threshold chosen for precision; the score is symmetric and in
[0, 1].
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from hubify.evidence.similarity.conflicts import conflict, wanted_codes
from hubify.evidence.similarity.features import Suggestion, Term
from hubify.evidence.similarity.terms import SALIENT

PRIOR_COUNT: Final = 20.0  # suggestions of an imagined skill that temper the counts of a small one
PRIOR_SHARE: Final = 0.03  # of them that hold any given word
LEAST_RARITY: Final = 0.15  # a word that everybody uses still counts a little
SAME_SCORE: Final = 0.9  # from here on two suggestions are merged without asking
LEAST_OVERLAP: Final = 0.3  # share of their words that two merged suggestions have in common
LEAST_OVERLAP_ACROSS: Final = 0.4  # the same when they are written in two languages

# Fitted once on labelled pairs that carry no conflict; signs were fixed before the fit.
COEFFICIENTS: Final = {
    "overlap": 8.7,
    "asked": 2.8,
    "unmet": -1.3,
    "rarest": 1.3,
    "rejected": 2.5,
    "amount": 3.0,
    "act": 1.4,
    "direction": 2.4,
    "names": -2.7,
    "length": -0.4,
}
INTERCEPT: Final = -2.4


class Background(msgspec.Struct, frozen=True):
    """How many suggestions of a skill hold each term: what everybody says tells nobody apart."""

    count: int = 0
    terms: Mapping[str, int] = msgspec.field(default_factory=dict[str, int])

    @classmethod
    def of(cls, suggestions: Iterable[Suggestion]) -> "Background":
        """Count the terms of a skill's suggestions."""
        counts: Counter[str] = Counter()
        total = 0
        for suggestion in suggestions:
            total += 1
            counts.update(term.key for term in suggestion.terms)
        return cls(total, dict(counts))

    def rarity(self, key: str) -> float:
        """1 for a term in one suggestion, falling to `LEAST_RARITY` for a term in all of them."""
        share = PRIOR_COUNT * PRIOR_SHARE
        total = self.count + PRIOR_COUNT + 1
        held = max(self.terms.get(key, 1), 1) + share + 0.5
        return max(LEAST_RARITY, math.log(total / held) / math.log(total / (share + 1.5)))


NO_BACKGROUND: Final = Background()


class Verdict(msgspec.Struct, frozen=True):
    """Whether two suggestions ask for the same, why, and how alike they are.

    `conflict` says that something speaks against it, rather than too little for it.
    """

    same: bool
    reason: str
    score: float
    conflict: bool = False


class Weighed(msgspec.Struct, frozen=True):
    """A suggestion with the weight that each of its terms has in its skill."""

    suggestion: Suggestion
    terms: dict[str, Term]
    weights: dict[str, float]
    total: float


def weigh(suggestion: Suggestion, background: Background = NO_BACKGROUND) -> Weighed:
    """Weigh the terms of a suggestion by how rare they are in its skill."""
    weights = {term.key: term.weight * background.rarity(term.key) for term in suggestion.terms}
    terms = {term.key: term for term in suggestion.terms}
    return Weighed(suggestion, terms, weights, sum(weights.values()))


def score(a: Suggestion, b: Suggestion, background: Background = NO_BACKGROUND) -> float:
    """How likely `a` and `b` ask for the same, in [0, 1]; a known conflict caps it near 0."""
    return score_weighed(weigh(a, background), weigh(b, background))


def score_weighed(a: Weighed, b: Weighed) -> float:
    """`score` for suggestions whose terms were weighed before."""
    likeness = _likeness(pair_features(a, b))
    return likeness * CONFLICT_FACTOR if conflict(a.suggestion, b.suggestion) else likeness


CONFLICT_FACTOR: Final = 0.2  # keeps the order among opposed pairs, far below any merge


def same_request(a: Suggestion, b: Suggestion, background: Background = NO_BACKGROUND) -> Verdict:
    """Whether two suggestions may be merged without asking, and why (not)."""
    return same_weighed(weigh(a, background), weigh(b, background))


def same_weighed(a: Weighed, b: Weighed) -> Verdict:
    """`same_request` for suggestions whose terms were weighed before."""
    features = pair_features(a, b)
    likeness = _likeness(features)
    against = conflict(a.suggestion, b.suggestion)
    if against:
        return Verdict(same=False, reason=against, score=likeness * CONFLICT_FACTOR, conflict=True)
    across = a.suggestion.language != b.suggestion.language
    if features["overlap"] < (LEAST_OVERLAP_ACROSS if across else LEAST_OVERLAP):
        return Verdict(same=False, reason="too few words in common", score=likeness)
    if a.suggestion.direction != b.suggestion.direction:
        return Verdict(same=False, reason="only one says which way", score=likeness)
    if likeness < SAME_SCORE:
        return Verdict(same=False, reason="alike, but not surely the same", score=likeness)
    shared = sorted(_shared_salient(a, b), key=lambda key: (-a.weights[key], key))[:4]
    return Verdict(same=True, reason="both about " + ", ".join(shared), score=likeness)


def _shared_salient(a: Weighed, b: Weighed) -> set[str]:
    return {key for key in a.terms.keys() & b.terms.keys() if a.terms[key].weight >= SALIENT}


def _likeness(features: Mapping[str, float]) -> float:
    total = INTERCEPT + sum(weight * features[name] for name, weight in COEFFICIENTS.items())
    return 1 / (1 + math.exp(-total))


def pair_features(a: Weighed, b: Weighed) -> dict[str, float]:
    """What is compared: each figure is symmetric and lies in a small fixed range."""
    shared = a.terms.keys() & b.terms.keys()
    common = sum(min(a.weights[key], b.weights[key]) for key in shared)
    return {
        "overlap": 2 * common / ((a.total + b.total) or 1),
        "asked": math.sqrt(_covered(a, b, _asked) * _covered(b, a, _asked)),
        "unmet": 1 - max(_covered(a, b, _decided), _covered(b, a, _decided)),
        "rarest": max((min(a.weights[key], b.weights[key]) for key in shared), default=0.0),
        "rejected": float(min(len(a.suggestion.rejected & b.suggestion.rejected), 2)),
        "amount": float(_share_amount(a.suggestion, b.suggestion)),
        "act": float(_share_act(a.suggestion, b.suggestion)),
        "direction": float(a.suggestion.direction * b.suggestion.direction > 0),
        "names": float(_swaps_names(a.suggestion, b.suggestion)),
        "length": math.log(min(len(a.terms), len(b.terms)) + 1),
    }


def _asked(term: Term) -> bool:
    return term.asked


def _decided(term: Term) -> bool:
    return term.asked and term.stance != 0


def _covered(a: Weighed, b: Weighed, counts: Callable[[Term], bool]) -> float:
    """Share of the terms of `a` that count which `b` holds too; all terms when none counts."""
    keys = [key for key, term in a.terms.items() if counts(term)] or list(a.terms)
    total = sum(a.weights[key] for key in keys)
    return sum(a.weights[key] for key in keys if key in b.terms) / (total or 1)


def _share_amount(a: Suggestion, b: Suggestion) -> bool:
    return any(len(amount) > 1 for amount in set(a.amounts) & set(b.amounts))


def _share_act(a: Suggestion, b: Suggestion) -> bool:
    return bool({act.verb for act in a.acts} & {act.verb for act in b.acts})


def _swaps_names(a: Suggestion, b: Suggestion) -> bool:
    """Both name code that the other does not know, beside some that both name."""
    ours, theirs = wanted_codes(a), wanted_codes(b)
    return bool(ours & theirs and ours - b.codes and theirs - a.codes)
