"""A naive storage engine to compare real ones with: a full copy of the state after each commit.

Invariant: nothing here is clever. A question about a time is answered by filtering and sorting the
copy of that time, so that what it says needs no proof.
"""

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from hubify.storage.engine import Commit, Entry, RowWrite, Traces, Version
from hubify.values.interval import EVERYTHING, Interval, prefix_interval

NUMBERS = (1, 2, 3, 4, 5, 2**62)
INDEXES = (1, 2, 300)
KEYS = (
    b"",
    b"\x00",
    b"\x00\xff",
    b"a",
    b"a\x00",
    b"a\x00b",
    b"ab",
    b"b",
    b"\x7f",
    b"\x80",
    b"\xfe",
)
ENTRIES = tuple((index, key) for index in INDEXES for key in KEYS)
VALUES = (b"", b"\x00", b"one", b"two", b"three")
SPANS = (
    EVERYTHING,
    prefix_interval(b"a"),
    *(Interval(start, end) for start in KEYS[::3] for end in KEYS[1::3]),
)


class StoredRow(NamedTuple):
    """A row with the table it belongs to."""

    table: int
    version: Version


class State(NamedTuple):
    """All that stood right after one commit."""

    ts: int
    rows: dict[int, StoredRow]
    entries: dict[tuple[int, bytes], int]

    def entries_of(self, number: int) -> set[tuple[int, bytes]]:
        """The entries that point to a row."""
        return {entry for entry, owner in self.entries.items() if owner == number}


class EngineModel:
    """What an engine must answer."""

    def __init__(self) -> None:
        self.states = [State(0, {}, {})]
        self.log: list[Commit] = []
        self.superseded: list[int] = []  # until when each superseded version stood
        self.horizon = 0  # the newest prune: times before it may not be read

    @property
    def newest(self) -> State:
        """The state as it stands."""
        return self.states[-1]

    def state(self, at: int | None) -> State:
        """The state now, or right after the last commit at or before `at`."""
        if at is None:
            return self.newest
        return [state for state in self.states if state.ts <= at][-1]

    def get(self, number: int, at: int | None) -> Version | None:
        """As `Engine.get`."""
        row = self.state(at).rows.get(number)
        return row and row.version

    def scan(
        self, index: int, span: Interval, *, limit: int, reverse: bool, at: int | None
    ) -> list[Entry]:
        """As `Engine.scan`."""
        state = self.state(at)
        keys = [key for of, key in state.entries if of == index and key in span]
        keys.sort(reverse=reverse)
        owners = [(key, state.entries[index, key]) for key in keys[:limit]]
        return [Entry(key, owner, *state.rows[owner].version) for key, owner in owners]

    def rows(self, table: int, *, after: int, limit: int) -> list[tuple[int, Version]]:
        """As `Engine.rows`."""
        rows = sorted(self.newest.rows.items())
        found = [(number, row.version) for number, row in rows if row.table == table]
        return [(number, version) for number, version in found if number > after][:limit]

    def tail(self, after: int, limit: int) -> list[Commit]:
        """As `Engine.tail`."""
        return [commit for commit in self.log if commit.ts > after][:limit]

    def apply(self, commits: Sequence[Commit]) -> None:
        """Make each commit the newest."""
        for commit in commits:
            before = self.newest
            after = following(before, commit)
            self.states.append(after)
            self.log.append(without_values(commit))
            # A version of a row ends when other bytes take its place, an entry's when it is removed
            # (even if the same commit adds it again).
            ended = [n for n, row in before.rows.items() if after.rows.get(n) != row]
            removed = [entry for write in commit.writes for entry in write.removed]
            self.superseded += [commit.ts] * (len(ended) + len(removed))

    def prune(self, before: int, limit: int) -> int:
        """As `Engine.prune`."""
        self.horizon = max(self.horizon, before)
        dropped = len([until for until in self.superseded if until <= before][:limit])
        self.superseded = sorted(self.superseded)[dropped:]
        return dropped

    def erase(self, traces: Traces, *, after: int, until: int, limit: int) -> int:
        """As `Engine.erase`."""
        if limit < 1:
            return after
        due = [commit for commit in self.log if after < commit.ts <= until]
        for commit in due[:limit]:
            self.log[self.log.index(commit)] = cleared(commit, traces)
        return due[limit - 1].ts if len(due) > limit else max(after, until)

    def shred(self, before: int) -> bool:
        """As `Engine.shred`, when nobody reads or writes."""
        return all(until > before for until in self.superseded)


