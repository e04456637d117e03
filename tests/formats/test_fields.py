"""Fields: taken whatever their spelling and kind, with a word about it."""

import pytest

from hubify.formats.fields import Fields, clean_text, is_control
from hubify.formats.findings import Finding
from hubify.formats.limits import MAX_ITEMS
from hubify.formats.yaml_nodes import Mapping, parse_yaml


def fields(text: str) -> tuple[Fields, list[Finding]]:
    root = parse_yaml(text).root
    assert isinstance(root, Mapping)
    findings: list[Finding] = []
    return Fields(root, findings), findings


@pytest.mark.parametrize("spelling", ["display_name", "displayName", "Display-Name", "DISPLAYNAME"])
def test_a_field_is_found_under_any_spelling(spelling: str) -> None:
    taken, findings = fields(f"{spelling}: A B")
    assert taken.text("display_name") == "A B"
    assert taken.rest() == {}
    expected = [] if spelling == "display_name" else ["field-spelling"]
    assert [finding.code for finding in findings] == expected


def test_the_exact_spelling_wins_and_the_other_is_left() -> None:
    taken, findings = fields("Name: B\nname: a")
    assert taken.text("name") == "a"
    assert taken.text("name") is None
    assert taken.rest() == {"Name": "B"}
    assert not findings


def test_a_field_that_is_null_is_absent() -> None:
    taken, findings = fields("name:\ntags: ~\ndone: null\nsub:")
    assert (taken.text("name"), taken.texts("tags"), taken.flag("done")) == (None, (), None)
    assert taken.inside("sub") is None
    assert (taken.rest(), findings) == ({}, [])


def test_text_is_taken_as_written() -> None:
    taken, findings = fields("version: 1.10\nflag: true\nempty: ''")
    assert (taken.text("version"), taken.text("flag")) == ("1.10", "true")
    assert taken.text("empty") is None
    assert not findings


def test_text_too_long_is_cut_and_said() -> None:
    taken, findings = fields(f"description: {'x' * 30}\n")
    assert taken.text("description", 10) == "x" * 10
    assert [finding.code for finding in findings] == ["field-too-long"]


def test_control_characters_become_spaces() -> None:
    taken, findings = fields('name: "a\\e[31mb"')
    assert taken.text("name") == "a [31mb"
    assert [finding.code for finding in findings] == ["field-characters"]
    assert clean_text(" a\x00b\tc\n") == "a b\tc"
    assert is_control("\x9f")


@pytest.mark.parametrize("take", ["text", "texts", "flag", "inside", "items", "map_values"])
def test_a_field_of_the_wrong_kind_is_left_with_a_finding(take: str) -> None:
    wrong = {"text": "[1]", "texts": "[[1]]", "items": "{a: 1}"}.get(take, "[a, b]")
    taken, findings = fields(f"x: {wrong}")
    assert not getattr(taken, take)("x")
    assert list(taken.rest()) == ["x"]
    assert [(finding.code, finding.line) for finding in findings] == [("field-unfit", 1)]


def test_lists_come_without_repeats_and_blanks() -> None:
    taken, _ = fields("tags: [b, a, b, '', 3]")
    assert taken.texts("tags") == ("b", "a", "3")


def test_a_single_text_is_divided_at_commas_and_that_is_said() -> None:
    taken, findings = fields("tags: \"a, b c,'d'\"")
    assert taken.texts("tags") == ("a", "b c", "d")
    assert [finding.code for finding in findings] == ["field-divided"]


def test_words_are_divided_at_spaces_outside_brackets() -> None:
    taken, findings = fields("allowed-tools: Read, Bash(git add:*, git push) Write")
    assert taken.words("allowed-tools") == ("Read", "Bash(git add:*, git push)", "Write")
    assert not findings


def test_too_long_a_list_is_cut_and_said() -> None:
    taken, findings = fields(f"tags: [{', '.join(map(str, range(MAX_ITEMS + 1)))}]")
    assert len(taken.texts("tags")) == MAX_ITEMS
    assert [finding.code for finding in findings] == ["field-too-many"]


@pytest.mark.parametrize(("word", "value"), [("yes", True), ("On", True), ("false", False)])
def test_flags_have_the_old_spellings_too(word: str, value: bool) -> None:  # noqa: FBT001
    assert fields(f"f: {word}")[0].flag("f") is value


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("0.5", 0.5), ("1", 1)])
def test_a_number_within_its_range_is_taken(text: str, number: float) -> None:
    assert fields(f"n: {text}")[0].number("n", 0, 1) == number


@pytest.mark.parametrize("text", ["1.1", "-1", "true", "many", "'1'", "[1]"])
def test_what_is_no_number_in_range_is_left(text: str) -> None:
    taken, findings = fields(f"n: {text}")
    assert taken.number("n", 0, 1) is None
    assert [finding.code for finding in findings] == ["field-unfit"]


def test_fields_inside_a_map_are_named_with_it() -> None:
    taken, findings = fields("trust:\n  confidence: 7\nlist:\n  - a: 1\n  - b\n")
    inner = taken.inside("trust")
    assert inner is not None
    assert taken.is_list("list")
    assert not taken.is_map("list")
    assert inner.number("confidence", 0, 1) is None
    assert [each.text("a") for each in taken.maps("list")] == ["1"]
    assert ["'trust.confidence'" in findings[0].what, "'list'" in findings[1].what] == [True, True]
    assert [finding.line for finding in findings] == [2, 5]
