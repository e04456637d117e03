"""The engine without a disk: for tests, for the simulator, and to try the product out.

Several engines may open one `MemoryStore`, as several processes open one file. What a store holds
is what a disk would hold after a crash: closing an engine drops its staged batch and nothing else.

Invariant: `now` of each history agrees with the last change in it; every change to a store happens
in one hold of its lock, so a reader sees all of a commit or nothing.
"""

import heapq
import threading
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple

import msgspec

from hubify.storage.engine import (
    Commit,
    Entry,
    HeadMoved,
    RowWrite,
    Seal,
    StorageFailed,
    Traces,
    Version,
    check_order,
    without_traces,
)
from hubify.values.interval import Interval


class _Pointer(NamedTuple):
    """Where an index entry points, and since when it stands."""

    since: int
    id: int


class _PastVersion(NamedTuple):
    until: int
    version: Version


class _PastPointer(NamedTuple):
    until: int
    pointer: _Pointer


class _Index:
    """The entries of one index: those that stand, and those that stood."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.now: dict[bytes, _Pointer] = {}
        self.past_keys: list[bytes] = []
        self.past: dict[bytes, deque[_PastPointer]] = {}

    def add(self, key: bytes, pointer: _Pointer) -> None:
        insort(self.keys, key)
        self.now[key] = pointer

    def remove(self, key: bytes, until: int) -> None:
        del self.keys[bisect_left(self.keys, key)]
        if key not in self.past:
            self.past[key] = deque()
            insort(self.past_keys, key)
        self.past[key].append(_PastPointer(until, self.now.pop(key)))

    def forget(self, key: bytes) -> None:
        """Drop the oldest past pointer of a key."""
        self.past[key].popleft()
        if not self.past[key]:
            del self.past[key]
            del self.past_keys[bisect_left(self.past_keys, key)]

    def at(self, key: bytes, at: int) -> _Pointer | None:
        """Where a key pointed right after the commit at or before `at`."""
        now = self.now.get(key)
        if now is not None and now.since <= at:
            return now
        for until, pointer in reversed(self.past.get(key, ())):
            if pointer.since <= at:
                return pointer if at < until else None
        return None

    def standing(
        self, span: Interval, limit: int, rows: dict[int, Version], *, reverse: bool
    ) -> list[Entry]:
        """The entries of a range as they stand."""
        first, end = bisect_left(self.keys, span.start), bisect_left(self.keys, span.end)
        if reverse:
            keys = self.keys[max(first, end - limit) : end][::-1]
        else:
            keys = self.keys[first : min(end, first + limit)]
        now = self.now
        return [Entry(key, number := now[key].id, *rows[number]) for key in keys]

    def all_keys(self, span: Interval, *, reverse: bool) -> Iterator[bytes]:
        """Every key of a range that points somewhere now, or once did."""
        both = heapq.merge(
            _within(self.keys, span, reverse=reverse),
            _within(self.past_keys, span, reverse=reverse),
            reverse=reverse,
        )
        return (key for key, _ in groupby(both))


class MemoryStore:
    """What engines share: all that was ever sealed, and not yet pruned."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.head = 0
        self.log: list[Commit] = []
        self.rows: dict[int, Version] = {}
        self.past_rows: dict[int, deque[_PastVersion]] = {}
        self.tables: dict[int, list[int]] = {}
        self.indexes: dict[int, _Index] = {}
        self.superseded: deque[tuple[int, int | None, int | bytes]] = deque()

    def index(self, number: int) -> _Index:
        """The index with this number, made when first named."""
        return self.indexes.setdefault(number, _Index())

    def version(self, number: int, at: int) -> Version | None:
        """A row as it stood right after the commit at or before `at`."""
        now = self.rows.get(number)
        if now is not None and now.since <= at:
            return now
        for until, version in reversed(self.past_rows.get(number, ())):
            if version.since <= at:
                return version if at < until else None
        return None

    def apply(self, commit: Commit) -> None:
        """Make a commit the newest."""
        for write in commit.writes:
            self._write_row(write, commit.ts)
            for index, key in write.removed:
                self.index(index).remove(key, commit.ts)
                self.superseded.append((commit.ts, index, key))
        for write in commit.writes:
            for index, key in write.added:
                self.index(index).add(key, _Pointer(commit.ts, write.id))
        stripped = (msgspec.structs.replace(w, before=None, after=None) for w in commit.writes)
        self.log.append(msgspec.structs.replace(commit, writes=tuple(stripped)))
        self.head = commit.ts

    def forget_oldest(self) -> None:
        """Drop the version that was superseded first."""
        _, index, what = self.superseded.popleft()
        if index is not None:
            assert isinstance(what, bytes)
            self.indexes[index].forget(what)
            return
        assert isinstance(what, int)
        self.past_rows[what].popleft()
        if not self.past_rows[what]:
            del self.past_rows[what]

    def _write_row(self, write: RowWrite, ts: int) -> None:
        if write.before == write.after:
            return
        if write.before is None:
            insort(self.tables.setdefault(write.table, []), write.id)
        else:
            past = self.past_rows.setdefault(write.id, deque())
            past.append(_PastVersion(ts, self.rows[write.id]))
            self.superseded.append((ts, None, write.id))
        if write.after is not None:
            self.rows[write.id] = Version(ts, write.after)
            return
        del self.rows[write.id]
        numbers = self.tables[write.table]
        del numbers[bisect_left(numbers, write.id)]


