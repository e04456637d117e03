"""JSON from outside: a value that goes back the same, or a refusal that says where."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.values import limits
from hubify.values.errors import AppError, InvalidInput, TooLarge
from hubify.values.values import Int64
from hubify.wire import limits as wire_limits
from hubify.wire.convex_json import cut_to_depth, decode, encode, from_json

field_names = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8).filter(
    lambda name: not name.startswith("$")
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-limits.SAFE_INTEGER, limits.SAFE_INTEGER)
    | st.floats()
    | st.text()
    | st.binary()
    | st.integers(-(2**63), 2**63 - 1).map(Int64)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(field_names, inner, max_size=4),
    max_leaves=20,
)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["$integer", "$float", "$bytes", "$set", "a", "é", ""]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=20,
)


def same(one: object, other: object) -> bool:
    """Equality that takes NaN for itself and tells -0.0 from 0."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    if one == 0 and other == 0:
        return math.copysign(1, one) == math.copysign(1, other)  # type: ignore[arg-type]
    return one == other and isinstance(one, bool) == isinstance(other, bool)


@given(values)
def test_every_value_comes_back_the_same(value: object) -> None:
    assert same(decode(encode(value)), value)


@given(any_json)
def test_every_json_is_a_value_or_is_refused(parsed: object) -> None:
    try:
        value = from_json(parsed, "args")
    except AppError:
        return
    assert same(decode(encode(value)), value)


@given(st.binary(max_size=60) | any_json.map(lambda parsed: json.dumps(parsed).encode()))
def test_every_text_is_a_value_or_is_refused(text: bytes) -> None:
    try:
        value = decode(text)
    except AppError:
        return
    assert same(decode(encode(value)), value)


def test_numbers_from_javascript_are_plain_whole_numbers() -> None:
    read = decode('{"a":1,"b":1.0,"c":1e2,"d":1.5,"e":-0.0,"f":1e300}')
    assert isinstance(read, dict)
    assert [type(item) for item in read.values()] == [int, int, int, float, float, float]


def test_a_large_number_that_a_float_holds_exactly_stays_a_float() -> None:
    assert type(decode(str(2**60))) is float


REFUSED = [
    ('{"list":[0,1,2,{"x":{"$set":[]}}]}', InvalidInput, r"args\.list\[3\]\.x uses '\$set'"),
    ('{"x":{"$map":[]}}', InvalidInput, r"args\.x uses '\$map'"),
    ('{"x":{"$commitTs":null}}', InvalidInput, r"args\.x uses '\$commitTs'"),
    ('{"x":{"$integer":"AA=="}}', InvalidInput, r"args\.x has an \$integer of 1 bytes"),
    ('{"x":{"$integer":5}}', InvalidInput, r"args\.x needs a base64 string"),
    ('{"x":{"$bytes":"A"}}', InvalidInput, r"args\.x has a \$bytes that is not base64"),
    ('{"x":{"$bytes":"é"}}', InvalidInput, r"args\.x has a \$bytes that is not base64"),
    ('{"x":{"$float":"AAAAAAAA8D8="}}', InvalidInput, r"args\.x has a \$float that JSON can"),
    ('{"x":{"$float":"AAAA"}}', InvalidInput, r"args\.x has a \$float of 3 bytes"),
    ('{"$x":1,"b":2}', InvalidInput, r"args\.\$x is a field name"),
    ('{"x":{"naïve":1}}', InvalidInput, r"args\.x\.na\\xefve is a field name"),
    ("[NaN]", InvalidInput, "args is not valid JSON"),
    ("[Infinity]", InvalidInput, "args is not valid JSON"),
    ("[1e400]", InvalidInput, "args is not valid JSON"),
    ("", InvalidInput, "args is not valid JSON"),
    ("[1,]", InvalidInput, "args is not valid JSON"),
    ('{"x":"\\ud800"}', InvalidInput, "args holds a lone surrogate"),
    ('"\ud800"', InvalidInput, "args holds a lone surrogate"),
    ("9007199254740993", InvalidInput, r"args is beyond 2\*\*53"),
    ("9" * 400, InvalidInput, r"args is beyond 2\*\*53"),
    ("9" * 100_000, InvalidInput, "args is not valid JSON"),
    ("[" * 65 + "]" * 65, TooLarge, "nested deeper than 64 levels"),
    ("[" * 200_000, TooLarge, "nested deeper than 64 levels"),
    ("[" + "0," * 8192 + "0]", TooLarge, "more than 8192 elements"),
    (json.dumps({str(n): n for n in range(1025)}), TooLarge, "more than 1024 fields"),
    ("[" + "[]," * 500_000 + "[]]", TooLarge, "over 250000 values"),
    ("[" + '"",' * 500_000 + "1]", TooLarge, "over 250000 values"),
    ('"' + "x" * wire_limits.MAX_JSON_BYTES + '"', TooLarge, "bytes"),
]


@pytest.mark.parametrize(("text", "kind", "message"), REFUSED, ids=range(len(REFUSED)))
def test_a_refusal_says_what_and_where(text: str, kind: type[AppError], message: str) -> None:
    with pytest.raises(kind, match=message):
        decode(text, "args")


def test_a_refusal_deep_inside_tells_the_first_steps_only() -> None:
    with pytest.raises(InvalidInput) as refused:
        decode('{"a":' * 60 + '{"$set":[]}' + "}" * 60, "args")
    assert refused.value.message.startswith("args" + ".a" * 12 + " uses")


def test_commas_within_strings_do_not_count_as_values() -> None:
    table = "1,2,3\n" * 200_000
    assert decode(json.dumps({"csv": table})) == {"csv": table}


def test_parsed_json_may_hold_no_lone_surrogate_either() -> None:
    with pytest.raises(InvalidInput, match=r"args\.x holds a lone surrogate"):
        from_json({"x": "\ud800"}, "args")


def test_parsed_json_may_hold_nothing_but_json() -> None:
    with pytest.raises(InvalidInput, match=r"args\[0\] is bytes"):
        from_json([b""], "args")


@given(
    st.recursive(
        st.none() | st.text(), lambda part: st.lists(part) | st.dictionaries(st.text(), part)
    )
)
def test_cut_to_a_depth_a_text_says_the_same_above_it(value: object) -> None:
    def cut(part: Any, depth: int) -> Any:  # noqa: ANN401 - JSON
        if isinstance(part, list):
            return [cut(each, depth + 1) for each in part] if depth < 3 else None
        if isinstance(part, dict):
            return (
                {name: cut(each, depth + 1) for name, each in part.items()} if depth < 3 else None
            )
        return part

    assert json.loads(cut_to_depth(json.dumps(value).encode(), 3)) == cut(value, 0)


@pytest.mark.parametrize("text", [b"[" * 200, b"[" * 5 + b"]" * 4, b'{"a":"' + b"[" * 9])
def test_cut_to_a_depth_a_text_with_open_ends_is_still_none(text: bytes) -> None:
    with pytest.raises(ValueError, match="line"):
        json.loads(cut_to_depth(text, 3))
