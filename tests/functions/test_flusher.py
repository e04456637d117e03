"""Flushes follow one another, whatever goes wrong in one of them."""

import asyncio
from collections.abc import Callable

import pytest

from hubify.domains.system import system
from hubify.functions.backend import Call
from hubify.functions.flusher import Flusher
from hubify.storage.engine import StorageFailed
from hubify.storage.memory import MemoryEngine
from hubify.testing.backend import InMemoryBackend, known
from tests.functions.notes import notes

KIM = known("kim")


async def _write_twice_past_a_fault() -> list[str]:
    made = InMemoryBackend([system, notes])
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, _context: None)  # the planted fault is expected
    flusher = Flusher(made.database.committer, loop)
    made.backend.on_kick = flusher.kick
    faults = [ZeroDivisionError("planted")]

    def listen(_commits: object, _stale: object) -> None:
        if faults:
            raise faults.pop()

    made.database.on_commits.append(listen)
    names: list[str] = []
    for name in ("a", "b"):
        answer = await asyncio.wait_for(
            made.backend.mutation(Call("notes:add", {"name": name}, KIM)), 5
        )
        names.append(answer.value.name)
    await flusher.close()
    return names


def test_a_listener_that_fails_stops_neither_its_own_flush_nor_the_next() -> None:
    assert asyncio.run(_write_twice_past_a_fault()) == ["a", "b"]


class SharedEngine(MemoryEngine):
    """Another process writes to its store for a while."""

    busy = 3

    def is_free(self) -> bool:
        """Not before it was asked some times."""
        self.busy -= 1
        return self.busy < 0 and super().is_free()


async def _write_to_a_busy_store() -> tuple[str, int]:
    engine = SharedEngine()
    made = InMemoryBackend([system, notes], engine=engine, alone=False)
    loop = asyncio.get_running_loop()
    flusher = Flusher(made.database.committer, loop)
    made.backend.on_kick = flusher.kick
    answer = await asyncio.wait_for(made.backend.mutation(Call("notes:add", {"name": "a"}, KIM)), 5)
    await flusher.close()
    return answer.value.name, engine.busy


def test_a_write_waits_beside_the_loop_while_another_process_writes() -> None:
    assert asyncio.run(_write_to_a_busy_store()) == ("a", -1)


async def _write_beside(work: Callable[[], bool]) -> tuple[list[str], bool]:
    """Two writes, and something done quietly between them; in which order they ended."""
    made = InMemoryBackend([system, notes])
    flusher = Flusher(made.database.committer, asyncio.get_running_loop())
    made.backend.on_kick = flusher.kick
    ended: list[str] = []

    async def write(name: str) -> None:
        await made.backend.mutation(Call("notes:add", {"name": name}, KIM))
        ended.append(name)

    async def pause() -> bool:
        try:
            return await flusher.quietly(work)
        finally:
            ended.append("pause")

    steps = [asyncio.ensure_future(write("a")), asyncio.ensure_future(pause())]
    await asyncio.sleep(0)
    steps.append(asyncio.ensure_future(write("b")))
    outcomes = await asyncio.gather(*steps, return_exceptions=True)
    await flusher.close()
    if isinstance(outcomes[1], BaseException):
        assert sorted(ended) == ["a", "b", "pause"]
        raise outcomes[1]
    return ended, bool(outcomes[1])


def test_what_is_done_quietly_holds_writes_up_and_loses_none() -> None:
    ended, answer = asyncio.run(_write_beside(lambda: True))
    assert answer
    assert sorted(ended) == ["a", "b", "pause"]


def test_what_fails_quietly_tells_whoever_asked_and_stops_no_write() -> None:
    def fail() -> bool:
        message = "planted"
        raise StorageFailed(message)

    with pytest.raises(StorageFailed, match="planted"):
        asyncio.run(_write_beside(fail))
