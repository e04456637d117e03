"""Front matter: where it begins and ends, and what bytes it is read from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.formats.findings import Finding, Refused
from hubify.formats.front_matter import decode, split
from hubify.formats.limits import MAX_HEAD_BYTES


def codes(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.code for finding in findings]


def test_a_head_and_a_body_know_the_lines_they_begin_on() -> None:
    parts = split("---\nname: a\n---\n# A\n")
    assert (parts.head, parts.head_line) == ("name: a", 2)
    assert (parts.body, parts.body_line) == ("# A\n", 4)
    assert not parts.findings


def test_text_without_a_fence_is_all_body() -> None:
    parts = split("# A\n---\nb\n---\n")
    assert parts.head is None
    assert (parts.body, parts.body_line) == ("# A\n---\nb\n---\n", 1)


def test_blank_lines_before_the_fence_are_skipped() -> None:
    parts = split("\n \n---\nname: a\n---\nb")
    assert (parts.head, parts.head_line, parts.body_line) == ("name: a", 4, 6)
    assert codes(parts.findings) == ["blank-start"]


def test_front_matter_that_is_never_closed_ends_at_the_first_blank_line() -> None:
    parts = split("---\nname: a\nlicense: MIT\n\n# A\n")
    assert parts.head == "name: a\nlicense: MIT"
    assert parts.body == "\n# A\n"
    assert codes(parts.findings) == ["front-matter-open"]


def test_fences_may_trail_spaces_but_nothing_else() -> None:
    assert split("--- \nname: a\n---\t\nb").head == "name: a"
    assert split("----\nname: a\n----\nb").head is None


def test_too_much_front_matter_is_refused() -> None:
    assert split("---\n" + "x" * MAX_HEAD_BYTES + "\n---\n").head
    with pytest.raises(Refused) as refusal:
        split("---\n" + "x" * (MAX_HEAD_BYTES + 1) + "\n---\n")
    assert refusal.value.finding.code == "front-matter-too-large"


def test_marks_and_foreign_line_ends_are_read_past() -> None:
    text = decode(b"\xef\xbb\xbfa\r\nb\rc\n")
    assert text.text == "a\nb\nc\n"
    assert codes(text.findings) == ["byte-order-mark", "line-ends"]


def test_unusual_separators_do_not_end_a_line() -> None:
    body = "a\x0bb\x0cc\x1cd\x85e\u2028f"
    assert split(f"---\nname: a\n---\n{body}").body == body


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"a\nb\xffc", "not-utf-8", 2),
        (b"\xff\xfea\x00", "not-utf-8", 1),
        (b"a\n\nb\x00", "nul", 3),
    ],
)
def test_what_is_not_text_is_refused_with_its_line(data: bytes, code: str, line: int) -> None:
    with pytest.raises(Refused) as refusal:
        decode(data)
    assert (refusal.value.finding.code, refusal.value.finding.line) == (code, line)


@given(st.text(st.sampled_from("-. \nabc:"), max_size=60))
def test_splitting_loses_no_line(text: str) -> None:
    parts = split(text)
    lines = text.split("\n")
    assert "\n".join(lines[parts.body_line - 1 :]) == parts.body
    if parts.head is not None:
        head = parts.head.split("\n")
        start = parts.head_line - 1
        assert lines[start : start + len(head)] == head or parts.head == ""
