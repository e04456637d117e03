"""Runs jobs when they are due, and turns due crons into jobs.

Invariant: a mutation's job is consumed in the mutation's own commit, so it takes effect once; an
action's job is marked running before it starts, so it starts at most once per attempt. While an
action runs its process renews the job's lease; another process takes over what is not renewed, and
so only what a process left behind that died, or could not reach the store for a whole lease.
"""

import asyncio
import logging
from typing import Any

from hubify.functions.backend import Backend, Call, settling
from hubify.functions.jobs import AlreadyConsumed, submit_job
from hubify.functions.principal import SYSTEM
from hubify.functions.schedule import LEASE_MS, MAX_ATTEMPTS, Cron, Job
from hubify.functions.spec import FunctionKind
from hubify.values.durations import NS_PER_MS
from hubify.values.errors import AppError, Kind, NotFound, Unavailable

log = logging.getLogger("hubify.jobs")

BATCH = 64
MOST_RUNNING = 256
LONGEST_WAIT_S = 20.0
BEAT_MS = LEASE_MS // 3  # between two renewals, so that one may be missed
AGAIN_S = 1.0  # before the store is asked again to take a write that it refused
HOPELESS = (Kind.INVALID, Kind.FORBIDDEN, Kind.NOT_FOUND, Kind.CONFLICT, Kind.TOO_LARGE)


