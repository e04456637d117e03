"""Upkeep goes on past failures, and drops old history even of a store that is always writing."""

import asyncio
from collections.abc import Sequence

import pytest

from hubify.domains.auth import auth, authenticate
from hubify.domains.system import system
from hubify.functions.identities import Identities
from hubify.storage.engine import Commit, Seal, StorageFailed
from hubify.storage.memory import MemoryEngine
from hubify.testing.backend import InMemoryBackend, known
from hubify.values import limits
from hubify.values.errors import Unavailable
from hubify.workers import upkeep
from hubify.workers.upkeep import Upkeep
from tests.functions.notes import notes

KIM = known("kim")
MONTH_MS = 31 * 86_400_000
TURNS = 500


class BusyEngine(MemoryEngine):
    """An engine that has a batch staged most of the times it is asked to prune."""

    asked = 0
    fails = False
    is_full = False

    def append(self, after: int, commits: Sequence[Commit]) -> Seal:
        """Take commits, unless the disk is full."""
        if self.is_full:
            raise StorageFailed("the disk is full")
        return super().append(after, commits)

    def prune(self, before: int, limit: int) -> int:
        """Prune every third time."""
        if self.fails:
            raise StorageFailed("planted")
        self.asked += 1
        return 0 if self.asked % 3 else super().prune(before, limit)


class Kept:
    """A backend with some history, and its upkeep."""

    def __init__(self) -> None:
        self.engine = BusyEngine()
        self.made = InMemoryBackend([system, auth, notes], engine=self.engine)
        wiring = self.made.backend.wiring
        self.identities = Identities(wiring, authenticate)
        self.upkeep = Upkeep(self.made.backend, self.identities, history_days=30)
        self.made.mutation("notes:add", {"name": "a"}, principal=KIM)
        for _count in range(20):
            self.made.mutation("notes:count", {"name": "a"}, principal=KIM)
        self.made.now_ms += MONTH_MS

    def flush_on_this_loop(self) -> None:
        """Let awaited mutations be flushed."""
        loop = asyncio.get_running_loop()
        self.made.backend.on_kick = lambda: loop.call_soon(self.made.database.flush) and None


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "PAUSE_S", 0.0)
    monkeypatch.setattr(upkeep, "PRUNE_EVERY_S", upkeep.USES_EVERY_S)
    monkeypatch.setattr(upkeep, "PRUNE_BATCH", 5)
    monkeypatch.setattr(upkeep, "USES_AT_ONCE", 5)


async def _prune(kept: Kept) -> int:
    kept.flush_on_this_loop()
    return await kept.upkeep.prune()


def test_all_history_beyond_the_window_goes_though_the_store_is_mostly_busy() -> None:
    kept = Kept()
    assert asyncio.run(_prune(kept)) >= 20
    assert kept.engine.prune(kept.made.now_ms, 10) == 0


async def _fail_once(kept: Kept) -> bool:
    kept.flush_on_this_loop()
    kept.engine.fails = True
    work = asyncio.create_task(kept.upkeep.run())
    for _turn in range(TURNS):
        await asyncio.sleep(0)
    alive = not work.done()
    work.cancel()
    return alive


def test_a_failing_disk_does_not_end_the_upkeep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep.asyncio, "sleep", _at_once)
    assert asyncio.run(_fail_once(Kept()))


async def _at_once(_seconds: float) -> None:
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, None)
    await future


async def _record(kept: Kept) -> None:
    kept.flush_on_this_loop()
    await kept.upkeep.record_uses()


def test_uses_of_more_keys_than_one_mutation_may_read_are_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = Kept()
    wanted = {"name": "k", "scopes": ["notes:read"]}
    for _key in range(30):
        made = kept.made.mutation("auth:createApiToken", wanted, principal=KIM)
        kept.identities.find(made.token)
    with monkeypatch.context() as patch:
        patch.setattr(limits, "MAX_INTERVALS", 20)
        asyncio.run(_record(kept))
    listed = kept.made.query("auth:listApiTokens", principal=KIM).tokens
    assert [token.use_count for token in listed] == [1] * 30


async def _recover(kept: Kept) -> list[bool]:
    kept.flush_on_this_loop()
    committer = kept.made.database.committer
    watching = asyncio.create_task(kept.upkeep.watch_store())
    seen: list[bool] = []
    for is_full in (False, True, False):
        kept.engine.is_full = is_full
        if is_full:
            with pytest.raises(Unavailable):
                kept.made.mutation("notes:count", {"name": "a"}, principal=KIM)
        for _turn in range(TURNS):
            await asyncio.sleep(0)
        seen.append(committer.trouble is None)
    watching.cancel()
    return seen


def test_a_store_that_takes_writes_again_is_found_out_without_a_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upkeep.asyncio, "sleep", _at_once)
    assert asyncio.run(_recover(Kept())) == [True, False, True]
