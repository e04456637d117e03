"""What can be set about a canary, with the defaults of statistics.md 1 and why they are so.

Invariant: the settings a canary starts with are kept in its state; a later change of a default
never moves a running canary.
"""

from enum import StrEnum
from math import ceil

import msgspec

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class AtHorizon(StrEnum):
    """What happens when the time is over and neither side is proved."""

    WAIT = "wait"
    PROMOTE_ON_NO_REGRESSION = "promote_on_no_regression"


class Stage(msgspec.Struct, frozen=True):
    """A share of tickets that get the canary, and the shortest time for it in milliseconds."""

    share: float
    length_ms: int = DAY_MS


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One canary's rules.

    Raises:
        ValueError: a share, level or count lies outside its range.
    """

    stages: tuple[Stage, ...] = (Stage(0.05), Stage(0.25), Stage(0.50))
    low_traffic_stages: tuple[Stage, ...] = (Stage(0.50),)
    """One stage where traffic is little: 5 % makes proof ten times slower and spares few runs."""
    low_traffic_runs_per_hour: float = 20
    """Ticketed runs an hour below which the low-traffic stages are taken."""
    stage_reports: int = 10
    """Counted canary reports that a stage must have seen before it may end."""
    stage_owners: int = 3
    """Owners these must come from."""
    horizon_ms: int = 14 * DAY_MS
    at_horizon: AtHorizon = AtHorizon.WAIT

    margin: float = 0.05
    """A loss this large is what a promotion has ruled out."""
    promote_alpha: float = 0.05
    """Chance, at most, that a canary worse by the margin is ever promoted."""
    rollback_alpha: float = 0.02
    """Chance, at most, that a canary that is not worse is ever rolled back."""
    interval_alpha: float = 0.05
    """Error on each side of the interval."""

    drop_share: float = 0.10
    """Share of owners whose most helpful evidence is left out: so many may lie together."""
    expected_owners: int = 0
    """Owners that reported lately. Lest a few who come first outweigh a tenth of the few seen, that
    share is taken of at least so many."""
    trusted_owners: bool = False
    """A private skill of one organisation: nothing is left out, nobody is capped."""
    owner_cap_floor: int = 5
    """Reports of one owner that always count."""
    owner_cap_factor: float = 2
    """Beyond those, an owner counts up to so many times the mean of the others."""
    max_owners: int = 1_000
    """Bound of the state; further owners are shown, not counted."""
    pause_owners: int = 2
    """Owners that call the canary a regression before it pauses."""

    unproven_runs: int = 300
    """Canary runs without which no promotion without proof is thinkable: 30 would promote a
    version that is ten points worse in 18 % of cases."""
    unproven_owners: int = 3
    unproven_loss: float = 0.02
    """The largest estimated loss at which one may be promoted without proof."""

    def __post_init__(self) -> None:
        plans = (*self.stages, *self.low_traffic_stages)
        if not (self.stages and self.low_traffic_stages):
            raise ValueError("a canary has at least one stage")
        if not all(0 < stage.share < 1 and stage.length_ms >= 0 for stage in plans):
            raise ValueError(
                "the share of a stage lies between 0 and 1, its length is not negative"
            )
        alphas = (self.promote_alpha, self.rollback_alpha, self.interval_alpha)
        if not all(0 < alpha < 1 for alpha in (*alphas, self.margin)):
            raise ValueError("the margin and each alpha lie between 0 and 1")
        if not 0 <= self.drop_share < 1 or self.max_owners < 1 or self.horizon_ms <= 0:
            raise ValueError("drop_share lies in [0, 1); max_owners and horizon_ms are positive")

    def plan(self, runs_per_hour: float | None) -> tuple[Stage, ...]:
        """The stages for so many ticketed runs an hour; None when that is not known."""
        if runs_per_hour is not None and runs_per_hour < self.low_traffic_runs_per_hour:
            return self.low_traffic_stages
        return self.stages

    def dropped(self, owners: int) -> int:
        """K: how many may collude without causing a decision, when so many owners are seen."""
        if self.trusted_owners:
            return 0
        return max(1, ceil(round(self.drop_share * max(owners, self.expected_owners), 9)))

    @property
    def owners_needed(self) -> int:
        """Owners from which a stage must have reports."""
        return 1 if self.trusted_owners else self.stage_owners