class JobLoop:
    """Watches the job and cron rows of one process."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._name = backend.wiring.runtime.entropy(8).hex()
        self._wake = asyncio.Event()
        self._running: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._leased: dict[str, asyncio.Task[None]] = {}
        self._beat_at = 0
        backend.on_change(Job, self._wake.set)

    async def run(self) -> None:
        """Work until cancelled; a round that fails (disk full) is logged and tried again."""
        prepared = False
        while True:
            try:
                if not prepared:
                    await self.prepare()
                    prepared = True
                await self._round()
            except AppError as error:
                log.warning("jobs wait: %s", error.message)
                await asyncio.sleep(AGAIN_S)
            except Exception:
                log.exception("a round of jobs failed")
                await asyncio.sleep(AGAIN_S)

    async def prepare(self) -> None:
        """Bring the cron rows up to date, and settle what a stopped process left running."""
        await self._declare_crons()
        await self._take_over(alone=self._backend.wiring.database.alone)

    async def turn(self) -> bool:
        """Renew leases, start what is due now; whether more may be due at once."""
        if self._now_ms() >= self._beat_at:
            await self._renew()
            await self._take_over(alone=False)
            self._beat_at = self._now_ms() + BEAT_MS
        await self._start_crons()
        return self._start_due()

    async def step(self) -> bool:
        """Run all that is due now to its end; whether there was anything."""
        await self.turn()
        tasks = list(self._tasks)
        await asyncio.gather(*tasks)
        return bool(tasks)

    async def close(self) -> None:
        """Wait for what is running (actions are cancelled)."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _round(self) -> None:
        self._wake.clear()
        if not await self.turn():
            await self._wait()

    def _now_ms(self) -> int:
        return self._backend.wiring.runtime.wall_ns() // NS_PER_MS

    async def _wait(self) -> None:
        first: Job | None = self._ask("system:nextJob", {})
        crons: list[Cron] = self._ask("system:listCrons", {})
        due = [cron.next_at for cron in crons]
        if first is not None and first.id not in self._running and self._room():
            due.append(first.due_at)
        wait_s = min([LONGEST_WAIT_S, *((at - self._now_ms()) / 1000 for at in due)])
        try:
            await asyncio.wait_for(self._wake.wait(), max(0.0, wait_s))
        except TimeoutError:
            return

    def _start_due(self) -> bool:
        due: list[Job] = self._ask("system:dueJobs", {"now": self._now_ms(), "limit": BATCH})
        fresh = [job for job in due if job.id not in self._running][: self._room()]
        for job in fresh:
            self._running.add(job.id)
            task = asyncio.get_running_loop().create_task(self._run(job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return len(fresh) == BATCH

    def _room(self) -> int:
        return max(0, MOST_RUNNING - len(self._running))

    async def _run(self, job: Job) -> None:
        try:
            await self._attempt(job)
        except AlreadyConsumed as error:
            log.info("job %s (%s): %s", job.id, job.path, error.message)
        except AppError as error:
            log.warning("job %s (%s) failed: %s", job.id, job.path, error.message)
            await self._tell_failure(job, error)
        finally:
            self._running.discard(job.id)
            self._leased.pop(job.id, None)
            self._wake.set()

    async def _attempt(self, job: Job) -> None:
        spec = self._backend.wiring.registry.find(job.path, internal=True)
        if spec.kind is FunctionKind.MUTATION:
            future, settled = settling(asyncio.get_running_loop())
            submit_job(self._backend, job, SYSTEM, settled)
            await future
            return
        mine = {"job_id": job.id, "runner": self._name}
        await self._insist("system:beginJob", mine)
        task = asyncio.current_task()
        assert task is not None, "a job runs in a task"
        self._leased[job.id] = task
        await self._backend.run(Call(job.path, job.arguments, SYSTEM, charged=False), internal=True)
        await self._insist("system:endJob", mine)

    async def _tell_failure(self, job: Job, error: AppError) -> None:
        retries = self._retries(job, error)
        failure = {
            "job_id": job.id, "runner": self._name, "attempts": job.attempts,
            "error": f"{error.code}: {error.message}", "retries": retries,
        }  # fmt: skip
        await self._insist("system:failJob", failure)

    async def _insist(self, path: str, arguments: dict[str, Any]) -> None:
        """Store where a job stands, however long the store refuses writes (disk full)."""
        while True:
            try:
                await self._do(path, arguments)
            except Unavailable as error:
                log.warning("job %s waits for the store: %s", arguments["job_id"], error.message)
                await asyncio.sleep(AGAIN_S)
            else:
                return

    def _retries(self, job: Job, error: AppError) -> int:
        if error.kind in HOPELESS:
            return 0
        try:
            spec = self._backend.wiring.registry.find(job.path, internal=True)
        except NotFound:
            return 0
        return MAX_ATTEMPTS if spec.kind is FunctionKind.MUTATION else spec.retries

    async def _renew(self) -> None:
        """Renew the leases of what runs here; stop what another process has taken over."""
        held = dict(self._leased)
        if not held:
            return
        asked = {"job_ids": [*held], "runner": self._name}
        kept = set(await self._do("system:renewJobs", asked))
        for job_id, task in held.items():
            if job_id not in kept and self._leased.get(job_id) is task:
                log.warning("job %s was taken over by another process", job_id)
                task.cancel()

    async def _take_over(self, *, alone: bool) -> None:
        """Settle what a process that died has left running."""
        message = "the server stopped while it ran; whether it took effect is unknown"
        asked = {"runner": self._name, "alone": alone}
        while left := await self._do("system:takeOverJobs", asked):
            for job in left:
                await self._tell_failure(job, Interrupted(message))

    async def _declare_crons(self) -> None:
        declared = [
            {"path": cron.path, "every_s": cron.every_s, "offset_s": cron.offset_s}
            for cron in self._backend.wiring.registry.crons
        ]
        await self._do("system:declareCrons", {"crons": declared})
        await self._do("system:tick", {})

    async def _start_crons(self) -> None:
        for cron in self._ask("system:dueCrons", {"now": self._now_ms()}):
            await self._do("system:startCron", {"path": cron.path})

    def _ask(self, path: str, arguments: dict[str, Any]) -> Any:
        return self._backend.query(Call(path, arguments, SYSTEM), internal=True).value

    async def _do(self, path: str, arguments: dict[str, Any]) -> Any:
        answer = await self._backend.mutation(Call(path, arguments, SYSTEM), internal=True)
        return answer.value


class Interrupted(AppError):
    """The process that ran the job stopped before its end was stored."""

    kind = Kind.UNAVAILABLE
    code = "INTERRUPTED"
