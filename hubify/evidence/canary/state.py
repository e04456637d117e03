"""What the canary judge takes in and what it remembers.

Invariant: plain lists, dicts and numbers, bounded by `Settings.max_owners`: a state stored and
read back goes on as if it had never been stored. Times are milliseconds since the canary began.
"""

from enum import StrEnum
from math import log

import msgspec

from hubify.evidence.canary.betting import Wealth
from hubify.evidence.canary.settings import Settings, Stage
from hubify.evidence.reports import Arm, Outcome

PRIOR_SUCCESSES, PRIOR_RUNS = 1.8, 2
"""What the mean of the outcomes starts from: two runs at 90 %."""


class Verdict(StrEnum):
    """What the judge says of a canary."""

    RUNNING = "running"
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    INCONCLUSIVE = "inconclusive"


class Reason(StrEnum):
    """Why."""

    COLLECTING = "collecting"
    PAUSED = "paused"
    NOT_WORSE = "not_worse"
    """Promoted: a loss of the margin is ruled out."""
    WORSE = "worse"
    """Rolled back: "not worse" is ruled out."""
    UNPROVEN = "unproven"
    """Promoted without proof at the horizon, as the settings allow."""
    HORIZON = "horizon"
    """The time is over; a person decides."""
    END_OF_RECORD = "end_of_record"
    """A recorded stream is over and neither side is proved."""
    MISSING_REPORTS = "missing_reports"
    """The canary's tickets come back less often than the stable ones."""
    CRITICAL = "critical"
    """Rolled back: more than K owners call it a regression."""
    GATEWAY = "gateway"
    SANDBOX = "sandbox"
    MAINTAINER = "maintainer"


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """One run as the judge sees it."""

    at_ms: int
    arm: Arm
    share: float
    """The chance with which the ticket was the canary's, as written into it."""
    owner: str
    platform: str
    outcome: Outcome
    ticketed: bool = True
    is_regression: bool = False


class Runs(msgspec.Struct, array_like=True):
    """Runs of either arm, and their successes in halves."""

    canary_runs: int = 0
    canary_halves: int = 0
    stable_runs: int = 0
    stable_halves: int = 0

    @property
    def runs(self) -> int:
        """Runs of both arms."""
        return self.canary_runs + self.stable_runs

    @property
    def halves(self) -> int:
        """Half successes of both arms."""
        return self.canary_halves + self.stable_halves

    def count(self, arm: Arm, halves: int) -> None:
        """Add one run."""
        if arm is Arm.CANARY:
            self.canary_runs += 1
            self.canary_halves += halves
        else:
            self.stable_runs += 1
            self.stable_halves += halves

    def mean(self) -> float:
        """The mean outcome of all runs, held near the prior while they are few."""
        return (PRIOR_SUCCESSES + self.halves / 2) / (PRIOR_RUNS + self.runs)


class Uncounted(msgspec.Struct):
    """Reports that are shown and decide nothing, by the reason."""

    unticketed: int = 0
    over_owner_cap: int = 0
    over_owner_limit: int = 0
    late: int = 0


class Returns(msgspec.Struct):
    """Which tickets came back: the same test, with "was reported" as the outcome."""

    owners: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    tickets: Runs = msgspec.field(default_factory=Runs)
    fewer: Wealth = msgspec.field(default_factory=Wealth)


class StageClock(msgspec.Struct):
    """Where the canary stands in its plan."""

    index: int = 0
    started_ms: int = 0
    reports: int = 0
    owners: list[int] = msgspec.field(default_factory=list[int])
    """Places of the first owners that reported a canary run in this stage; no more than needed."""
    ready_ms: int | None = None
    """When the stage had seen enough reports."""
    completed: bool = False
    """All stages have run; the last share stays."""


class CanaryState(msgspec.Struct, kw_only=True):
    """All that the judge remembers of a canary; plain lists and numbers, fit to be stored."""

    settings: Settings
    stages: tuple[Stage, ...]
    now_ms: int = 0
    clock: StageClock = msgspec.field(default_factory=StageClock)
    owners: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    """The place of each owner in the lists, in order of arrival."""
    owner_runs: list[Runs] = msgspec.field(default_factory=list[Runs])
    platform_runs: dict[str, Runs] = msgspec.field(default_factory=dict[str, Runs])
    counted: Runs = msgspec.field(default_factory=Runs)
    shown: Runs = msgspec.field(default_factory=Runs)
    uncounted: Uncounted = msgspec.field(default_factory=Uncounted)
    score_sum: float = 0.0
    variance_sum: float = 0.0
    not_worse: Wealth = msgspec.field(default_factory=Wealth)
    worse: Wealth = msgspec.field(default_factory=Wealth)
    returns: Returns = msgspec.field(default_factory=Returns)
    regression_owners: list[str] = msgspec.field(default_factory=list[str])
    paused: bool = False
    verdict: Verdict = Verdict.RUNNING
    reason: Reason = Reason.COLLECTING
    decided_ms: int | None = None

    @property
    def dropped(self) -> int:
        """K for the owners seen so far."""
        return self.settings.dropped(len(self.owners))

    @property
    def share(self) -> float:
        """The share of new tickets that the canary gets now."""
        return self.stages[self.clock.index].share

    @property
    def missing_reports(self) -> bool:
        """Whether the canary's tickets have been shown to come back less often."""
        return self.returns.fewer.best >= log(1 / self.settings.rollback_alpha)

    @property
    def effect(self) -> float | None:
        """The estimated effect: canary minus stable success rate, free of the stages' shares."""
        return self.score_sum / self.variance_sum if self.variance_sum > 0 else None
