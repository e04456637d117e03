"""Whose turn it is: many sockets share one event loop without starving it or one another.

Invariant: whoever asks is turned once for all that it asked before; after each slice of time the
loop gets to serve everything else, and those who ask anew stand behind those who wait.
"""

import asyncio
from collections import deque
from typing import Protocol

SLICE_S = 0.004


class Turner(Protocol):
    """Something that has work to do in a turn of its own."""

    waits_for_turn: bool

    def take_turn(self) -> None:
        """Do what there is to do; never raises."""
        ...


class TurnQueue:
    """First come, first served."""

    def __init__(self, loop: asyncio.AbstractEventLoop, slice_s: float = SLICE_S) -> None:
        self._loop = loop
        self._slice_s = slice_s
        self._waiting: deque[Turner] = deque()
        self._is_due = False
        self._until = 0.0

    def add(self, turner: Turner) -> None:
        """Give it a turn in the next round of the loop."""
        if not turner.waits_for_turn:
            turner.waits_for_turn = True
            self._waiting.append(turner)
        self._arrange()

    def may_go_on(self) -> bool:
        """Whether the present slice of time has some left."""
        return self._loop.time() < self._until

    def _arrange(self) -> None:
        if self._waiting and not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._run)

    def _run(self) -> None:
        self._is_due = False
        self._until = self._loop.time() + self._slice_s
        for _ in range(len(self._waiting)):
            turner = self._waiting.popleft()
            turner.waits_for_turn = False
            turner.take_turn()
            if not self.may_go_on():
                break
        self._arrange()
