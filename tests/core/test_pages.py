"""Cursors stay within the range of the query that made them, whatever a caller writes into one."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.core.pages import InvalidCursor, PageRequest, Position
from hubify.values.interval import prefix_interval

MINE = prefix_interval(b"\x06mine\x00")
INDEX = 7


def cursor(position: Position, key: bytes) -> str:
    """A cursor with the right fingerprint and a key of the caller's choice."""
    real = position.page([1], [b"k"], PageRequest(1), more=True).continue_cursor
    fingerprint = base64.urlsafe_b64decode(real + "==")[:4]
    return base64.urlsafe_b64encode(fingerprint + key).decode().rstrip("=")


@given(st.booleans(), st.none() | st.binary(max_size=9), st.none() | st.binary(max_size=9))
def test_no_cursor_shows_keys_beyond_the_range_of_its_query(
    reverse: bool,  # noqa: FBT001 - drawn by hypothesis
    after: bytes | None,
    until: bytes | None,
) -> None:
    position = Position(INDEX, MINE, reverse=reverse)
    request = PageRequest(
        5,
        None if after is None else cursor(position, after),
        None if until is None else cursor(position, until),
    )
    window = position.window(request)
    assert MINE.start <= window.start <= window.end <= MINE.end


def test_a_cursor_of_another_query_is_refused() -> None:
    other = cursor(Position(INDEX, prefix_interval(b"\x06yours\x00"), reverse=False), b"k")
    for reverse in (False, True):
        with pytest.raises(InvalidCursor):
            Position(INDEX, MINE, reverse=reverse).window(PageRequest(5, other))
