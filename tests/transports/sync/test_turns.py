"""Turns are taken fairly, and the loop serves others in between."""

import asyncio
from collections.abc import Callable

from hubify.transports.sync.turns import TurnQueue


class Turner:
    """Notes when its turn came."""

    def __init__(self, name: str, log: list[str], then: Callable[[], None] | None = None) -> None:
        self.waits_for_turn = False
        self.name = name
        self.log = log
        self.then = then

    def take_turn(self) -> None:
        self.log.append(self.name)
        if self.then is not None:
            self.then()


async def rounds(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_whoever_asks_often_is_turned_once() -> None:
    async def play() -> None:
        log: list[str] = []
        queue = TurnQueue(asyncio.get_running_loop())
        turner = Turner("a", log)
        queue.add(turner)
        queue.add(turner)
        assert log == [], "never at once, so that more can be gathered"
        await rounds(3)
        assert log == ["a"]

    asyncio.run(play())


def test_the_loop_serves_others_after_each_slice() -> None:
    async def play() -> None:
        log: list[str] = []
        loop = asyncio.get_running_loop()
        queue = TurnQueue(loop, slice_s=0.0)
        for name in "abc":
            queue.add(Turner(name, log))
        loop.call_soon(log.append, "other")
        await rounds(6)
        assert log == ["a", "other", "b", "c"]

    asyncio.run(play())


def test_who_asks_anew_stands_behind_who_waits() -> None:
    async def play() -> None:
        log: list[str] = []
        queue = TurnQueue(asyncio.get_running_loop())
        again = [True]
        greedy = Turner("greedy", log)
        greedy.then = lambda: queue.add(greedy) if again.pop(0) else None
        again.append(False)
        queue.add(greedy)
        queue.add(Turner("patient", log))
        await rounds(4)
        assert log == ["greedy", "patient", "greedy"]

    asyncio.run(play())


def test_a_slice_that_has_not_begun_is_over() -> None:
    async def play() -> None:
        assert not TurnQueue(asyncio.get_running_loop()).may_go_on()

    asyncio.run(play())
