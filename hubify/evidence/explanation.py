"""What stands behind a confidence number: its interval, and what holds it back.

Invariant: calculated from the same cells by the same functions as the number, so an explanation
recomputed offline from an export agrees with the one that was served.
"""

from collections.abc import Iterable

import msgspec

from hubify.evidence.beta import lower_quantile
from hubify.evidence.confidence import (
    FORMULA,
    UNITS_PER_RUN,
    Cell,
    Evidence,
    Groups,
    confidence_of,
    groups_of,
    lower_bound,
    percent,
    smaller_bound,
    total,
)


class Factors(msgspec.Struct, frozen=True):
    """What the number would be with one ingredient perfect and all else as it is; no summands.

    A factor can lie below the number: a cap or the decay may be damping bad reports.
    """

    success: float
    """Every report a success."""
    volume: float
    """No end of reports, at the success rate seen: the rate itself."""
    agent_diversity: float
    """Every report from an owner of its own: no owner's cap applies."""
    platform_diversity: float
    """Every report on a platform of its own: no platform's cap applies."""
    recency: float
    """Every report from today."""


class Explanation(msgspec.Struct, frozen=True):
    """A confidence number with all that is needed to check it."""

    formula: str
    as_of_day: int
    confidence: float
    lower: float
    """The number itself, a lower limit that is too high for at most one true rate in 20."""
    upper: float
    """The matching upper limit: the 95 % Clopper-Pearson bound, Beta(S + 1, F)."""
    limited_by: str
    """The grouping with the smaller bound: "owner" or "platform"."""
    factors: Factors
    runs: int
    owners: int
    platforms: int


def explain(cells: Iterable[Cell], as_of_day: int) -> Explanation:
    """The number of a record as of the start of a UTC day, taken apart."""
    record = list(cells)
    groups = groups_of(record, as_of_day)
    standing = groups.standing
    by_owner = lower_bound(standing.by_owner) <= lower_bound(standing.by_platform)
    limiting = standing.by_owner if by_owner else standing.by_platform
    number = confidence_of(standing)
    return Explanation(
        formula=FORMULA,
        as_of_day=as_of_day,
        confidence=number,
        lower=number,
        upper=percent(_upper_bound(limiting)),
        limited_by="owner" if by_owner else "platform",
        factors=_factors(record, groups),
        runs=sum(cell.tally.runs for cell in record),
        owners=len(groups.owners),
        platforms=len(groups.platforms),
    )


def _factors(record: list[Cell], groups: Groups) -> Factors:
    standing = groups.standing
    day = standing.as_of_day
    uncapped = total(groups.owners.values())
    fresh = groups_of((msgspec.structs.replace(cell, day=day) for cell in record), day)
    return Factors(
        success=smaller_bound(_all_success(standing.by_owner), _all_success(standing.by_platform)),
        volume=percent(min(_rate(standing.by_owner), _rate(standing.by_platform))),
        agent_diversity=smaller_bound(uncapped, standing.by_platform),
        platform_diversity=smaller_bound(standing.by_owner, uncapped),
        recency=confidence_of(fresh.standing),
    )


def _all_success(evidence: Evidence) -> Evidence:
    return Evidence(evidence.weight, 0)


def _rate(evidence: Evidence) -> float:
    return evidence.success / evidence.weight if evidence.weight else 0.0


def _upper_bound(evidence: Evidence) -> float:
    """The 95 % quantile of Beta(S + 1, F), by its mirror image; 1 without failure."""
    if evidence.failure == 0:
        return 1.0
    mirrored = lower_quantile(
        evidence.failure / UNITS_PER_RUN, 1 + evidence.success / UNITS_PER_RUN
    )
    return 1 - mirrored
