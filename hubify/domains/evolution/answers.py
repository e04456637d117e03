"""The shapes in which an evolution is shown, as documented (surface.md 6.1) and a bit more.

Invariant: times are milliseconds since 1970, traffic is in percent of the tickets, rates lie
between 0 and 1.
"""

import msgspec

from hubify.domains.evolution.looks import EffectInterval
from hubify.domains.evolution.tables import (
    CanaryStatus,
    Credit,
    EvolutionStatus,
    ImprovementStatus,
    TriggerType,
)
from hubify.domains.skills import Change, TrialTickets
from hubify.evidence.canary import Decision
from hubify.functions import Row, RowId


class PendingEvolution(msgspec.Struct, frozen=True):
    """An evolution that has been triggered and is not on trial yet."""

    id: RowId
    version: str | None
    changes: tuple[Change, ...]
    trigger: TriggerType
    improvement_count: int
    threshold: int
    waits_for: str


class CanaryBrief(msgspec.Struct, frozen=True):
    """A trial in one line; rates count a partial run as half, None before the first run."""

    version: str
    started_at: int
    stage: int
    traffic: float
    baseline_success: float | None
    canary_success: float | None
    decision: str


class Status(msgspec.Struct, frozen=True):
    """Where a skill's evolution stands."""

    skill_name: str
    current_version: str | None
    status: str
    pending_evolution: PendingEvolution | None
    canary: CanaryBrief | None
    reason: str


class StageView(msgspec.Struct, frozen=True):
    """One stage of a trial; `duration` is its shortest length in hours."""

    stage: int
    traffic: float
    duration: float
    status: str


class Measured(msgspec.Struct, frozen=True):
    """The counted runs of one arm."""

    executions: int
    success_rate: float | None


class Metrics(msgspec.Struct, frozen=True):
    """Both arms over the same tickets."""

    baseline: Measured
    canary: Measured


class Handed(msgspec.Struct, frozen=True):
    """Tickets of one arm: how many are known to have been handed out, how many were reported.

    Handing out writes nothing, so `issued` is an estimate from below: it lags by a minute, and a
    crash loses that minute's. `returned` is exact, for the 100,000 tickets of a trial that are
    kept.
    """

    issued: int
    returned: int


class Tickets(msgspec.Struct, frozen=True):
    """Both arms' tickets since the trial began, open ones included."""

    baseline: Handed
    canary: Handed


def both_arms(known: TrialTickets) -> Tickets:
    """A trial's tickets as its page shows them."""
    return Tickets(
        baseline=Handed(known.stable_issued, known.stable_returned),
        canary=Handed(known.canary_issued, known.canary_returned),
    )


class CanaryView(msgspec.Struct, frozen=True):
    """A trial in full. `evidence` is all that the judge says, `interval` what it leaves open."""

    active: bool
    version: str | None = None
    baseline_version: str | None = None
    status: CanaryStatus | None = None
    stages: tuple[StageView, ...] = ()
    current_stage: int | None = None
    metrics: Metrics | None = None
    tickets: Tickets | None = None
    started_at: int | None = None
    estimated_completion: int | None = None
    horizon_at: int | None = None
    interval: EffectInterval | None = None
    evidence: Decision | None = None


class PendingImprovement(msgspec.Struct, frozen=True):
    """One request, with who stands behind it. `missing` says what it lacks to trigger."""

    group_id: RowId
    suggestion: str
    count: int
    agents: tuple[str, ...]
    agent_count: int
    owner_count: int
    first_seen: int
    last_seen: int
    status: ImprovementStatus
    missing: str | None


class PendingImprovements(msgspec.Struct, frozen=True):
    """A skill's open requests, the one with most behind it first."""

    improvements: tuple[PendingImprovement, ...]
    threshold: int
    current_count: int


class EvolutionView(Row, frozen=True):
    """One evolution of a skill's history; spelled as the row it is made from."""

    from_version: str
    to_version: str | None
    trigger: TriggerType
    changes: tuple[Change, ...]
    confidence_before: float | None
    confidence_after: float | None
    timestamp: int
    status: EvolutionStatus
    reason: str | None
    requested_by: str
    decided_by: str | None
    group_id: RowId


class History(msgspec.Struct, frozen=True):
    """A skill's evolutions, newest first."""

    evolutions: tuple[EvolutionView, ...]


class Credits(msgspec.Struct, frozen=True):
    """Contributors' parts in a skill's promoted versions."""

    credits: tuple[Credit, ...]


class Suggested(Row, frozen=True):
    """A suggestion as history shows it: who asked for what, and why it stands in its group."""

    suggestion: str
    agent_id: str
    owner: str
    platform: str
    grounds: str
    timestamp: int
    status: ImprovementStatus
    resolved_in_version: str | None


class EvolutionDetail(msgspec.Struct, frozen=True):
    """One evolution with all its evidence: who suggested what, and why it was decided so."""

    evolution: EvolutionView
    suggestions: tuple[Suggested, ...]
    evidence: Decision | None
    secret: str | None
