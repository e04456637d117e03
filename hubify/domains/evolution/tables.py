"""What is kept of a skill's evolution: what was asked for, what was tried, and how it went.

Invariant: an improvement never changes but for the group it stands in, and is never deleted; its
status follows from its group. What each ticketed report moves is one row (`JudgeState`), apart
from the rows that people watch.
"""

from enum import StrEnum
from typing import Any

from hubify.domains.skills import Change
from hubify.evidence.canary import TicketEnded, Verdict
from hubify.functions import Domain, Row, RowId, index, unique

evolution = Domain("evolution")

WRITE = "evolution:write"
"""The scope of those who decide about evolutions."""


class ImprovementStatus(StrEnum):
    """Where a suggestion stands (surface.md 4.3)."""

    PENDING = "pending"
    GROUPED = "grouped"
    DRAFTING = "drafting"
    RESOLVED = "resolved"
    REJECTED = "rejected"


class GroupStatus(StrEnum):
    """Where a request stands that one or more suggestions make."""

    OPEN = "open"
    DRAFTING = "drafting"
    CANARY = "canary"
    RESOLVED = "resolved"
    REJECTED = "rejected"
    MERGED = "merged"


class Opinion(StrEnum):
    """What an owner says of a group: it asks for the same thing as its own suggestion, or not."""

    SAME = "same"
    DIFFERENT = "different"


class TriggerType(StrEnum):
    """What set an evolution off (surface.md 6.2)."""

    IMPROVEMENT_THRESHOLD = "improvement_threshold"
    MANUAL_REQUEST = "manual_request"
    CONFIDENCE_DECLINE = "confidence_decline"
    HIGH_FAILURE_RATE = "high_failure_rate"
    ERROR_PATTERN = "error_pattern"
    PLATFORM_GAP = "platform_gap"


class EvolutionStatus(StrEnum):
    """Where one attempt to evolve a skill stands. The first four are open."""

    DRAFTING = "drafting"
    PENDING = "pending"
    CANARY = "canary"
    INCONCLUSIVE = "inconclusive"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    REJECTED = "rejected"
    FAILED = "failed"


class CanaryStatus(StrEnum):
    """Where a trial stands."""

    RUNNING = "running"
    PAUSED = "paused"
    INCONCLUSIVE = "inconclusive"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"


class LookKind(StrEnum):
    """What a trial's judge is told beside runs."""

    CLOCK = "clock"
    TICKETS = "tickets"
    RESUMED = "resumed"
    ENDED = "ended"


class ProposalStatus(StrEnum):
    """Where a proposal for a new skill stands (surface.md 3.3)."""

    OPEN = "open"
    APPROVED = "approved"
    MERGED = "merged"
    REJECTED = "rejected"


class Contribution(StrEnum):
    """What a contributor is credited for (surface.md 6.5)."""

    IMPROVEMENT_SUGGESTION = "improvement_suggestion"


@evolution.table("pending_improvements", index("group_id"), index("skill_id"), index("report_id"))
class Improvement(Row, frozen=True):
    """One request as one agent made it, with known secrets taken out.

    A suggestion that asks for two things is two rows of one report. `kind` says whether it names a
    change or is vague, praise or an attack, which join no group and never lead to anything.
    `grounds` is why it stands in its group.
    """

    skill_id: RowId
    report_id: str
    owner: str
    agent_id: str
    agent: RowId
    platform: str
    text: str
    kind: str
    created_at: int
    group_id: RowId | None = None
    grounds: str = ""


@evolution.table(
    "improvement_groups",
    index("skill_id", "status", "last_seen"),
    index("status", "last_seen"),
)
class ImprovementGroup(Row, frozen=True):
    """One request that suggestions of a skill make together.

    `text` is its first member's, `wordings` are those of its newest members. `agents` and `owners`
    count who stands behind it, endorsements included; `tried_at` is that count when a draft of it
    last came to nothing, and `note` why. Times are milliseconds since 1970.
    """

    skill_id: RowId
    text: str
    wordings: tuple[str, ...]
    status: GroupStatus
    first_seen: int
    last_seen: int
    members: int = 0
    agents: int = 0
    owners: int = 0
    tried_at: int = 0
    note: str | None = None
    merged_into: RowId | None = None
    resolved_in_version: str | None = None


