"""A whole backend in memory, driven by hand: no event loop, no disk, a clock that the test moves.

    backend = InMemoryBackend([system, notes])
    backend.mutation("notes:add", {"text": "x"})
    backend.advance(3_600_000)  # an hour later; due crons and jobs have run

Invariant: the same calls in the same order give the same rows, ids and answers.
"""

import asyncio
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

from hubify.core.database import Database
from hubify.functions.backend import Answer, Backend, Call
from hubify.functions.declare import Domain, build_registry
from hubify.functions.principal import SYSTEM, CallerKind, Principal
from hubify.functions.quota import Quota
from hubify.functions.schedule import oldest_readable
from hubify.functions.sealing import KEY_BYTES, Sealer
from hubify.functions.wiring import Wiring
from hubify.ports.runtime import Runtime
from hubify.storage.engine import Engine
from hubify.storage.memory import MemoryEngine
from hubify.values.durations import NS_PER_MS
from hubify.values.errors import AppError
from hubify.workers.jobs import JobLoop
from hubify.workers.notes import commit_notes

START_MS = 1_767_225_600_000  # 2026-01-01 00:00 UTC
SEALER = Sealer([b"k" * KEY_BYTES])
"""The same key for every backend, so that one opened on another's store reads its secrets."""


def known(owner: str, *scopes: str, agent: str | None = None) -> Principal:
    """A caller with a valid key of this owner, and these scopes (default: all)."""
    return Principal(
        CallerKind.KEY, owner, agent, frozenset(scopes or ("*",)), credential=f"{owner}/{agent}"
    )


class InMemoryBackend:
    """Calls functions, moves time, runs jobs. Everything is flushed before a call answers."""

    def __init__(
        self,
        domains: Iterable[Domain],
        *,
        engine: Engine | None = None,
        alone: bool = True,
        now_ms: int = START_MS,
        ports: Any = None,
        seed: int = 1,
        strict: bool = True,
    ) -> None:
        """`alone` False: others use the store too, and `catch_up` is called now and then."""
        self.now_ms = now_ms
        random = Random(seed)  # noqa: S311 - a test wants the same secrets each time
        runtime = Runtime(
            wall_ns=lambda: self.now_ms * NS_PER_MS,
            monotonic_s=lambda: 0.0,
            entropy=random.randbytes,
        )
        registry = build_registry(domains)
        self.database = Database(
            engine or MemoryEngine(), registry.tables, runtime.wall_ns,
            alone=alone, oldest_of=oldest_readable,
        )  # fmt: skip
        wiring = Wiring(registry, self.database, runtime, ports, strict=strict, sealer=SEALER)
        self.backend = Backend(wiring, Quota(None, runtime.wall_ns), kick=_nothing)
        self._jobs = JobLoop(self.backend)
        self._crons_declared = False

    def query(
        self,
        path: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        principal: Principal = SYSTEM,
        at: int | None = None,
    ) -> Any:
        """The value of a query; raises its `AppError`."""
        call = Call(path, arguments or {}, principal)
        return self.backend.query(call, at=at, internal=principal is SYSTEM).value

    def mutation(
        self,
        path: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        principal: Principal = SYSTEM,
    ) -> Any:
        """The value of a mutation, once durable; raises its `AppError`."""
        settled: list[Answer | AppError] = []
        call = Call(path, arguments or {}, principal)
        self.backend.submit(call, settled.append, internal=principal is SYSTEM)
        self.database.flush()
        (outcome,) = settled
        if isinstance(outcome, AppError):
            raise outcome
        return outcome.value

    def action(
        self,
        path: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        principal: Principal = SYSTEM,
    ) -> Any:
        """The value of an action, with everything it wrote durable; raises its `AppError`."""
        call = Call(path, arguments or {}, principal)
        try:
            return asyncio.run(self._act(call)).value
        finally:
            self.backend.on_kick = _nothing

    def catch_up(self) -> None:
        """Take in what other processes have committed."""
        self.database.committer.catch_up()

    def take_in_notes(self) -> int:
        """Let what functions noted be written, as a server does each minute; how many items."""
        if not len(self.backend.wiring.write_behind):
            return 0
        try:
            return asyncio.run(self._take_in_notes())
        finally:
            self.backend.on_kick = _nothing

    def head(self) -> int:
        """Timestamp of the newest commit, to be given as `at` later."""
        return self.database.head

    def advance(self, ms: int) -> None:
        """Move the clock on, stopping at each job and cron that falls due to run it.

        What was noted before is written first.
        """
        until = self.now_ms + ms
        self.take_in_notes()
        self.run_due()
        while (due := self._next_due()) is not None and due <= until:
            self.now_ms = max(self.now_ms, due)
            self.run_due()
        self.now_ms = until

    def run_due(self) -> None:
        """Run every job and cron whose time has come, and the jobs that these schedule."""
        try:
            asyncio.run(self._run_due())
        finally:
            self.backend.on_kick = _nothing

    async def _act(self, call: Call) -> Answer:
        self._flush_when_kicked()
        return await self.backend.action(call, internal=call.principal is SYSTEM)

    async def _take_in_notes(self) -> int:
        self._flush_when_kicked()
        return await commit_notes(self.backend)

    def _flush_when_kicked(self) -> None:
        loop = asyncio.get_running_loop()

        def flush_soon() -> None:
            loop.call_soon(self.database.flush)

        self.backend.on_kick = flush_soon

    async def _run_due(self) -> None:
        self._flush_when_kicked()
        if not self._crons_declared:
            self._crons_declared = True
            await self._jobs.prepare()
        while await self._jobs.step():
            pass

    def _next_due(self) -> int | None:
        job = self.query("system:nextJob")
        crons = self.query("system:listCrons")
        due = [cron.next_at for cron in crons]
        if job is not None:
            due.append(job.due_at)
        return min(due, default=None)


def _nothing() -> None:
    """Calls outside an event loop flush for themselves."""
