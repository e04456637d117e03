"""What a function's docstring says, in the parts that descriptions show.

The first paragraph is the summary; those up to the first section (`Raises:`) are the description. A
section `Example:` holds `{"query": "tidy"} -> [{"name": "tidy-imports"}]`.

Invariant: an example is JSON: the arguments as an object, and after an arrow perhaps the answer.
"""

import inspect
import json
import re
from typing import Any, NamedTuple

SECTION = re.compile(r"^(?:Args|Example|Examples|Raises|Returns):$", re.MULTILINE)
EXAMPLE = re.compile(r"^Example:\n(?P<text>(?:[ \t]+\S.*\n?|\n)+)", re.MULTILINE)
ARROW = " -> "


class Example(NamedTuple):
    """Arguments, and what they are answered (None: not said)."""

    arguments: dict[str, Any]
    answer: Any


class Documentation(NamedTuple):
    """The first sentence, the paragraphs after it, and an example if there is one."""

    summary: str
    description: str
    example: Example | None


def documentation_of(doc: str) -> Documentation:
    """Take a docstring apart.

    Raises:
        ValueError: its example is not JSON.

    """
    text = inspect.cleandoc(doc)
    summary, *more = paragraphs(SECTION.split(text)[0])
    found = EXAMPLE.search(text)
    return Documentation(summary, "\n\n".join(more), _example(found["text"]) if found else None)


def paragraphs(doc: str) -> list[str]:
    """A docstring's paragraphs, each on one line."""
    cleaned = inspect.cleandoc(doc)
    return [" ".join(part.split()) for part in cleaned.split("\n\n") if part.strip()]


def _example(text: str) -> Example:
    sent, _, answered = text.strip().partition(ARROW)
    return Example(json.loads(sent), json.loads(answered) if answered else None)
