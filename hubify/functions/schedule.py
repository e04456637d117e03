"""Jobs, crons and ticks as rows, so that they commit, conflict and are watched like anything else.

Invariant: a job's row is consumed by the same commit as its mutation's effect; a job is pending
until then, whatever process dies in between.
"""

from enum import StrEnum
from typing import Any

from hubify.core.schema import Table
from hubify.values.rows import Row, index, unique

MAX_ATTEMPTS = 8
FIRST_RETRY_MS = 1_000
LONGEST_RETRY_MS = 3_600_000


class JobState(StrEnum):
    """Where a job stands."""

    PENDING = "pending"
    RUNNING = "inProgress"
    DONE = "success"
    FAILED = "failed"
    CANCELED = "canceled"


class Job(Row, frozen=True):
    """A call to be made at `due_at` (ms). `attempts` counts those that failed."""

    path: str
    arguments: dict[str, Any]
    due_at: int
    state: JobState
    requested_by: str
    created_at: int
    attempts: int = 0
    last_error: str | None = None
    started_at: int | None = None
    finished_at: int | None = None


class Cron(Row, frozen=True):
    """When a declared cron last ran, how that ended, and when it is next due (ms)."""

    path: str
    every_s: int
    next_at: int
    last_at: int | None = None
    last_error: str | None = None


class Tick(Row, frozen=True):
    """The time that queries see: `day` and `hour` since 1970."""

    name: str
    value: int


JOBS = Table("_jobs", Job, (index("state", "due_at"), index("path", "state")))
CRONS = Table("_crons", Cron, (unique("path"),))
TICKS = Table("_ticks", Tick, (unique("name"),))


def retry_delay_ms(attempts: int) -> int:
    """Back-off before the next try: 1 s doubled per failure, at most an hour."""
    return min(LONGEST_RETRY_MS, FIRST_RETRY_MS << (attempts - 1))
