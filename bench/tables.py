"""Figures as Markdown, fit for docs/performance.md.

Invariant: a table shows the figures that its columns name, and a figure that was not taken as a
hyphen.
"""

from collections.abc import Sequence

Figures = dict[str, float]


class Table:
    """A heading, a line of what was measured per row, and a column per figure."""

    def __init__(self, title: str, first: str, columns: Sequence[str], note: str = "") -> None:
        self.title = title
        self.head = [first, *columns]
        self.note = note
        self.rows: list[list[str]] = []

    def add(self, label: str, figures: Figures) -> None:
        """One more row."""
        self.rows.append([label, *(shown(figures.get(name)) for name in self.head[1:])])

    def markdown(self) -> str:
        """The table under its heading."""
        rule = ["---", *("---:" for _name in self.head[1:])]
        lines = [f"| {' | '.join(cells)} |" for cells in (self.head, rule, *self.rows)]
        told = [f"### {self.title}", "", *([self.note, ""] if self.note else []), *lines]
        return "\n".join(told) + "\n"


def shown(value: float | None) -> str:
    """A number with three digits or more, as many as say something."""
    if value is None:
        return "-"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"
