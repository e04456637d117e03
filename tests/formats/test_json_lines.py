"""JSON from strangers: one shape, one error, times in milliseconds."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from hubify.formats.json_lines import NotJson, decode_json, milliseconds


class Shape(Struct):
    a: int
    b: str = ""


def test_json_of_the_shape_is_decoded_and_more_is_ignored() -> None:
    assert decode_json(b'{"a": 1, "c": []}', Shape) == Shape(1)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b'{"a": "1"}', b'{"a": 1, "b": "\xff"}', b'{"a": 1, "b": "\\ud800"}'],
)
def test_anything_else_is_one_error(data: bytes) -> None:
    with pytest.raises(NotJson) as error:
        decode_json(data, Shape)
    assert str(error.value).isprintable()


def test_too_many_bytes_are_not_looked_at() -> None:
    with pytest.raises(NotJson, match="more than 4"):
        decode_json(b'{"a":1}', Shape, limit=4)


def test_nesting_without_end_is_the_same_error() -> None:
    with pytest.raises(NotJson):
        decode_json(b'{"c":' + b"[" * 100_000, Shape)


@given(st.binary(max_size=60))
def test_no_bytes_raise_another_error(data: bytes) -> None:
    with suppress(NotJson):
        decode_json(data, Shape)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1970-01-01T00:00:01", 1000),
        ("1970-01-01T01:00:00.0019+01:00", 1),
        ("2026-03-16T01:09:22.638087", 1773623362638),
        ("1969-12-31T23:59:59.999Z", -1),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_time_without_a_zone_is_utc(text: str, time: int | None) -> None:
    assert milliseconds(text) == time


@given(st.text(max_size=40))
def test_no_text_is_too_strange_for_a_time(text: str) -> None:
    milliseconds(text)
