"""How far a long command is, for a person who waits.

Invariant: only a terminal is shown it, on one line that is gone at the end, however the end comes.
"""

from types import TracebackType
from typing import Self

from hubify.cli.tables import counted
from hubify.cli.world import World

EVERY = 10  # steps between two words
BLANK = "\r" + " " * 40 + "\r"


class Progress:
    """Counts steps; `noun` is what one of them deals with."""

    def __init__(self, world: World, noun: str) -> None:
        self._stream = world.err if world.err.isatty() else None
        self._noun = noun
        self._steps = 0

    def __enter__(self) -> Self:
        return self

    def step(self) -> None:
        """One more is done."""
        self._steps += 1
        if self._stream and self._steps % EVERY == 0:
            self._stream.write(f"\r{counted(self._steps, self._noun)} …")
            self._stream.flush()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave a clean line."""
        if self._stream:
            self._stream.write(BLANK)
            self._stream.flush()
