"""What must be true of every run, whatever happened in it."""

from collections import Counter
from typing import Any

import msgspec

from hubify.core.database import Database
from hubify.functions.backend import Answer, Backend, Call
from hubify.functions.jobs import submit_job
from hubify.functions.live import as_result
from hubify.functions.quota import Quota
from hubify.functions.runs import run_query
from hubify.functions.schedule import Job, JobState
from hubify.functions.wiring import Wiring
from hubify.ports.runtime import Runtime
from hubify.storage.engine import Commit
from hubify.storage.memory import MemoryEngine
from hubify.testing.backend import SEALER
from hubify.values.rows import Row
from hubify.wire.styles import SNAKE, plain
from tests.sim.bank import Account, Transfer
from tests.sim.world import REGISTRY, Process, Seen, World, principal

MAX_LOG = 100_000
MAX_JOBS = 1_000


def judge(world: World) -> None:
    """Hold a finished run against every oracle."""
    process = world.processes[0]
    log = [commit for commit in process.engine.tail(0, MAX_LOG) if commit.function != "system:open"]
    nothing_acknowledged_is_lost(world, log)
    nothing_happens_twice(log)
    live_queries_were_right(world, process)
    nothing_is_watched_by_nobody(world)
    replay_agrees(world, process, log)


def nothing_acknowledged_is_lost(world: World, log: list[Commit]) -> None:
    """Each acknowledged write is in the log under its own caller."""
    callers = {commit.caller for commit in log}
    for label in world.acknowledged_at:
        wish = world.known[label]
        wrote = wish.path != "bank:rich"
        assert not wrote or f"key:{label}" in callers, f"{label} was acknowledged and is lost"


def nothing_happens_twice(log: list[Commit]) -> None:
    """No wish and no job has two commits."""
    for caller, count in Counter(commit.caller for commit in log).items():
        assert count == 1, f"{caller} happened {count} times"


def live_queries_were_right(world: World, process: Process) -> None:
    """Oracle 2: what was shown at a timestamp equals a fresh run of the query at it.

    The fresh run reads the past, as far as it is kept, and is given the journal that was shown.
    """
    fresh: dict[tuple[int, str, str, str, str | None], bytes] = {}
    for seen in world.seen:
        if seen.ts < world.oldest:
            continue
        key = (seen.ts, seen.path, repr(seen.arguments), seen.owner, seen.journal)
        if key not in fresh:
            fresh[key] = _fresh(process, seen)
        assert seen.members == fresh[key], f"{seen.path} {seen.arguments} was stale at {seen.ts}"


def _fresh(process: Process, seen: Seen) -> bytes:
    spec = REGISTRY.find(seen.path)
    bound = spec.binding.bind(seen.arguments)
    caller = principal(seen.owner, "fresh")
    wiring = process.backend.wiring
    run = run_query(wiring, spec, bound, caller, journal=seen.journal, at=seen.ts)
    return as_result(run).members


def nothing_is_watched_by_nobody(world: World) -> None:
    """Once every client has left, no process holds a live query or a subscription."""
    for client in world.clients:
        client.leave()
    for process in world.processes:
        assert not len(process.backend.live), "a live query has no watcher"
        assert not len(process.database.subscriptions), "a subscription has no live query"


def replay_agrees(world: World, process: Process, log: list[Commit]) -> None:
    """Oracle 1: running the log's calls one after the other gives the same answers and state."""
    serial = Serial()
    for commit in log:
        label = commit.caller.removeprefix("key:")
        if label.startswith("job-"):
            serial.run_job(world.jobs[label])
            continue
        wish = world.known[label]
        value = serial.run(wish.path, wish.arguments)
        if isinstance(wish.outcome, Answer):
            assert plain(wish.outcome.value, SNAKE) == plain(value, SNAKE), f"{label} differs"
    for row_type in (Account, Transfer):
        assert _rows(process.database, row_type) == _rows(serial.database, row_type)
    money = sum(row["balance"] for row in _rows(process.database, Account))
    opened = sum(
        world.known[commit.caller.removeprefix("key:")].arguments["balance"]
        for commit in log
        if commit.function == "bank:openAccount"
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
        self._backend.submit(Call(path, arguments, principal("x", "serial")), settled.append)
        self.database.flush()
        assert isinstance(settled[0], Answer), f"{path} {arguments}: {settled[0]!r}"
        return settled[0].value

    def run_job(self, job: Job) -> None:
        """Run a pending job with the same call."""
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
