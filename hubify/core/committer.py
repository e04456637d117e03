"""The one order of all commits, and when each becomes durable.

A mutation is accepted in memory at once, so the next one may build on it; everything accepted while
one batch is being flushed shares the next flush. Queries, answers and subscribers see only what is
durable. The point of no return is the seal: before it nothing of a batch exists, after it all does.

Invariant: the log's order is the order of acceptance; callers are answered after their commit is
durable, or told it did not happen, never neither.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress

from hubify.core.overlay import Overlay, View
from hubify.core.reads import ReadSet
from hubify.storage.engine import Commit, Engine, HeadMoved, RowWrite, Seal, StorageFailed
from hubify.values import limits
from hubify.values.errors import AppError, Unavailable

log = logging.getLogger("hubify.core")

TAIL_COMMITS = 1_000


class Accepted:
    """A mutation that ran: its commit, what it read, and whom to tell.

    `rerun` runs the function again on the newest accepted state and answers its new reads and
    writes; it is called when another process overtook what was read. `done(ts)` and
    `failed(error)` are called exactly once between them.
    """

    def __init__(
        self,
        *,
        function: str,
        caller: str,
        reads: ReadSet,
        writes: tuple[RowWrite, ...],
        rerun: Callable[[], tuple[ReadSet, tuple[RowWrite, ...]]],
        done: Callable[[int], None],
        failed: Callable[[AppError], None],
    ) -> None:
        self.function = function
        self.caller = caller
        self.reads = reads
        self.writes = writes
        self.rerun = rerun
        self.done = done
        self.failed = failed
        self.ts = 0
        self.tries = 0
        self.size = _held_bytes(writes)

    def run_again(self) -> None:
        """Take the effect of another run in place of this one's. Raises what the run raises."""
        self.writes = ()
        self.reads, self.writes = self.rerun()
        self.size = _held_bytes(self.writes)

    def commit(self) -> Commit:
        """The log record."""
        return Commit(self.ts, self.function, self.caller, self.writes)


