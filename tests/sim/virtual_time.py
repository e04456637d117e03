"""An event loop that runs when told to, by a clock that the world moves.

Invariant: callbacks run in the order in which they were asked for, timers in that of their times,
and nothing waits for real; so coroutines are as repeatable as ordinary calls.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualLoop(asyncio.AbstractEventLoop):
    """As much of an event loop as futures, tasks and timeouts need."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[asyncio.TimerHandle] = []
        self._failures: list[BaseException] = []

    def run_ready(self) -> None:
        """Run all that can run now, and what follows from it; raises what a task has raised."""
        asyncio.events._set_running_loop(self)  # made for authors of loops
        try:
            while self._take_timers() or self._ready:
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            asyncio.events._set_running_loop(None)
        if self._failures:
            raise self._failures[0]

    def _take_timers(self) -> bool:
        while self._timers and self._timers[0].when() <= self._now_s():
            self._ready.append(heapq.heappop(self._timers))
        return bool(self._ready)

    def time(self) -> float:
        """Seconds by the world's clock."""
        return self._now_s()

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Run a callback after those that wait already."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run a callback once the world's clock is there."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run a callback after some seconds of the world's clock."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def create_future(self) -> "asyncio.Future[Any]":
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Coroutine[Any, Any, T] | Generator[Any, None, T], **_named: Any
    ) -> "asyncio.Task[T]":
        """Begin a coroutine at the next `run_ready`."""
        task = asyncio.Task(coro, loop=self)
        task.add_done_callback(self._note_failure)
        return task

    def _note_failure(self, task: "asyncio.Task[Any]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failures.append(error)

    def get_debug(self) -> bool:
        """Never."""
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What tasks raise is kept already; the rest is about futures that nobody waits for."""

    def _timer_handle_cancelled(self, _handle: asyncio.TimerHandle) -> None:
        """A timer that is cancelled is passed over when its time comes."""
