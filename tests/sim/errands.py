"""What actions do outside the store, in the simulator: errands that take as long as the world says.

Invariant: no errand is on its way twice at a time in processes that live; that is checked as each
begins, and what became of each is kept for the oracles.
"""

import asyncio

from hubify.values.errors import Unavailable
from tests.sim.processes import Process
from tests.sim.virtual_time import VirtualLoop


class Walk:
    """One run of an errand."""

    def __init__(self, errand: str, process: Process, end: "asyncio.Future[None]") -> None:
        self.errand = errand
        self.process = process
        self.has_arrived = False
        self._end = end

    @property
    def is_on_the_way(self) -> bool:
        """Whether a process that lives still waits for it."""
        return not self._end.done() and not self.process.is_dead

    def arrive(self) -> None:
        """End well."""
        self.has_arrived = True
        self._end.set_result(None)

    def turn_back(self) -> None:
        """Fail, as the world does."""
        self._end.set_exception(Unavailable("the road is closed"))


class Errands:
    """All runs in one world."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.walks: list[Walk] = []
        self._loop = loop

    @property
    def on_the_way(self) -> list[Walk]:
        """What living processes wait for."""
        return [walk for walk in self.walks if walk.is_on_the_way]

    def begin(self, errand: str, process: Process) -> "asyncio.Future[None]":
        """Send somebody."""
        twice = any(walk.errand == errand for walk in self.on_the_way)
        assert not twice, f"{errand} is on its way twice"
        end = self._loop.create_future()
        self.walks.append(Walk(errand, process, end))
        return end


class ErrandsOf:
    """The outside of one process."""

    def __init__(self, errands: Errands) -> None:
        self.process: Process | None = None
        self._errands = errands

    async def walk(self, errand: str) -> None:
        """Run an errand, as long as the world lets it take."""
        assert self.process is not None, "a process is whole before it runs anything"
        await self._errands.begin(errand, self.process)
