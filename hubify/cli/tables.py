"""Rows of text in columns, and moments and counts as people write them.

Invariant: pure; a row is one line, whatever its cells hold, and never wider than asked.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

GAP = "  "
ELLIPSIS = "…"
LEAST_LAST = 20  # columns that the last cell keeps on a narrow terminal


def columns(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Headings and rows, aligned; the last column is cut to fit `width` (None: never)."""
    cells = [[" ".join(cell.split()) for cell in row] for row in (headings, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    before = sum(widths[:-1]) + len(GAP) * (len(widths) - 1)
    room = None if width is None else max(LEAST_LAST, width - before)
    lines: list[str] = []
    for *first, last in cells:
        padded = [cell.ljust(size) for cell, size in zip(first, widths[:-1], strict=True)]
        lines.append(GAP.join([*padded, shortened(last, room)]).rstrip())
    return lines


def fields(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """`name  value` lines, aligned; what has no value is left out."""
    shown = [(name, " ".join(value.split())) for name, value in pairs if value]
    size = max((len(name) for name, _ in shown), default=0)
    return [f"{name.ljust(size)}{GAP}{value}" for name, value in shown]


def shortened(text: str, room: int | None) -> str:
    """A text cut to so many characters, if need be."""
    if room is None or len(text) <= room:
        return text
    return text[: room - 1].rstrip() + ELLIPSIS


def moment(ms: float | None) -> str:
    """Milliseconds since 1970 as `2026-01-31 09:05 UTC`; a dash for none."""
    if ms is None:
        return "-"
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def counted(number: int, noun: str) -> str:
    """`1 skill`, `2 skills`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
