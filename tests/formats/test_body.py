"""Bodies: the title and the first paragraph, found among Markdown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.formats.body import summary, title
from hubify.formats.limits import MAX_DESCRIPTION, MAX_FIELD


@pytest.mark.parametrize(
    ("body", "heading"),
    [
        ("# A B #\n", "A B"),
        ("text\n\n### Deep\n", "Deep"),
        ("```\n# no\n```\n# Yes", "Yes"),
        ("#no\n", ""),
        ("#\n## \n# C\n", "C"),
        ("", ""),
    ],
)
def test_the_title_is_the_first_heading_outside_code(body: str, heading: str) -> None:
    assert title(body) == heading


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("# A\n\nFirst line\nsecond line.\n\nMore.", "First line second line."),
        ("# A\n\n![badge](x)\n<!-- c -->\n\n> Quoted words\n", "Quoted words"),
        ("# A\n- one\n- two\n", "one two"),
        ("~~~\ncode\n~~~\nText", "Text"),
        ("# Only a title\n", "Only a title"),
        ("```\nonly code\n```", "```"),
        ("test\n", "test"),
        (" \n", ""),
    ],
)
def test_the_summary_is_the_first_paragraph_or_the_next_best(body: str, text: str) -> None:
    assert summary(body) == text


@given(st.text(max_size=200) | st.text(st.sampled_from("# -`>\na"), max_size=60))
def test_both_are_bounded_and_only_a_blank_body_has_no_summary(body: str) -> None:
    assert len(title(body)) <= MAX_FIELD
    assert len(summary(body)) <= MAX_DESCRIPTION
    if any(char.isalnum() for char in body):
        assert summary(body)


def test_long_lines_take_no_long_time() -> None:
    assert title("# " + "#" * 400_000 + "x") == "x"
    assert summary("x" * 400_000) == "x" * MAX_DESCRIPTION