class MemoryEngine:
    """One process's view of a `MemoryStore` (see the `Engine` contract for the methods)."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self._store = store if store is not None else MemoryStore()
        self._staged: object | None = None

    def head(self) -> int:
        """See `Engine.head`."""
        return self._store.head

    def get(self, number: int, at: int | None = None) -> Version | None:
        """See `Engine.get`."""
        store = self._store
        with store.lock:
            return store.rows.get(number) if at is None else store.version(number, at)

    def scan(
        self,
        index: int,
        span: Interval,
        *,
        limit: int,
        reverse: bool = False,
        at: int | None = None,
    ) -> list[Entry]:
        """See `Engine.scan`."""
        store = self._store
        with store.lock:
            held = store.indexes.get(index)
            if held is None or limit < 1:
                return []
            if at is None or at >= store.head:
                return held.standing(span, limit, store.rows, reverse=reverse)
            return _scan_past(store, held, held.all_keys(span, reverse=reverse), at, limit)

    def rows(self, table: int, *, after: int, limit: int) -> list[tuple[int, Version]]:
        """See `Engine.rows`."""
        store = self._store
        with store.lock:
            numbers = store.tables.get(table, [])
            first = bisect_right(numbers, after)
            return [(n, store.rows[n]) for n in numbers[first : first + max(limit, 0)]]

    def tail(self, after: int, limit: int) -> list[Commit]:
        """See `Engine.tail`."""
        with self._store.lock:
            log = self._store.log
            first = bisect_right(log, after, key=_time)
            return log[first : first + max(limit, 0)]

    def is_free(self) -> bool:
        """See `Engine.is_free`; another engine of the store never makes an append wait."""
        return self._staged is None

    def append(self, after: int, commits: Sequence[Commit]) -> Seal:
        """See `Engine.append`."""
        check_order(after, commits)
        if self._staged is not None:
            raise RuntimeError("a batch is staged; seal it before the next one")
        with self._store.lock:
            if self._store.head != after:
                raise HeadMoved(f"the head is {self._store.head}, not {after}")
            _check_fits(self._store, commits)
        self._staged = batch = tuple(commits)
        return partial(self._seal, after, batch)

    def prune(self, before: int, limit: int) -> int:
        """See `Engine.prune`."""
        store, dropped = self._store, 0
        if self._staged is not None:
            return 0
        with store.lock:
            while dropped < limit and store.superseded and store.superseded[0][0] <= before:
                store.forget_oldest()
                dropped += 1
        return dropped

    def erase(self, traces: Traces, *, after: int, until: int, limit: int) -> int:
        """See `Engine.erase`."""
        if self._staged is not None or limit < 1:
            return after
        with self._store.lock:
            log = self._store.log
            first, end = (bisect_right(log, ts, key=_time) for ts in (after, until))
            last = min(end, first + limit)
            log[first:last] = [without_traces(commit, traces) for commit in log[first:last]]
            return log[last - 1].ts if last < end else max(after, until)

    def shred(self, before: int) -> bool:
        """See `Engine.shred`; memory keeps nothing of what it drops."""
        with self._store.lock:
            superseded = self._store.superseded
            return self._staged is None and not (superseded and superseded[0][0] <= before)

    def close(self) -> None:
        """See `Engine.close`."""
        self._staged = None

    def _seal(self, after: int, batch: tuple[Commit, ...]) -> None:
        with self._store.lock:
            if self._staged is not batch:
                raise StorageFailed("the batch was dropped before its seal; append it again")
            self._staged = None
            if self._store.head != after:
                raise HeadMoved(f"the head is {self._store.head}, not {after}")
            for commit in batch:
                self._store.apply(commit)


def _time(commit: Commit) -> int:
    return commit.ts


def _within(keys: list[bytes], span: Interval, *, reverse: bool) -> Iterator[bytes]:
    # By position, so that a range costs what is taken of it and not what it holds.
    places = range(bisect_left(keys, span.start), bisect_left(keys, span.end))
    return (keys[place] for place in (reversed(places) if reverse else places))


def _scan_past(
    store: MemoryStore, index: _Index, keys: Iterator[bytes], at: int, limit: int
) -> list[Entry]:
    found: list[Entry] = []
    for key in keys:
        pointer = index.at(key, at)
        if pointer is None:
            continue
        version = store.version(pointer.id, at)
        assert version is not None, "an entry points to a row that is there"
        found.append(Entry(key, pointer.id, *version))
        if len(found) == limit:
            break
    return found


def _check_fits(store: MemoryStore, commits: Sequence[Commit]) -> None:
    """Refuse a batch that writes over what it thinks absent, or removes what is not there."""
    there: dict[object, bool] = {}

    def change(what: object, *, stored: bool, before: bool, after: bool) -> None:
        if there.setdefault(what, stored) is not before:
            state = "there" if there[what] else "not there"
            raise ValueError(f"the batch contradicts the store: {what} is {state}")
        there[what] = after

    for commit in commits:
        for write in commit.writes:
            before, after = write.before is not None, write.after is not None
            change(write.id, stored=write.id in store.rows, before=before, after=after)
            for index, key in write.removed:
                stored = key in store.index(index).now
                change((index, key), stored=stored, before=True, after=False)
        for write in commit.writes:
            for index, key in write.added:
                stored = key in store.index(index).now
                change((index, key), stored=stored, before=False, after=True)
