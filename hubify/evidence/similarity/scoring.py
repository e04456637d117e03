"""How likely two suggestions ask for the same improvement.

Invariant: `same_request` is true only when no conflict is known and the score passes a threshold
chosen for precision; the score is symmetric and in [0, 1].
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import chain
from typing import Final

import msgspec

from hubify.evidence.similarity.conflicts import OPPOSITE_OF, conflict, wanted_codes
from hubify.evidence.similarity.features import Suggestion, Term
from hubify.evidence.similarity.terms import SALIENT

PRIOR_COUNT: Final = 20.0  # suggestions of an imagined skill that temper the counts of a small one
PRIOR_SHARE: Final = 0.03  # of them that hold any given word
LEAST_RARITY: Final = 0.15  # a word that everybody uses still counts a little
SAME_SCORE: Final = 0.73  # from here on two suggestions are merged without asking
LEAST_OVERLAP: Final = 0.3  # share of their words that two merged suggestions have in common
MOST_COMMON: Final = 2.5  # common weight beyond this says that two texts are long

# Fitted on labelled pairs that carry no conflict, those of opposed requests weighing six times.
# Each pair was weighed as it would be met: with the rarities of the suggestions sent before. Which
# figures to keep and the threshold were chosen on skills left out of the fit.
COEFFICIENTS: Final = {
    "overlap": 3.86,
    "common": 0.95,
    "rarest": 1.17,
    "asked": 0.42,
    "unmet": -0.21,
    "rejected": 1.55,
    "amount": 2.81,
    "act": 0.55,
    "direction": 2.34,
    "names": -2.14,
    "length": -0.29,
    "one_refuses": -0.61,
    "one_has_a_way": -0.92,
    "half_told": -0.38,
    "contrasts": -0.17,
    "across": 0.54,
}
INTERCEPT: Final = -3.15


class Background(msgspec.Struct, frozen=True):
    """How many suggestions of a skill hold each term: what everybody says tells nobody apart."""

    count: int = 0
    terms: Mapping[str, int] = msgspec.field(default_factory=dict[str, int])

    @classmethod
    def of(cls, suggestions: Iterable[Suggestion]) -> "Background":
        """Count the terms of a skill's suggestions."""
        keys = [suggestion.keys for suggestion in suggestions]
        return cls(len(keys), Counter(chain.from_iterable(keys)))

    def rarity(self, key: str) -> float:
        """1 for a term in one suggestion, falling to `LEAST_RARITY` for a term in all of them."""
        return _rarity(max(self.terms.get(key, 1), 1), self.count)


@lru_cache(maxsize=4_096)
def _rarity(held: int, count: int) -> float:
    share = PRIOR_COUNT * PRIOR_SHARE
    total = count + PRIOR_COUNT + 1
    rare = math.log(total / (held + share + 0.5)) / math.log(total / (share + 1.5))
    return max(LEAST_RARITY, rare)


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
    if _refuses_a_figure(a.suggestion) != _refuses_a_figure(b.suggestion):
        return Verdict(same=False, reason="only one refuses a figure", score=likeness)
    if likeness < SAME_SCORE or features["overlap"] < LEAST_OVERLAP:
        return Verdict(same=False, reason=_doubt(features), score=likeness)
    shared = sorted(_shared_salient(a, b), key=lambda key: (-a.weights[key], key))[:4]
    return Verdict(same=True, reason="both about " + ", ".join(shared), score=likeness)


def _doubt(features: Mapping[str, float]) -> str:
    """What speaks most plainly against merging two suggestions that do not conflict."""
    if features["one_has_a_way"]:
        return "only one says which way"
    if features["one_refuses"]:
        return "only one says what it does not want"
    if features["overlap"] < LEAST_OVERLAP:
        return "too few words in common"
    return "alike, but not surely the same"


def _refuses(suggestion: Suggestion) -> bool:
    """Whether it names something that is not wanted."""
    return any(term.asked and term.stance < 0 for term in suggestion.terms)


def _refuses_a_figure(suggestion: Suggestion) -> bool:
    return any(term.key.startswith("#") and term.stance < 0 for term in suggestion.terms)


def _shared_salient(a: Weighed, b: Weighed) -> set[str]:
    return {key for key in a.terms.keys() & b.terms.keys() if a.terms[key].weight >= SALIENT}


def _likeness(features: Mapping[str, float]) -> float:
    total = INTERCEPT + sum(weight * features[name] for name, weight in COEFFICIENTS.items())
    return 1 / (1 + math.exp(-total))


def pair_features(a: Weighed, b: Weighed) -> dict[str, float]:
    """What is compared: each figure is symmetric and at least 0.

    `half_told` is the share of the common weight that one asks for and the other only tells.
    """
    shared = a.terms.keys() & b.terms.keys()
    weights = {key: min(a.weights[key], b.weights[key]) for key in shared}
    common = math.fsum(weights.values())
    half_told = math.fsum(
        weights[key] for key in shared if a.terms[key].asked != b.terms[key].asked
    )
    return {
        "overlap": 2 * common / ((a.total + b.total) or 1),
        "common": min(common, MOST_COMMON),
        "asked": math.sqrt(_covered(a, b, _asked) * _covered(b, a, _asked)),
        "unmet": 1 - max(_covered(a, b, _decided), _covered(b, a, _decided)),
        "rarest": max(weights.values(), default=0.0),
        "rejected": float(min(len(a.suggestion.rejected & b.suggestion.rejected), 2)),
        "amount": float(_share_amount(a.suggestion, b.suggestion)),
        "act": float(_share_act(a.suggestion, b.suggestion)),
        "direction": float(a.suggestion.direction * b.suggestion.direction > 0),
        "names": float(_swaps_names(a.suggestion, b.suggestion)),
        "length": math.log(min(len(a.terms), len(b.terms)) + 1),
        "one_refuses": float(_refuses(a.suggestion) != _refuses(b.suggestion)),
        "one_has_a_way": float((a.suggestion.direction == 0) != (b.suggestion.direction == 0)),
        "half_told": half_told / (common or 1),
        "contrasts": float(len(_contrasts(a.suggestion) ^ _contrasts(b.suggestion))),
        "across": float(a.suggestion.language != b.suggestion.language),
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


def _contrasts(suggestion: Suggestion) -> set[str]:
    """The words it asks with that have an opposite: `short`, `first`, `random`."""
    return {term.key for term in suggestion.terms if term.asked and term.key in OPPOSITE_OF}


def _share_amount(a: Suggestion, b: Suggestion) -> bool:
    return any(len(amount) > 1 for amount in set(a.amounts) & set(b.amounts))


def _share_act(a: Suggestion, b: Suggestion) -> bool:
    return bool({act.verb for act in a.acts} & {act.verb for act in b.acts})


def _swaps_names(a: Suggestion, b: Suggestion) -> bool:
    """Both name code that the other does not know, beside some that both name."""
    ours, theirs = wanted_codes(a), wanted_codes(b)
    return bool(ours & theirs and ours - b.codes and theirs - a.codes)
