"""What follows from a report alone: its bounds, its day's totals, whether others found the same.

Invariant: pure; every string that comes from outside has a bound here.
"""

from typing import Annotated, Any

import msgspec

from hubify.domains.learning.tables import SkillDay
from hubify.domains.skills.rules import counted_platform, success_rate
from hubify.evidence.confidence import OWNER_CAP, UNITS_PER_RUN, Evidence, counted
from hubify.evidence.reports import Outcome
from hubify.values.durations import MS_PER_DAY

MAX_TOOLS = 50
WITNESSES = 3
"""Runs' worth of other owners' evidence without which there is no consensus to agree with."""

Note = Annotated[str, msgspec.Meta(max_length=4_000)]
ErrorText = Annotated[str, msgspec.Meta(max_length=8_000)]
ImprovementText = Annotated[str, msgspec.Meta(max_length=2_000)]
ModelName = Annotated[str, msgspec.Meta(max_length=100)]
TicketText = Annotated[str, msgspec.Meta(max_length=2_048)]
RunId = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
DurationMs = Annotated[float, msgspec.Meta(ge=0, le=30 * MS_PER_DAY)]
ToolName = Annotated[str, msgspec.Meta(max_length=200)]
Tools = Annotated[list[ToolName | dict[str, Any]], msgspec.Meta(max_length=MAX_TOOLS)]

Total = tuple[int, int]
"""Runs and half successes."""


class Span(msgspec.Struct, frozen=True):
    """Runs within some days; the rate counts a partial run as half, 0 without runs."""

    executions: int
    success_rate: float


class PlatformSpan(msgspec.Struct, frozen=True):
    """Runs on one platform."""

    count: int
    success_rate: float


def found_the_same(outcome: Outcome, total: Evidence, own: Evidence) -> bool | None:
    """Whether other owners' runs of the version mostly ended so; None while they are too few.

    A partial run agrees with either side. `total` is the capped evidence of all owners before the
    run, `own` the uncapped one of its owner.
    """
    others = total.minus(counted(own, OWNER_CAP))
    if others.weight < WITNESSES * UNITS_PER_RUN:
        return None
    if outcome is Outcome.PARTIAL or others.success == others.failure:
        return True
    return (outcome is Outcome.SUCCESS) == (others.success > others.failure)


def counted_day(before: SkillDay | None, day: int, platform: str, halves: int) -> dict[str, Any]:
    """The running total's fields with one more run, given the newest row."""
    platforms = dict(before.platforms) if before else {}
    name = counted_platform(platform, platforms)
    runs_there, halves_there = platforms.get(name, (0, 0))
    platforms[name] = (runs_there + 1, halves_there + halves)
    return {
        "day": day,
        "runs": (before.runs if before else 0) + 1,
        "halves": (before.halves if before else 0) + halves,
        "platforms": platforms,
    }


def total_of(row: SkillDay | None) -> Total:
    """A running total as a pair; nothing before the first row."""
    return (row.runs, row.halves) if row else (0, 0)


def span_of(now: Total, before: Total) -> Span:
    """What lies between two running totals."""
    runs, halves = now[0] - before[0], now[1] - before[1]
    return Span(runs, success_rate(runs, halves))
