"""The order of commits and when callers hear of them."""

import itertools
from collections.abc import Callable

import pytest

from hubify.core.committer import Accepted, Committer
from hubify.core.reads import ReadSet
from hubify.storage.engine import RowWrite
from hubify.storage.memory import MemoryEngine

TABLE = 1


class Callers:
    """Callers of one committer, and who has been answered."""

    def __init__(self) -> None:
        now_ns = itertools.count(1_700_000_000_000_000_000)
        self.committer = Committer(
            MemoryEngine(), lambda: next(now_ns), lambda _commits: None, alone=True
        )
        self.answered: list[str] = []
        self._rows = itertools.count(1)

    def write(self, name: str) -> None:
        """Ask for a write of a fresh row."""
        row = RowWrite(TABLE, next(self._rows), None, b"x", (), ())
        self._accept(name, (row,), lambda: None)

    def read(self, name: str, then: Callable[[], None] = lambda: None) -> None:
        """Ask for a mutation that writes nothing, as a replayed one does."""
        self._accept(name, (), then)

    def flush(self) -> bool:
        """Make what is queued durable; whether there was anything to write."""
        seal = self.committer.stage()
        if seal is None:
            return False
        seal()
        self.committer.sealed()
        return True

    def _accept(self, name: str, writes: tuple[RowWrite, ...], then: Callable[[], None]) -> None:
        def done(_ts: int) -> None:
            self.answered.append(name)
            then()

        self.committer.accept(
            Accepted(
                function="t", caller="t", reads=ReadSet(), writes=writes,
                rerun=lambda: (ReadSet(), writes), done=done,
                failed=lambda error: pytest.fail(str(error)),
            )
        )  # fmt: skip


def test_a_write_asked_for_by_an_answered_reader_is_flushed_in_the_same_turn() -> None:
    callers = Callers()
    callers.write("first")
    seal = callers.committer.stage()
    assert seal is not None
    callers.read("reader", then=lambda: callers.write("second"))
    seal()
    callers.committer.sealed()
    assert callers.flush(), "the second write is forgotten in the queue"
    assert callers.answered == ["first", "reader", "second"]
