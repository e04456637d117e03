"""Names: what is a slug, what becomes one, and what a taken name is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.formats.limits import MAX_NAME
from hubify.formats.names import is_slug, owned_name, slug_from


@pytest.mark.parametrize("name", ["a", "pdf", "pdf-to-text", "2fa", "a" * 64, "x-1-y"])
def test_lower_case_words_joined_by_single_hyphens_are_slugs(name: str) -> None:
    assert is_slug(name)


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", "a--b", "A", "a_b", "a b", "a.b", "a\n", "é", "a" * 65]
)
def test_anything_else_is_no_slug(name: str) -> None:
    assert not is_slug(name)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("PDF Merge & Split", "pdf-merge-split"),
        ("Café Übersetzer", "cafe-ubersetzer"),
        ("owner/tool_name", "owner-tool-name"),
        ("--x--", "x"),
        ("ﬁle", "file"),
        ("日本語", ""),
        ("日本語 v2", "v2"),
        ("a" * 63 + " b", "a" * 63),
    ],
)
def test_a_name_becomes_the_nearest_slug(name: str, slug: str) -> None:
    assert slug_from(name) == slug


@given(st.text(max_size=200))
def test_a_repaired_name_is_a_slug_or_empty_and_stays_as_it_is(name: str) -> None:
    slug = slug_from(name)
    assert slug == "" or is_slug(slug)
    assert slug_from(slug) == slug


def test_a_taken_name_is_prefixed_by_its_owner() -> None:
    assert owned_name("Jo Doe", "pdf") == "jo-doe-pdf"


@given(st.text(max_size=200), st.text(max_size=200))
def test_an_owned_name_is_always_a_slug(owner: str, slug: str) -> None:
    assert is_slug(owned_name(owner, slug))


def test_two_long_names_stay_two_when_they_are_cut() -> None:
    first = owned_name("o" * 40, "s" * 60)
    second = owned_name("o" * 40, "s" * 61)
    assert first != second
    assert len(first) <= MAX_NAME
