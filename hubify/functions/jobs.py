"""Running a scheduled mutation so that it takes effect once.

Invariant: the job's row leaves `pending` in the mutation's own commit; a second run finds it gone
and leaves nothing.
"""

from hubify.core.transaction import Transaction
from hubify.functions.backend import Backend, Call, Settled
from hubify.functions.principal import Principal
from hubify.functions.schedule import BY_CRON, Cron, Job, JobState
from hubify.values.durations import NS_PER_MS
from hubify.values.errors import Conflict


class AlreadyConsumed(Conflict):
    """Another process, or an earlier attempt, runs this job or has run it."""


def submit_job(backend: Backend, job: Job, principal: Principal, settled: Settled) -> None:
    """Run a job's mutation; `settled` hears of it once it is durable, or that it was consumed."""

    def consume(transaction: Transaction, now_ms: int) -> None:
        row = transaction.get(Job, job.id)
        if row is None or row.state is not JobState.PENDING:
            message = f"job {job.id} has been run already"
            raise AlreadyConsumed(message)
        ended = backend.wiring.runtime.wall_ns() // NS_PER_MS
        done = row.changed(state=JobState.DONE, started_at=now_ms, finished_at=ended)
        note_run(transaction, transaction.replace(done), ended_at=ended)

    call = Call(job.path, job.arguments, principal, charged=False)
    backend.submit(call, settled, then=consume, internal=True)


def note_run(db: Transaction, job: Job, *, ended_at: int, error: str | None = None) -> None:
    """Keep with its cron how a job that it started has ended (ms)."""
    cron = db.first(Cron.where(path=job.path)) if job.requested_by == BY_CRON else None
    if cron is None:
        return
    duration = None if job.started_at is None else ended_at - job.started_at
    db.replace(cron, last_error=error, last_ended_at=ended_at, last_duration_ms=duration)
