"""The system's own rows: jobs, crons, ticks and remembered answers, for operators to see.

Invariant: a job leaves `pending` in the same commit as its effect, or by a failure that is kept.
"""

from typing import Any

from hubify.functions import (
    Domain,
    MutationCtx,
    NotFound,
    Page,
    PageRequest,
    QueryCtx,
    RowId,
    get,
    post,
)
from hubify.functions.jobs import AlreadyConsumed
from hubify.functions.replay import Answered
from hubify.functions.schedule import MAX_ATTEMPTS, Cron, Job, JobState, Tick, retry_delay_ms

system = Domain("system")

MS_PER_DAY = 86_400_000
KEPT_JOBS_MS = 7 * MS_PER_DAY
SWEEP_ROWS = 500
FINISHED = (JobState.DONE, JobState.FAILED, JobState.CANCELED)
MAX_ERROR = 2_000
HISTORY = "history"
RECOVERY = "recovery"


class JobNotFound(NotFound):
    """No job has that id."""


def next_run(cron: Cron, now: int) -> int:
    """The first due time after `now` on the cron's own grid (ms)."""
    period = cron.every_s * 1000
    return cron.next_at + (max(0, now - cron.next_at) // period + 1) * period


@system.query(scope="system:read", rest=get("/v1/jobs"))
def list_jobs(
    ctx: QueryCtx, *, state: JobState = JobState.PENDING, pagination_opts: PageRequest | None = None
) -> Page[Job]:
    """Jobs in one state, by the time they are or were due."""
    query = Job.where(state=state).order_by("due_at")
    return ctx.paginate(query, pagination_opts or PageRequest())


@system.query(scope="system:read", rest=get("/v1/crons"))
def list_crons(ctx: QueryCtx) -> list[Cron]:
    """Every cron with its interval, last and next run, and last error."""
    return ctx.db.take(Cron.where().order_by("path"), limit=1000)


@system.mutation(scope="system:write", rest=post("/v1/jobs/{job_id}/cancel"), errors=(JobNotFound,))
def cancel_job(ctx: MutationCtx, *, job_id: RowId) -> bool:
    """Cancel a job that has not begun; whether it was still pending."""
    if ctx.db.get(Job, job_id) is None:
        message = f"no job has the id '{job_id}'"
        raise JobNotFound(message)
    return ctx.cancel(job_id)


@system.query(internal=True)
def due_jobs(ctx: QueryCtx, *, now: int, limit: int) -> list[Job]:
    """Pending jobs whose time has come, longest due first."""
    query = Job.where(state=JobState.PENDING).at_most(due_at=now)
    return ctx.db.take(query, limit=limit)


@system.query(internal=True)
def next_job(ctx: QueryCtx) -> Job | None:
    """The pending job that is due first."""
    return ctx.db.first(Job.where(state=JobState.PENDING).order_by("due_at"))


@system.query(internal=True)
def due_crons(ctx: QueryCtx, *, now: int) -> list[Cron]:
    """Crons whose time has come."""
    crons = ctx.db.take(Cron.where().order_by("path"), limit=1000)
    return [cron for cron in crons if cron.next_at <= now]


@system.mutation(internal=True, errors=(AlreadyConsumed,))
def begin_job(ctx: MutationCtx, *, job_id: RowId) -> Job:
    """Mark an action's job as running, so that it runs at most once."""
    job = taken(ctx, job_id, JobState.PENDING)
    return ctx.db.replace(job, state=JobState.RUNNING, started_at=ctx.now)


@system.mutation(internal=True, errors=(AlreadyConsumed,))
def end_job(ctx: MutationCtx, *, job_id: RowId) -> None:
    """Mark a running action's job as done."""
    job = taken(ctx, job_id, JobState.RUNNING)
    ctx.db.replace(job, state=JobState.DONE, finished_at=ctx.now, last_error=None)


@system.mutation(internal=True)
def fail_job(ctx: MutationCtx, *, job_id: RowId, error: str, retries: int) -> None:
    """Keep a failure: try again later while `retries` allow it, else give up."""
    job = ctx.db.get(Job, job_id)
    if job is None or job.state in FINISHED:
        return
    attempts = job.attempts + 1
    told = error[:MAX_ERROR]
    if attempts > min(retries, MAX_ATTEMPTS):
        ctx.db.replace(
            job, state=JobState.FAILED, attempts=attempts, last_error=told, finished_at=ctx.now
        )
        return
    due_at = ctx.now + retry_delay_ms(attempts)
    ctx.db.replace(job, state=JobState.PENDING, attempts=attempts, last_error=told, due_at=due_at)


@system.mutation(internal=True)
def recover_jobs(ctx: MutationCtx) -> list[Job]:
    """The jobs that a stopped process left running; their actions may have happened."""
    return ctx.db.take(Job.where(state=JobState.RUNNING).order_by("due_at"), limit=SWEEP_ROWS)


@system.mutation(internal=True)
def declare_crons(ctx: MutationCtx, *, crons: list[dict[str, Any]]) -> None:
    """Make the cron rows agree with what the loaded domains declare."""
    known = {cron.path: cron for cron in ctx.db.take(Cron.where().order_by("path"), limit=1000)}
    for declared in crons:
        path, every_s, offset_s = declared["path"], declared["every_s"], declared["offset_s"]
        cron = known.pop(path, None)
        period = every_s * 1000
        first = (ctx.now // period + 1) * period + offset_s * 1000
        if cron is None:
            ctx.db.insert(Cron(path=path, every_s=every_s, next_at=first))
        elif cron.every_s != every_s:
            ctx.db.replace(cron, every_s=every_s, next_at=first)
    for gone in known.values():
        ctx.db.delete(gone)


@system.mutation(internal=True)
def start_cron(ctx: MutationCtx, *, path: str) -> bool:
    """Turn a due cron into a job and set its next time; whether it was due."""
    cron = ctx.db.first(Cron.where(path=path))
    if cron is None or cron.next_at > ctx.now:
        return False
    running = ctx.db.first(Job.where(path=path, state=JobState.RUNNING))
    pending = ctx.db.first(Job.where(path=path, state=JobState.PENDING))
    if running is None and pending is None:
        job = Job(
            path=path, arguments={}, due_at=ctx.now, state=JobState.PENDING,
            requested_by="cron", created_at=ctx.now,
        )  # fmt: skip
        ctx.db.insert(job)
    ctx.db.replace(cron, next_at=next_run(cron, ctx.now), last_at=ctx.now)
    return True


@system.cron(every_s=3600)
@system.mutation(internal=True)
def tick(ctx: MutationCtx) -> None:
    """Let the hour and the day that queries see move on."""
    for name, value in (("hour", ctx.hour), ("day", ctx.today)):
        known = ctx.db.first(Tick.where(name=name))
        if known is None:
            ctx.db.insert(Tick(name=name, value=value))
        elif known.value != value:
            ctx.db.replace(known, value=value)


@system.mutation(internal=True)
def forget_before(ctx: MutationCtx, *, ms: int) -> None:
    """Store that states before this time can no longer be read (before they are dropped)."""
    known = ctx.db.first(Tick.where(name=HISTORY))
    if known is None:
        ctx.db.insert(Tick(name=HISTORY, value=ms))
    elif known.value < ms:
        ctx.db.replace(known, value=ms)


@system.mutation(internal=True)
def note_recovery(ctx: MutationCtx) -> None:
    """Store when the store last took a write again after it had refused one."""
    known = ctx.db.first(Tick.where(name=RECOVERY))
    if known is None:
        ctx.db.insert(Tick(name=RECOVERY, value=ctx.now))
    else:
        ctx.db.replace(known, value=ctx.now)


@system.query(internal=True)
def history_from(ctx: QueryCtx) -> int:
    """The earliest time (ms) whose state can still be read; 0: all of it."""
    known = ctx.db.first(Tick.where(name=HISTORY))
    return known.value if known else 0


@system.cron(every_s=600)
@system.mutation(internal=True)
def sweep(ctx: MutationCtx) -> None:
    """Drop remembered answers and finished jobs whose time to be kept is over."""
    spent = ctx.db.take(Answered.where().at_most(expires_at=ctx.now), limit=SWEEP_ROWS)
    for answered in spent:
        ctx.db.delete(answered)
    dropped = len(spent)
    for state in FINISHED:
        old = Job.where(state=state).at_most(due_at=ctx.now - KEPT_JOBS_MS)
        for job in ctx.db.take(old, limit=SWEEP_ROWS):
            ctx.db.delete(job)
            dropped += 1
    if dropped >= SWEEP_ROWS:
        ctx.schedule(sweep)


def taken(ctx: MutationCtx, job_id: str, expected: JobState) -> Job:
    """The job, if it is still in the expected state."""
    job = ctx.db.get(Job, job_id)
    if job is None or job.state is not expected:
        message = f"job {job_id} is no longer {expected}"
        raise AlreadyConsumed(message)
    return job
