"""Two processes on one store: who runs a job, who takes it over, and crons that run once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hubify.core.database import PastNotReadable
from hubify.domains.system import system
from hubify.functions import ActionCtx, Domain, MutationCtx
from hubify.functions.schedule import LEASE_MS, Cron, Job
from hubify.storage.memory import MemoryEngine, MemoryStore
from hubify.testing.backend import InMemoryBackend
from hubify.workers.jobs import JobLoop

TURNS = 50
errands = Domain("errands")


@errands.mutation(public=True)
def send(ctx: MutationCtx) -> str:
    """Schedule an errand; answers the job's id."""
    return ctx.schedule(walk).id


@errands.action(internal=True)
async def walk(ctx: ActionCtx) -> None:
    """Be on the way until the test lets it arrive."""
    await ctx.ports.walk()


@errands.cron(every_s=60, offset_s=10)
@errands.mutation(internal=True)
def chime(_ctx: MutationCtx) -> None:
    """What both processes would do."""


class World:
    """What errands do outside, and the clock of all processes."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.began = 0
        self.ended: list[str] = []
        self.arrive = asyncio.Event()
        self.processes: list[Process] = []

    async def walk(self) -> None:
        """Begin, and end when let."""
        self.began += 1
        try:
            await self.arrive.wait()
        except asyncio.CancelledError:
            self.ended.append("stopped")
            raise
        self.ended.append("arrived")

    def process(self, *, alone: bool = False) -> "Process":
        """One more process."""
        made = Process(self, alone=alone)
        self.processes.append(made)
        return made

    def advance(self, ms: int) -> None:
        """Let time pass."""
        for process in self.processes:
            process.made.now_ms += ms


class Process:
    """A backend and its job loop, turned by hand."""

    def __init__(self, world: World, *, alone: bool) -> None:
        engine = MemoryEngine(world.store)
        self.made = InMemoryBackend(
            [system, errands], engine=engine, ports=world, alone=alone, seed=len(world.processes)
        )
        self.loop = JobLoop(self.made.backend)
        loop = asyncio.get_running_loop()
        self.made.backend.on_kick = lambda: loop.call_soon(self.made.database.flush) and None
        if world.processes:
            self.made.now_ms = world.processes[0].made.now_ms

    async def turn(self) -> None:
        """Hear of what the others did, then one turn, until nothing moves any more."""
        self.made.catch_up()
        await self.loop.turn()
        for _turn in range(TURNS):
            await asyncio.sleep(0)

    def job(self, job_id: str) -> Job:
        """A job as it stands."""
        self.made.catch_up()
        found = self.made.database.begin_read(lambda: None).get(Job, job_id)
        assert found is not None
        return found

    def cron(self, path: str) -> Cron:
        """A cron as an operator sees it."""
        self.made.catch_up()
        return next(cron for cron in self.made.query("system:listCrons") if cron.path == path)


def in_a_loop(story: Callable[[World], Awaitable[None]]) -> None:
    """Tell a story with a fresh world inside an event loop."""

    async def tell() -> None:
        world = World()
        await story(world)
        for process in world.processes:
            await process.loop.close()

    asyncio.run(tell())


def test_a_job_that_a_living_process_runs_is_left_to_it() -> None:
    async def story(world: World) -> None:
        first, second = world.process(), world.process()
        job_id = first.made.mutation("errands:send")
        await first.turn()
        for _beat in range(6):
            world.advance(LEASE_MS // 2)
            await first.turn()
            await second.turn()
        assert first.job(job_id).state == "inProgress"
        world.arrive.set()
        await first.turn()
        assert (world.began, world.ended) == (1, ["arrived"])
        assert second.job(job_id).state == "success"

    in_a_loop(story)


def test_a_job_of_a_process_that_died_is_taken_over_when_its_lease_is_over() -> None:
    async def story(world: World) -> None:
        first, second = world.process(), world.process()
        job_id = first.made.mutation("errands:send")
        await first.turn()
        await first.loop.close()
        world.advance(LEASE_MS - 1)
        await second.turn()
        assert second.job(job_id).state == "inProgress"
        world.advance(LEASE_MS)
        await second.turn()
        settled = second.job(job_id)
        assert settled.state == "failed"
        assert (settled.last_error or "").startswith("INTERRUPTED: the server stopped")
        assert world.began == 1

    in_a_loop(story)


def test_a_process_alone_with_its_store_settles_at_once_what_the_one_before_left() -> None:
    async def story(world: World) -> None:
        first = world.process(alone=True)
        job_id = first.made.mutation("errands:send")
        await first.turn()
        await first.loop.close()
        second = world.process(alone=True)
        await second.loop.prepare()
        assert second.job(job_id).state == "failed"

    in_a_loop(story)


def test_a_process_that_was_out_for_a_whole_lease_stops_and_changes_nothing_any_more() -> None:
    async def story(world: World) -> None:
        first, second = world.process(), world.process()
        job_id = first.made.mutation("errands:send")
        await first.turn()
        world.advance(LEASE_MS)
        await second.turn()
        taken = second.job(job_id)
        await first.turn()
        assert world.ended == ["stopped"]
        assert first.job(job_id) == taken

    in_a_loop(story)


def test_a_process_that_was_out_and_was_not_missed_goes_on() -> None:
    async def story(world: World) -> None:
        first, second = world.process(), world.process()
        job_id = first.made.mutation("errands:send")
        await first.turn()
        world.advance(3 * LEASE_MS)
        await first.turn()
        await second.turn()
        world.arrive.set()
        await first.turn()
        assert first.job(job_id).state == "success"

    in_a_loop(story)


def test_two_processes_run_a_cron_once_a_period() -> None:
    async def story(world: World) -> None:
        first, second = world.process(), world.process()
        await asyncio.gather(first.loop.prepare(), second.loop.prepare())
        began = first.made.now_ms
        first.made.catch_up()
        second.made.catch_up()
        periods = 5
        for _period in range(periods):
            world.advance(60_000)
            await asyncio.gather(first.loop.turn(), second.loop.turn())
            for _turn in range(TURNS):
                await asyncio.sleep(0)
            await second.turn()
            await first.turn()
        first.made.catch_up()
        done = first.made.query("system:listJobs", {"state": "success"}).page
        assert len([job for job in done if job.path == "errands:chime"]) == periods
        cron = first.cron("errands:chime")
        assert cron.next_at == began + periods * 60_000 + 10_000
        assert cron.last_at == began + periods * 60_000

    in_a_loop(story)


def test_a_past_that_another_process_gave_up_is_refused() -> None:
    async def story(world: World) -> None:
        first, second = world.process(), world.process()
        first.made.mutation("errands:send")
        before = first.made.head()
        world.advance(1_000)
        first.made.mutation("errands:send")
        second.made.catch_up()
        assert second.made.query("system:listCrons", at=before) == []
        first.made.mutation("system:forgetBefore", {"ms": first.made.now_ms})
        with pytest.raises(PastNotReadable, match="the history that is kept"):
            second.made.query("system:listCrons", at=before)

    in_a_loop(story)


def test_a_process_that_opens_a_store_knows_since_when_its_past_is_kept() -> None:
    async def story(world: World) -> None:
        first = world.process(alone=True)
        first.made.mutation("system:forgetBefore", {"ms": 7})
        assert world.process(alone=True).made.database.oldest == 7_000_000

    in_a_loop(story)
