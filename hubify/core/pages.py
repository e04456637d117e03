"""Pages of an index range: cursors that survive inserts and deletes.

Invariant: a page covers the keys in (cursor, continue_cursor]; following cursors from the start to
`is_done` shows each row that stays put exactly once. With `end_cursor` a page keeps its end while
rows come and go inside it (Convex's gapless pagination; protocol page section 4).
"""

import base64
import binascii
from typing import ClassVar, Generic, Protocol, TypeVar
from zlib import crc32

import msgspec

from hubify.values import limits
from hubify.values.errors import InvalidInput
from hubify.values.interval import Interval

T = TypeVar("T")
S = TypeVar("S")
END = b"\xff"


class InvalidCursor(InvalidInput):
    """The cursor was made by another query, or is not a cursor; start again from the first page."""

    code = "INVALID_CURSOR"

    def __init__(self) -> None:
        super().__init__(
            "InvalidCursor: this cursor belongs to another query; start again without one",
            isConvexSystemError=True,
            paginationError="InvalidCursor",
        )


class PageRequest(msgspec.Struct, frozen=True, rename="camel"):
    """`paginationOpts` as Convex clients send it; `id` only tells two identical pages apart."""

    ignores_unknown_fields: ClassVar[bool] = True  # newer clients may send more

    num_items: int = limits.DEFAULT_PAGE_ROWS
    cursor: str | None = None
    end_cursor: str | None = None
    id: float | None = None
    maximum_rows_read: int | None = None
    maximum_bytes_read: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.num_items <= limits.MAX_PAGE_ROWS:
            message = f"numItems must be between 1 and {limits.MAX_PAGE_ROWS}"
            raise InvalidInput(message)


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page and where the next begins; `is_done` when there is nothing beyond it."""

    page: list[T]
    is_done: bool
    continue_cursor: str
    split_cursor: str | None = None
    page_status: str | None = None

    def of(self, shown: "list[S]") -> "Page[S]":
        """The same page of what is shown in place of its rows."""
        return Page(shown, self.is_done, self.continue_cursor, self.split_cursor, self.page_status)


class Cursors(Protocol):
    """How the key a page ends with is written into its cursor, and read again."""

    def write(self, key: bytes, about: bytes) -> str:
        """The cursor that stands behind a key in the list that `about` names; always the same."""
        ...

    def read(self, cursor: str, about: bytes) -> bytes:
        """The key in a cursor.

        Raises:
            InvalidCursor: it is none, or one of another list.

        """
        ...


class PlainCursors:
    """Cursors that everybody can read and make, for lists that nobody outside is given."""

    def write(self, key: bytes, about: bytes) -> str:
        """As `Cursors.write`."""
        raw = crc32(about).to_bytes(4, "big") + key
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def read(self, cursor: str, about: bytes) -> bytes:
        """As `Cursors.read`."""
        try:
            raw = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
        except (binascii.Error, UnicodeEncodeError):
            raise InvalidCursor from None
        if raw[:4] != crc32(about).to_bytes(4, "big"):
            raise InvalidCursor
        return raw[4:]


PLAIN = PlainCursors()


class Position:
    """Turns keys of one query into cursors and back."""

    def __init__(
        self, index: int, span: Interval, *, reverse: bool, cursors: Cursors = PLAIN
    ) -> None:
        self._span = span
        self._reverse = reverse
        self._cursors = cursors
        self._about = b"%d %d " % (index, reverse) + span.start + b"|" + span.end

    def window(self, request: PageRequest) -> Interval:
        """The keys that a page may show: after its cursor, up to its end cursor.

        Never more than the query's own range, since a caller can write any key into a cursor.
        """
        start, end = self._span
        after = self._key(request.cursor) if request.cursor is not None else None
        until = self._key(request.end_cursor) if request.end_cursor is not None else None
        if after == END:
            return Interval(end, end)
        if self._reverse:
            high = after if after is not None else end
            low = until if until not in (None, END) else start
        else:
            low = after + b"\x00" if after is not None else start
            high = until + b"\x00" if until not in (None, END) else end
        low, high = (min(max(key, start), end) for key in (low, high))
        return Interval(low, max(low, high))

    def page(
        self, rows: list[T], keys: list[bytes], request: PageRequest, *, more: bool
    ) -> Page[T]:
        """Wrap a page's rows with its cursors."""
        if request.end_cursor is not None and not more:
            is_done = self._key(request.end_cursor) == END
            return self._wrap(rows, keys, request.end_cursor, is_done=is_done, request=request)
        if more:
            return self._wrap(rows, keys, self._cursor(keys[-1]), is_done=False, request=request)
        return self._wrap(rows, keys, self._cursor(END), is_done=True, request=request)

    def _wrap(
        self, rows: list[T], keys: list[bytes], end: str, *, is_done: bool, request: PageRequest
    ) -> Page[T]:
        # A live page that has grown far past its first size should be read as two.
        crowded = request.end_cursor is not None and len(rows) > 2 * request.num_items
        return Page(
            page=rows,
            is_done=is_done,
            continue_cursor=end,
            split_cursor=self._cursor(keys[len(keys) // 2]) if crowded else None,
            page_status="SplitRecommended" if crowded else None,
        )

    def _cursor(self, key: bytes) -> str:
        return self._cursors.write(key, self._about)

    def _key(self, cursor: str) -> bytes:
        return self._cursors.read(cursor, self._about)
