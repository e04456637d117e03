"""Almost YAML: what is read all the same, and what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.formats.findings import Refused
from hubify.formats.repair import parse_kindly
from hubify.formats.yaml_nodes import NotYaml, Scalar, YamlValue, parse_yaml, plain


def kindly(text: str) -> tuple[YamlValue, list[tuple[str, int]]]:
    parsed = parse_kindly(text, first_line=2)
    assert parsed.root is not None
    return plain(parsed.root), [(finding.code, finding.line) for finding in parsed.findings]


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("Use when: a file is a PDF", "Use when: a file is a PDF"),
        ("TL;DR: it works", "TL;DR: it works"),
        (", it predicts", ", it predicts"),
        ("@someone made `it`", "@someone made `it`"),
        ("`code` first", "`code` first"),
        ("*bold* words", "*bold* words"),
        ("**bold** words", "**bold** words"),
        ("!important note", "!important note"),
        ("%d of them", "%d of them"),
        ("&and more: so", "&and more: so"),
        ("[draft] a text", "[draft] a text"),
        ("{curly} text", "{curly} text"),
        ('"Do" this: that', '"Do" this: that'),
        ("'it's fine'", "it's fine"),
        ('"never closed', "never closed"),
        ("> a: b", "> a: b"),
        ("| a: b", "| a: b"),
        ("a\tb: c", "a\tb: c"),
    ],
)
def test_a_value_that_is_not_yaml_is_read_as_text(line: str, read: str) -> None:
    value, found = kindly(f"name: a\ndescription: {line}\nlicense: MIT")
    assert value == {"name": "a", "description": read, "license": "MIT"}
    assert found == [("yaml-quoted", 3)]


def test_a_value_over_several_lines_is_mended_whole() -> None:
    value, found = kindly("description: first\n  second: part\n  third\nlicense: MIT")
    assert value == {"description": "first second: part third", "license": "MIT"}
    assert found == [("yaml-quoted", 2)]


def test_a_value_inside_a_map_or_a_list_is_mended_where_it_stands() -> None:
    value, found = kindly("metadata:\n  note: a: b\n  other: c\ntags:\n  - x\n  - k: @y\n")
    assert value == {"metadata": {"note": "a: b", "other": "c"}, "tags": ["x", {"k": "@y"}]}
    assert found == [("yaml-quoted", 3), ("yaml-quoted", 7)]


def test_tabs_are_read_as_spaces() -> None:
    value, found = kindly("name:\ta\nmetadata:\n\tkey: b\n\tother: c\n")
    assert value == {"name": "a", "metadata": {"key": "b", "other": "c"}}
    assert [code for code, _ in found] == ["yaml-tabs"]


def test_a_missing_space_after_the_colon_is_put_there() -> None:
    assert kindly("name:a\ndescription:b c\n")[0] == {"name": "a", "description": "b c"}
    assert kindly("name: a\ndescription:b c\nlicense: MIT\n") == (
        {"name": "a", "description": "b c", "license": "MIT"},
        [("yaml-space", 3)],
    )


def test_an_address_is_no_key_without_a_space() -> None:
    parsed = parse_kindly("https://example.org/x")
    assert parsed.root is not None
    assert plain(parsed.root) == "https://example.org/x"


def test_good_yaml_is_left_alone() -> None:
    text = 'a: [b, "c: d"]\ne: {f: g}\nh: |\n  i: j: k\n'
    assert kindly(text) == ({"a": ["b", "c: d"], "e": {"f": "g"}, "h": "i: j: k\n"}, [])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: a\nThis is prose.\ndescription: b\n", 4),
        ("".join(f"k{n}: a: b\n" for n in range(12)), 2),
    ],
)
def test_what_takes_guessing_is_refused_at_the_first_break(text: str, line: int) -> None:
    with pytest.raises(Refused) as refusal:
        parse_kindly(text, first_line=2)
    finding = refusal.value.finding
    assert (finding.code, finding.line) == ("not-yaml", line)
    assert "quote" in finding.fix


@given(st.text(st.sampled_from("ab:-[]{}&*!|>'\"%@? \n\t#"), max_size=50))
def test_kindness_never_changes_a_map_or_a_list_that_is_yaml_already(text: str) -> None:
    try:
        strict = parse_yaml(text)
    except (NotYaml, Refused):
        return
    if not isinstance(strict.root, Scalar):
        assert parse_kindly(text) == strict


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])), max_size=4))
def test_any_one_line_value_comes_through_as_text_or_is_refused(values: list[str]) -> None:
    text = "\n".join(f"k{number}: {value}" for number, value in enumerate(values))
    try:
        root = parse_kindly(text).root
    except Refused:
        return
    if values:
        assert root is not None
