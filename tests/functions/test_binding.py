"""What callers send becomes typed arguments, or a sentence about what is wrong."""

import inspect
import re
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.functions.binding import Argument, Binding, arguments_of
from hubify.values.errors import AppError, InvalidInput
from hubify.values.values import Int64
from tests.functions.notes import Colour, Corner, add, mine

BINDING = Binding("add", arguments_of(add), {"title": "name"})


def test_names_come_in_either_case_and_under_their_other_names() -> None:
    expected = {
        "name": "n", "colour": "red", "corners": None, "first_count": 3, "extra": None,
    }  # fmt: skip
    assert BINDING.bind({"name": "n", "firstCount": 3}) == expected
    assert BINDING.bind({"title": "n", "first_count": 3}) == expected


def test_records_inside_arguments_come_in_either_case_and_free_objects_stay_as_they_are() -> None:
    sent = {"name": "n", "corners": [{"fromLeft": 1}, {"from_left": 2}], "extra": {"fromLeft": 1}}
    bound = BINDING.bind(sent)
    assert bound["corners"] == [Corner(1), Corner(2)]
    assert bound["extra"] == {"fromLeft": 1}


def test_an_int64_fits_a_whole_number() -> None:
    assert BINDING.bind({"name": "n", "firstCount": Int64(7)})["first_count"] == 7


def test_pagination_options_are_read_as_convex_clients_send_them() -> None:
    binding = Binding("mine", arguments_of(mine), {})
    sent = {"paginationOpts": {"numItems": 5, "cursor": None, "endCursor": None, "id": 12}}
    assert binding.bind(sent)["pagination_opts"].num_items == 5


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({}, "name is required"),
        ({"name": 3}, "name must be a string, not a whole number"),
        ({"name": "n", "firstCount": 1.5}, "firstCount must be a whole number, not a number"),
        ({"name": "n", "first_count": "x"}, "first_count must be a whole number, not a string"),
        ({"name": "n", "colour": "green"}, "colour must be 'red', or 'blue'"),
        ({"title": None}, "title must be a string, not null"),
        ({"name": "n", "size": 1}, "unknown argument 'size'; this function takes: name, colour"),
        ({"name": "n", "title": "m"}, "'title' is given twice, with different values"),
        ({"name": "n", "corners": [{}]}, "corners[0].from_left is required"),
        ({"name": "n", "corners": [{"fromLeft": "x"}]}, "corners[0].from_left must be a whole"),
        (
            {"name": "n", "corners": [{"fromLeft": 1, "z": 1}]},
            "unknown field 'z'; there may be: fromLeft, fromTop",
        ),
    ],
)
def test_a_refusal_names_the_argument_as_it_was_sent(sent: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        BINDING.bind(sent)
    assert message in caught.value.message


def test_a_face_may_spell_an_argument_its_own_way() -> None:
    assert BINDING.bind({"shade": "blue", "name": "n"}, {"colour": "shade"})["colour"] == "blue"
    with pytest.raises(InvalidInput, match="shade must be 'red', or 'blue'"):
        BINDING.bind({"shade": "green", "name": "n"}, {"colour": "shade"})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["name", "firstCount", "corners", "x"]), anything))
def test_whatever_is_sent_is_bound_or_refused(sent: dict[str, Any]) -> None:
    try:
        BINDING.bind(sent)
    except AppError as error:
        assert error.message  # noqa: PT017 - both outcomes are right


class Paint(msgspec.Struct, frozen=True, rename="camel"):
    """A record with an enumeration, a bounded text and a bounded list in it."""

    colour: Colour = Colour.RED
    coat_name: Annotated[str, msgspec.Meta(max_length=3)] = ""
    layers: Annotated[list[int], msgspec.Meta(min_length=1)] | None = None


LOWER = msgspec.Meta(pattern="^[a-z]+$", description="lower-case letters")
INSIDE = Binding(
    "f:paint",
    (
        Argument("first_paint", Paint, inspect.Parameter.empty),
        Argument("more", list[Paint] | None, None),
        Argument("percent", Annotated[int, msgspec.Meta(ge=0, le=100)], 0),
        Argument("code", Annotated[str, msgspec.Meta(pattern="^[a-z]+$")], "a"),
        Argument("label", Annotated[str, LOWER], "a"),
    ),
    {},
)


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "firstPaint is required"),
        ({"first_paint": 1}, "first_paint must be an object, not a whole number"),
        ({"firstPaint": {"colour": "x"}}, "firstPaint.colour must be 'red', or 'blue'"),
        ({"firstPaint": {}, "more": [{}, {"colour": "x"}]}, "must be 'red', or 'blue'"),
        ({"firstPaint": {"coat_name": "long"}}, "firstPaint.coatName must have at most 3 char"),
        ({"firstPaint": {"layers": []}}, "firstPaint.layers must have at least 1 item"),
        ({"firstPaint": {}, "percent": 101}, "percent must be at most 100"),
        ({"firstPaint": {}, "percent": -1}, "percent must be at least 0"),
        ({"firstPaint": {}, "code": "A"}, "code is not as it should be"),
        ({"firstPaint": {}, "label": "A"}, "label must be lower-case letters"),
        ({"first": {}}, "this function takes: firstPaint, more, percent, code, label"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(sent: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(sentence)) as refusal:
        INSIDE.bind(sent)
    assert "Expected" not in refusal.value.message or "code" in refusal.value.message
