"""Find what a file hides: invisible characters, encoded text, programs that are no text.

Invariant: hidden text is decoded at most `MAX_DEPTH` times and within bounds, then scanned by the
same rules as open text.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from hubify.evidence.gateway.findings import Finding, Gate, Severity, excerpt_of
from hubify.evidence.gateway.lines import Kind
from hubify.evidence.gateway.scanning import scan_text

MAX_DEPTH: Final = 2
MAX_CANDIDATES: Final = 50  # encoded runs of one file that are decoded
SHORTEST_ENCODED: Final = 24  # characters
ENCODED: Final = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{24,8000}={0,2}(?![A-Za-z0-9+/=])")
LEAST_PRINTABLE: Final = 0.97  # share of decoded characters that make it text
TAGS: Final = re.compile("[\U000e0020-\U000e007f]{4,4000}")
FLAG_TAGS: Final = re.compile("\U0001f3f4[\U000e0020-\U000e007f]{2,8}")  # flags of regions
INVISIBLE: Final = re.compile("[\u200b\u200c\u2060-\u2064\u180e]{8,4000}")
DIRECTION: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
PROGRAMS: Final = {
    b"\x7fELF": "Linux",
    b"MZ": "Windows",
    b"\xcf\xfa\xed\xfe": "macOS",
    b"\xce\xfa\xed\xfe": "macOS",
    b"\xca\xfe\xba\xbe": "macOS or Java",
    b"\xfe\xed\xfa\xcf": "macOS",
}


def program_in(path: str, data: bytes) -> Finding | None:
    """A finding when a file is a compiled program: nobody can read what it does."""
    for magic, system in PROGRAMS.items():
        if data.startswith(magic) and len(data) > 64:
            return _found(
                "hidden/program",
                path,
                0,
                f"is a compiled program for {system}",
                severity=Severity.HIGH,
            )
    return None


def scan_hidden(path: str, text: str, kind: Kind, depth: int = 0) -> Iterator[Finding]:
    """Findings about invisible characters and in text that is encoded."""
    yield from _invisible(path, text, kind)
    if depth < MAX_DEPTH:
        yield from _encoded(path, text, depth)


def _invisible(path: str, text: str, kind: Kind) -> Iterator[Finding]:
    for match in TAGS.finditer(FLAG_TAGS.sub(lambda flag: " " * len(flag.group()), text)):
        spoken = "".join(chr(ord(letter) - 0xE0000) for letter in match.group())
        yield _found(
            "hidden/tag-characters",
            path,
            _line_at(text, match.start()),
            "hides text in characters that nobody sees",
            severity=Severity.CRITICAL,
            excerpt=spoken,
            blocks=True,
        )
    for match in INVISIBLE.finditer(text):
        yield _found(
            "hidden/invisible-characters",
            path,
            _line_at(text, match.start()),
            "holds a run of characters that nobody sees",
            severity=Severity.HIGH,
            blocks=True,
        )
    turned = DIRECTION.search(text)
    if turned:
        yield _found(
            "hidden/text-direction",
            path,
            _line_at(text, turned.start()),
            "turns the direction of text, so that it reads otherwise than it runs",
            severity=Severity.HIGH,
            blocks=kind is Kind.SCRIPT,
        )


def _encoded(path: str, text: str, depth: int) -> Iterator[Finding]:
    for count, match in enumerate(ENCODED.finditer(text)):
        if count >= MAX_CANDIDATES:
            return
        decoded = _decode(match.group())
        if not decoded:
            continue
        line = _line_at(text, match.start())
        inner = [
            *scan_text(path, decoded, Kind.COMMENT),
            *scan_text(path, decoded, Kind.SCRIPT),
            *scan_hidden(path, decoded, Kind.SCRIPT, depth + 1),
        ]
        yield from (_moved(finding, line) for finding in inner if finding.blocks)


def _decode(run: str) -> str:
    """The text that a run of base64 stands for, or nothing when it is none."""
    padded = run.rstrip("=")
    padded += "=" * (-len(padded) % 4)
    try:
        data = base64.b64decode(padded, validate=True)
        text = data.decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
    printable = sum(letter.isprintable() or letter in "\r\n\t" for letter in text)
    return text if text and printable >= LEAST_PRINTABLE * len(text) else ""


def _moved(finding: Finding, line: int) -> Finding:
    return msgspec.structs.replace(
        finding,
        line=line,
        severity=Severity.CRITICAL,
        message="in encoded text: " + finding.message.removeprefix("in encoded text: "),
    )


def _line_at(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _found(
    rule: str,
    path: str,
    line: int,
    message: str,
    *,
    severity: Severity,
    excerpt: str = "",
    blocks: bool = False,
) -> Finding:
    return Finding(
        gate=Gate.CONTENT,
        rule=rule,
        severity=severity,
        blocks=blocks,
        path=path,
        line=line,
        excerpt=excerpt_of(excerpt),
        message=message,
        fix="Remove it, or appeal and say what it is for.",
    )
