"""How far a version can be trusted, 0 to 100: the formula `confidence/1` of statistics.md 2.

Invariant: all evidence is whole numbers. One run reported today with a binding weighs
`UNITS_PER_RUN`, a plain report half of that, a partial result is half success and half failure,
and age divides by the integer table `DAY_WEIGHTS`: the smallest share, half of a half, is still
one unit. So sums do not depend on order, and the number kept up report by report (`add_report`)
is bit for bit the number of the whole calculation (`groups_of`), which shares each step.

A group (all reports of one owner, or on one platform) counts for `min(1, cap / n)` of its weight.
That share is rounded once, down for the success and up for the failure, which keeps what rounding
must not break: one more success never lowers a group's counted success nor raises its counted
failure, one more failure never does the reverse, and a whole group counts for exactly its cap.
"""

from collections.abc import Iterable
from functools import reduce
from typing import NamedTuple

import msgspec

from hubify.evidence.beta import lower_quantile
from hubify.evidence.reports import Binding, Outcome

FORMULA = "confidence/1"
OWNER_CAP = 8
"""Runs' worth of evidence that one owner can add, however many it reports."""
PLATFORM_CAP = 60
"""Runs' worth of evidence that one platform can add."""
HALF_LIFE_DAYS = 30
OLDEST_DAYS = 600
"""Reports older than this weigh nothing."""
UNITS_PER_RUN = 4_000_000

DAY_WEIGHTS = tuple(
    round(1_000_000 * 2 ** (-age / HALF_LIFE_DAYS)) for age in range(OLDEST_DAYS + 1)
)
"""Millionths of a fresh report's weight, by age in whole days, an exact half (at 210) to even. No
other entry is near enough to a half for the mathematics library of a machine to matter."""


class Tally(msgspec.Struct, frozen=True):
    """How many reports of each kind fell into one cell; `plain` ones carry half weight.

    Which kind a report is, is fixed when it is accepted; a later flag never moves it.
    """

    successes: int = 0
    partials: int = 0
    failures: int = 0
    plain_successes: int = 0
    plain_partials: int = 0
    plain_failures: int = 0

    @property
    def runs(self) -> int:
        """Reports of any kind, undecayed."""
        return sum(msgspec.structs.astuple(self))

    def __add__(self, other: "Tally") -> "Tally":
        pairs = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
        return Tally(*(mine + theirs for mine, theirs in pairs))


class Cell(msgspec.Struct, frozen=True):
    """All reports of one owner on one platform in one UTC day (days since 1970)."""

    owner: str
    platform: str
    day: int
    tally: Tally


class Evidence(NamedTuple):
    """Weighted success and failure, in units of which `UNITS_PER_RUN` make one fresh run."""

    success: int = 0
    failure: int = 0

    @property
    def weight(self) -> int:
        """Both together."""
        return self.success + self.failure

    def plus(self, other: "Evidence") -> "Evidence":
        """The evidence of both."""
        return Evidence(self.success + other.success, self.failure + other.failure)

    def minus(self, other: "Evidence") -> "Evidence":
        """The evidence of this without that other, which it must contain."""
        return Evidence(self.success - other.success, self.failure - other.failure)


class Standing(msgspec.Struct, frozen=True):
    """What the number is read from: the capped evidence in either grouping, as of one day."""

    as_of_day: int
    by_owner: Evidence = Evidence()
    by_platform: Evidence = Evidence()


class Groups(msgspec.Struct, frozen=True):
    """The uncapped evidence of each owner and of each platform, as of one day, and the standing."""

    owners: dict[str, Evidence]
    platforms: dict[str, Evidence]
    standing: Standing


class Added(msgspec.Struct, frozen=True):
    """What one report changes: its owner's group, its platform's group, and the standing."""

    owner: Evidence
    platform: Evidence
    standing: Standing


def tally_of(outcome: Outcome, binding: Binding) -> Tally:
    """One report as a tally, to be added to its cell."""
    if binding is Binding.PLAIN:
        match outcome:
            case Outcome.SUCCESS:
                return Tally(plain_successes=1)
            case Outcome.PARTIAL:
                return Tally(plain_partials=1)
            case Outcome.FAIL:
                return Tally(plain_failures=1)
    match outcome:
        case Outcome.SUCCESS:
            return Tally(successes=1)
        case Outcome.PARTIAL:
            return Tally(partials=1)
        case Outcome.FAIL:
            return Tally(failures=1)


