"""The façade over the core: begin, commit, subscribe.

Invariant: a query's transaction sees the durable head (or a past time) and a mutation's the newest
accepted commit; both see one instant only.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial

from hubify.core.catalog import Catalog
from hubify.core.committer import Accepted, Committer
from hubify.core.overlay import Overlay, PastView, View
from hubify.core.schema import BoundTable, Table
from hubify.core.subscriptions import Subscriptions, Token
from hubify.core.transaction import Snapshot, Transaction
from hubify.storage.engine import Commit, Engine, HeadMoved, StorageFailed
from hubify.values.durations import NS_PER_MS
from hubify.values.errors import InvalidInput
from hubify.values.ids import SEQUENCE_BITS, next_number
from hubify.values.rows import Row

Watch = Callable[[], None]


class PastNotReadable(InvalidInput):
    """That state was dropped, or cannot be read by this index; the sentence says from when on."""

    code = "PAST_NOT_READABLE"

    def __init__(self, what: str, *, since: int) -> None:
        since_ms = -(-since // NS_PER_MS)
        moment = datetime.fromtimestamp(since_ms / 1000, UTC).isoformat(timespec="milliseconds")
        super().__init__(
            f"this timestamp lies before {what}; ask for {moment} or later", readableFrom=since_ms
        )


class Database:
    """One process's database over one engine."""

    def __init__(
        self,
        engine: Engine,
        tables: Sequence[Table],
        clock_ns: Callable[[], int],
        *,
        alone: bool = True,
        oldest_of: Callable[[Transaction], int] | None = None,
    ) -> None:
        """Open a store.

        `alone`: no other process will append to it while this one runs. `oldest_of` reads from the
        store since when its past is kept (ns), so that what another process gave up is known.

        Raises:
            Unavailable: see `Catalog.open`.

        """
        self.engine = engine
        self.alone = alone
        self.oldest = 0
        """States before this timestamp may have been dropped and are not read."""
        self._oldest_of = oldest_of
        self._clock_ns = clock_ns
        self.subscriptions = Subscriptions()
        self.on_commits: list[Callable[[list[Commit], set[Token]], None]] = []
        self.catalog = Catalog(tables)
        self.catalog.open(engine, clock_ns(), alone=alone)
        self._last_number = (engine.head() // NS_PER_MS + 1) << SEQUENCE_BITS
        self.committer = Committer(engine, self._commit_time, self._published, alone=alone)
        self._learn_oldest()

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
            InvalidInput: `at` lies in the future.
            PastNotReadable: `at` lies before the history that is kept; or, from a read of the
                transaction, before the index that it reads was built.

        """
        if at is not None and at > self.head:
            message = "this timestamp is in the future; ask at or before the newest commit"
            raise InvalidInput(message)
        if at is None or at == self.head:
            return Transaction(self._snapshot(self.committer.durable_view, watch), writable=False)
        self.refuse_dropped(at)
        view = PastView(self.engine, at, partial(self._refuse_unbuilt, at))
        return Transaction(self._snapshot(lambda _overlays: view, watch), writable=False)

    def refuse_dropped(self, at: int) -> None:
        """Refuse a past state that this process, or another one by now, has given up.

        Where several processes share a store, whoever has read the past asks once more afterwards.

        Raises:
            PastNotReadable: naming since when the past is kept.

        """
        if not self.alone:
            self._learn_oldest()
        if at < self.oldest:
            raise PastNotReadable("the history that is kept", since=self.oldest)

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

    def _learn_oldest(self) -> None:
        if self._oldest_of is None:
            return
        now = View(self.engine, [])  # as the newest commit has it, ours or not
        reader = Transaction(self._snapshot(lambda _overlays: now, _unwatched), writable=False)
        self.oldest = max(self.oldest, self._oldest_of(reader))

    def _refuse_unbuilt(self, at: int, index: int) -> None:
        since = self.catalog.whole_since.get(index, 0)
        if at < since:
            raise PastNotReadable("the building of an index that this reads", since=since)

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


def _unwatched() -> None:
    """A read of our own has no time limit."""
