"""What is kept of a suggestion: small immutable values, cheap to store and to compare.

Invariant: features come from one text alone, so they can be recomputed at any time.
"""

import msgspec

from hubify.evidence.similarity.tokens import Language


class Term(msgspec.Struct, frozen=True, array_like=True):
    """One content word: its key, its weight, whether it is asked or told, and its stance.

    The stance is +1 when wanted, -1 when not, 0 when said aside; half of it as the object of an
    act that is forbidden ("don't sort the keys" is against sorting, less so against keys) or of
    keeping ("keep the keys in order").
    """

    key: str
    weight: float
    stance: float
    asked: bool


class Act(msgspec.Struct, frozen=True, array_like=True):
    """A verb that asks: its concept, what to do with it, and what it is done to.

    The polarity is +1 (do), -1 (do not) or 0 (on a condition).
    """

    verb: str
    polarity: int
    objects: tuple[str, ...]


class Suggestion(msgspec.Struct, frozen=True):
    """The features of one request.

    `direction` is +1 for more, -1 for less, 0 for neither or both. `amounts` are the asked figures
    in base units ("300s"). `choices` are what the request picks ("use X"). `rejected` are terms set
    aside for others ("instead of X"). `slots` say what stands after a preposition ("sort by" and
    "name"). `keys` are the keys of all terms.
    """

    language: Language
    terms: tuple[Term, ...]
    acts: tuple[Act, ...]
    direction: int
    amounts: tuple[str, ...]
    codes: frozenset[str]
    choices: frozenset[str]
    rejected: frozenset[str]
    slots: tuple[tuple[str, str], ...]
    keys: frozenset[str]