def day_weight(age_days: int) -> int:
    """Millionths of its first weight that a report has left; a day still to come counts as now."""
    return DAY_WEIGHTS[max(0, age_days)] if age_days <= OLDEST_DAYS else 0


def evidence_of(tally: Tally, day: int, as_of_day: int) -> Evidence:
    """The weight of a cell's reports as of a day."""
    weight = day_weight(as_of_day - day)
    halves = 2 * tally.partials + tally.plain_partials
    return Evidence(
        weight * (4 * tally.successes + 2 * tally.plain_successes + halves),
        weight * (4 * tally.failures + 2 * tally.plain_failures + halves),
    )


def counted(group: Evidence, cap_runs: int) -> Evidence:
    """What a group counts for: all of it, or its proportions at `cap_runs` runs' weight."""
    cap = cap_runs * UNITS_PER_RUN
    weight = group.weight
    if weight <= cap:
        return group
    success = group.success * cap // weight
    return Evidence(success, cap - success)


def groups_of(cells: Iterable[Cell], as_of_day: int) -> Groups:
    """The whole calculation: evidence by owner and by platform, and the standing they add up to."""
    owners: dict[str, Evidence] = {}
    platforms: dict[str, Evidence] = {}
    nothing = Evidence()
    for cell in cells:
        evidence = evidence_of(cell.tally, cell.day, as_of_day)
        owners[cell.owner] = owners.get(cell.owner, nothing).plus(evidence)
        platforms[cell.platform] = platforms.get(cell.platform, nothing).plus(evidence)
    standing = Standing(
        as_of_day,
        by_owner=total(counted(group, OWNER_CAP) for group in owners.values()),
        by_platform=total(counted(group, PLATFORM_CAP) for group in platforms.values()),
    )
    return Groups(owners, platforms, standing)


def total(groups: Iterable[Evidence]) -> Evidence:
    """The evidence of several groups together."""
    return reduce(Evidence.plus, groups, Evidence())


def add_report(standing: Standing, owner: Evidence, platform: Evidence, report: Evidence) -> Added:
    """Fold one report into a standing, at a cost that does not grow with the record.

    Args:
        standing: as of the day for which the groups and the report were weighed.
        owner: the reporting owner's group before the report, uncapped.
        platform: the platform's group before the report, uncapped.
        report: `evidence_of` the report as of the same day.
    """
    new_owner, new_platform = owner.plus(report), platform.plus(report)
    return Added(
        new_owner,
        new_platform,
        Standing(
            standing.as_of_day,
            _regrouped(standing.by_owner, owner, new_owner, OWNER_CAP),
            _regrouped(standing.by_platform, platform, new_platform, PLATFORM_CAP),
        ),
    )


def confidence_of(standing: Standing) -> float:
    """The number: 0 to 100 with two decimals."""
    return smaller_bound(standing.by_owner, standing.by_platform)


def confidence(cells: Iterable[Cell], as_of_day: int) -> float:
    """The number of a whole record, 0 to 100 with two decimals, as of the start of a UTC day."""
    return confidence_of(groups_of(cells, as_of_day).standing)


def lower_bound(evidence: Evidence) -> float:
    """The 5 % quantile of Beta(S, F + 1), 0 without success: the Clopper-Pearson lower bound."""
    if evidence.success == 0:
        return 0.0
    return lower_quantile(evidence.success / UNITS_PER_RUN, 1 + evidence.failure / UNITS_PER_RUN)


def percent(share: float) -> float:
    """A share of one as a number from 0 to 100 with two decimals."""
    return round(100 * share, 2)


def smaller_bound(by_owner: Evidence, by_platform: Evidence) -> float:
    """The smaller lower bound of two groupings of one record, as a percentage.

    Where one grouping has all the better, only the other's bound is calculated.
    """
    if _no_better(by_owner, by_platform):
        return percent(lower_bound(by_owner))
    if _no_better(by_platform, by_owner):
        return percent(lower_bound(by_platform))
    return percent(min(lower_bound(by_owner), lower_bound(by_platform)))


def _no_better(one: Evidence, other: Evidence) -> bool:
    return one.success <= other.success and one.failure >= other.failure


def _regrouped(total: Evidence, before: Evidence, after: Evidence, cap_runs: int) -> Evidence:
    return total.minus(counted(before, cap_runs)).plus(counted(after, cap_runs))
