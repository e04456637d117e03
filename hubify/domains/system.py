"""The system's own rows: jobs, crons, ticks and remembered answers, for operators to see.

Invariant: a job leaves `pending` in the same commit as its effect, or by a failure that is kept; a
running one is ended by the process that holds its lease alone.
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
from hubify.functions.jobs import AlreadyConsumed, note_run
from hubify.functions.replay import Answered
from hubify.functions.schedule import (
    BY_CRON,
    HISTORY,
    LEASE_MS,
    MAX_ATTEMPTS,
    Cron,
    Job,
    JobState,
    Tick,
    first_run,
    retry_delay_ms,
)
from hubify.values.durations import MS_PER_DAY

system = Domain("system")

KEPT_JOBS_MS = 7 * MS_PER_DAY
SWEEP_ROWS = 500
MAX_RUNNING = 4_096  # jobs that all processes together run at a time, with room
MAX_CRONS = 1_000
FINISHED = (JobState.DONE, JobState.FAILED, JobState.CANCELED)
MAX_ERROR = 2_000
RECOVERY = "recovery"


class JobNotFound(NotFound):
    """No job has that id."""


@system.query(scope="system:read", rest=get("/v1/jobs"))
def list_jobs(
    ctx: QueryCtx, *, state: JobState = JobState.PENDING, pagination_opts: PageRequest | None = None
) -> Page[Job]:
    """Jobs in one state, by the time they are or were due."""
    query = Job.where(state=state).order_by("due_at")
    return ctx.paginate(query, pagination_opts or PageRequest())


@system.query(scope="system:read", rest=get("/v1/crons"))
def list_crons(ctx: QueryCtx) -> list[Cron]:
    """Every cron with its interval, its next run, and when, how long and how well it last ran."""
    return ctx.db.take(Cron.where().order_by("path"), limit=MAX_CRONS)


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
    crons = ctx.db.take(Cron.where().order_by("path"), limit=MAX_CRONS)
    return [cron for cron in crons if cron.next_at <= now]


@system.mutation(internal=True, errors=(AlreadyConsumed,))
def begin_job(ctx: MutationCtx, *, job_id: RowId, runner: str) -> Job:
    """Mark an action's job as running in one process, so that it runs at most once."""
    job = ctx.db.get(Job, job_id)
    if job is None or job.state is not JobState.PENDING:
        message = f"job {job_id} is no longer {JobState.PENDING}"
        raise AlreadyConsumed(message)
    return ctx.db.replace(
        job, state=JobState.RUNNING, started_at=ctx.now, runner=runner,
        leased_until=ctx.now + LEASE_MS,
    )  # fmt: skip


@system.mutation(internal=True)
def renew_jobs(ctx: MutationCtx, *, job_ids: list[RowId], runner: str) -> list[RowId]:
    """Say that a process still runs these jobs; those that are still its own."""
    held = [job for job_id in job_ids if (job := ctx.db.get(Job, job_id)) and runs(job, runner)]
    for job in held:
        ctx.db.replace(job, leased_until=ctx.now + LEASE_MS)
    return [job.id for job in held]


@system.mutation(internal=True, errors=(AlreadyConsumed,))
def end_job(ctx: MutationCtx, *, job_id: RowId, runner: str) -> None:
    """Mark a running action's job as done."""
    job = ctx.db.get(Job, job_id)
    if job is None or not runs(job, runner):
        message = f"job {job_id} is no longer run by this process"
        raise AlreadyConsumed(message)
    ctx.db.replace(job, state=JobState.DONE, finished_at=ctx.now, last_error=None)
    note_run(ctx.db, job, ended_at=ctx.now)


@system.mutation(internal=True)
def fail_job(
    ctx: MutationCtx, *, job_id: RowId, runner: str, attempts: int, error: str, retries: int
) -> None:
    """Keep a failure: try again later while `retries` allow it, else give up.

    `attempts`: how many had failed before this one, so that one failure is counted once.
    """
    job = ctx.db.get(Job, job_id)
    if job is None or job.attempts != attempts:
        return
    if job.state is not JobState.PENDING and not runs(job, runner):
        return
    told = error[:MAX_ERROR]
    note_run(ctx.db, job, ended_at=ctx.now, error=told)
    failed = job.changed(attempts=attempts + 1, last_error=told)
    if attempts + 1 > min(retries, MAX_ATTEMPTS):
        ctx.db.replace(failed, state=JobState.FAILED, finished_at=ctx.now)
        return
    due_at = ctx.now + retry_delay_ms(attempts + 1)
    ctx.db.replace(failed, state=JobState.PENDING, due_at=due_at)


@system.mutation(internal=True)
def take_over_jobs(ctx: MutationCtx, *, runner: str, alone: bool) -> list[Job]:
    """Some jobs whose process says no more that it runs them; their actions may have happened.

    They are the `runner`'s from here on. `alone`: no other process is there to say so.
    """
    running = ctx.db.take(Job.where(state=JobState.RUNNING).order_by("due_at"), limit=MAX_RUNNING)
    left = [
        job for job in running if job.leased_until <= ctx.now or (alone and job.runner != runner)
    ]
    until = ctx.now + LEASE_MS
    return [ctx.db.replace(job, runner=runner, leased_until=until) for job in left[:SWEEP_ROWS]]


@system.mutation(internal=True)
def declare_crons(ctx: MutationCtx, *, crons: list[dict[str, Any]]) -> None:
    """Make the cron rows agree with what the loaded domains declare."""
    known = {
        cron.path: cron for cron in ctx.db.take(Cron.where().order_by("path"), limit=MAX_CRONS)
    }
    for declared in crons:
        path, every_s, offset_s = declared["path"], declared["every_s"], declared["offset_s"]
        cron = known.pop(path, None)
        next_at = first_run(every_s, offset_s, ctx.now)
        if cron is None:
            ctx.db.insert(Cron(path=path, every_s=every_s, offset_s=offset_s, next_at=next_at))
        elif (cron.every_s, cron.offset_s) != (every_s, offset_s):
            ctx.db.replace(cron, every_s=every_s, offset_s=offset_s, next_at=next_at)
    for gone in known.values():
        ctx.db.delete(gone)


@system.mutation(internal=True)
def start_cron(ctx: MutationCtx, *, path: str) -> bool:
    """Turn a due cron into a job and set its next time; whether it was due.

    A run is left out while the one before has not ended.
    """
    cron = ctx.db.first(Cron.where(path=path))
    if cron is None or cron.next_at > ctx.now:
        return False
    unended = (JobState.RUNNING, JobState.PENDING)
    is_idle = not any(ctx.db.first(Job.where(path=path, state=state)) for state in unended)
    if is_idle:
        job = Job(
            path=path, arguments={}, due_at=ctx.now, state=JobState.PENDING,
            requested_by=BY_CRON, created_at=ctx.now,
        )  # fmt: skip
        ctx.db.insert(job)
    next_at = first_run(cron.every_s, cron.offset_s, ctx.now)
    ctx.db.replace(cron, next_at=next_at, last_at=ctx.now if is_idle else cron.last_at)
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


def runs(job: Job, runner: str) -> bool:
    """Whether this process holds the job."""
    return job.state is JobState.RUNNING and job.runner == runner
