"""What is kept of how versions do in use: one watch of each stable version, and what it found.

Invariant: a report writes none of these rows; they are written about once a minute and version.
"""

from enum import StrEnum

from hubify.evidence.watching import Trouble
from hubify.functions import Domain, Row, RowId, index, unique

verification = Domain("verification")


class AlertStatus(StrEnum):
    """Whether an alert still holds."""

    OPEN = "open"
    CLOSED = "closed"


@verification.table("version_watches", unique("version_id"))
class Watch(Row, frozen=True):
    """What is remembered of a stable version (`evidence.watching.Watching`, MessagePack).

    `mark` is the time (ms) and the id of the skill's last report that it has taken in.
    """

    skill_id: RowId
    version_id: RowId
    version: str
    since: int
    mark: tuple[int, str]
    state: bytes


@verification.table(
    "skill_alerts", index("skill_id", "raised_at"), index("skill_id", "status"), index("status")
)
class Alert(Row, frozen=True):
    """Something that was found of a stable version, in words for everybody.

    `wrong` of the `runs` that it is about went wrong, a partial success counting half. `signature`
    is the error's that keeps coming back, or the platform's name.
    """

    skill_id: RowId
    version: str
    kind: Trouble
    status: AlertStatus
    message: str
    signature: str
    runs: int
    wrong: float
    raised_at: int
    closed_at: int | None = None
    closed_by: str | None = None
    reason: str | None = None
