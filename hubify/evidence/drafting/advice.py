"""Turn the text of a suggestion into one harmless line of advice.

Invariant: whatever the text is, the line is one bullet's worth of plain prose and code spans: no
control characters, no HTML, no links, no block syntax, and never longer than its bound.
"""

import re
from typing import Final

from hubify.evidence.suggestions.wording import one_line

MAX_TEXT: Final = 2_000  # characters of a suggestion that are looked at
MAX_ADVICE: Final = 400  # characters of advice before escaping
FRAME: Final = "Advice from reports: "
CODE_SPAN: Final = re.compile(r"`([^`\n]{1,160})`")
ADDRESS: Final = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s`<>\"']{1,300}")
SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|~])")
ENTITY: Final = re.compile(r"&(?=#|[A-Za-z])")
SENTENCE_END: Final = frozenset(".!?…\u3002\uff01\uff1f")


def advice_from(text: str) -> str:
    """One line of advice for the body of a skill, framed as what it is; empty for an empty text."""
    line = _cut(one_line(text, MAX_TEXT).strip("\"' "))
    if not line:
        return ""
    return FRAME + _ended(_escaped(line))


def _cut(line: str) -> str:
    """At most `MAX_ADVICE` characters, cut between words."""
    if len(line) <= MAX_ADVICE:
        return line
    kept = line[: MAX_ADVICE - 1]
    return (kept.rpartition(" ")[0] or kept).rstrip(" ,;:-") + "…"


def _escaped(line: str) -> str:
    """Keep code spans; outside them make every address a code span and every mark plain text."""
    pieces: list[str] = []
    place = 0
    for span in CODE_SPAN.finditer(line):
        pieces.append(_plain(line[place : span.start()]))
        pieces.append(span.group() if span.group(1).strip() else "")
        place = span.end()
    pieces.append(_plain(line[place:]))
    return "".join(pieces)


def _plain(text: str) -> str:
    pieces: list[str] = []
    place = 0
    for address in ADDRESS.finditer(text):
        pieces.append(_without_marks(text[place : address.start()]))
        pieces.append(f"`{address.group()}`")
        place = address.end()
    pieces.append(_without_marks(text[place:]))
    return "".join(pieces)


def _without_marks(text: str) -> str:
    return ENTITY.sub("&amp;", SPECIAL.sub(r"\\\1", text))


def _ended(line: str) -> str:
    return line if line[-1] in SENTENCE_END else line + "."