def cleared(commit: Commit, traces: Traces) -> Commit:
    """A log record less the keys and the caller that are to go."""

    def left(number: int, entries: tuple[tuple[int, bytes], ...]) -> tuple[tuple[int, bytes], ...]:
        keys = {
            key
            for _, key in entries
            if number in traces.rows or (traces.names and all(name in key for name in traces.names))
        }
        return tuple(entry for entry in entries if entry[1] not in keys)

    writes = [
        RowWrite(w.table, w.id, None, None, left(w.id, w.removed), left(w.id, w.added))
        for w in commit.writes
    ]
    named = bool(traces.names) and all(name in commit.caller.encode() for name in traces.names)
    caller = "erased" if named or commit.caller in traces.callers else commit.caller
    return Commit(commit.ts, commit.function, caller, tuple(writes))


@st.composite
def all_traces(draw: st.DrawFn) -> Traces:
    """What may be asked to go from the log."""
    names = draw(st.lists(st.sampled_from([b"a", b"\x00", b"b", b"\xff", b"s"]), max_size=2))
    callers = draw(st.sets(st.sampled_from(["user", "", "nobody"])))
    return Traces(draw(st.sets(st.sampled_from(NUMBERS))), tuple(names), callers)


def following(state: State, commit: Commit) -> State:
    """The state right after a commit."""
    rows, entries = dict(state.rows), dict(state.entries)
    for write in commit.writes:
        if write.before != write.after:
            rows.pop(write.id, None)
            if write.after is not None:
                rows[write.id] = StoredRow(write.table, Version(commit.ts, write.after))
        for entry in write.removed:
            del entries[entry]
    for write in commit.writes:
        for entry in write.added:
            entries[entry] = write.id
    return State(commit.ts, rows, entries)


def without_values(commit: Commit) -> Commit:
    """The commit as the log keeps it."""
    writes = [RowWrite(w.table, w.id, None, None, w.removed, w.added) for w in commit.writes]
    return Commit(commit.ts, commit.function, commit.caller, tuple(writes))


@st.composite
def batches(draw: st.DrawFn, state: State, most: int = 3) -> list[Commit]:
    """Commits that may follow a state, in their order."""
    batch: list[Commit] = []
    for _ in range(draw(st.integers(1, most))):
        batch.append(draw(commits(state)))
        state = following(state, batch[-1])
    return batch


@st.composite
def commits(draw: st.DrawFn, state: State) -> Commit:
    """One commit that may follow a state: rows come, change and go, and entries change hands."""
    numbers = draw(st.lists(st.sampled_from(NUMBERS), unique=True, max_size=3))
    kept = {entry for entry, owner in state.entries.items() if owner not in numbers}
    free = [entry for entry in ENTRIES if entry not in kept]
    writes: list[RowWrite] = []
    for number in numbers:
        row, held = state.rows.get(number), state.entries_of(number)
        before = row and row.version.value
        after = draw(st.none() | st.sampled_from(VALUES))
        wanted: set[tuple[int, bytes]] = set()
        if free and after is not None:
            wanted = draw(st.sets(st.sampled_from(free), max_size=3))
        free = [entry for entry in free if entry not in wanted]
        again = draw(st.booleans())  # remove and add what stays, too
        removed = tuple(sorted(held if again else held - wanted))
        added = tuple(sorted(wanted if again else wanted - held))
        table = row.table if row else draw(st.integers(1, 2))
        writes.append(RowWrite(table, number, before, after, removed, added))
    ts = state.ts + draw(st.integers(1, 3))
    function, caller = draw(st.sampled_from([("a.b", "user"), ("système", "")]))
    return Commit(ts, function, caller, tuple(draw(st.permutations(writes))))
