"""Runs the committer's flushes: statements here, the wait for the disk on one other thread.

Invariant: at most one flush is under way, and the next begins when it ends; every accepted commit
is sealed or failed, never forgotten.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from hubify.core.committer import Committer
from hubify.core.log import HeadMoved, StorageFailed

TRY_AGAIN_S = 0.005  # before a store that another process writes to is asked again
MOST_TRIES = 200  # some seconds; then the flush waits in `append`, which gives up in time


class Flusher:
    """Drives one committer from an event loop."""

    def __init__(self, committer: Committer, loop: asyncio.AbstractEventLoop) -> None:
        self._committer = committer
        self._loop = loop
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="flush")
        self._busy = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._tries = 0
        self._pauses: deque[tuple[Callable[[], bool], asyncio.Future[bool]]] = deque()

    def kick(self) -> None:
        """Flush soon; calls within one turn of the loop share the flush."""
        if not self._busy:
            self._busy = True
            self._idle.clear()
            self._loop.call_soon(self._begin)

    async def quietly(self, work: Callable[[], bool]) -> bool:
        """Run something on the flushing thread between two flushes; what is accepted waits."""
        done: asyncio.Future[bool] = self._loop.create_future()
        self._pauses.append((work, done))
        self.kick()
        return await done

    async def drain(self) -> None:
        """Wait until nothing is waiting for the disk."""
        while self._committer.waiting:
            self.kick()
            await self._idle.wait()

    async def close(self) -> None:
        """Flush what is accepted and stop."""
        await self.drain()
        self._thread.shutdown()

    def _begin(self) -> None:
        if self._pauses:
            work, done = self._pauses.popleft()
            self._thread.submit(work).add_done_callback(
                lambda future: self._loop.call_soon_threadsafe(self._go_on, future, done)
            )
            return
        if self._tries < MOST_TRIES and not self._may_stage():
            self._tries += 1
            self._loop.call_later(TRY_AGAIN_S, self._begin)
            return
        self._tries = 0
        seal = self._committer.stage()
        if seal is None:
            self._busy = False
            self._idle.set()
            return
        self._thread.submit(seal).add_done_callback(
            lambda future: self._loop.call_soon_threadsafe(self._end, future)
        )

    def _may_stage(self) -> bool:
        try:
            return self._committer.may_stage()
        except StorageFailed:
            return True  # staging meets the same trouble, and tells those who wait

    def _go_on(self, worked: "Future[bool]", done: "asyncio.Future[bool]") -> None:
        error = worked.exception()
        if not done.done():  # whoever waited may have gone
            if error is None:
                done.set_result(worked.result())
            else:
                done.set_exception(error)
        self._begin()

    def _end(self, future: "Future[None]") -> None:
        try:
            self._settle(future.exception())
        finally:  # whatever a listener raised, the next flush must begin
            self._begin()

    def _settle(self, error: BaseException | None) -> None:
        if error is None:
            self._committer.sealed()
        elif isinstance(error, HeadMoved):
            self._committer.overtaken()
        elif isinstance(error, StorageFailed):
            self._committer.failed(error)
        else:
            self._committer.failed(StorageFailed(f"unexpected: {error!r}"))
