"""What is kept of a skill: its name, its versions, how each stands, and who follows it.

Invariant: what a report changes (standings, evidence, reporters) lives in small rows apart from
what an author writes (skills, versions), so that a report never rewrites a skill's text.
"""

from enum import StrEnum

import msgspec

from hubify.evidence.confidence import Evidence
from hubify.functions import NOTHING, Domain, Row, RowId, Sealed, index, unique, words

skills = Domain("skills")

INSTANCE = "instance"
CELL_DAYS = 30
"""Days that one row of evidence holds."""


class Visibility(StrEnum):
    """Seen by: `public` all, `private` its owner, `org` the same until owners have members."""

    PUBLIC = "public"
    ORG = "org"
    PRIVATE = "private"


class SkillStatus(StrEnum):
    """What has become of a skill; a deleted one keeps its name, so that nobody can take it over."""

    ACTIVE = "active"
    DEPRECATED = "deprecated"
    DELETED = "deleted"


class Listing(StrEnum):
    """Under which heading a skill stands in public lists; follows from the skill's other fields."""

    LISTED = "listed"
    DEPRECATED = "deprecated"
    HIDDEN = "hidden"


class VersionStatus(StrEnum):
    """Where a version stands; the one thing about it that changes."""

    DRAFT = "draft"
    CANARY = "canary"
    BETA = "beta"
    STABLE = "stable"
    SUPERSEDED = "superseded"
    ROLLED_BACK = "rolled_back"
    DEPRECATED = "deprecated"
    PLACEHOLDER = "placeholder"


class Channel(StrEnum):
    """A name that moves from version to version."""

    STABLE = "stable"
    CANARY = "canary"
    BETA = "beta"


class Origin(StrEnum):
    """How a version came to be (surface.md 3.2)."""

    HUMAN = "human"
    AGENT = "agent"
    IMPORTED = "imported"
    GENERATED = "generated"


class Trend(StrEnum):
    """Where a skill's success has been going of late."""

    IMPROVING = "improving"
    STABLE = "stable"
    DECLINING = "declining"


class CountBy(StrEnum):
    """What "three agents suggest it" counts."""

    AGENT = "agent"
    OWNER = "owner"


class EvolutionSettings(msgspec.Struct, frozen=True):
    """How a skill evolves; stages are (hours, share) pairs, ending before the full release.

    `opt_in_only`: tickets of a trial, in both arms, go to agents that have opted in to canaries,
    so that volunteers are compared with volunteers. `promote_on_no_regression`: a trial whose time
    is over without proof promotes the version if no loss is to be seen, and says so.

    Runs of the stable version are watched: `least_success` is the success rate below which they
    are too bad, `same_error` the share of them that one error may end, `platform_gap` how much more
    often they may fail on one platform than elsewhere; 0 looks for none of these.
    """

    enabled: bool = True
    min_reporters: int = 3
    count_by: CountBy = CountBy.AGENT
    manual_approval: bool = False
    stage_hours: tuple[float, ...] = (24.0, 24.0, 24.0)
    stage_shares: tuple[float, ...] = (0.05, 0.25, 0.5)
    opt_in_only: bool = False
    promote_on_no_regression: bool = False
    least_success: float = 0.5
    same_error: float = 0.1
    platform_gap: float = 0.2


@skills.table("evolution_defaults", unique("name"))
class EvolutionDefaults(Row, frozen=True):
    """What an operator has set for skills that are made from then on; `name` is `INSTANCE`."""

    name: str
    min_reporters: int
    count_by: CountBy


class KnownAlert(msgspec.Struct, frozen=True):
    """What was found last of a skill's stable version, and still holds (`verification`)."""

    alert_id: RowId
    version: str
    kind: str
    message: str
    raised_at: int


class FileRef(msgspec.Struct, frozen=True):
    """One file of a version: its path in the bundle, its content's digest, its size in bytes."""

    path: str
    digest: str
    size: int


class Change(msgspec.Struct, frozen=True):
    """One thing a version changed, and the suggestions (improvement ids) that asked for it."""

    summary: str
    path: str = ""
    section: str = ""
    suggestions: tuple[str, ...] = ()


class DayCount(msgspec.Struct, frozen=True, array_like=True):
    """The runs of one UTC day, and the half successes among them (a partial run is one)."""

    day: int
    runs: int
    halves: int


class DayTally(msgspec.Struct, frozen=True, array_like=True):
    """The reports of one day, by its place in the row's days, as the fields of a `Tally`."""

    place: int
    tally: tuple[int, int, int, int, int, int]


