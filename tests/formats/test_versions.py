"""Versions: read kindly, kept strict, compared by semver, never given twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.formats.versions import (
    BadVersion,
    Numbered,
    Numbering,
    bump_minor,
    bump_patch,
    canary_of,
    compare,
    free_version,
    highest,
    is_prerelease,
    is_version,
    number_history,
    read_version,
    release_of,
)

numbers = st.integers(0, 10**6)
releases = st.builds(lambda *parts: ".".join(map(str, parts)), numbers, numbers, numbers)
entries = st.lists(
    st.tuples(st.none() | st.sampled_from(["1.0.0", "1.0.1", "1.2.0"]), st.sampled_from("abc")),
    max_size=12,
)


@pytest.mark.parametrize(
    ("written", "version"),
    [
        ("1.2.3", "1.2.3"),
        ("v1.2.3", "1.2.3"),
        ("V2", "2.0.0"),
        ("1.10", "1.10.0"),
        (" 1.0.0 ", "1.0.0"),
        ("2026.01.05", "2026.1.5"),
        ("1.3.0-canary.1", "1.3.0-canary.1"),
        ("1.0-beta", "1.0.0-beta"),
        ("1.0.0+build.5", "1.0.0+build.5"),
    ],
)
def test_versions_are_read_kindly_and_come_out_strict(written: str, version: str) -> None:
    assert read_version(written) == version
    assert is_version(version)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "latest",
        "1.2.3.4",
        "1..2",
        "v",
        "1.0.0-",
        "1.0.0-a..b",
        "\u0661.\u0660.\u0660",
        "1" * 65,
        "-1",
    ],
)
def test_what_is_no_version_is_refused(text: str) -> None:
    assert not is_version(text)
    with pytest.raises(BadVersion):
        read_version(text)


@given(st.text(max_size=80))
def test_reading_gives_a_strict_version_or_refuses(text: str) -> None:
    try:
        assert is_version(read_version(text))
    except BadVersion:
        assert not is_version(text)


@given(releases)
def test_a_bump_is_higher_and_a_canary_lies_between(version: str) -> None:
    minor = bump_minor(version)
    assert compare(version, bump_patch(version)) == -1
    assert compare(bump_patch(version), minor) == -1
    assert compare(version, canary_of(minor, 1)) == -1
    assert compare(canary_of(minor, 1), minor) == -1


def test_a_canary_knows_its_release() -> None:
    assert canary_of("1.3.0", 1) == "1.3.0-canary.1"
    assert canary_of("1.3.0-canary.1", 2) == "1.3.0-canary.2"
    assert release_of("1.3.0-canary.2") == "1.3.0"
    assert is_prerelease("1.3.0-canary.2")
    assert not is_prerelease("1.3.0")


def test_canaries_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="from 1"):
        canary_of("1.0.0", 0)


def test_numbers_are_compared_as_numbers_and_canaries_by_count() -> None:
    assert compare("1.10.0", "1.9.9") == 1
    assert compare("1.0.0-canary.10", "1.0.0-canary.9") == 1
    assert compare("1.0.0+a", "1.0.0+b") == 0
    assert highest(["1.9.0", "1.10.0", "1.10.0-canary.1"]) == "1.10.0"
    assert highest([]) is None


def test_a_taken_version_moves_on_by_a_patch() -> None:
    assert free_version("1.0.0", []) == "1.0.0"
    assert free_version("1.0.0", ["1.0.0", "1.0.1"]) == "1.0.2"


def test_without_numbers_a_history_counts_patches_from_one() -> None:
    numbered = number_history([(None, "a"), (None, "b"), (None, "c")])
    assert [each.version for each in numbered] == ["1.0.0", "1.0.1", "1.0.2"]
    assert {each.how for each in numbered} == {Numbering.ASSIGNED}


def test_declared_numbers_stand_even_when_they_go_down() -> None:
    numbered = number_history([("2026.1.7", "a"), ("4.0.0", "b")])
    assert [each.version for each in numbered] == ["2026.1.7", "4.0.0"]


def test_equal_bytes_under_one_number_are_no_new_version() -> None:
    numbered = number_history([("0.6.2", "a"), ("0.6.2", "a")])
    assert numbered[1] == Numbered("0.6.2", Numbering.REPEATED)


def test_changed_bytes_under_one_number_bump_past_the_numbers_to_come() -> None:
    numbered = number_history([("1.0.0", "a"), ("1.0.0", "b"), ("1.0.1", "c")])
    assert numbered[1] == Numbered("1.0.2", Numbering.BUMPED)
    assert numbered[2] == Numbered("1.0.1", Numbering.DECLARED)


def test_equal_bytes_under_two_numbers_are_two_versions() -> None:
    numbered = number_history([("1.0.0", "a"), ("1.1.0", "a")])
    assert [each.how for each in numbered] == [Numbering.DECLARED, Numbering.DECLARED]


@given(entries)
def test_no_number_ever_holds_two_contents(history: list[tuple[str | None, str]]) -> None:
    held: dict[str, str] = {}
    for (_, digest), numbered in zip(history, number_history(history), strict=True):
        assert held.setdefault(numbered.version, digest) == digest
