"""The contract of a storage engine: an append-only, totally ordered log over rows and entries.

An engine knows numbers and bytes: no tables by name, no read sets, no functions. Row numbers are
unique over all tables. An index entry is (index, key) -> row number; keys already end with what
makes them unique.

Invariant: `append` applies a batch only when the head is still `after`; nothing of the batch can
be seen before its seal returns, everything of it survives any crash afterwards, and a crash before
leaves nothing of it. Times are commit timestamps: nanoseconds since 1970, strictly increasing.
"""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple, Protocol

import msgspec

from hubify.values.interval import Interval

Seal = Callable[[], None]


class RowWrite(msgspec.Struct, frozen=True, array_like=True):
    """One row's change in a commit. `after` None deletes it; `before` None says it was not there.

    Where `before` equals `after` only entries change, and the row keeps its `since`.
    """

    table: int
    id: int
    before: bytes | None
    after: bytes | None
    removed: tuple[tuple[int, bytes], ...]  # (index, key) entries that vanish
    added: tuple[tuple[int, bytes], ...]  # (index, key) entries that appear


class Commit(msgspec.Struct, frozen=True, array_like=True):
    """One transaction's effect, with who asked for it. `ts` is also its time (ns since 1970).

    A row is written once at most; every removal comes before any addition, so that one entry may
    move from row to row whatever the order of the writes.
    """

    ts: int
    function: str
    caller: str
    writes: tuple[RowWrite, ...]


class Version(NamedTuple):
    """A row as it stood: its bytes and the timestamp of the commit that wrote them."""

    since: int
    value: bytes


class Entry(NamedTuple):
    """One index entry with the row it points to; `since` is that of the row's version."""

    key: bytes
    id: int
    since: int
    value: bytes


class Traces(NamedTuple):
    """What is to go from the log: keys of some rows, keys and callers with a name, some callers.

    A key or caller has the name in it when it holds all of `names`; without `names`, none has.
    """

    rows: AbstractSet[int]
    names: tuple[bytes, ...] = ()
    callers: AbstractSet[str] = frozenset()

    def are_in(self, key: bytes) -> bool:
        """Whether a key, or a caller's bytes, has the name in it."""
        return bool(self.names) and all(name in key for name in self.names)


ERASED_CALLER = "erased"
"""Stands in the log for a caller that was taken out of it."""


class HeadMoved(Exception):
    """Another process appended first: read the `tail`, check again, try again."""


class StorageFailed(Exception):
    """The engine could not read or write (disk full, I/O error). Nothing of the batch was applied.

    The message says what to do about it. No restart is needed: the next call tries again.
    """


class Engine(Protocol):
    """Eleven methods; every engine passes the same contract suite (`testing/engine_contract.py`).

    One thread owns an engine and calls everything but the seal and `shred`, which may run on
    another thread while the owner goes on reading. A limit below one answers nothing; `at` beyond
    the head is now.
    """

    def head(self) -> int:
        """Timestamp of the last sealed commit; 0 when there is none."""
        ...

    def get(self, number: int, at: int | None = None) -> Version | None:
        """One row as it stands, or stood right after the commit at or before `at`."""
        ...

    def scan(
        self,
        index: int,
        span: Interval,
        *,
        limit: int,
        reverse: bool = False,
        at: int | None = None,
    ) -> list[Entry]:
        """At most `limit` entries of an index range in key order (or reverse), now or `at`."""
        ...

    def rows(self, table: int, *, after: int, limit: int) -> list[tuple[int, Version]]:
        """Current rows of a table with number > `after`, by number.

        For building new indexes, and for walking through a store. While a batch is staged the rows
        may be those before it or after.
        """
        ...

    def tail(self, after: int, limit: int) -> list[Commit]:
        """Commits with ts > `after`, oldest first. Their writes carry no row bytes (both None)."""
        ...

    def is_free(self) -> bool:
        """Whether an append now would wait for nobody else's, as far as can be told at once.

        False, within some hundredths of a second: another process writes, or a batch is staged. So
        whoever serves others meanwhile asks again later, instead of waiting in `append`.
        """
        ...

    def append(self, after: int, commits: Sequence[Commit]) -> Seal:
        """Stage a batch; the returned seal makes it durable and visible, all or nothing.

        Called on the owner's thread; the seal may be called on another one, once. At most one
        batch is staged at a time.

        Raises:
            HeadMoved: the head is not `after`; nothing was changed. (May also come from the seal.)
            StorageFailed: from here or from the seal; nothing was changed.
            ValueError: a bug above: the batch is empty, its times do not increase from `after`, or
                a write contradicts what is stored. Nothing was changed.
            RuntimeError: a bug above: another batch is staged.

        """
        ...

    def prune(self, before: int, limit: int) -> int:
        """Drop up to `limit` superseded versions that ended at or before `before`; how many.

        Versions of rows and of entries count alike. 0 says that none is left, or that a batch is
        staged just now. Log records stay. Reading `at` a time before the newest prune is refused
        by the caller.
        """
        ...

    def erase(self, traces: Traces, *, after: int, until: int, limit: int) -> int:
        """Take traces out of up to `limit` log records; the time up to which that is done.

        Looks at the records later than `after` up to `until`, oldest first: keys vanish from their
        writes, and `ERASED_CALLER` takes a caller's place. Answers `until` when none is left, and
        `after` when none was looked at: a batch is staged just now, ask again. What a killed
        process has done of it stays done; doing it again does nothing more.

        The log still says which rows a commit wrote, so who reads the tail late misses a change
        only where it read that a range held nothing.
        """
        ...

    def shred(self, before: int) -> bool:
        """Leave no byte of what was dropped or replaced in the files; whether that is so.

        False: versions that ended at or before `before` are left to `prune`, or somebody reads or
        writes just now: ask again. Takes as long as writing the whole store anew, with as much
        room on the disk; appends wait for it, reads go on. Not with a batch staged.

        Raises:
            StorageFailed: the disk is full or failed; nothing was changed.

        """
        ...

    def close(self) -> None:
        """Release files and connections. A staged batch is dropped: its seal raises."""
        ...


def without_traces(commit: Commit, traces: Traces) -> Commit:
    """A log record with the traces taken out; the same object when there are none in it."""
    writes = tuple(_without_keys(write, traces) for write in commit.writes)
    is_theirs = commit.caller in traces.callers or traces.are_in(commit.caller.encode())
    caller = ERASED_CALLER if is_theirs else commit.caller
    if (caller, writes) == (commit.caller, commit.writes):
        return commit
    return Commit(commit.ts, commit.function, caller, writes)


def _without_keys(write: RowWrite, traces: Traces) -> RowWrite:
    def kept(entries: tuple[tuple[int, bytes], ...]) -> tuple[tuple[int, bytes], ...]:
        if write.id in traces.rows:
            return ()
        return tuple(entry for entry in entries if not traces.are_in(entry[1]))

    return RowWrite(write.table, write.id, None, None, kept(write.removed), kept(write.added))


def check_order(after: int, commits: Sequence[Commit]) -> None:
    """Refuse a batch that is empty or whose times do not strictly increase from `after`.

    Raises:
        ValueError: a bug of whoever made the batch.

    """
    if not commits:
        raise ValueError("a batch holds at least one commit; do not append an empty one")
    last = after
    for commit in commits:
        if commit.ts <= last:
            raise ValueError(f"commit times must increase: {commit.ts} follows {last}")
        last = commit.ts
