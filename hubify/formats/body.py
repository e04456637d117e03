"""What a Markdown body says about itself: its title and its first paragraph.

Invariant: both are text that stands in the body; nothing is made up, and "" means none was found.
"""

import re
from collections.abc import Iterator

from hubify.formats.fields import clean_text
from hubify.formats.limits import MAX_DESCRIPTION, MAX_FIELD

_HEADING = re.compile(r"#{1,6}[ \t]")
_FENCE = ("```", "~~~")
_NOT_PROSE = ("<!--", "![", "[![", "|", "---", "***", "===", "<")
_LEAD = re.compile(r"(?:[-*+>]|[0-9]{1,9}[.)])[ \t]+")  # of a list item or a quotation


def title(body: str) -> str:
    """Return the text of the first heading outside code."""
    for line in _prose(body):
        if _HEADING.match(line) and (text := line.strip("# \t")):
            return clean_text(text[:MAX_FIELD])
    return ""


def summary(body: str) -> str:
    """Return the first paragraph, else the title, else the first line; at most 1,024 characters."""
    paragraph: list[str] = []
    for line in _prose(body):
        ends = not line or _HEADING.match(line) or line.startswith(_NOT_PROSE)
        if ends and paragraph:
            break
        if not ends:
            paragraph.append(_LEAD.sub("", line, count=1))
    text = " ".join(paragraph) or title(body) or body.strip().partition("\n")[0]
    return clean_text(text[:MAX_DESCRIPTION])


def _prose(body: str) -> Iterator[str]:
    """Yield the stripped lines that are not inside fenced code."""
    fence = ""
    for raw in body.split("\n"):
        line = raw.strip()
        if fence:
            fence = "" if line.startswith(fence) else fence
        elif line.startswith(_FENCE):
            fence = line[:3]
        else:
            yield line
