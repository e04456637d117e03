"""Flushes follow one another, whatever goes wrong in one of them."""

import asyncio

from hubify.domains.system import system
from hubify.functions.backend import Call
from hubify.functions.flusher import Flusher
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
