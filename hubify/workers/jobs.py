"""Runs jobs when they are due, and turns due crons into jobs.

Invariant: a mutation's job is consumed in the mutation's own commit, so it takes effect once; an
action's job is marked running before it starts, so it starts at most once per attempt.
"""

import asyncio
import logging
from typing import Any

from hubify.functions.backend import Backend, Call, settling
from hubify.functions.jobs import AlreadyConsumed, submit_job
from hubify.functions.principal import SYSTEM
from hubify.functions.schedule import MAX_ATTEMPTS, Job
from hubify.functions.spec import FunctionKind
from hubify.values.errors import AppError, Kind, NotFound, Unavailable

log = logging.getLogger("hubify.jobs")

BATCH = 64
MOST_RUNNING = 256
LONGEST_WAIT_S = 30.0
AGAIN_S = 1.0  # before the store is asked again to take a write that it refused
HOPELESS = (Kind.INVALID, Kind.FORBIDDEN, Kind.NOT_FOUND, Kind.CONFLICT, Kind.TOO_LARGE)


class JobLoop:
    """Watches the job and cron rows of one process."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._wake = asyncio.Event()
        self._running: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
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
        await self._recover()

    async def step(self) -> bool:
        """Run all that is due now to its end; whether there was anything."""
        await self._start_crons()
        self._start_due()
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
        await self._start_crons()
        if not self._start_due():
            await self._wait()

    def _now_ms(self) -> int:
        return self._backend.wiring.runtime.wall_ns() // 1_000_000

    async def _wait(self) -> None:
        first: Job | None = self._ask("system:nextJob", {})
        wait_s = LONGEST_WAIT_S
        if first is not None and first.id not in self._running and self._room():
            wait_s = min(wait_s, max(0.0, (first.due_at - self._now_ms()) / 1000))
        try:
            await asyncio.wait_for(self._wake.wait(), wait_s)
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
            self._wake.set()

    async def _attempt(self, job: Job) -> None:
        spec = self._backend.wiring.registry.find(job.path, internal=True)
        if spec.kind is FunctionKind.MUTATION:
            future, settled = settling(asyncio.get_running_loop())
            submit_job(self._backend, job, SYSTEM, settled)
            await future
            return
        call = Call(job.path, job.arguments, SYSTEM, charged=False)
        await self._insist("system:beginJob", {"job_id": job.id})
        await self._backend.run(call, internal=True)
        await self._insist("system:endJob", {"job_id": job.id})

    async def _tell_failure(self, job: Job, error: AppError) -> None:
        retries = self._retries(job, error)
        told = f"{error.code}: {error.message}"
        await self._insist("system:failJob", {"job_id": job.id, "error": told, "retries": retries})

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

    async def _recover(self) -> None:
        message = "the server stopped while it ran; whether it took effect is unknown"
        while left := await self._do("system:recoverJobs", {}):
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
