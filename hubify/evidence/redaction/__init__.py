"""Take known secrets out of a text before it is stored.

Invariant: what is replaced is replaced whole by a labelled placeholder, and doing it twice changes
nothing; the cost is linear in the text, which is bounded.
"""

import re
import tomllib
from importlib.resources import files
from typing import Final

import msgspec

MAX_TEXT: Final = 65_536  # characters; what lies beyond is dropped, since nobody has looked at it
PLACEHOLDER: Final = "[redacted:{label}]"
NO_SECRET: Final = re.compile(
    r"""["']?(?:
        [<{\[(*$%]                                  # <token>, {token}, [redacted:...], ***, $TOKEN
      | (?:your|my|the|some|example|sample|test|dummy|fake|changeme|placeholder|redacted)\b
      | (?:your|my|example|dummy)[_-]
      | (?:x{3,}|\.{3,}|-{3,})
      | (?:process\.env|os\.environ|os\.getenv|getenv|env\.|config\.|settings\.|self\.|args\.)
      | (?:none|null|nil|undefined|true|false|required|optional|missing|invalid|expired|empty)\b
      | (?:string|str|bytes|number|int|object|any|unset|not|is|was|are|has|must|should|for|from)\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)


class Redacted(msgspec.Struct, frozen=True):
    """A text without its known secrets; `labels` say what kinds were taken out, in order."""

    text: str
    labels: tuple[str, ...]


class Pattern(msgspec.Struct, frozen=True):
    """One kind of secret; an `assigned` one counts only when its value looks like a secret.

    Whatever it matches holds one of its `marks`, in letters of either case.
    """

    label: str
    pattern: re.Pattern[str]
    assigned: bool
    marks: frozenset[str]


def _load() -> tuple[Pattern, ...]:
    text = files("hubify.evidence.redaction").joinpath("patterns.toml").read_text("utf-8")
    return tuple(
        Pattern(
            entry["label"],
            re.compile(entry["pattern"]),
            entry.get("assigned", False),
            frozenset(entry["marks"]),
        )
        for entry in tomllib.loads(text)["pattern"]
    )


PATTERNS: Final = _load()
MARKS: Final = frozenset[str]().union(*(pattern.marks for pattern in PATTERNS))


def redact(text: str) -> Redacted:
    """Replace known secrets by `[redacted:<label>]`; of a longer text only the start is kept."""
    kept = text[:MAX_TEXT]
    marks = marks_in(kept)
    if not marks:
        return Redacted(kept, ())
    labels: list[str] = []
    for pattern in PATTERNS:
        if not marks.isdisjoint(pattern.marks):
            kept = _redact_one(kept, pattern, labels)
    return Redacted(kept, tuple(labels))


def marks_in(text: str) -> set[str]:
    """The marks that a text holds, found the way patterns that ignore case compare letters."""
    folded = text.casefold()
    if not text.isascii():
        folded = folded.replace("\N{COMBINING DOT ABOVE}", "").replace(
            "\N{LATIN SMALL LETTER DOTLESS I}", "i"
        )
    return {mark for mark in MARKS if mark in folded}


def _redact_one(text: str, pattern: Pattern, labels: list[str]) -> str:
    def replace(match: re.Match[str]) -> str:
        group = "secret" if "secret" in pattern.pattern.groupindex else 0
        if _is_placeholder(match.group(group)) or (
            pattern.assigned and not _looks_secret(match.group(group))
        ):
            return match.group()
        labels.append(pattern.label)
        start, end = (place - match.start() for place in match.span(group))
        whole = match.group()
        return whole[:start] + PLACEHOLDER.format(label=pattern.label) + whole[end:]

    return pattern.pattern.sub(replace, text)


def _is_placeholder(value: str) -> bool:
    return value.startswith("[redacted:")


def _looks_secret(value: str) -> bool:
    """A quoted or mixed value; not a word of prose, a placeholder or a reference to a variable."""
    if NO_SECRET.match(value):
        return False
    bare = value.strip("\"'")
    kinds = (str.isdigit, str.isupper, str.islower)
    mixed = sum(any(kind(letter) for letter in bare) for kind in kinds)
    symbols = any(not letter.isalnum() and letter not in "._-/ " for letter in bare)
    return " " not in bare and (mixed + symbols >= 2 or len(bare) >= LONG_VALUE)


LONG_VALUE: Final = 16  # characters from which even a value of one kind of letters is a secret
