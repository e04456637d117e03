"""A value's spelling: one text per value and style, names by case, data untouched."""

from enum import StrEnum
from typing import ClassVar, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from hubify.values import limits
from hubify.values.errors import TooLarge
from hubify.values.ids import RowId, encode_id
from hubify.values.rows import Row
from hubify.values.values import Int64
from hubify.wire.styles import CAMEL, CLEAN, CONVEX, SNAKE, Style, camel_case, encode, plain

STYLES = [CONVEX, CLEAN, CAMEL, SNAKE]
PLAIN_STYLES = [CLEAN, CAMEL, SNAKE]


class Outcome(StrEnum):
    SUCCESS = "success"


class Part(msgspec.Struct, frozen=True):
    step_count: int
    ratio: float = 0.5


class Skill(Row, frozen=True):
    skill_name: str
    last_outcome: Outcome = Outcome.SUCCESS
    parts: tuple[Part, ...] = ()
    by_platform: dict[str, int] = msgspec.field(default_factory=dict)


class View(msgspec.Struct, frozen=True):
    id: RowId


class Secretive(msgspec.Struct, frozen=True):
    from_: str
    secret_hash: str
    note: str | UnsetType = UNSET
    __wire_names__: ClassVar[dict[str, str]] = {"from_": "from"}
    __wire_hidden__: ClassVar[frozenset[str]] = frozenset({"secret_hash"})


class Cat(msgspec.Struct, frozen=True, tag_field="kind", tag="cat"):
    lives_left: int


ROW_ID = encode_id(3, 1_795_338_767_876 << 21)
SKILL = Skill(id=ROW_ID, skill_name="a", parts=(Part(2),), by_platform={"claude_code": 3})


def test_a_row_in_convex_style_is_camel_case_with_id_and_creation_time() -> None:
    assert encode(SKILL, CONVEX).decode() == (
        f'{{"_id":"{ROW_ID}","_creationTime":1795338767876.0,"skillName":"a",'
        '"lastOutcome":"success","parts":[{"stepCount":2.0,"ratio":0.5}],'
        '"byPlatform":{"claude_code":3.0}}'
    )


def test_a_row_in_snake_case_has_its_id_and_no_creation_time() -> None:
    assert plain(SKILL, SNAKE) == {
        "id": ROW_ID,
        "skill_name": "a",
        "last_outcome": "success",
        "parts": [{"step_count": 2, "ratio": 0.5}],
        "by_platform": {"claude_code": 3},
    }


def test_a_row_in_camel_case_has_its_id_as_convex_names_it_and_no_creation_time() -> None:
    spelled = plain(SKILL, CAMEL)
    assert isinstance(spelled, dict)
    assert list(spelled) == ["_id", "skillName", "lastOutcome", "parts", "byPlatform"]


def test_a_record_spells_the_id_of_the_row_that_it_shows_as_the_row_does() -> None:
    names = [next(iter(cast("dict[str, object]", plain(View(ROW_ID), style)))) for style in STYLES]
    assert names == [style.row_id for style in STYLES]
    assert (CONVEX.row_id, CAMEL.row_id, SNAKE.row_id) == ("_id", "_id", "id")


def test_a_row_in_clean_json_has_its_creation_time_as_a_whole_number() -> None:
    assert encode(SKILL, CLEAN).startswith(
        b'{"_id":"%b","_creationTime":1795338767876,' % ROW_ID.encode()
    )


@pytest.mark.parametrize("style", STYLES)
def test_a_record_spells_a_field_as_told_and_keeps_hidden_and_unset_ones(style: Style) -> None:
    assert plain(Secretive("x", "hash"), style) == {"from": "x"}


def test_a_record_that_hides_a_field_it_does_not_have_is_a_mistake_at_once() -> None:
    class Mistaken(msgspec.Struct):
        name: str
        __wire_hidden__: ClassVar[frozenset[str]] = frozenset({"nmae"})

    with pytest.raises(AssertionError, match="has no field nmae"):
        plain(Mistaken("x"), CONVEX)


def test_a_tagged_record_tells_its_tag() -> None:
    assert plain(Cat(9), CAMEL) == {"kind": "cat", "livesLeft": 9}


def test_numbers_keep_a_decimal_point_for_convex_clients_only() -> None:
    assert encode([1, 1.0, 2.5], CONVEX) == b"[1.0,1.0,2.5]"
    assert encode([1, 1.0, 2.5], CLEAN) == b"[1,1,2.5]"


@pytest.mark.parametrize("style", PLAIN_STYLES)
def test_what_json_cannot_say_is_a_string_in_plain_styles(style: Style) -> None:
    values = [float("nan"), float("inf"), float("-inf"), Int64(2**60), b"\x01\x02"]
    assert plain(values, style) == ["NaN", "Infinity", "-Infinity", str(2**60), "AQI="]


def test_what_json_cannot_say_is_tagged_for_convex_clients() -> None:
    values = [float("nan"), float("inf"), float("-inf"), -0.0, Int64(5), b"\x01\x02"]
    assert plain(values, CONVEX) == [
        {"$float": "AAAAAAAA+H8="},
        {"$float": "AAAAAAAA8H8="},
        {"$float": "AAAAAAAA8P8="},
        {"$float": "AAAAAAAAAIA="},
        {"$integer": "BQAAAAAAAAA="},
        {"$bytes": "AQI="},
    ]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("number", [2**53, -(2**53)])
def test_a_whole_number_that_a_float_may_change_is_never_sent(style: Style, number: int) -> None:
    with pytest.raises(OverflowError, match="Int64"):
        encode(number, style)


def test_a_dict_that_looks_like_a_tag_is_never_sent_to_a_convex_client() -> None:
    with pytest.raises(ValueError, match="tag"):
        encode({"$integer": "x"}, CONVEX)
    assert encode({"$integer": "x"}, SNAKE) == b'{"$integer":"x"}'


@pytest.mark.parametrize("thing", [object(), {1: 2}, {"a"}])
def test_what_is_not_a_value_is_refused(thing: object) -> None:
    with pytest.raises(TypeError):
        encode(thing, CONVEX)


def test_keys_that_are_enumeration_members_are_sent_as_their_text() -> None:
    assert encode({Outcome.SUCCESS: 1}, SNAKE) == b'{"success":1}'


@pytest.mark.parametrize("style", STYLES)
def test_nesting_is_bounded(style: Style) -> None:
    nested: list[object] = []
    for _ in range(limits.MAX_NESTING - 1):
        nested = [nested]
    encode(nested, style)
    with pytest.raises(TooLarge, match="64 levels"):
        encode([nested], style)


@given(st.integers(-(2**53) + 1, 2**53 - 1), st.sampled_from(STYLES))
def test_an_int_and_the_equal_float_have_one_spelling(number: int, style: Style) -> None:
    assert encode(number, style) == encode(float(number), style)


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("name", "name"),
        ("skill_name", "skillName"),
        ("sha_256_of_it", "sha256OfIt"),
        ("_private_thing", "_privateThing"),
        ("x__y", "xY"),
    ],
)
def test_camel_case(name: str, spelled: str) -> None:
    assert camel_case(name) == spelled
