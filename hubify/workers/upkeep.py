"""What keeps a store small and its books in order: old history, counts of key use, what was noted.

Invariant: that a stretch of the past can no longer be read is stored before any of it is dropped.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any

from hubify.functions.backend import Backend, Call
from hubify.functions.identities import Identities
from hubify.functions.principal import SYSTEM
from hubify.values.durations import MS_PER_DAY, NS_PER_MS
from hubify.values.errors import AppError
from hubify.workers.notes import commit_notes

log = logging.getLogger("hubify.upkeep")

USES_EVERY_S = 60
ASK_AGAIN_S = 2.0  # whether a store that refused a write takes them again
PRUNE_EVERY_S = 600
PRUNE_BATCH = 500
PRUNE_TRIES = 20  # an engine that is writing drops nothing just then; under load it mostly is
PAUSE_S = 0.05
USES_AT_ONCE = 1_000  # keys whose use one mutation stores


class Upkeep:
    """The slow loops of one process."""

    def __init__(self, backend: Backend, identities: Identities, *, history_days: int) -> None:
        self._backend = backend
        self._identities = identities
        self._history_ms = history_days * MS_PER_DAY

    async def run(self) -> None:
        """Work until cancelled; a failed round is logged and tried again."""
        turns = 0
        while True:
            await asyncio.sleep(USES_EVERY_S)
            turns += 1
            try:
                await self.record_uses()
                await commit_notes(self._backend)
                if turns % (PRUNE_EVERY_S // USES_EVERY_S) == 0:
                    await self.prune()
            except AppError as error:
                log.warning("upkeep: %s", error.message)
            except Exception:
                log.exception("a round of upkeep failed")

    async def watch_store(self) -> None:
        """Until cancelled: ask a store that refused a write again, so that readiness stays true.

        Without it a process that is given no calls because it is not ready would never be ready.
        """
        committer = self._backend.wiring.database.committer
        while True:
            await asyncio.sleep(ASK_AGAIN_S)
            if committer.trouble is not None:
                with suppress(AppError):
                    await self._do("system:noteRecovery", {})

    async def record_uses(self) -> None:
        """Store how often each key was shown since the last time."""
        uses = [*self._identities.take_uses().items()]
        for start in range(0, len(uses), USES_AT_ONCE):
            some = dict(uses[start : start + USES_AT_ONCE])
            await self._do("auth:recordUses", {"uses": some})

    async def prune(self) -> int:
        """Drop superseded versions older than the window, in small batches; how many."""
        database = self._backend.wiring.database
        now_ms = self._backend.wiring.runtime.wall_ns() // NS_PER_MS
        before_ms = now_ms - self._history_ms
        if before_ms <= 0:
            return 0
        await self._do("system:forgetBefore", {"ms": before_ms})
        database.oldest = max(database.oldest, before_ms * NS_PER_MS)
        dropped = tries = 0
        while tries < PRUNE_TRIES:
            count = database.prune(before_ms * NS_PER_MS, PRUNE_BATCH)
            dropped += count
            tries = 0 if count else tries + 1
            await asyncio.sleep(PAUSE_S)
        return dropped

    async def _do(self, path: str, arguments: dict[str, Any]) -> None:
        await self._backend.mutation(Call(path, arguments, SYSTEM, charged=False), internal=True)