@skills.table(
    "skills",
    unique("name"),
    index("listing", "name"),
    index("listing"),
    index("listing", "category", "name"),
    index("listing", "category"),
    index("owner", "name"),
    index("owner"),
    index("owner", "listing", "name"),
    index("owner", "listing"),
    index("fork_of"),
    words(
        "name",
        "display_name",
        "description",
        "tags",
        "category",
        within=("listing",),
        by=("level",),
    ),
)
class Skill(Row, frozen=True):
    """One skill: who holds the name, what it is for, and which version each channel points to.

    Changes with its author's or its evolution's steps only, never with a report. `fork_of` is the
    id of the skill it was forked from. Times are milliseconds since 1970.
    """

    name: str
    owner: str
    visibility: Visibility
    listing: Listing
    display_name: str
    description: str
    category: str
    tags: tuple[str, ...]
    platforms: tuple[str, ...]
    status: SkillStatus
    stable_version: str | None
    canary_version: str | None
    beta_version: str | None
    fork_of: RowId | None
    origin: Origin
    evolution: EvolutionSettings
    created_at: int
    updated_at: int
    versions: int = 0
    license: str | None = None
    compatibility: str | None = None
    homepage: str | None = None
    repository: str | None = None
    author: str = ""
    """Who made it elsewhere, when it was imported; else empty, and the owner made it."""
    latest_version: str = ""
    """The highest number ever published under the name; the next one goes on from it."""
    notice: str | None = None
    """Why it is deprecated, and what to use in its place."""
    written_name: str = ""
    """What its name was made of, where that had to be repaired; no other name may be made it."""
    level: int = 0
    """Its standing's level: of too many skills that hold a word, search prefers the trusted."""


@skills.table(
    "skill_versions",
    unique("skill_id", "version"),
    index("skill_id"),
    index("skill_id", "digest"),
)
class SkillVersion(Row, frozen=True):
    """One published version. Nothing of it ever changes but its status.

    `digest` is that of the whole bundle, `parents` are ids of the versions it was made from (of
    this skill or of others), `source` is where it was imported from and `source_origin` that
    place's own word for how it came about, `decision` the id of the gateway's decision on it.
    """

    skill_id: RowId
    version: str
    digest: str
    files: tuple[FileRef, ...]
    status: VersionStatus
    parents: tuple[RowId, ...]
    description: str
    change_summary: str
    changes: tuple[Change, ...]
    origin: Origin
    source: str
    source_origin: str
    author: str
    author_agent: str | None
    published_at: int
    decision: RowId | None


@skills.table("skill_descents", index("parent_id"), unique("child_id", "parent_id"))
class Descent(Row, frozen=True):
    """One edge of the lineage: a version and one that was made from it, with their skills."""

    parent_id: RowId
    parent_skill: RowId
    child_id: RowId
    child_skill: RowId


@skills.table("channel_moves", index("skill_id"), index("skill_id", "channel", "after"))
class ChannelMove(Row, frozen=True):
    """One step of a channel: from which version to which, who asked, and why."""

    skill_id: RowId
    channel: Channel
    before: str | None
    after: str | None
    reason: str
    asked_by: str
    moved_at: int


@skills.table("skill_rollouts", unique("skill_id"))
class Rollout(Row, frozen=True):
    """The trial a skill is in: which version, for which share of tickets, since when.

    `stages` are (since ms, share), oldest first: a ticket keeps the share under which it was
    issued. `secret` keys the coins and is revealed once the trial is decided. With `opt_in_only`
    agents that have not opted in take no part.
    """

    skill_id: RowId
    canary_id: str
    version: str
    stages: tuple[tuple[int, float], ...]
    secret: Sealed = NOTHING
    opt_in_only: bool = False


class Weighing(msgspec.Struct, frozen=True):
    """How far a long record has been weighed for a new day (`weighing.py`).

    `by_owner` is the capped sum of the owners up to and with `reached`, `platforms` the uncapped
    evidence that these owners reported on each platform.
    """

    day: int
    reached: str = ""
    by_owner: Evidence = Evidence()
    platforms: dict[str, Evidence] = msgspec.field(default_factory=dict[str, Evidence])


