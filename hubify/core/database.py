"""The façade over the core: begin, commit, subscribe.

Invariant: a query's transaction sees the durable head (or a past time) and a mutation's the newest
accepted commit; both see one instant only.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from hubify.core.catalog import Catalog
from hubify.core.committer import Accepted, Committer
from hubify.core.overlay import Overlay, View
from hubify.core.schema import BoundTable, Table
from hubify.core.subscriptions import Subscriptions, Token
from hubify.core.transaction import Snapshot, Transaction
from hubify.storage.engine import Commit, Engine, HeadMoved, StorageFailed
from hubify.values.errors import InvalidInput
from hubify.values.ids import SEQUENCE_BITS, next_number
from hubify.values.rows import Row

NS_PER_MS = 1_000_000
Watch = Callable[[], None]


class Database:
    """One process's database over one engine."""

    def __init__(
        self,
        engine: Engine,
        tables: Sequence[Table],
        clock_ns: Callable[[], int],
        *,
        alone: bool = True,
    ) -> None:
        """Open a store. `alone`: no other process will append to it while this one runs."""
        self.engine = engine
        self.oldest = 0
        """States before this timestamp may have been dropped and are not read."""
        self._clock_ns = clock_ns
        self.subscriptions = Subscriptions()
        self.on_commits: list[Callable[[list[Commit], set[Token]], None]] = []
        self.catalog = Catalog(tables)
        self.catalog.open(engine, clock_ns())
        self._last_number = (engine.head() // NS_PER_MS + 1) << SEQUENCE_BITS
        self.committer = Committer(engine, self._commit_time, self._published, alone=alone)

    @property
    def head(self) -> int:
        """Timestamp of the newest durable commit."""
        return self.committer.head

    def table_of(self, row_type: type[Row]) -> BoundTable:
        """The bound table of a row type."""
        return self.catalog.table_of(row_type)

    def begin_read(self, watch: Watch, *, at: int | None = None) -> Transaction:
        """A read-only transaction at the durable head, or at a past timestamp.

        Raises:
            InvalidInput: `at` lies in the future, or before the history that is kept.

        """
        if at is not None and at > self.head:
            message = "this timestamp is in the future; ask at or before the newest commit"
            raise InvalidInput(message)
        if at is not None and at < self.oldest:
            message = "this timestamp is older than the history that is kept"
            raise InvalidInput(message)
        past = at if at is not None and at < self.head else None

        def view(overlays: list[Overlay]) -> View:
            if past is None:
                return self.committer.durable_view(overlays)
            return self.committer.past_view(past, overlays)

        return Transaction(self._snapshot(view, watch), writable=False)

    def begin_write(self, watch: Watch) -> Transaction:
        """A transaction on the newest accepted commit."""
        return Transaction(self._snapshot(self.committer.accepted_view, watch), writable=True)

    def accept(self, accepted: Accepted) -> None:
        """Queue a finished mutation for the next flush."""
        self.committer.accept(accepted)

    def flush(self) -> None:
        """Flush all that is queued, here and now (tests, set-up, commands without a server)."""
        while (seal := self.committer.stage()) is not None:
            try:
                seal()
            except HeadMoved:
                self.committer.overtaken()
            except StorageFailed as error:
                self.committer.failed(error)
            else:
                self.committer.sealed()

    def prune(self, before: int, limit: int) -> int:
        """Drop superseded versions that ended at or before `before`."""
        return self.engine.prune(before, limit)

    def close(self) -> None:
        """Close the engine."""
        self.engine.close()

    def _snapshot(self, view: Callable[[list[Overlay]], View], watch: Watch) -> Snapshot:
        return Snapshot(view, self.catalog.table_of, self._next_number, watch)

    def _next_number(self) -> int:
        self._last_number = next_number(self._last_number, self._clock_ns() // NS_PER_MS)
        return self._last_number

    def _commit_time(self) -> int:
        # Never before the rows it writes were numbered, so that whoever opens the store next
        # numbers beyond them by starting after the head.
        return max(self._clock_ns(), (self._last_number >> SEQUENCE_BITS) * NS_PER_MS)

    def _published(self, commits: list[Commit]) -> None:
        # Rows that another process numbered: ours stay beyond all that we have seen.
        numbers = (write.id for commit in commits for write in commit.writes)
        self._last_number = max(self._last_number, *numbers)
        stale = self.subscriptions.publish(commits)
        with ExitStack() as told:  # every listener hears of it, whatever another one raises
            for listener in reversed(self.on_commits):
                told.callback(listener, commits, stale)
