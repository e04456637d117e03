"""Gate 1: required fields, name, version."""

import itertools

import pytest

from hubify.evidence.gateway import Declared, Previous, Verdict, schema_gate
from hubify.evidence.gateway.schema import version_order

GOOD = {"name": "pdf-reader", "description": "Reads PDF files."}


def rules(declared: Declared) -> list[str]:
    return [finding.rule for finding in schema_gate(declared).findings]


def test_a_well_formed_skill_passes() -> None:
    assert schema_gate(Declared(GOOD, "1.0.0")).verdict is Verdict.PASSED


def test_front_matter_that_does_not_parse_fails_with_its_line() -> None:
    (found,) = schema_gate(Declared(None, "1.0.0", problem="a tab", line=3)).findings
    assert (found.rule, found.line, found.message) == ("schema/front-matter", 3, "a tab")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"name": None}, "schema/name-missing"),
        ({"name": ["a"]}, "schema/name-missing"),
        ({"name": "PDF Reader"}, "schema/name"),
        ({"name": "-pdf"}, "schema/name"),
        ({"name": "a" * 65}, "schema/name"),
        ({"name": "ab"}, "schema/name"),
        ({"description": " "}, "schema/description-missing"),
        ({"description": "a" * 1_025}, "schema/description"),
        ({"type": "worm"}, "schema/type"),
    ],
)
def test_a_field_at_fault_is_named(change: dict[str, object], rule: str) -> None:
    assert rules(Declared(GOOD | change, "1.0.0")) == [rule]


@pytest.mark.parametrize("version", ["", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0.0", "1.0.0-"])
def test_a_version_must_be_semantic(version: str) -> None:
    assert rules(Declared(GOOD, version)) == ["schema/version"]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.2.4", []),
        ("1.2.3", ["schema/version-not-bumped"]),
        ("1.2.3-rc.1", ["schema/version-not-bumped"]),
        ("1.2.3+build", ["schema/version-not-bumped"]),
        ("2.0.0-alpha", []),
    ],
)
def test_a_version_must_rise(version: str, expected: list[str]) -> None:
    assert rules(Declared(GOOD, version, previous=Previous("pdf-reader", "1.2.3"))) == expected


def test_name_and_type_stay_what_they_were() -> None:
    declared = Declared(GOOD | {"type": "soul"}, "1.2.4", previous=Previous("other", "1.2.3"))
    assert set(rules(declared)) == {"schema/name-changed", "schema/type-changed"}


def test_another_version_in_the_file_is_only_told() -> None:
    result = schema_gate(Declared(GOOD | {"version": "0.9.0"}, "1.0.0"))
    assert result.verdict is Verdict.PASSED
    assert result.findings[0].rule == "schema/version-written"


def test_versions_sort_as_the_standard_says() -> None:
    ordered = "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11"
    versions = [*ordered.split(), "1.0.0-rc.1", "1.0.0", "1.0.1", "1.10.0", "2.0.0"]
    orders = [version_order(version) for version in versions]
    assert all(a is not None and b is not None and a < b for a, b in itertools.pairwise(orders))
