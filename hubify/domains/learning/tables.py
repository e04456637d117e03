"""What is kept of reports: each one as it was told, and how many there were by day.

Invariant: a report never changes once written, and is never removed. Everything that counts it
(standings, evidence, days) can be recomputed from it.
"""

from enum import StrEnum
from typing import Any

from hubify.evidence.flags import FlagKind, Stream
from hubify.evidence.reports import Arm, Binding, Outcome
from hubify.functions import Domain, Row, RowId, index, unique

learning = Domain("learning")


class ReportedOutcome(StrEnum):
    """How a run ended, in either documented spelling of its third value."""

    SUCCESS = "success"
    PARTIAL = "partial"
    FAIL = "fail"

    @classmethod
    def _missing_(cls, value: object) -> "ReportedOutcome | None":
        return cls.FAIL if value == "failure" else None


class EndorsementType(StrEnum):
    """What is good about a report (surface.md 4.2)."""

    HELPFUL = "helpful"
    ACCURATE = "accurate"
    INSIGHTFUL = "insightful"


@learning.table("learning_reports", index("skill_id", "created_at"))
class Report(Row, frozen=True, omit_defaults=True):
    """One run of one version, as its agent told it, with known secrets taken out.

    `serial` and `share` are those of the ticket it was reported with; `canary_id` and `arm` are
    those too, or without a ticket those of the trial that its version was in. `signed_with` is the
    agent's key that a signed report was signed with, whether it had a ticket or not.
    """

    skill_id: RowId
    version_id: RowId
    skill_version: str
    agent: RowId
    agent_id: str
    owner: str
    platform: str
    outcome: Outcome
    binding: Binding
    created_at: int
    duration_ms: float | None = None
    note: str | None = None
    error_message: str | None = None
    improvement: str | None = None
    tools_used: tuple[str | dict[str, Any], ...] = ()
    llm: str | None = None
    context: dict[str, Any] | None = None
    is_regression: bool = False
    serial: str | None = None
    canary_id: str | None = None
    arm: Arm | None = None
    share: float | None = None
    signed_with: RowId | None = None


@learning.table("signed_nonces", unique("key_id", "nonce"), index("expires_at"))
class SignedNonce(Row, frozen=True):
    """A nonce that a key has used, as a digest, and the report that it was used for.

    `signature` is a digest too: the very same report may come again and changes nothing.
    """

    key_id: RowId
    nonce: bytes
    signature: bytes
    report_id: RowId
    expires_at: int


@learning.table("report_streams", unique("version_id", "owner"))
class ReportStream(Row, frozen=True):
    """What is remembered of one owner's reports on a version, to notice what is odd about them."""

    version_id: RowId
    owner: str
    stream: Stream


@learning.table(
    "report_flags",
    unique("version_id", "owner", "kind"),
    index("skill_id"),
    index("owner"),
)
class ReportFlag(Row, frozen=True):
    """Something odd about an owner's reports on a version; times are milliseconds since 1970.

    `reports` met the rule, `examples` the last of them; `measure` is the largest of all.
    """

    skill_id: RowId
    version_id: RowId
    skill_version: str
    owner: str
    kind: FlagKind
    since: int
    last: int
    reports: int
    measure: float
    examples: tuple[RowId, ...]


@learning.table("reported_runs", unique("owner", "agent_id", "skill_id", "run_id"))
class ReportedRun(Row, frozen=True):
    """A run of a skill that its agent gave an id of its own, and the report that told of it."""

    owner: str
    agent_id: str
    skill_id: RowId
    run_id: str
    report_id: RowId


@learning.table("skill_days", unique("skill_id", "day"))
class SkillDay(Row, frozen=True):
    """All reports on a skill up to and with a day (days since 1970): a running total.

    So what fell into any span of days is the difference of two rows. `platforms` holds (runs, half
    successes) of each; `halves` counts a success as two and a partial run as one.
    """

    skill_id: RowId
    day: int
    runs: int
    halves: int
    platforms: dict[str, tuple[int, int]]


@learning.table("report_endorsements", unique("report_id", "owner", "type"))
class ReportEndorsement(Row, frozen=True):
    """One owner's word on another's report."""

    report_id: RowId
    owner: str
    agent_id: str
    type: EndorsementType
    created_at: int