@evolution.table("group_supporters", unique("group_id", "owner", "agent_id"))
class Supporter(Row, frozen=True):
    """An agent that stands behind a group, by a suggestion or by saying "same"."""

    group_id: RowId
    owner: str
    agent_id: str


@evolution.table("group_opinions", unique("group_id", "owner"))
class GroupOpinion(Row, frozen=True):
    """What one owner said of a group last."""

    group_id: RowId
    owner: str
    agent_id: str
    opinion: Opinion
    said_at: int


@evolution.table(
    "evolutions",
    index("skill_id", "created_at"),
    index("skill_id", "status"),
    index("skill_id", "digest"),
    index("status"),
)
class Evolution(Row, frozen=True):
    """One attempt to evolve a skill, from the trigger to its end, with the evidence kept.

    `begun_at` is when its draft was scheduled (None: it waits for another attempt). `digest` is
    that of the drafted text, so that what failed is not tried again; `evidence` is the
    judge's decision as it stood; `secret` (hex) lets anybody toss the canary's coins again.
    """

    skill_id: RowId
    group_id: RowId
    trigger: TriggerType
    status: EvolutionStatus
    from_version: str
    created_at: int
    requested_by: str
    to_version: str | None = None
    digest: str | None = None
    changes: tuple[Change, ...] = ()
    canary_id: RowId | None = None
    decided_at: int | None = None
    decided_by: str | None = None
    reason: str | None = None
    confidence_before: float | None = None
    confidence_after: float | None = None
    evidence: dict[str, Any] | None = None
    secret: str | None = None
    begun_at: int | None = None


@evolution.table("canaries", index("evolution_id"), index("skill_id", "status"))
class Canary(Row, frozen=True):
    """A version on trial: against which one, in which stage, with which share of the tickets.

    Changes with stages and decisions only, never with a report. `stage_ends_at` is when the stage
    may end at the earliest (ms). `rules` are the judge's settings, and `runs_per_hour` the traffic
    that chose the stages: with them anybody can judge the reports again.
    """

    evolution_id: RowId
    skill_id: RowId
    version: str
    baseline: str
    status: CanaryStatus
    stage: int
    share: float
    started_at: int
    stage_ends_at: int
    horizon_at: int
    rules: dict[str, Any]
    runs_per_hour: float
    decided_at: int | None = None


@evolution.table("canary_judges", unique("canary_id"))
class JudgeState(Row, frozen=True):
    """All that the judge remembers of a canary (`evidence.canary.CanaryState`, MessagePack)."""

    canary_id: RowId
    started_at: int
    state: bytes


@evolution.table("canary_looks", index("canary_id"))
class CanaryLook(Row, frozen=True):
    """What a judge was told beside runs, after how many of these; ms since the trial began.

    `tickets` are those that had ended by then, `verdict` is that of whoever ended the trial.
    """

    canary_id: RowId
    after_runs: int
    at_ms: int
    kind: LookKind
    tickets: tuple[TicketEnded, ...] = ()
    verdict: Verdict | None = None


@evolution.table("canary_intervals", unique("canary_id"))
class CanaryInterval(Row, frozen=True):
    """The effects that a trial's first `runs` runs have not ruled out, as of a time (ms)."""

    canary_id: RowId
    lower: float
    upper: float
    runs: int
    as_of: int


@evolution.table("evolution_credits", index("skill_id"))
class Credit(Row, frozen=True):
    """A contributor's part in a version that was promoted; the parts of one version add up to 1."""

    skill_id: RowId
    skill_version: str
    agent: RowId
    owner: str
    agent_id: str
    contribution_type: Contribution
    description: str
    weight: float
    credited_at: int


@evolution.table("skill_proposals", index("status", "created_at"), index("source", "source_id"))
class SkillProposal(Row, frozen=True):
    """A skill that somebody wishes there were; not about any skill that exists."""

    title: str
    description: str
    owner: str
    author_agent_id: str | None
    source: str
    source_id: str
    tags: tuple[str, ...]
    status: ProposalStatus
    created_at: int
    decided_at: int | None = None
    decided_by: str | None = None
    reason: str | None = None
    merged_skill: str | None = None
