"""What callers send becomes typed arguments, or a sentence about what is wrong."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.functions.binding import Binding, arguments_of
from hubify.values.errors import AppError, InvalidInput
from hubify.values.values import Int64
from tests.functions.notes import Corner, add, mine

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
