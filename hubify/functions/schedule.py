"""Jobs, crons and ticks as rows, so that they commit, conflict and are watched like anything else.

Invariant: a job's row is consumed by the same commit as its mutation's effect; a job is pending
until then, whatever process dies in between. An action's job is one process's while its lease runs.
"""

from enum import StrEnum
from typing import Any

from hubify.core.schema import Table
from hubify.core.transaction import Transaction
from hubify.values.durations import MS_PER_HOUR, NS_PER_MS
from hubify.values.rows import Row, index, unique

MAX_ATTEMPTS = 8
FIRST_RETRY_MS = 1_000
LONGEST_RETRY_MS = MS_PER_HOUR
LEASE_MS = 60_000  # how long a running job is its process's, from when that last said so
BY_CRON = "cron"  # who asked for a job that a cron started; no caller's label reads so
HISTORY = "history"  # the tick that holds since when the past can be read (ms)


class JobState(StrEnum):
    """Where a job stands."""

    PENDING = "pending"
    RUNNING = "inProgress"
    DONE = "success"
    FAILED = "failed"
    CANCELED = "canceled"


class Job(Row, frozen=True):
    """A call to be made at `due_at` (ms). `attempts` counts those that failed.

    `runner`: the process that runs or ran it, if it is an action; another one may take it over
    from `leased_until` (ms) on.
    """

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
    runner: str = ""
    leased_until: int = 0


class Cron(Row, frozen=True):
    """When a declared cron last ran, how that ended, and when it is next due (ms).

    `last_at` is when the newest run was started; the error (None: there was none), end and duration
    are those of the newest run that has ended, where a failed mutation has no duration.
    """

    path: str
    every_s: int
    next_at: int
    offset_s: int = 0
    last_at: int | None = None
    last_ended_at: int | None = None
    last_duration_ms: int | None = None
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


def first_run(every_s: int, offset_s: int, now: int) -> int:
    """The first time after `now` (ms) that lies `offset_s` into a period counted from 1970."""
    period, offset = every_s * 1000, offset_s * 1000
    return (now - offset) // period * period + period + offset


def oldest_readable(reader: Transaction) -> int:
    """Since when (ns) the past can be read, as the store says (`Database`, `oldest_of`)."""
    known = reader.first(Tick.where(name=HISTORY))
    return known.value * NS_PER_MS if known else 0
