"""Cut a file into pieces to scan, each with its place and its kind.

Invariant: every piece is at most `WINDOW` characters, and pieces of a longer line overlap, so that
a rule of less than `OVERLAP` characters finds what it would find in the whole line.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec

WINDOW: Final = 1_000  # characters scanned at once
OVERLAP: Final = 300
MAX_JOINED: Final = 12  # lines that backslashes join into one
MAX_LINE: Final = 200_000  # characters of one line that are scanned
FENCE: Final = re.compile(r"\s{0,12}(?:[-*+>]\s{1,3}){0,2}(`{3,}|~{3,})\s{0,4}([\w+#.-]{0,20})")
SCRIPT_ENDINGS: Final = frozenset(
    """sh bash zsh fish ksh ps1 psm1 bat cmd py pyw rb pl pm php js mjs cjs ts mts jsx tsx lua go rs
    java kt swift c cc cpp h applescript scpt vbs r jl make mk dockerfile""".split()
)
SCRIPT_NAMES: Final = frozenset({"makefile", "dockerfile", "justfile", "rakefile", "gemfile"})
DOCUMENT_ENDINGS: Final = frozenset({"md", "mdx", "markdown", "hub", "txt", "rst", "adoc"})


class Kind(StrEnum):
    """Where a piece of text stands."""

    SCRIPT = "script"
    FENCE = "fence"
    PROSE = "prose"
    COMMENT = "comment"
    DATA = "data"


class Piece(msgspec.Struct, frozen=True):
    """Some text of one line (or of lines that belong together); `before` is the line above."""

    text: str
    line: int
    kind: Kind
    language: str = ""
    before: str = ""


class Block(msgspec.Struct, frozen=True):
    """A fenced block of a document: its language and its lines from `line` on."""

    language: str
    line: int
    text: str


def kind_of(path: str, text: str) -> Kind:
    """Whether a file is a document, a script or data, by its name and first line."""
    name = path.rpartition("/")[2].lower()
    ending = name.rpartition(".")[2] if "." in name else ""
    if ending in DOCUMENT_ENDINGS:
        return Kind.PROSE
    if ending in SCRIPT_ENDINGS or name in SCRIPT_NAMES or text.startswith("#!"):
        return Kind.SCRIPT
    return Kind.DATA


def pieces_of(text: str, kind: Kind) -> Iterator[Piece]:
    """The pieces of a file, in order."""
    lines = text.split("\n")
    placed = _document(lines) if kind is Kind.PROSE else _plain(lines, kind)
    before = ""
    for piece in _joined(placed):
        for window in _windows(piece.text):
            yield Piece(window, piece.line, piece.kind, piece.language, before)
        before = piece.text[:WINDOW]


def _plain(lines: list[str], kind: Kind) -> Iterator[Piece]:
    for number, line in enumerate(lines, start=1):
        yield Piece(line.rstrip("\r"), number, kind)


def _document(lines: list[str]) -> Iterator[Piece]:
    """Lines of Markdown, told apart into prose, fenced code and hidden comments."""
    fence = language = ""
    hidden = False
    for number, raw in enumerate(lines, start=1):
        line = raw.rstrip("\r")
        mark = None if hidden else FENCE.match(line)
        if mark and (not fence or _closes(mark, fence)):
            language = "" if fence else mark.group(2).lower()
            fence = "" if fence else mark.group(1)
            continue
        if fence:
            yield Piece(line, number, Kind.FENCE, language)
            continue
        starts = "<!--" in line
        yield Piece(line, number, Kind.COMMENT if hidden or starts else Kind.PROSE)
        hidden = (hidden or starts) and "-->" not in line.rpartition("<!--")[2]


def _closes(mark: re.Match[str], fence: str) -> bool:
    return mark.group(1)[0] == fence[0] and len(mark.group(1)) >= len(fence) and not mark.group(2)


def _joined(placed: Iterator[Piece]) -> Iterator[Piece]:
    """Join code lines that end in a backslash with what follows."""
    held: Piece | None = None
    count = 0
    for placed_piece in placed:
        piece = placed_piece if held is None else _continued(held, placed_piece)
        continues = piece.text.endswith("\\") and piece.kind in {Kind.SCRIPT, Kind.FENCE}
        if continues and count < MAX_JOINED and len(piece.text) < MAX_LINE:
            held = Piece(piece.text[:-1], piece.line, piece.kind, piece.language)
            count += 1
            continue
        yield piece
        held, count = None, 0
    if held is not None:
        yield held


def _continued(held: Piece, piece: Piece) -> Piece:
    return Piece(f"{held.text} {piece.text.lstrip()}", held.line, held.kind, held.language)


def _windows(line: str) -> Iterator[str]:
    if len(line) <= WINDOW:
        yield line
        return
    for start in range(0, min(len(line), MAX_LINE), WINDOW - OVERLAP):
        yield line[start : start + WINDOW]


def blocks_of(text: str) -> Iterator[Block]:
    """The fenced blocks of a document."""
    held: list[str] = []
    first = 0
    language = ""
    for piece in _document(text.split("\n")):
        if piece.kind is Kind.FENCE and held and piece.line == first + len(held):
            held.append(piece.text)
            continue
        if held:
            yield Block(language, first, "\n".join(held))
            held = []
        if piece.kind is Kind.FENCE:
            held, first, language = [piece.text], piece.line, piece.language
    if held:
        yield Block(language, first, "\n".join(held))
