"""YAML from strangers: values as written, bounds on all of it, and no surprises."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.formats import yaml_nodes
from hubify.formats.findings import Refused
from hubify.formats.yaml_nodes import Mapping, NotYaml, YamlValue, parse_yaml, plain


def value(text: str) -> YamlValue:
    root = parse_yaml(text).root
    assert root is not None
    return plain(root)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z"),
        ("12:30:00", "12:30:00"),
        ("no", "no"),
        ("on", "on"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("12345678901234567890", "12345678901234567890"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("10", 10),
        ("-3", -3),
        ("1.5", 1.5),
        ("2e3", 2000.0),
        ("'10'", "10"),
        ("!!str 10", "10"),
        ("|\n  10\n", "10\n"),
    ],
)
def test_scalars_mean_what_yaml_1_2_says_and_dates_stay_text(text: str, meaning: YamlValue) -> None:
    read = value(text)
    assert read == meaning
    assert type(read) is type(meaning)


def test_lists_and_maps_nest() -> None:
    assert value("a: [1, {b: c}]\nd:\n  - e\n") == {"a": [1, {"b": "c"}], "d": ["e"]}


def test_the_text_of_a_version_survives() -> None:
    root = parse_yaml("version: 1.10").root
    assert isinstance(root, Mapping)
    assert getattr(root.entries["version"], "text", None) == "1.10"


def test_lines_are_counted_from_where_the_text_begins() -> None:
    root = parse_yaml("a: 1\nb: 2\n", first_line=10).root
    assert isinstance(root, Mapping)
    assert root.key_lines == {"a": 10, "b": 11}


def test_a_key_given_twice_with_one_value_is_read_once() -> None:
    parsed = parse_yaml("a: x\na: x\n")
    assert [finding.code for finding in parsed.findings] == ["yaml-key-twice"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: 1\nb: 2\na: 3\n", "yaml-key-twice"),
        ("m: {a: true, a: 1}", "yaml-key-twice"),
        ("a: !!python/object/apply:os.system [ls]", "yaml-tag"),
        ("a: !!binary aGk=", "yaml-tag"),
        ("[" * 20, "yaml-depth"),
        ("- " * 20 + "a", "yaml-depth"),
        ("a: &a x\n" + "b: [" + "*a, " * 17 + "]", "yaml-aliases"),
        ("a: 1\n---\nb: 2\n", "yaml-documents"),
        ("? [a]\n: b\n", "yaml-key"),
        ("~: b\n", "yaml-key"),
        ('a: "\\ud800"', "yaml-characters"),
    ],
)
def test_what_is_not_safe_is_refused_with_its_line(text: str, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse_yaml(text)
    assert refusal.value.finding.code == code
    assert refusal.value.finding.line > 0


def test_an_alias_repeats_a_value_within_the_bound() -> None:
    assert value("a: &x {k: v}\nb: *x\n") == {"a": {"k": "v"}, "b": {"k": "v"}}


def doubling(levels: int) -> str:
    """Levels of two aliases each: a small text that stands for 2 ** levels values."""
    lines = ["l0: &l0 [" + "x, " * 40 + "]"]
    lines += [f"l{n}: &l{n} [*l{n - 1}, *l{n - 1}]" for n in range(1, levels + 1)]
    return "\n".join(lines)


def test_what_aliases_repeat_counts_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_nodes, "MAX_YAML_NODES", 1000)
    assert parse_yaml(doubling(2))
    with pytest.raises(Refused) as refusal:
        parse_yaml(doubling(6))
    assert refusal.value.finding.code == "yaml-size"


def test_long_text_repeated_by_aliases_counts_in_full() -> None:
    text = f"a: &a '{'x' * 15_000}'\n"
    text += "b: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\nd: &d [*c, *c, *c, *c]\n"
    with pytest.raises(Refused) as refusal:
        parse_yaml(text)
    assert refusal.value.finding.code == "yaml-size"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: b: c", 1),
        ("a: 1\nb: *nobody", 2),
        ("a: &a [*a]", 1),
        ("a: !important", 1),
        ("a: [b", 1),
        ('a: "\\UFFFFFFFF"', 1),
        ("a: \x01", 1),
        ("%YAML 1." + "9" * 5000, 1),
    ],
)
def test_broken_grammar_is_one_kind_of_error_with_a_line(text: str, line: int) -> None:
    with pytest.raises(NotYaml) as error:
        parse_yaml(text)
    assert error.value.line == line


def test_an_empty_document_has_no_root() -> None:
    assert parse_yaml("# nothing\n").root is None


@given(st.text(max_size=60) | st.text(st.sampled_from("a:-[]{}&*!|>'\"%@? \n\t#"), max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        root = parse_yaml(text).root
    except (NotYaml, Refused):
        return
    if root is not None:
        str(plain(root)).encode()


@pytest.mark.parametrize("write", [str, repr, lambda text: f"|\n  {text}"])
def test_words_are_the_same_however_they_are_quoted(write: Callable[[str], str]) -> None:
    assert str(value(write("two words"))).strip() == "two words"
