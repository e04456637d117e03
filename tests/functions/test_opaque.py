"""Cursors and labels tell nothing of what they stand for, and nobody else can make them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.core.pages import InvalidCursor
from hubify.functions.opaque import LABEL_DIGITS, Labels, SealedCursors
from hubify.functions.sealing import KEY_BYTES

OLD, NEW = b"o" * KEY_BYTES, b"n" * KEY_BYTES
CURSORS = SealedCursors([NEW])


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_a_cursor_is_read_again_and_is_the_same_whenever_it_is_made(
    key: bytes, about: bytes
) -> None:
    cursor = CURSORS.write(key, about)
    assert CURSORS.read(cursor, about) == key
    assert SealedCursors([NEW]).write(key, about) == cursor


@given(st.text(st.characters(codec="ascii"), min_size=4, max_size=60))
def test_nothing_of_a_key_stands_in_its_cursor(name: str) -> None:
    cursor = CURSORS.write(name.encode(), b"list")
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert name.encode() not in raw
    assert name not in cursor


def test_short_keys_have_cursors_of_one_length() -> None:
    assert len({len(CURSORS.write(b"k" * size, b"list")) for size in range(32)}) == 1


@pytest.mark.parametrize(
    "cursor", ["", "x", "a" * 64, "no cursor %", "\ud800", "é", CURSORS.write(b"k", b"other")]
)
def test_what_is_no_cursor_of_this_list_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        CURSORS.read(cursor, b"list")


def test_a_changed_cursor_is_refused() -> None:
    cursor = CURSORS.write(b"key", b"list")
    for place, letter in enumerate(cursor[:-1]):
        changed = cursor[:place] + ("A" if letter != "A" else "B") + cursor[place + 1 :]
        with pytest.raises(InvalidCursor):
            CURSORS.read(changed, b"list")


def test_a_cursor_made_with_an_older_key_is_still_read() -> None:
    cursor = SealedCursors([OLD]).write(b"key", b"list")
    assert SealedCursors([OLD, NEW]).read(cursor, b"list") == b"key"
    with pytest.raises(InvalidCursor):
        SealedCursors([NEW]).read(cursor, b"list")


def test_labels_tell_names_apart_and_need_the_key() -> None:
    labels = Labels([NEW])
    made = [labels.label(*name) for name in (("a", "b"), ("ab",), ("a", "c"), ("", "ab"))]
    assert len(set(made)) == len(made)
    assert {len(label) for label in made} == {LABEL_DIGITS}
    assert labels.label("a", "b") == made[0]
    assert Labels([OLD]).label("a", "b") != made[0]
