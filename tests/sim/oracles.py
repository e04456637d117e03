"""What must be true of every run, whatever happened in it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from hubify.core.database import Database
from hubify.functions.backend import Answer, Backend, Call
from hubify.functions.jobs import submit_job
from hubify.functions.principal import SYSTEM
from hubify.functions.quota import Quota
from hubify.functions.schedule import BY_CRON, Job, JobState
from hubify.functions.wiring import Wiring
from hubify.ports.runtime import Runtime
from hubify.storage.engine import Commit
from hubify.storage.memory import MemoryEngine
from hubify.testing.backend import SEALER
from hubify.values.rows import Row
from hubify.wire.styles import SNAKE, plain
from hubify.workers.jobs import Interrupted
from tests.sim.bank import RING_OFFSET_S, RING_S, Account, Bell, Transfer
from tests.sim.clients import principal, shown_again
from tests.sim.processes import REGISTRY, Process
from tests.sim.world import World

MAX_LOG = 100_000
MAX_JOBS = 10_000
SILENT = ("bank:rich", "badges:revoke")  # these may have nothing to write
OURS = ("bank:", "badges:")


class Happened(msgspec.Struct, frozen=True):
    """A commit of a function of these domains, by the wish or job (its id) that asked for it."""

    commit: Commit
    label: str

    @property
    def is_job(self) -> bool:
        """Whether a job asked for it."""
        return self.commit.caller == SYSTEM.label


def judge(world: World) -> None:
    """Hold a finished run against every oracle."""
    process = world.processes[0]
    log = list(happened(process))
    jobs = every_job(process)
    nothing_acknowledged_is_lost(world, log)
    nothing_happens_twice(log)
    crons_start_once_a_period(jobs)
    errands_end_as_they_went(world, jobs)
    live_queries_were_right(world, process)
    nothing_is_watched_by_nobody(world)
    replay_agrees(world, process, log, {job.id: job for job in jobs})


def happened(process: Process) -> Iterator[Happened]:
    """The log, without what the system does for itself."""
    table = process.database.table_of(Job)
    for commit in process.engine.tail(0, MAX_LOG):
        if not commit.function.startswith(OURS):
            continue
        if commit.caller != SYSTEM.label:
            yield Happened(commit, commit.caller.removeprefix("key:"))
            continue
        # A job that is consumed leaves its place among those that wait.
        (job,) = (
            write.id for write in commit.writes if write.table == table.number and write.removed
        )
        yield Happened(commit, table.id_of(job))


def every_job(process: Process) -> list[Job]:
    """All jobs that there ever were (none is old enough to be swept)."""
    reader = process.database.begin_read(lambda: None)
    return [
        job
        for state in JobState
        for job in reader.take(Job.where(state=state), limit=MAX_JOBS)
        if job.path.startswith(OURS)
    ]


def nothing_acknowledged_is_lost(world: World, log: list[Happened]) -> None:
    """Each acknowledged write is in the log under its own caller."""
    labels = {each.label for each in log}
    for label in world.acknowledged_at:
        is_silent = world.known[label].path in SILENT
        assert is_silent or label in labels, f"{label} was acknowledged and is lost"


def nothing_happens_twice(log: list[Happened]) -> None:
    """No wish and no job has two commits."""
    for label, count in Counter(each.label for each in log).items():
        assert count == 1, f"{label} happened {count} times"


def crons_start_once_a_period(jobs: list[Job]) -> None:
    """However many processes look after them."""
    periods = Counter(
        (job.path, (job.created_at // 1000 - RING_OFFSET_S) // RING_S)
        for job in jobs
        if job.requested_by == BY_CRON
    )
    for (path, period), count in periods.items():
        assert count == 1, f"{path} started {count} times in period {period}"


def errands_end_as_they_went(world: World, jobs: list[Job]) -> None:
    """What arrived in a process that lives is done; what is not to run again ran once at most."""
    by_errand = {job.arguments["errand"]: job for job in jobs if "errand" in job.arguments}
    once = [
        walk.errand for walk in world.errands.walks if by_errand[walk.errand].path == "bank:walk"
    ]
    assert len(once) == len(set(once)), "an errand that must not be run again was"
    for walk in world.errands.walks:
        job = by_errand[walk.errand]
        if walk.process.is_dead:
            continue
        if walk.has_arrived:
            assert job.state is JobState.DONE, f"{walk.errand} arrived and is {job.state}"
        was_robbed = (job.last_error or "").startswith(Interrupted.code)
        assert job.path != "bank:walk" or not was_robbed, f"{walk.errand} was taken from the living"


def live_queries_were_right(world: World, process: Process) -> None:
    """Oracle 2: what was shown at a timestamp equals a fresh run of the query at it.

    The fresh run reads the past, as far as it is kept, and is given the journal that was shown.
    """
    fresh: dict[tuple[int, str, str, str, str | None], bytes] = {}
    for seen in world.seen:
        if seen.ts < world.given_up:
            continue
        key = (seen.ts, seen.path, repr(seen.arguments), seen.owner, seen.journal)
        if key not in fresh:
            fresh[key] = shown_again(process, seen)
        assert seen.members == fresh[key], f"{seen.path} {seen.arguments} was stale at {seen.ts}"


def nothing_is_watched_by_nobody(world: World) -> None:
    """Once every client has left, no process holds a live query or a subscription."""
    for client in world.clients:
        client.leave()
    for process in world.processes:
        assert not len(process.backend.live), "a live query has no watcher"
        known = process.identities._known  # pyright: ignore[reportPrivateUsage]
        held = len(process.database.subscriptions) - len(known)
        assert held == 0, "a subscription has neither a live query nor a key"


def replay_agrees(
    world: World, process: Process, log: list[Happened], jobs: dict[str, Job]
) -> None:
    """Oracle 1: running the log's calls one after the other gives the same answers and state."""
    serial = Serial()
    for each in log:
        if each.is_job:
            serial.run_job(jobs[each.label])
            continue
        wish = world.known[each.label]
        value = serial.run(wish.path, wish.arguments)
        if isinstance(wish.outcome, Answer):
            assert plain(wish.outcome.value, SNAKE) == plain(value, SNAKE), f"{each.label} differs"
    for row_type in (Account, Transfer, Bell):
        assert _rows(process.database, row_type) == _rows(serial.database, row_type)
    money = sum(row["balance"] for row in _rows(process.database, Account))
    opened = sum(
        world.known[each.label].arguments["balance"]
        for each in log
        if each.commit.function == "bank:openAccount"
    )
    assert money == opened, "money was made or lost"


