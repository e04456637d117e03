"""The order of commits and when callers hear of them."""

import itertools
from collections.abc import Callable, Sequence

import pytest

from hubify.core.committer import Accepted, Committer
from hubify.core.reads import ReadSet
from hubify.storage.engine import Commit, RowWrite, Seal, StorageFailed
from hubify.storage.memory import MemoryEngine, MemoryStore
from hubify.values import limits
from hubify.values.errors import AppError, Conflict, Unavailable

TABLE = 1


def nothing() -> None:
    """What most callers do when they are answered."""


class FaultyEngine(MemoryEngine):
    """An engine whose calls raise what a test has planted."""

    refuses_append: list[Exception]
    refuses_tail = False

    def append(self, after: int, commits: Sequence[Commit]) -> Seal:
        """Raise the next planted error, if there is one."""
        if self.refuses_append:
            raise self.refuses_append.pop(0)
        return super().append(after, commits)

    def tail(self, after: int, limit: int) -> list[Commit]:
        """Fail if planted."""
        if self.refuses_tail:
            raise StorageFailed("planted")
        return super().tail(after, limit)


class Callers:
    """Callers of one committer, and who has been answered or refused."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        now_ns = itertools.count(1_700_000_000_000_000_000)
        self.engine = FaultyEngine(store)
        self.engine.refuses_append = []
        self.committer = Committer(
            self.engine, lambda: next(now_ns), self._publish, alone=store is None
        )
        self.answered: list[str] = []
        self.refused: list[str] = []
        self.published = 0
        self.listener: Callable[[], None] = nothing
        self._rows = itertools.count(1 if store is None else 1_000)

    def write(
        self,
        name: str,
        then: Callable[[], None] = nothing,
        *,
        reads: tuple[int, ...] = (),
        size: int = 1,
    ) -> None:
        """Ask for a write of a fresh row."""
        row = RowWrite(TABLE, next(self._rows), None, b"x" * size, (), ())
        self._accept(name, (row,), then, reads=reads)

    def read(self, name: str, then: Callable[[], None] = nothing) -> None:
        """Ask for a mutation that writes nothing, as a replayed one does."""
        self._accept(name, (), then)

    def _publish(self, commits: list[Commit]) -> None:
        self.published += len(commits)
        self.listener()

    def flush(self) -> bool:
        """Make what is queued durable; whether there was anything to write."""
        seal = self.committer.stage()
        if seal is None:
            return False
        seal()
        self.committer.sealed()
        return True

    def _accept(
        self,
        name: str,
        writes: tuple[RowWrite, ...],
        then: Callable[[], None],
        *,
        reads: tuple[int, ...] = (),
    ) -> None:
        seen = ReadSet()
        for number in reads:
            seen.add_row(number)

        def done(_ts: int) -> None:
            self.answered.append(name)
            then()

        def failed(_error: AppError) -> None:
            self.refused.append(name)
            then()

        def rerun() -> tuple[ReadSet, tuple[RowWrite, ...]]:
            raise Conflict("overtaken")

        self.committer.accept(
            Accepted(
                function="t", caller=name, reads=seen, writes=writes,
                rerun=rerun, done=done, failed=failed,
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


def fail() -> None:
    """A callback with a bug."""
    raise ZeroDivisionError


def test_an_unexpected_error_of_the_engine_refuses_the_batch_and_the_next_one_goes_on() -> None:
    callers = Callers()
    callers.engine.refuses_append = [ValueError("the batch contradicts the store: b'secret'")]
    callers.write("first")
    assert not callers.flush()
    assert callers.refused == ["first"]
    assert "secret" not in (callers.committer.trouble or "")
    callers.write("second")
    assert callers.flush()
    assert callers.answered == ["second"]


def test_a_write_asked_for_by_a_refused_caller_is_settled_in_the_same_turn() -> None:
    callers = Callers()
    callers.engine.refuses_append = [StorageFailed("disk full")] * 2
    callers.write("first", then=lambda: callers.write("second"))
    assert not callers.flush()
    assert callers.refused == ["first", "second"]
    assert callers.committer.waiting == 0


def test_callers_are_refused_even_when_the_log_cannot_be_read() -> None:
    callers = Callers()
    callers.engine.refuses_append = [StorageFailed("no disk")]
    callers.engine.refuses_tail = True
    callers.write("first")
    assert not callers.flush()
    assert callers.refused == ["first"]


def test_every_caller_is_answered_whatever_a_listener_or_another_caller_raises() -> None:
    callers = Callers()
    callers.listener = fail
    callers.write("first", then=fail)
    callers.write("second")
    with pytest.raises(ZeroDivisionError):
        callers.flush()
    assert callers.answered == ["first", "second"]
    callers.listener = nothing
    callers.write("third")
    assert callers.flush()


def test_a_write_asked_for_by_an_overtaken_caller_comes_after_those_that_wait() -> None:
    store = MemoryStore()
    callers, overtaking = Callers(store), MemoryEngine(store)
    callers.write("overtaken", then=lambda: callers.write("asked later"), reads=(7,))
    callers.write("waiting")
    now = callers.committer.head
    overtaking.append(now, [Commit(now + 1, "t", "t", (RowWrite(TABLE, 7, None, b"x", (), ()),))])()
    assert callers.flush()
    assert callers.refused == ["overtaken"]
    assert callers.answered == ["waiting", "asked later"]


def test_a_tail_that_breaks_off_leaves_nobody_uninformed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubify.core.committer.TAIL_COMMITS", 1)
    store = MemoryStore()
    callers, overtaking = Callers(store), MemoryEngine(store)
    for ts in (1, 2):
        row = RowWrite(TABLE, ts, None, b"x", (), ())
        overtaking.append(ts - 1, [Commit(ts, "t", "t", (row,))])()
    whole = callers.engine.tail

    def broken(after: int, limit: int) -> list[Commit]:
        if after == 1:
            raise StorageFailed("planted")
        return whole(after, limit)

    monkeypatch.setattr(callers.engine, "tail", broken)
    with pytest.raises(StorageFailed):
        callers.committer.catch_up()
    monkeypatch.setattr(callers.engine, "tail", whole)
    assert callers.committer.catch_up()
    assert (callers.published, callers.committer.head) == (2, 2)


def test_what_does_not_fit_into_one_batch_goes_with_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MAX_BATCH_COMMITS", 2)
    callers = Callers()
    for name in ("a", "b", "c", "d", "e"):
        callers.write(name)
    callers.read("reader")
    answered: list[int] = []
    while callers.flush():
        answered.append(len(callers.answered))
    assert answered == [2, 4, 6]
    assert callers.answered == ["a", "b", "c", "d", "e", "reader"]


def test_what_waits_for_the_disk_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_QUEUED_BYTES", 10_000)
    callers = Callers()
    callers.write("first", size=6_000)
    seal = callers.committer.stage()
    assert seal is not None
    callers.write("small", size=2_000)
    with pytest.raises(Unavailable, match="did not happen, try again"):
        callers.write("one too many", size=6_000)
    seal()
    callers.committer.sealed()
    callers.write("again", size=6_000)
    assert callers.flush()
    assert callers.answered == ["first", "small", "again"]
    assert callers.committer.held_bytes == 0


def test_a_write_larger_than_the_bound_goes_through_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_QUEUED_BYTES", 10)
    callers = Callers()
    callers.write("large", size=6_000)
    assert callers.flush()
    assert callers.answered == ["large"]


def test_room_is_given_back_when_a_flush_fails_or_is_overtaken() -> None:
    store = MemoryStore()
    callers, overtaking = Callers(store), MemoryEngine(store)
    callers.write("overtaken", reads=(7,), size=500)
    callers.write("waiting", size=500)
    both = callers.committer.held_bytes
    now = callers.committer.head
    overtaking.append(now, [Commit(now + 1, "t", "t", (RowWrite(TABLE, 7, None, b"x", (), ()),))])()
    assert callers.committer.catch_up()
    assert callers.committer.held_bytes * 2 == both
    callers.engine.refuses_append = [StorageFailed("disk full")]
    assert not callers.flush()
    assert callers.committer.held_bytes == 0
