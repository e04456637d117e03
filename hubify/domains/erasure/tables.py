"""What is kept of an erasure: how far it is, what it changed, and, once it is done, no name.

Invariant: an `Erasure` holds whom it is about and the key of the pseudonyms only until its last
commit, and that commit's own past is pruned before the erasure counts as done.
"""

from enum import StrEnum

import msgspec

from hubify.functions import Domain, Row, RowId, index
from hubify.functions.erasing import Subject

erasure = Domain("erasure")


class ErasureState(StrEnum):
    """How far an erasure is."""

    RUNNING = "running"
    """Rows are looked through and changed."""
    SETTLING = "settling"
    """All rows found are changed; calls that were under way come to their end, then all rows are
    looked through once more."""
    CLEARING = "clearing"
    """The log is cleared of what it said of these rows."""
    SHREDDING = "shredding"
    """The past is dropped and the files are written anew."""
    DONE = "done"


@erasure.table("erasures", index("state"), index())
class Erasure(Row, frozen=True):
    """One erasure of an owner, or of one agent of an owner. Times are milliseconds since 1970.

    `erased` counts changed rows by table; `kept` those that hold the name within a text that stays.
    """

    state: ErasureState
    owner: str
    agent: str | None
    key: bytes
    pseudonym: str
    requested_at: int
    changed_at: int
    finished_at: int | None = None
    batches: int = 0
    erased: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    kept: dict[str, int] = msgspec.field(default_factory=dict[str, int])

    @property
    def subject(self) -> Subject:
        """Who is erased, while that is still known."""
        return Subject(self.owner, self.agent, self.key)


@erasure.table("erased_rows", index("erasure_id", "place"))
class ErasedRows(Row, frozen=True):
    """Which rows one step of an erasure wrote, and callers that were theirs, to clear the log of.

    Rows by number. Dropped at the end.
    """

    erasure_id: RowId
    place: int
    numbers: tuple[int, ...]
    callers: tuple[str, ...]