class Serial:
    """One process that runs calls one at a time, with nothing going wrong."""

    def __init__(self) -> None:
        runtime = Runtime(lambda: 1, lambda: 0.0, lambda count: b"\0" * count)
        self.database = Database(MemoryEngine(), REGISTRY.tables, runtime.wall_ns)
        wiring = Wiring(REGISTRY, self.database, runtime, strict=True, sealer=SEALER)
        self._backend = Backend(wiring, Quota(None, runtime.wall_ns), kick=lambda: None)

    def run(self, path: str, arguments: dict[str, Any]) -> Any:
        """The value of one mutation."""
        settled: list[Any] = []
        call = Call(path, arguments, principal("x", "serial"))
        self._backend.submit(call, settled.append, internal=True)
        self.database.flush()
        assert isinstance(settled[0], Answer), f"{path} {arguments}: {settled[0]!r}"
        return settled[0].value

    def run_job(self, job: Job) -> None:
        """Run a pending job with the same call; what a cron started is called here."""
        if job.requested_by == BY_CRON:
            self.run(job.path, job.arguments)
            return
        reader = self.database.begin_read(lambda: None)
        pending = reader.take(Job.where(path=job.path, state=JobState.PENDING), limit=MAX_JOBS)
        same = next(mine for mine in pending if mine.arguments == job.arguments)
        settled: list[Any] = []
        submit_job(self._backend, same, principal("system", "serial"), settled.append)
        self.database.flush()
        assert isinstance(settled[0], Answer), f"{job.path} {job.arguments}: {settled[0]!r}"


def _rows(database: Database, row_type: type[Row]) -> list[dict[str, Any]]:
    table = database.table_of(row_type)
    entries = database.engine.rows(table.number, after=0, limit=MAX_LOG)
    rows = [msgspec.structs.asdict(table.decode(version.value)) for _number, version in entries]
    for row in rows:
        del row["id"]
    return sorted(rows, key=repr)
