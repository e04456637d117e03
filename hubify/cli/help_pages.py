"""Help as plain text in two columns, without boxes or colours, at most 88 characters wide.

Invariant: the same declarations give the same page on every terminal at least that wide.
"""

import io
import textwrap
from collections.abc import Iterable

from cyclopts.help import HelpEntry, HelpPanel
from rich.console import Console, ConsoleOptions

WIDTH, INDENT, GAP = 88, 2, 2
UNBROKEN = 10_000  # columns; no line of help is that long
USAGE = "Usage:"
LABELS = 26  # columns of the left side; a longer label has a line of its own


class HelpPages:
    """Draws the parts of a help page (a formatter of cyclopts)."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Draw one group of commands or options."""
        if not panel.entries:
            return
        width = min(WIDTH, options.max_width)
        lines = [line for entry in panel.entries for line in _entry(entry, width)]
        _write(console, [f"{_plain(panel.title)}:", *lines, ""])

    def render_usage(self, console: Console, options: ConsoleOptions, usage: object) -> None:
        """Draw the usage line."""
        del options
        text = _plain(usage)
        _write(console, [text if text.startswith(USAGE) else f"{USAGE} {text}", ""])

    def render_description(
        self, console: Console, options: ConsoleOptions, description: object
    ) -> None:
        """Draw what the command is for; a paragraph that is indented stays as it is."""
        width = min(WIDTH, options.max_width)
        for paragraph in _plain(description).split("\n\n"):
            kept = paragraph.startswith("  ")
            lines = paragraph.splitlines() if kept else textwrap.wrap(paragraph, width)
            _write(console, [*lines, ""])


def _entry(entry: HelpEntry, width: int) -> Iterable[str]:
    label = " " * INDENT + _label(entry)
    start = " " * (INDENT + LABELS)
    text = _plain(entry.description)
    if entry.required and label.lstrip().startswith("-"):
        text += " (required)"
    lines = textwrap.wrap(text, width, initial_indent=start, subsequent_indent=start) or [start]
    if len(label) + GAP > len(start):
        return [label, *lines]
    return [label + lines[0][len(label) :], *lines[1:]]


def _label(entry: HelpEntry) -> str:
    if entry.positional_label:
        return entry.positional_label
    names = ", ".join((*entry.positive_names, *entry.positive_shorts))
    return f"{names} {entry.metavar}" if entry.metavar else names


def _plain(shown: object) -> str:
    """What cyclopts would show, as text without styles or line breaks of its own."""
    if shown is None or isinstance(shown, str):
        return (shown or "").strip("\n")
    sink = io.StringIO()
    console = Console(file=sink, width=UNBROKEN, no_color=True, highlight=False, markup=False)
    console.print(shown, end="")
    return "\n".join(line.rstrip() for line in sink.getvalue().splitlines()).strip("\n")


def _write(console: Console, lines: Iterable[str]) -> None:
    text = "\n".join(line.rstrip() for line in lines)
    console.print(text, highlight=False, markup=False, soft_wrap=True)
