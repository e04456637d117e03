"""Findings: one printable line, with the place and the remedy."""

from hypothesis import given
from hypothesis import strategies as st

from hubify.formats.findings import (
    Kind,
    at_most,
    is_refused,
    noted,
    quoted,
    refused,
    repaired,
    shown,
)


def test_a_refusal_says_where_what_and_how_to_put_it_right() -> None:
    finding = refused("not-yaml", "This is not YAML.", "Quote it.", path="SKILL.md", line=3)
    assert str(finding) == "SKILL.md:3: refused: This is not YAML. Quote it."


def test_a_finding_about_a_whole_file_names_no_line() -> None:
    assert str(noted("x", "Empty.", path="SKILL.md")) == "SKILL.md: noted: Empty."
    assert str(repaired("x", "Mended.")) == "repaired: Mended."


def test_only_a_refusal_refuses() -> None:
    assert not is_refused([noted("x", "x"), repaired("x", "x")])
    assert is_refused([noted("x", "x"), refused("x", "x", "x")])


@given(st.text(max_size=300))
def test_hostile_text_is_repeated_short_and_printable(text: str) -> None:
    for form in (quoted(text), shown(text)):
        assert form.isprintable()
        assert len(form.encode()) <= 4096
    assert len(quoted(text)) < 700


def test_a_path_of_sane_length_is_shown_as_it_is() -> None:
    assert shown("a b/ü.md") == "a b/ü.md"
    assert shown("a\nb") == "'a\\nb'"


def test_many_findings_are_cut_but_no_refusal_is_lost() -> None:
    findings = [repaired("x", "x")] * 5 + [refused("y", "y", "y")]
    kept = at_most(findings, 2)
    assert [finding.kind for finding in kept] == [
        Kind.REPAIRED,
        Kind.REPAIRED,
        Kind.REFUSED,
        Kind.NOTED,
    ]
    assert kept[-1].what == "3 more like these."
    assert at_most(findings[:2], 2) == findings[:2]
