"""One function's snapshot, with what it read and what it wrote.

Invariant: this is the only road to stored rows, and every road through it notes the read; a write
is seen by the transaction's own later reads and by nobody else until the commit.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from hubify.core.overlay import Overlay, View
from hubify.core.pages import PLAIN, Cursors, Page, PageRequest, Position
from hubify.core.reads import ReadSet
from hubify.core.schema import BoundIndex, BoundTable, entries_alike
from hubify.core.schema import Entry as IndexEntry
from hubify.core.words import words_of
from hubify.storage.engine import Entry, RowWrite, Version
from hubify.values import limits
from hubify.values.errors import AppError, Conflict, TooLarge
from hubify.values.interval import Interval, prefix_interval
from hubify.values.keys import encode_component, encode_key
from hubify.values.rows import Query, Row
from hubify.values.values import check_storable

R = TypeVar("R", bound=Row)


class Snapshot:
    """What a transaction needs of the database: a view, the tables, fresh row numbers, a watch."""

    def __init__(
        self,
        view: Callable[[list[Overlay]], View],
        table_of: Callable[[type[Row]], BoundTable],
        next_number: Callable[[], int],
        watch: Callable[[], None],
    ) -> None:
        self.view = view
        self.table_of = table_of
        self.next_number = next_number
        self.watch = watch


class Transaction:
    """Typed reads and writes over one snapshot, within the limits of one function."""

    def __init__(self, snapshot: Snapshot, *, writable: bool) -> None:
        self.reads = ReadSet()
        self.writable = writable
        self._snapshot = snapshot
        self._own = Overlay()
        self._view = snapshot.view([self._own] if writable else [])
        self._writes: dict[int, _Write] = {}
        self._found_empty: set[tuple[int, Interval]] = set()
        self._held_rows: dict[int, tuple[bytes, Row]] = {}
        self._rows_read = 0
        self._bytes_read = 0
        self._bytes_written = 0

    # Reading.

    def get(self, row_type: type[R], row_id: str) -> R | None:
        """The row with this id, or None; an id of another table is None as well."""
        table = self._snapshot.table_of(row_type)
        number = table.number_of(row_id)
        if number is None:
            return None
        version = self._version(number)
        return None if version is None else table.decode(version.value)

    def take(self, query: Query[R], *, limit: int) -> list[R]:
        """At most `limit` rows, in index order."""
        table, index, span = self._plan(query)
        entries = self._scan(index, span, limit=limit, reverse=query.descending)
        if not entries:
            self._found_empty.add((index.number, span))
        return [table.decode(entry.value) for entry in entries]

    def first(self, query: Query[R]) -> R | None:
        """The first row in index order, or None."""
        found = self.take(query, limit=1)
        return found[0] if found else None

    def one(self, query: Query[R], *, missing: AppError) -> R:
        """The first row; raises `missing` when there is none."""
        found = self.first(query)
        if found is None:
            raise missing
        return found

    def page(self, query: Query[R], request: PageRequest, cursors: Cursors = PLAIN) -> Page[R]:
        """A page of rows between two cursors, to be continued at its own.

        Raises:
            InvalidInput: the cursor belongs to another query (`InvalidCursor`).

        """
        table, index, span = self._plan(query)
        position = Position(index.number, span, reverse=query.descending, cursors=cursors)
        window = position.window(request)
        count = limits.MAX_PAGE_ROWS if request.end_cursor is not None else request.num_items
        entries = self._scan(index, window, limit=count + 1, reverse=query.descending)
        more = len(entries) > count
        shown = entries[:count]
        rows = [table.decode(entry.value) for entry in shown]
        return position.page(rows, [entry.key for entry in shown], request, more=more)

    @property
    def bytes_left(self) -> int:
        """How many bytes of rows this transaction may still read."""
        return limits.MAX_BYTES_READ - self._bytes_read

    def words_in(self, row: Row) -> list[str]:
        """The words that a row is found by."""
        index = self._snapshot.table_of(type(row)).words_index()
        return words_of(getattr(row, field) for field in index.fields)

    def holders(
        self,
        row_type: type[R],
        word: str,
        *,
        within: Sequence[object] = (),
        prefix: bool = False,
        limit: int = limits.MAX_WORD_POSTINGS,
    ) -> list[R]:
        """Rows whose words include `word` (or one that begins with it).

        `within`: values of the fields that the index stands apart by. The highest by the fields
        that it is ordered by come first, of those the newest.
        """
        table = self._snapshot.table_of(row_type)
        index = table.words_index()
        assert len(within) == len(index.index.within), "a search says within which rows it looks"
        encoded = encode_key(within) + encode_component(word)
        span = prefix_interval(encoded[:-1] if prefix else encoded)
        entries = self._scan(index, span, limit=limit, reverse=True)
        return [self._held_row(table, entry) for entry in entries]

    # Writing.

    def insert(self, row: R) -> R:
        """Store a new row; answers it with its id.

        Raises:
            Conflict: a unique index has these values already.

        """
        table = self._writable_table(row)
        number = self._snapshot.next_number()
        stored = row.changed(id=table.id_of(number))
        self._write(table, number, None, stored)
        return stored

    def replace(self, row: R, **changes: Any) -> R:
        """Store a changed version of a row that is there; answers it.

        Raises:
            Conflict: the row is gone, or a unique index has the new values already.

        """
        table = self._writable_table(row)
        number = self._number(table, row)
        before = self._version(number)
        if before is None:
            message = f"the row {row.id} of {table.name} is gone"
            raise Conflict(message)
        after = row.changed(**changes) if changes else row
        self._write(table, number, before.value, after)
        return after

    def delete(self, row: Row) -> None:
        """Remove a row; removing one that is gone does nothing."""
        table = self._writable_table(row)
        number = self._number(table, row)
        before = self._version(number)
        if before is not None:
            self._write(table, number, before.value, None)

    def changes(self) -> tuple[RowWrite, ...]:
        """What the transaction does to each row, as the log keeps it."""
        return tuple(
            write.as_row_write(number)
            for number, write in self._writes.items()
            if write.before != write.after
        )

    # How reads are noted, and limits kept.

    def _version(self, number: int) -> Version | None:
        self._snapshot.watch()
        self.reads.add_row(number)
        version = self._view.get(number)
        if version is not None:
            self._count(1, len(version.value))
        return version

    def _scan(self, index: BoundIndex, span: Interval, *, limit: int, reverse: bool) -> list[Entry]:
        self._snapshot.watch()
        assert limit > 0, "every list is bounded by a positive limit"
        found = self._view.scan(index.number, span, limit=limit, reverse=reverse)
        self.reads.add_span(index.number, _covered(span, found, limit=limit, reverse=reverse))
        size = 0
        for entry in found:
            self.reads.add_row(entry.id)
            size += len(entry.value)
        self._count(len(found), size)
        return found

    def _held_row(self, table: BoundTable, entry: Entry) -> Any:
        """A row that several words may point to, decoded once."""
        value, row = self._held_rows.get(entry.id, (None, None))
        if value != entry.value:
            row = table.decode(entry.value)
            self._held_rows[entry.id] = (entry.value, row)
        return row

    def _count(self, rows: int, size: int) -> None:
        self._rows_read += rows
        self._bytes_read += size
        if self._rows_read > limits.MAX_ROWS_READ:
            message = (
                f"one function may read {limits.MAX_ROWS_READ} rows; "
                "narrow the range, take pages, or split the work into jobs"
            )
            raise TooLarge(message)
        if self._bytes_read > limits.MAX_BYTES_READ:
            message = (
                f"one function may read {limits.MAX_BYTES_READ // limits.MIB} MiB; "
                "narrow the range, take pages, or split the work into jobs"
            )
            raise TooLarge(message)

    def _plan(self, query: Query[R]) -> tuple[BoundTable, BoundIndex, Interval]:
        table = self._snapshot.table_of(query.row_type)
        index = table.index_for(query)
        equal = query.equal
        prefix = encode_key([equal[field] for field in index.fields[: len(equal)]])
        return table, index, _range(prefix, query)

    def _number(self, table: BoundTable, row: Row) -> int:
        number = table.number_of(row.id)
        assert number is not None, "a row is written back under its own id"
        return number

    def _writable_table(self, row: Row) -> BoundTable:
        assert self.writable, "a query cannot write"
        return self._snapshot.table_of(type(row))

    def _write(
        self, table: BoundTable, number: int, before: bytes | None, after: Row | None
    ) -> None:
        self._snapshot.watch()
        value = None if after is None else self._encode(table, after)
        removed, added = _moved_entries(table, number, before, after)
        self._refuse_duplicates(table, number, dict(added))
        self._written(table, number, before).change(value, removed, added)
        self._own.put_row(number, None if value is None else Version(0, value))
        for index, key in removed:
            self._own.put_entry(index, key, None)
        for index, key in added:
            self._own.put_entry(index, key, number)

    def _written(self, table: BoundTable, number: int, before: bytes | None) -> "_Write":
        write = self._writes.get(number)
        if write is None:
            write = self._writes[number] = _Write(table, before)
            if len(self._writes) > limits.MAX_ROWS_WRITTEN:
                message = (
                    f"one mutation may write {limits.MAX_ROWS_WRITTEN} rows; split it into jobs"
                )
                raise TooLarge(message)
        return write

    def _encode(self, table: BoundTable, row: Row) -> bytes:
        value = table.encode(row)
        if len(value) > limits.MAX_DOCUMENT_BYTES:
            message = f"a row of {table.name} is over 1 MiB; keep large contents in parts"
            raise TooLarge(message)
        for name in table.free_fields:
            check_storable(getattr(row, name), name)
        self._bytes_written += len(value)
        if self._bytes_written > limits.MAX_BYTES_WRITTEN:
            message = (
                f"one mutation may write {limits.MAX_BYTES_WRITTEN // limits.MIB} MiB; "
                "split it into jobs"
            )
            raise TooLarge(message)
        return value

    def _refuse_duplicates(
        self, table: BoundTable, number: int, added: Mapping[int, bytes]
    ) -> None:
        for bound in table.unique_indexes:
            key = added.get(bound.number)
            if key is None:
                continue
            span = entries_alike(key)
            if (bound.number, span) in self._found_empty:  # by whoever looked before it inserts
                self._found_empty.discard((bound.number, span))
                continue
            holders = self._scan(bound, span, limit=2, reverse=False)
            if any(entry.id != number for entry in holders):
                names = ", ".join(bound.fields)
                message = f"{table.name} has a row with the same {names} already"
                raise Conflict(message)


class _Write:
    """One row's state before the transaction and after its last write."""

    def __init__(self, table: BoundTable, before: bytes | None) -> None:
        self.table = table
        self.before = before
        self.after: bytes | None = None
        self.removed: set[IndexEntry] = set()
        self.added: set[IndexEntry] = set()

    def change(self, after: bytes | None, removed: set[IndexEntry], added: set[IndexEntry]) -> None:
        """Take in one more write; an entry that comes and goes again leaves no trace."""
        self.after = after
        self.removed, self.added = (
            (self.removed | (removed - self.added)) - added,
            (self.added | (added - self.removed)) - removed,
        )

    def as_row_write(self, number: int) -> RowWrite:
        return RowWrite(
            table=self.table.number,
            id=number,
            before=self.before,
            after=self.after,
            removed=tuple(sorted(self.removed)),
            added=tuple(sorted(self.added)),
        )


def _moved_entries(
    table: BoundTable, number: int, before: bytes | None, after: Row | None
) -> tuple[set[IndexEntry], set[IndexEntry]]:
    """The index entries that a write of one row removes, and those that it adds."""
    if before is None:
        return set(), set() if after is None else table.entries(after, number)
    known = table.decode(before)
    if after is None:
        return table.entries(known, number), set()
    return table.moved_entries(known, after, number)


def _range(prefix: bytes, query: Query[Any]) -> Interval:
    start, end = span = prefix_interval(prefix)
    if query.lower is None and query.upper is None:
        return span
    if query.lower is not None:
        key = prefix + encode_component(query.lower.value)
        start = key if query.lower.inclusive else prefix_interval(key).end
    if query.upper is not None:
        key = prefix + encode_component(query.upper.value)
        end = prefix_interval(key).end if query.upper.inclusive else key
    return Interval(start, max(start, end))


def _covered(span: Interval, found: list[Entry], *, limit: int, reverse: bool) -> Interval:
    # Rows beyond the last one taken cannot change a bounded list, so the range ends there.
    if len(found) < limit:
        return span
    last = found[-1].key
    return Interval(last, span.end) if reverse else Interval(span.start, last + b"\x00")
