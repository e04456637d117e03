"""Streams of reports with a known truth, to hold a judge against (statistics.md 1).

Invariant: the same source of chance and the same truth give the same stream.
"""

from collections.abc import Callable, Iterator
from random import Random

import msgspec

from hubify.evidence.canary.settings import HOUR_MS, Settings, Stage
from hubify.evidence.canary.state import RunReport
from hubify.evidence.reports import Arm, Outcome

LIARS = 6
BASELINE = 0.90

Lie = Callable[[bool, bool], bool]
"""What a liar reports: from (in the canary?, did it succeed?) to "it succeeded"."""


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """How the runs of a canary really go.

    Owners' own success rates differ around 0.90 with standard deviation `spread`; the canary's
    differ from them by `effect`. The first six owners may lie.
    """

    effect: float = 0.0
    rate: float = 100
    """Reports an hour, spread evenly over the owners."""
    hours: float = 72
    """The stream ends with the first report at or after so many."""
    owners: int = 60
    spread: float = 0.08
    lie: Lie | None = None
    stages: tuple[Stage, ...] = Settings().stages


def stream(chance: Random, truth: Truth) -> Iterator[RunReport]:
    """One stream of ticketed reports, in order of time."""
    rates = [min(1.0, max(0.0, chance.gauss(BASELINE, truth.spread))) for _ in range(truth.owners)]
    hour = 0.0
    while hour < truth.hours:
        hour += chance.expovariate(truth.rate)
        share = share_at(hour, truth.stages)
        owner = chance.randrange(truth.owners)
        canary = chance.random() < share
        success = chance.random() < rates[owner] + (truth.effect if canary else 0)
        if truth.lie is not None and owner < LIARS:
            success = truth.lie(canary, success)
        yield RunReport(
            at_ms=int(hour * HOUR_MS),
            arm=Arm.CANARY if canary else Arm.STABLE,
            share=share,
            owner=f"owner-{owner}",
            platform="claude-code",
            outcome=Outcome.SUCCESS if success else Outcome.FAIL,
        )


def share_at(hour: float, stages: tuple[Stage, ...]) -> float:
    """The canary's share so many hours after the start, by the plan."""
    end = 0.0
    for stage in stages:
        end += stage.length_ms / HOUR_MS
        if hour < end:
            return stage.share
    return stages[-1].share


def fails_on_canary(canary: bool, success: bool) -> bool:  # noqa: FBT001 - the shape of a Lie
    """It never works."""
    return success and not canary


def succeeds_on_canary(canary: bool, success: bool) -> bool:  # noqa: FBT001 - the shape of a Lie
    """It always works."""
    return success or canary


def fails_on_canary_alone(canary: bool, success: bool) -> bool:  # noqa: ARG001, FBT001 - a Lie
    """It never works, and the stable version always does."""
    return not canary


def succeeds_on_canary_alone(canary: bool, success: bool) -> bool:  # noqa: ARG001, FBT001 - a Lie
    """It always works, and the stable version never does."""
    return canary
