"""What a function notes beside its answer, kept in memory until a commit takes it in.

For facts that are worth counting and not worth a flush each, such as which tickets were handed out.
A mutation says `ctx.note(record_tickets, key, item)`; the note counts once its answer is delivered,
so neither a run that is overtaken and run again, nor one that fails, nor an answer that is given
again from memory is counted twice. About once a minute, and at an orderly stop, everything noted
goes to the named function in batches.

A note is an estimate's worth: a crash loses those of one interval, a full buffer drops the newest,
and the same item may arrive again (after a restart, from another process), so that the function
that takes it in must know an item by its key. It never hears of anything that did not happen.

Invariant: at most `MAX_WAITING` notes wait; each is in one batch, which is put back when the store
refuses it.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple

MAX_WAITING = 20_000
"""Notes of one process that wait for their commit: a few megabytes."""
MAX_BATCH = 500
"""Notes that one commit takes in."""


class Note(NamedTuple):
    """An item for a function, told from others by its key; a later one takes its place."""

    path: str
    key: str
    item: dict[str, Any]


class WriteBehind:
    """The notes of one process."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], Note] = {}
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, notes: Iterable[Note]) -> None:
        """Take in what a delivered answer noted; what finds no room is counted as dropped."""
        for note in notes:
            place = note.path, note.key
            if place in self._waiting or len(self._waiting) < MAX_WAITING:
                self._waiting[place] = note
            else:
                self._dropped += 1

    def take(self) -> list[Note]:
        """The notes that have waited longest and are for one function; at most `MAX_BATCH`."""
        if not self._waiting:
            return []
        path = next(iter(self._waiting))[0]
        same = (note for note in self._waiting.values() if note.path == path)
        taken = list(islice(same, MAX_BATCH))
        for note in taken:
            del self._waiting[note.path, note.key]
        return taken

    def put_back(self, notes: Iterable[Note]) -> None:
        """Keep notes whose commit did not happen, but for those that were noted anew since."""
        self.add(note for note in notes if (note.path, note.key) not in self._waiting)

    def take_dropped(self) -> int:
        """How many notes found no room since the last call."""
        dropped, self._dropped = self._dropped, 0
        return dropped
