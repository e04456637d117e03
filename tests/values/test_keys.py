"""Index keys sort as values do."""

from hypothesis import given
from hypothesis import strategies as st

from hubify.values.interval import prefix_interval
from hubify.values.keys import encode_component, encode_key
from hubify.values.values import Int64

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.integers(-(2**63), 2**63 - 1).map(Int64),
)


def rank(value: object) -> tuple[int, object]:
    """The documented order: null < int64 < number < boolean < string < bytes."""
    if value is None:
        return (0, 0)
    if isinstance(value, Int64):
        return (1, value.number)
    if isinstance(value, bool):
        return (3, value)
    if isinstance(value, int | float):
        return (2, float(value))
    if isinstance(value, str):
        return (4, value.encode("utf-8", "surrogatepass"))
    return (5, value)


@given(scalars, scalars)
def test_bytes_order_of_components_is_the_order_of_values(one: object, other: object) -> None:
    first, second = rank(one), rank(other)
    if first == second:
        return
    assert (encode_component(one) < encode_component(other)) == (first < second)  # type: ignore[operator]


@given(st.lists(scalars, max_size=3), st.lists(scalars, max_size=3))
def test_a_prefix_of_fields_holds_exactly_the_keys_that_begin_with_them(
    fields: list[object], rest: list[object]
) -> None:
    span = prefix_interval(encode_key(fields))
    assert encode_key([*fields, *rest]) + b"\x00" * 8 in span


@given(st.text(), st.text())
def test_a_string_is_no_prefix_of_another_string_as_a_component(one: str, other: str) -> None:
    if one != other:
        assert not encode_component(other).startswith(encode_component(one))
