"""Jobs go on after a store that refused writes takes them again, and one process runs each."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from hubify.domains.system import system
from hubify.functions.schedule import Job
from hubify.storage.engine import Commit, Engine, Seal, StorageFailed
from hubify.storage.memory import MemoryEngine, MemoryStore
from hubify.testing.backend import InMemoryBackend, known
from hubify.workers import jobs
from hubify.workers.jobs import JobLoop
from tests.functions.notes import notes

KIM = known("kim")
TURNS = 200


class FullEngine(MemoryEngine):
    """An engine that refuses writes while its disk is full."""

    full = False

    def append(self, after: int, commits: Sequence[Commit]) -> Seal:
        """Refuse while full."""
        if self.full:
            raise StorageFailed("the disk is full")
        return super().append(after, commits)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "AGAIN_S", 0.0)


def backend_on(engine: Engine) -> InMemoryBackend:
    """A backend whose writes are flushed on the running loop."""
    made = InMemoryBackend([system, notes], engine=engine, strict=False)
    loop = asyncio.get_running_loop()
    made.backend.on_kick = lambda: loop.call_soon(made.database.flush) and None
    return made


async def turns(until: Callable[[], bool]) -> bool:
    """Let the loop turn until something is so; whether it came to be."""
    for _turn in range(TURNS):
        if until():
            return True
        await asyncio.sleep(0)
    return until()


def state_of(made: InMemoryBackend, path: str) -> str:
    """The state of the newest job of a path."""
    reader = made.database.begin_read(lambda: None)
    found = [
        job
        for state in ("pending", "inProgress", "success", "failed")
        for job in reader.take(Job.where(state=state).order_by("due_at"), limit=100)
        if job.path == path
    ]
    return str(max(found, key=lambda job: job.id).state)


async def _outlive_a_full_disk() -> list[str]:
    engine = FullEngine()
    made = backend_on(engine)
    made.mutation("notes:add", {"name": "a"}, principal=KIM)
    engine.full = True
    work = asyncio.create_task(JobLoop(made.backend).run())
    await turns(lambda: False)
    alive = "dead" if work.done() else "alive"
    engine.full = False
    made.mutation("notes:countLater", {"name": "a", "afterMs": 0}, principal=KIM)
    await turns(lambda: made.query("notes:get", {"name": "a"}).count == 1)
    work.cancel()
    return [alive, state_of(made, "notes:count")]


def test_the_loop_outlives_a_full_disk() -> None:
    assert asyncio.run(_outlive_a_full_disk()) == ["alive", "success"]


async def _end_an_action_on_a_full_disk() -> list[str]:
    engine = FullEngine()
    made = backend_on(engine)
    made.mutation("notes:add", {"name": "a"}, principal=KIM)
    loop = JobLoop(made.backend)
    await loop.prepare()
    made.mutation("notes:lookLater", {"name": "a"}, principal=KIM)
    work = asyncio.create_task(loop.run())
    await turns(lambda: state_of(made, "notes:look") == "inProgress")
    engine.full = True
    await turns(lambda: False)
    meanwhile = state_of(made, "notes:look")
    engine.full = False
    await turns(lambda: state_of(made, "notes:look") != "inProgress")
    work.cancel()
    return [meanwhile, state_of(made, "notes:look")]


def test_an_action_that_succeeded_while_the_disk_was_full_is_done_in_the_end() -> None:
    assert asyncio.run(_end_an_action_on_a_full_disk()) == ["inProgress", "success"]


async def _share_a_job() -> list[str]:
    store = MemoryStore()
    made = backend_on(MemoryEngine(store))
    made.mutation("notes:add", {"name": "a"}, principal=KIM)
    made.mutation("notes:lookLater", {"name": "a"}, principal=KIM)
    (job,) = made.query("system:dueJobs", {"now": made.now_ms, "limit": 9})
    made.mutation("system:beginJob", {"job_id": job.id, "runner": "p"})  # as another process does
    late = JobLoop(made.backend)
    await late._run(job)  # pyright: ignore[reportPrivateUsage]
    meanwhile = state_of(made, "notes:look")
    made.mutation("system:endJob", {"job_id": job.id, "runner": "p"})
    return [meanwhile, state_of(made, "notes:look")]


def test_a_process_that_comes_late_leaves_a_running_job_alone() -> None:
    assert asyncio.run(_share_a_job()) == ["inProgress", "success"]
