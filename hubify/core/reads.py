"""What a function read: rows by number and ranges of indexes, present or absent.

Invariant: a commit that could change what the function saw overlaps its read set. A row's change of
content is caught by its number; an entry that comes or goes, by its key (old and new both count).
"""

from hubify.storage.engine import Commit, RowWrite
from hubify.values import limits
from hubify.values.errors import TooLarge
from hubify.values.interval import Interval


class ReadSet:
    """Row numbers and, per index, key ranges. A number that no row has yet is an absence read."""

    __slots__ = ("_intervals", "rows", "spans")

    def __init__(self) -> None:
        self.rows: set[int] = set()
        self.spans: dict[int, set[Interval]] = {}
        self._intervals = 0

    def add_row(self, number: int) -> None:
        """Note that a row was read, or found missing."""
        self.rows.add(number)

    def add_span(self, index: int, span: Interval) -> None:
        """Note that a range of an index was read.

        Raises:
            TooLarge: more ranges than one function may read.

        """
        spans = self.spans.setdefault(index, set())
        if span not in spans:
            spans.add(span)
            self._intervals += 1
            if self._intervals > limits.MAX_INTERVALS:
                message = (
                    f"one function may read {limits.MAX_INTERVALS} index ranges; "
                    "read a range instead of many single keys, or split the work into jobs"
                )
                raise TooLarge(message)

    def overlaps(self, commit: Commit) -> bool:
        """Whether the commit could change what was read."""
        return any(self.touched_by(write) for write in commit.writes)

    def touched_by(self, write: RowWrite) -> bool:
        """Whether one row's change could."""
        return (
            write.id in self.rows
            or any(self._holds(index, key) for index, key in write.removed)
            or any(self._holds(index, key) for index, key in write.added)
        )

    def _holds(self, index: int, key: bytes) -> bool:
        spans = self.spans.get(index)
        return spans is not None and any(key in span for span in spans)
