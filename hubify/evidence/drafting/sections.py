"""See a skill's Markdown as sections, line by line, and find where a list of advice belongs.

Invariant: lines keep their own ends, so that joining them gives the text back byte for byte; front
matter and fenced code are never taken for headings.
"""

import re
from typing import Final

import msgspec

HEADING: Final = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")
BULLET: Final = re.compile(r"([-*+])[ \t]+\S")
MAX_FRONT_MATTER: Final = 400  # lines


class Section(msgspec.Struct, frozen=True):
    """A heading and the lines up to the next heading; `start` and `end` are indices of lines.

    `start` is the line of the heading, or the first line of the body for the part before any.
    """

    title: str
    level: int
    start: int
    end: int


def lines_of(text: str) -> list[str]:
    """The lines with their ends; splits at line feeds only, so that nothing else is a line end."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def body_start(lines: list[str]) -> int:
    """The index of the first line after the front matter; 0 when there is none."""
    if not lines or lines[0].lstrip("\ufeff").rstrip() != "---":
        return 0
    for index, line in enumerate(lines[1:MAX_FRONT_MATTER], start=1):
        if line.rstrip() in {"---", "..."}:
            return index + 1
    return 0


def sections_of(lines: list[str]) -> list[Section]:
    """The sections of the body in order; what stands before any heading has no title."""
    first = body_start(lines)
    marks = [(first, 0, "")]
    fence = ""
    for index in range(first, len(lines)):
        fence, heading = _read_line(lines[index], fence)
        if heading:
            marks.append((index, len(heading.group(1)), (heading.group(2) or "").strip()))
    ends = [start for start, _, _ in marks[1:]] + [len(lines)]
    return [
        Section(title, level, start, end)
        for (start, level, title), end in zip(marks, ends, strict=True)
        if level or end > start
    ]


def _read_line(line: str, fence: str) -> tuple[str, re.Match[str] | None]:
    """The fence that is open after a line, and the heading that the line is."""
    mark = FENCE.match(line)
    if fence:
        return ("" if mark and _closes(mark, fence, line) else fence), None
    if mark:
        return mark.group(1), None
    return "", HEADING.match(line.rstrip("\r\n"))


def _closes(mark: re.Match[str], fence: str, line: str) -> bool:
    """Whether a fence ends the one that is open: same mark, as long, nothing after it."""
    same = mark.group(1)[0] == fence[0] and len(mark.group(1)) >= len(fence)
    return same and not line[mark.end() :].strip()


def last_bullet(lines: list[str], section: Section) -> tuple[int, str] | None:
    """Where a bullet may follow a section's closing list, and that list's mark.

    None when the section does not end in a bullet list at the left margin.
    """
    end = content_end(lines, section)
    index = end - 1
    while index > section.start:
        line = lines[index]
        bullet = BULLET.match(line)
        if bullet:
            return end, bullet.group(1)
        if not line.startswith((" ", "\t")):
            return None
        index -= 1
    return None


def content_end(lines: list[str], section: Section) -> int:
    """The index after the last line of a section that is not blank."""
    end = section.end
    while end > section.start + 1 and not lines[end - 1].strip():
        end -= 1
    return end


def in_open_fence(lines: list[str]) -> bool:
    """Whether a fence is still open at the end, so that nothing can be appended as text."""
    fence = ""
    for line in lines[body_start(lines) :]:
        fence, _ = _read_line(line, fence)
    return bool(fence)
