"""One server process of the simulator: a database, its jobs, its flushes, what it does outside.

Invariant: everything a process holds dies with it; what it shares with others is the store alone.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from hubify.core.database import Database
from hubify.domains.auth import auth, authenticate
from hubify.domains.system import system
from hubify.functions.backend import Backend
from hubify.functions.declare import build_registry
from hubify.functions.identities import Identities
from hubify.functions.quota import Quota
from hubify.functions.schedule import oldest_readable
from hubify.functions.wiring import Wiring
from hubify.ports.runtime import Runtime
from hubify.storage.engine import Commit, HeadMoved, Seal, StorageFailed
from hubify.storage.memory import MemoryEngine, MemoryStore
from hubify.values.errors import AppError
from hubify.workers.jobs import JobLoop
from tests.sim.badges import badges
from tests.sim.bank import bank
from tests.sim.virtual_time import VirtualLoop

REGISTRY = build_registry([system, auth, bank, badges])


class Disk(MemoryEngine):
    """An engine whose disk may be full when a batch is staged."""

    full = False

    def append(self, after: int, commits: Sequence[Commit]) -> Seal:
        """Refuse while full."""
        if self.full:
            raise StorageFailed("planted")
        return super().append(after, commits)


class Outside(Protocol):
    """Where errands are run."""

    async def walk(self, errand: str) -> None:
        """Run one."""
        ...


class Process:
    """A database over its own engine handle, its job loop, and what is being flushed."""

    def __init__(
        self,
        store: MemoryStore,
        runtime: Runtime,
        loop: VirtualLoop,
        *,
        alone: bool,
        outside: Outside | None = None,
    ) -> None:
        self.engine = Disk(store)
        self.database = Database(
            self.engine, REGISTRY.tables, runtime.wall_ns, alone=alone, oldest_of=oldest_readable
        )
        wiring = Wiring(REGISTRY, self.database, runtime, outside, strict=True)
        self.backend = Backend(wiring, Quota(None, runtime.wall_ns), kick=lambda: None)
        self.identities = Identities(wiring, authenticate)
        self.jobs = JobLoop(self.backend)
        self.seal: Seal | None = None
        self.sealed: Exception | bool = False
        self.is_dead = False
        self._loop = loop
        self._prepared = False
        self._turning: asyncio.Task[None] | None = None
        self.turns = 0
        """How many turns of the job loop have come to their end."""

    # Flushes.

    def stage(self, *, full: bool = False) -> None:
        """Begin a flush, unless one is under way."""
        if self.seal is None:
            self.engine.full = full
            self.seal = self.database.committer.stage()
            self.sealed = False

    def reach_disk(self, *, failing: bool) -> None:
        """What the flush thread does; the loop has not heard of it yet."""
        if self.seal is None or self.sealed:
            return
        if failing:
            self.engine.close()  # drops what is staged, as a failed COMMIT does
            self.sealed = StorageFailed("planted")
            return
        try:
            self.seal()
            self.sealed = True
        except HeadMoved as error:
            self.sealed = error

    def hear_of_flush(self) -> None:
        """The loop learns how the flush ended."""
        if self.seal is None or not self.sealed:
            return
        self.seal = None
        if isinstance(self.sealed, HeadMoved):
            self.database.committer.overtaken()
        elif isinstance(self.sealed, Exception):
            self.database.committer.failed(self.sealed)
        else:
            self.database.committer.sealed()

    def catch_up(self) -> None:
        """Read what the other process committed."""
        if self.seal is None:
            self.database.committer.catch_up()

    def flush_whole(self) -> None:
        """Flush and hear of it with nothing going wrong, and of what the others did."""
        self.stage()
        self.reach_disk(failing=False)
        self.hear_of_flush()
        self.catch_up()

    # Jobs.

    def work(self) -> None:
        """Begin a turn of the job loop, unless one is under way."""
        if not self.is_working:
            self._turning = self._loop.create_task(self._turn())

    @property
    def is_working(self) -> bool:
        """Whether a turn is under way."""
        return self._turning is not None and not self._turning.done()

    async def _turn(self) -> None:
        """As `JobLoop.run`: a turn that the store refuses is tried again at another time."""
        try:
            if not self._prepared:
                await self.jobs.prepare()
                self._prepared = True
            await self.jobs.turn()
            self.turns += 1
        except AppError:
            return

    def die(self) -> None:
        """End with all that is held in memory."""
        self.is_dead = True
        self.engine.close()
        if self._turning is not None:
            self._turning.cancel()
        self._loop.create_task(self.jobs.close())
