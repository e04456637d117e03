"""Row versions and index entries laid over what an engine holds.

Three things are overlays: what a transaction has written so far, what is accepted and not yet
durable, and what the durable state was while a batch is in flight (its before-images).

Invariant: an overlay says of each row and entry it knows how things stand, whether or not the state
beneath it already agrees; so reading through it gives the same answer before and after a flush.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from typing import Final

from hubify.storage.engine import Commit, Engine, Entry, Version
from hubify.values.interval import Interval

ABSENT: Final = None


class Overlay:
    """What is known to differ from, or equal, the state beneath."""

    def __init__(self) -> None:
        self.rows: dict[int, Version | None] = {}
        self._keys: dict[int, list[bytes]] = {}
        self._targets: dict[int, dict[bytes, int | None]] = {}

    def __bool__(self) -> bool:
        return bool(self.rows)

    def put_row(self, number: int, version: Version | None) -> None:
        """Say how one row stands; None: it is not there."""
        self.rows[number] = version

    def put_entry(self, index: int, key: bytes, number: int | None) -> None:
        """Say to which row an entry points; None: there is no such entry."""
        targets = self._targets.setdefault(index, {})
        if key not in targets:
            insort(self._keys.setdefault(index, []), key)
        targets[key] = number

    def apply(self, commit: Commit) -> None:
        """Lay a commit's effect on top. An entry may move between rows: removals come first."""
        for write in commit.writes:
            after = write.after
            self.put_row(write.id, None if after is None else Version(commit.ts, after))
            for index, key in write.removed:
                self.put_entry(index, key, ABSENT)
        for write in commit.writes:
            for index, key in write.added:
                self.put_entry(index, key, write.id)

    def undo(self, commit: Commit) -> None:
        """Lay on top how things stood before a commit (call in reverse order of commits).

        When a before-image was written is not known here; its version says 0.
        """
        for write in commit.writes:
            before = write.before
            self.put_row(write.id, None if before is None else Version(0, before))
            for index, key in write.added:
                self.put_entry(index, key, ABSENT)
        for write in commit.writes:
            for index, key in write.removed:
                self.put_entry(index, key, write.id)

    def within(self, index: int, span: Interval) -> list[tuple[bytes, int | None]]:
        """The known entries of a range, in key order."""
        keys = self._keys.get(index)
        if not keys:
            return []
        targets = self._targets[index]
        found = keys[bisect_left(keys, span.start) : bisect_left(keys, span.end)]
        return [(key, targets[key]) for key in found]


class View:
    """An engine seen through overlays; the last one given is on top."""

    def __init__(self, engine: Engine, overlays: Sequence[Overlay], at: int | None = None) -> None:
        self._engine = engine
        self._overlays = overlays
        self._at = at
        self._seen: dict[int, Entry] = {}

    def get(self, number: int) -> Version | None:
        """One row as this view has it."""
        for overlay in reversed(self._overlays):
            if number in overlay.rows:
                return overlay.rows[number]
        seen = self._seen.get(number)
        if seen is not None:
            return Version(seen.since, seen.value)
        return self._engine.get(number, self._at)

    def scan(self, index: int, span: Interval, *, limit: int, reverse: bool = False) -> list[Entry]:
        """At most `limit` entries of a range as this view has them."""
        known: dict[bytes, int | None] = {}
        overlays = [overlay for overlay in self._overlays if overlay.rows]
        for overlay in overlays:
            known.update(overlay.within(index, span))
        found = self._engine.scan(
            index, span, limit=limit + len(known), reverse=reverse, at=self._at
        )
        for entry in found:
            self._seen[entry.id] = entry
        if known:
            found = self._merge(found, known, limit=limit + len(known), reverse=reverse)
        if overlays:
            found = [self._current(entry) for entry in found[:limit]]
        return found[:limit]

    def _merge(
        self, found: list[Entry], known: dict[bytes, int | None], *, limit: int, reverse: bool
    ) -> list[Entry]:
        exhausted = len(found) < limit
        last = None if exhausted else found[-1].key
        merged = [entry for entry in found if entry.key not in known]
        for key, number in known.items():
            beyond = last is not None and (key < last if reverse else key > last)
            if number is not None and not beyond:
                merged.append(Entry(key, number, 0, b""))
        merged.sort(key=lambda entry: entry.key, reverse=reverse)
        return merged

    def _current(self, entry: Entry) -> Entry:
        for overlay in reversed(self._overlays):
            if entry.id in overlay.rows:
                version = overlay.rows[entry.id]
                assert version is not None, "an entry points to a row that is there"
                return Entry(entry.key, entry.id, *version)
        if entry.since:
            return entry
        version = self._engine.get(entry.id, self._at)
        assert version is not None, "an entry points to a row that is there"
        return Entry(entry.key, entry.id, *version)


class PastView(View):
    """An engine as it stood; `check(index)` refuses an index that did not hold all rows then."""

    def __init__(self, engine: Engine, at: int, check: Callable[[int], None]) -> None:
        super().__init__(engine, [], at)
        self._check = check

    def scan(self, index: int, span: Interval, *, limit: int, reverse: bool = False) -> list[Entry]:
        """At most `limit` entries of a range as they stood."""
        self._check(index)
        return super().scan(index, span, limit=limit, reverse=reverse)