class Committer:
    """Accepts, batches and publishes; knows the durable head and what lies beyond it."""

    def __init__(
        self,
        engine: Engine,
        clock_ns: Callable[[], int],
        publish: Callable[[list[Commit]], None],
        *,
        alone: bool,
    ) -> None:
        """`alone`: no other process appends, so the engine's present is ours to read directly."""
        self._engine = engine
        self._clock_ns = clock_ns
        self._publish = publish
        self._alone = alone
        self.head = engine.head()
        self.trouble: str | None = None
        """Why the newest flush failed; None after one that did not."""
        self._last_ts = self.head
        self._queued: list[Accepted] = []
        self._flying: list[Accepted] = []
        self._held = 0
        self._queued_after = Overlay()
        self._flying_after = Overlay()
        self._flying_before = Overlay()

    # Views.

    def durable_view(self, overlays: list[Overlay]) -> View:
        """The state right after the durable head, whether or not a flush is under way."""
        if self._alone:
            return View(self._engine, [self._flying_before, *overlays])
        return View(self._engine, overlays, at=self.head)

    def accepted_view(self, overlays: list[Overlay]) -> View:
        """The newest accepted state; only mutations may see it."""
        at = None if self._alone else self.head
        return View(self._engine, [self._flying_after, self._queued_after, *overlays], at=at)

    # The queue.

    @property
    def waiting(self) -> int:
        """Accepted and not yet durable."""
        return len(self._queued) + len(self._flying)

    @property
    def held_bytes(self) -> int:
        """About how much memory the effects of what waits take."""
        return self._held

    def accept(self, accepted: Accepted) -> None:
        """Take a mutation's effect into the order.

        Raises:
            Unavailable: too many, or too large ones, already wait for the disk.

        """
        full = self.waiting >= limits.MAX_QUEUED_COMMITS
        if full or (self._held and self._held + accepted.size > limits.MAX_QUEUED_BYTES):
            message = "too much waits for the disk; this did not happen, try again in a moment"
            raise Unavailable(message)
        if not accepted.writes and not self.waiting:
            accepted.ts = self.head
            accepted.done(self.head)
            return
        self._enqueue(accepted)

    def may_stage(self) -> bool:
        """Whether `stage` would have to wait for no other process just now."""
        return self._alone or not self._queued or self._engine.is_free()

    def stage(self) -> Seal | None:
        """Begin to flush what is queued; None when nothing is, or a batch is in flight.

        The seal is to be called (anywhere) and then `sealed()` or `failed()` (here).
        """
        while self._queued and not self._flying:
            taken = self._queued[: limits.MAX_BATCH_COMMITS]
            batch = [accepted.commit() for accepted in taken if accepted.writes]
            if not batch:
                self._settle_reads(taken)  # whoever is answered may ask for a write at once
                continue
            try:
                seal = self._append(batch)
            except (HeadMoved, StorageFailed) as error:
                self.failed(error)
                continue
            except Exception as error:  # a bug of ours ends this batch, and not the server
                log.exception("a batch could not be staged")
                self.failed(StorageFailed(f"an internal error ({type(error).__name__})"))
                continue
            if seal is not None:
                self._fly(taken, batch)
                return seal
        return None

    def sealed(self) -> None:
        """The batch in flight is durable: move the head, tell subscribers and callers."""
        flown, self._flying = self._flying, []
        self._held -= sum(accepted.size for accepted in flown)
        commits = [accepted.commit() for accepted in flown if accepted.writes]
        self.head = commits[-1].ts
        self.trouble = None
        self._flying_after, self._flying_before = Overlay(), Overlay()
        with ExitStack() as told:
            for accepted in reversed(flown):
                told.callback(accepted.done, accepted.ts)
            self._publish(commits)

    def overtaken(self) -> None:
        """The seal found that another process appended first: queue the batch again."""
        self._queued = self._flying + self._queued
        self._flying = []
        try:
            if not self.catch_up():
                self._rebase([])
        except StorageFailed as error:
            self.failed(error)

    def failed(self, error: Exception) -> None:
        """The batch in flight, and all that was built on it, did not happen."""
        self.trouble = str(error)
        dropped = self._flying + self._queued
        self._flying, self._queued, self._held = [], [], 0
        self._reset_overlays()
        message = f"the write could not be stored and did not happen: {error}"
        with ExitStack() as told:
            for accepted in reversed(dropped):
                told.callback(accepted.failed, Unavailable(message))
            with suppress(StorageFailed):  # the next flush finds out whether the head has moved
                self.catch_up()

    def catch_up(self) -> bool:
        """Take in what other processes committed, re-run what they overtook; whether any had.

        Must not be called while a batch is in flight.
        """
        assert not self._flying, "the flight ends before the tail is read"
        foreign: list[Commit] = []
        head = self.head
        while tail := self._engine.tail(head, TAIL_COMMITS):
            foreign += tail
            head = tail[-1].ts
        self.head = head
        self._last_ts = max(self._last_ts, self.head)
        if foreign:
            try:
                self._publish(foreign)
            finally:
                self._rebase(foreign)
        return bool(foreign)

    # Inside.

    def _append(self, batch: list[Commit]) -> Seal | None:
        try:
            return self._engine.append(self.head, batch)
        except HeadMoved:
            if self.catch_up():
                return None  # what was queued now builds on what the others wrote
            raise

    def _enqueue(self, accepted: Accepted) -> None:
        if accepted.writes:
            accepted.ts = self._last_ts = max(self._last_ts + 1, self._clock_ns())
            self._queued_after.apply(accepted.commit())
        else:
            accepted.ts = self._last_ts
        self._queued.append(accepted)
        self._held += accepted.size

    def _fly(self, taken: list[Accepted], batch: list[Commit]) -> None:
        self._flying, self._queued = taken, self._queued[len(taken) :]
        self._flying_after, self._queued_after = self._queued_after, Overlay()
        # What did not fit lies in the flying overlay as well, and stays on top when that goes.
        for accepted in self._queued:
            self._queued_after.apply(accepted.commit())
        for commit in reversed(batch):
            self._flying_before.undo(commit)

    def _settle_reads(self, readers: list[Accepted]) -> None:
        self._queued = self._queued[len(readers) :]
        with ExitStack() as told:
            for accepted in reversed(readers):
                told.callback(accepted.done, self.head)

    def _reset_overlays(self) -> None:
        self._queued_after, self._flying_after = Overlay(), Overlay()
        self._flying_before = Overlay()

    def _rebase(self, foreign: Iterable[Commit]) -> None:
        # What read nothing that changed keeps its result; the rest runs again, in the old order.
        waiting, self._queued, self._held = self._queued, [], 0
        self._reset_overlays()
        changed = [write for commit in foreign for write in commit.writes]
        numbers = {write.id for write in changed}
        with ExitStack() as told:  # at the end: who is told may ask for the next write at once
            for accepted in waiting:
                mine = {write.id for write in accepted.writes}
                if numbers.isdisjoint(mine) and not any(map(accepted.reads.touched_by, changed)):
                    self._enqueue(accepted)
                    continue
                before = accepted.writes
                if refusal := self._run_again(accepted):
                    told.callback(accepted.failed, refusal)
                fresh = [*before, *accepted.writes]
                changed += fresh
                numbers |= {write.id for write in fresh}

    def _run_again(self, accepted: Accepted) -> AppError | None:
        accepted.tries += 1
        try:
            if accepted.tries > limits.MAX_RETRIES:
                message = "others keep changing what this write reads; try again"
                raise Unavailable(message)
            accepted.run_again()
        except AppError as error:
            return error
        self._enqueue(accepted)
        return None


def _held_bytes(writes: tuple[RowWrite, ...]) -> int:
    """About how much memory an effect takes until it is durable."""
    return sum(
        limits.HELD_WRITE_BYTES
        + len(write.before or b"")
        + len(write.after or b"")
        + sum(limits.HELD_WRITE_BYTES + len(key) for _index, key in (*write.removed, *write.added))
        for write in writes
    )
