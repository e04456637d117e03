"""The erasing loop goes on past refusals, and takes what is too much in parts."""

import asyncio

import pytest

from hubify.storage.engine import StorageFailed
from hubify.storage.memory import MemoryEngine
from hubify.values import limits
from tests.domains.erasure.erased_world import PERSON, World, left, lived_in

TURNS = 3_000


class FailingEngine(MemoryEngine):
    """Refuses each kind of step of an erasure once."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[str] = set()

    def refuse_once(self, step: str) -> None:
        """Fail the first time."""
        if step not in self.refused:
            self.refused.add(step)
            raise StorageFailed("planted")

    def erase(self, *args: object, **kwargs: object) -> int:
        """As any engine, the second time."""
        self.refuse_once("erase")
        return super().erase(*args, **kwargs)  # type: ignore[arg-type]

    def shred(self, before: int) -> bool:
        """Refused, then busy, then done."""
        self.refuse_once("shred")
        if "busy" not in self.refused:
            self.refused.add("busy")
            return False
        return super().shred(before)


async def _run_until_done(world: World, erasure_id: str) -> None:
    world.backend._flush_when_kicked()
    running = asyncio.create_task(world.loop.run())
    for _ in range(TURNS):
        await asyncio.sleep(0)
        await world.backend._jobs.step()
        world.backend.now_ms += 1_000
        if world.backend.query("erasure:get", {"erasureId": erasure_id}).state == "done":
            break
        world.loop._wake.set()
    assert not running.done()
    running.cancel()


def test_a_disk_that_fails_and_a_store_that_is_busy_hold_an_erasure_up_and_no_more() -> None:
    engine = FailingEngine()
    world = lived_in(engine)
    asked = world.do("erasure:request", PERSON, confirm="quillon")
    asyncio.run(_run_until_done(world, asked.id))
    assert engine.refused == {"erase", "shred", "busy"}
    assert world.backend.query("erasure:get", {"erasureId": asked.id}).state == "done"
    assert left(world, b"quillon") == {}


def test_rows_that_are_too_many_for_one_mutation_are_erased_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = lived_in()
    for turn in range(30):
        world.report("quillon", note=f"again {turn}")
    monkeypatch.setattr(limits, "MAX_ROWS_WRITTEN", 12)
    world.erase()
    assert left(world, b"quillon") == {}
