"""Whether things go wrong more often than they may: tests that hold however often one looks.

Each is an e-process over counts: a likelihood ratio against the highest rate that is allowed,
averaged over a few higher ones (Ville's inequality: at most once in `1 / ALPHA` skills does it ever
reach `PROVED` while the rate is allowed). The owner that speaks most for it is left out, so that no
owner alone can prove anything.

Invariant: pure; the order of the runs makes no difference, and a run that went well never raises
the evidence.
"""

from collections.abc import Mapping
from math import exp, log
from typing import Final, NamedTuple

ALPHA: Final = 0.05
PROVED: Final = 1 / ALPHA
STEPS: Final = (0.05, 0.15, 0.3, 0.6)
"""The rates compared with, as parts of the way from what is allowed to always (or to never)."""
LEVELS: Final = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
HIGHEST: Final = 600.0
"""Logarithm beyond which evidence is not told apart."""


class Count(NamedTuple):
    """Runs, and how many of them went wrong; a partial success is half of one."""

    runs: int
    wrong: float


def exceeds(by_owner: Mapping[str, Count], allowed: float) -> float:
    """The evidence that more than a share `allowed` (0 to 1, excluded) goes wrong."""
    return _mean([_without_best(by_owner, allowed, _up(allowed, step)) for step in STEPS])


def falls_short(by_owner: Mapping[str, Count], expected: float) -> float:
    """The evidence that less than a share `expected` (0 to 1, excluded) goes wrong."""
    return _mean([_without_best(by_owner, expected, expected * (1 - step)) for step in STEPS])


def differs(there: Mapping[str, Count], elsewhere: Mapping[str, Count], margin: float) -> float:
    """The evidence that `there` goes wrong more often than `elsewhere`, by more than `margin`.

    If it does not, then for each level either that many at most go wrong there, `margin` added, or
    that many at least elsewhere; so the weaker of both proofs is one, and so is their mean.
    """
    found = [
        min(exceeds(there, level + margin), falls_short(elsewhere, level))
        for level in LEVELS
        if level + margin < 1
    ]
    return _mean(found)


def _up(allowed: float, step: float) -> float:
    return allowed + (1 - allowed) * step


def _without_best(by_owner: Mapping[str, Count], null: float, other: float) -> float:
    """The likelihood ratio of a rate to the null's, without the owner that raises it most."""
    wrong, well = log(other / null), log((1 - other) / (1 - null))
    parts = [count.wrong * wrong + (count.runs - count.wrong) * well for count in by_owner.values()]
    return exp(min(HIGHEST, sum(parts) - max(0.0, max(parts, default=0.0))))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
