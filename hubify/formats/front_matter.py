"""Where a document's front matter ends and its body begins.

Invariant: text is decoded and split here once; line numbers are those of the original file.
"""

from msgspec import Struct

from hubify.formats.findings import Finding, Refused, refused, repaired
from hubify.formats.limits import MAX_HEAD_BYTES

FENCE = "---"


class Text(Struct, frozen=True):
    """A file as text with LF line ends, and what was done to get there."""

    text: str
    findings: tuple[Finding, ...]


class Split(Struct, frozen=True):
    """Front matter (None when there is none) and body, each with the line it begins on."""

    head: str | None
    head_line: int
    body: str
    body_line: int
    findings: tuple[Finding, ...]


def decode(data: bytes) -> Text:
    """Read bytes as UTF-8: a byte order mark is skipped, CRLF and CR read as line ends.

    Raises:
        Refused: the bytes are not UTF-8, or hold NUL.
    """
    findings: list[Finding] = []
    if data.startswith(b"\xef\xbb\xbf"):
        findings.append(repaired("byte-order-mark", "The byte order mark is skipped.", line=1))
        data = data[3:]
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"Byte {error.start} is not UTF-8."
        raise Refused(refused("not-utf-8", what, "Save the file as UTF-8.", line=line)) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise Refused(refused("nul", "The text holds NUL.", "Remove it.", line=line))
    if "\r" in text:
        what = "Line ends are CRLF or CR; read as LF."
        findings.append(repaired("line-ends", what, line=1))
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Text(text, tuple(findings))


def split(text: str) -> Split:
    """Split text at its `---` lines.

    Blank lines before the first are skipped. Front matter that is never closed is taken to end
    at the first blank line. Both are REPAIRED.

    Raises:
        Refused: the front matter is over its bound.
    """
    lines = text.split("\n")
    start = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines[start].rstrip() != FENCE:
        return Split(None, 0, text, 1, ())
    findings: list[Finding] = []
    if start:
        what = "Blank lines before the front matter are skipped."
        findings.append(repaired("blank-start", what, line=1))
    end = _closing(lines, start + 1)
    after = end + 1
    if end == len(lines):
        end = after = _first_blank(lines, start + 1)
        what = "The front matter is never closed; read as ending at the first blank line."
        findings.append(repaired("front-matter-open", what, line=start + 1))
    head = "\n".join(lines[start + 1 : end])
    _refuse_large(head, start + 2)
    body = "\n".join(lines[after:])
    return Split(head, start + 2, body, after + 1, tuple(findings))


def _closing(lines: list[str], start: int) -> int:
    for number in range(start, len(lines)):
        if lines[number].rstrip() in {FENCE, "..."}:
            return number
    return len(lines)


def _first_blank(lines: list[str], start: int) -> int:
    for number in range(start, len(lines)):
        if not lines[number].strip():
            return number
    return len(lines)


def _refuse_large(head: str, line: int) -> None:
    size = len(head.encode())
    if size > MAX_HEAD_BYTES:
        what = f"The front matter has {size} bytes, more than {MAX_HEAD_BYTES}."
        fix = "Move text into the body."
        raise Refused(refused("front-matter-too-large", what, fix, line=line))