@skills.table("version_standings", unique("version_id"), index("dormant", "as_of_day"))
class VersionStanding(Row, frozen=True):
    """The hot row of a version: its counts, and its evidence weighed as of one day.

    `platforms` holds each platform's uncapped evidence; `by_owner` and `by_platform` are the
    capped sums that the confidence is read from. `dormant`: no evidence is left that could decay.
    `weighing` is there while a new day's weighing is under way.
    """

    version_id: RowId
    skill_id: RowId
    as_of_day: int
    runs: int = 0
    successes: int = 0
    partials: int = 0
    failures: int = 0
    owners: int = 0
    platforms: dict[str, Evidence] = msgspec.field(default_factory=dict[str, Evidence])
    by_owner: Evidence = Evidence()
    by_platform: Evidence = Evidence()
    confidence: float = 0.0
    last_run_at: int = 0
    dormant: bool = False
    weighing: Weighing | None = None


@skills.table("owner_evidence", unique("version_id", "owner"))
class OwnerEvidence(Row, frozen=True, omit_defaults=True):
    """What one owner's reports on a version weigh together, uncapped.

    `coming` is that as of `coming_day` (0: none): the day a long record is being weighed for, or
    was last. `evidence` is as of the standing's day before it.
    """

    version_id: RowId
    owner: str
    evidence: Evidence
    coming: Evidence = Evidence()
    coming_day: int = 0

    def as_of(self, day: int) -> Evidence:
        """The evidence as of the day of its version's standing, or of its weighing."""
        return self.coming if self.coming_day == day else self.evidence

    def weighing_as_of(self, day: int, evidence: Evidence) -> "OwnerEvidence":
        """The row with other evidence as of one of these days."""
        if self.coming_day == day:
            return self.changed(coming=evidence)
        return self.changed(evidence=evidence)


@skills.table("evidence_cells", unique("version_id", "owner", "platform", "month"))
class EvidenceCell(Row, frozen=True):
    """The record itself: reports of one owner on one platform, counted per UTC day.

    A row holds 30 days (`month` is the day over 30), so that weighing a long record anew reads
    few rows; the days are (day within the row, tally) in order.
    """

    version_id: RowId
    owner: str
    platform: str
    month: int
    days: tuple[DayTally, ...]


@skills.table(
    "skill_standings",
    unique("skill_id"),
    index("listing", "rank"),
    index("listing", "category", "rank"),
    index("owner", "rank"),
    index("owner", "listing", "rank"),
)
class SkillStanding(Row, frozen=True):
    """What lists and search rank a skill by; the confidence is its stable version's.

    `rank` is the confidence rounded, so that most reports move no index entry. `recent` holds the
    last days that had runs, for the trend. `owner`, `listing` and `category` are the skill's.
    """

    skill_id: RowId
    owner: str
    listing: Listing
    category: str
    rank: int = 0
    confidence: float = 0.0
    executions: int = 0
    halves: int = 0
    unique_agents: int = 0
    unique_owners: int = 0
    platforms: tuple[str, ...] = ()
    level: int = 0
    trend: Trend = Trend.STABLE
    recent: tuple[DayCount, ...] = ()
    last_executed_at: int | None = None
    stars: int = 0
    alert: KnownAlert | None = None


@skills.table("skill_reporters", unique("skill_id", "owner", "agent"))
class SkillReporter(Row, frozen=True):
    """An agent that has reported on a skill; `turn` counts the tickets it has used up.

    `turn_since` is when the last one was used (ms): its next ticket begins there. `counted`: the
    skill's standing has it among its agents.
    """

    skill_id: RowId
    owner: str
    agent: str
    counted: bool = False
    turn: int = 0
    turn_since: int = 0


@skills.table("spent_tickets", unique("serial"), index("spent_at"))
class SpentTicket(Row, frozen=True):
    """A ticket issued within a session that has been reported; kept until its time is over."""

    serial: str
    owner: str
    spent_at: int


@skills.table("ticket_keys", index())
class TicketKey(Row, frozen=True):
    """A key that tickets are made with; the newest makes them, older ones still check them."""

    created_at: int
    key: Sealed = NOTHING


@skills.table("stars", unique("skill_id", "owner", "agent"), index("owner", "agent"))
class Star(Row, frozen=True):
    """An agent (or, with an empty agent, an owner) follows a skill."""

    skill_id: RowId
    owner: str
    agent: str
    starred_at: int


@skills.table("pins", unique("skill_id", "owner", "agent"), index("owner", "agent"))
class Pin(Row, frozen=True):
    """An owner, or one of its agents, stays with a version whatever the channels do."""

    skill_id: RowId
    owner: str
    agent: str
    version: str
    reason: str
    pinned_at: int
