"""Words of a path or query string become values of the argument's type, or a clear refusal."""

from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.transports.rest.query_text import reader_of
from hubify.values.errors import InvalidInput, TooLarge
from hubify.values.ids import RowId
from hubify.values.values import Int64

Short = Annotated[str, msgspec.Meta(max_length=3)]


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Point(msgspec.Struct):
    x: int
    y: int = 0


def read(declared: object, *texts: str) -> object:
    return reader_of(declared)("it", texts)


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        (str, "5", "5"),
        (str, "", ""),
        (str | None, "true", "true"),
        (RowId, "00ff", "00ff"),
        (Short, "abc", "abc"),
        (Colour, "red", "red"),
        (Colour | None, "red", "red"),
        (Literal["a", "b"], "a", "a"),
        (int, "42", 42),
        (int, "-7", -7),
        (int, "2e3", 2000),
        (float, "1.5", 1.5),
        (float, "1.0", 1),
        (float | None, "1e-3", 0.001),
        (bool, "true", True),
        (bool, "FALSE", False),
        (bool, "1", True),
        (bool | None, "0", False),
        (Int64, "9223372036854775807", Int64(2**63 - 1)),
        (bytes, "aGk=", "aGk="),
        (int | str, "5", "5"),
        (dict[str, int], '{"a":1}', {"a": 1}),
        (Point, '{"x":1}', {"x": 1}),
        (Point | None, '{"x":1}', {"x": 1}),
        (Any, '{"x":1}', {"x": 1}),
        (Any, "plain", "plain"),
        (bool | float, "2", 2),
    ],
)
def test_a_text_is_read_by_the_declared_type(declared: object, text: str, value: object) -> None:
    assert read(declared, text) == value
    assert type(read(declared, text)) is type(value)


@pytest.mark.parametrize(
    ("declared", "texts", "value"),
    [
        (list[str], ["a", "b"], ["a", "b"]),
        (list[str], ["a,b"], ["a", "b"]),
        (list[str], ['["a,b"]'], ["a,b"]),
        (list[str], [""], []),
        (list[int], ["1", "2"], [1, 2]),
        (tuple[int, ...], ["1,2"], [1, 2]),
        (Annotated[tuple[Short, ...], msgspec.Meta(max_length=2)], ["a", "b"], ["a", "b"]),
        (set[Colour], ["red", "blue"], ["red", "blue"]),
        (list[bool] | None, ["true,false"], [True, False]),
        (str | list[str], ["a"], "a"),
        (str | list[str], ["a", "b"], ["a", "b"]),
    ],
)
def test_lists_come_repeated_with_commas_or_as_json(
    declared: object, texts: list[str], value: object
) -> None:
    assert read(declared, *texts) == value


@pytest.mark.parametrize(
    ("declared", "text", "message"),
    [
        (int, "abc", "it must be a number, not 'abc'"),
        (int, "", "it must be a number, not nothing"),
        (int, "0x10", "must be a number"),
        (int, " 1", "must be a number"),
        (int, "1_000", "must be a number"),
        (int, "٣", "must be a number"),
        (float, "nan", "must be a number"),
        (float, "Infinity", "must be a number"),
        (float, "1e999", "it is beyond what a number holds"),
        (int, "9007199254740993", "it is beyond what a number holds"),
        (bool, "yes", "it must be true or false, not 'yes'"),
        (Int64, "1.5", "it must be a whole number"),
        (Int64, "9223372036854775808", "64 bits"),
        (list[int], "1,x", r"it\[1\] must be a number"),
        (Point, "{x:1}", "it is not valid JSON"),
        (dict[str, Any], '{"a":NaN}', "it is not valid JSON"),
        (dict[str, Any], '{"a":"\\ud800"}', "it holds a lone surrogate"),
    ],
)
def test_a_wrong_text_is_refused_by_the_name_of_its_parameter(
    declared: object, text: str, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        read(declared, text)


def test_a_single_value_given_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="it is given 2 times; give it once"):
        read(str, "a", "b")


def test_a_wrong_text_is_shown_shortened() -> None:
    with pytest.raises(InvalidInput) as refused:
        read(int, "x" * 10_000)
    assert len(refused.value.message) < 200


def test_a_list_has_a_bound() -> None:
    with pytest.raises(InvalidInput, match="more than 8192 elements"):
        read(list[str], "," * 9_000)


@given(
    st.sampled_from([str, int, float, bool, Int64, list[int], Point, Any, Colour | None]),
    st.lists(st.text(), min_size=1, max_size=3),
)
def test_any_text_is_read_or_refused(declared: object, texts: list[str]) -> None:
    with suppress(InvalidInput, TooLarge):
        read(declared, *texts)
