"""Run the content rules over the text of one file.

Invariant: the cost is bounded by the file's size times the number of rules, since every window is
short and every pattern bounded; what a text only mentions is told but never blocks.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from hubify.evidence.gateway.findings import Finding, Gate, Severity, excerpt_of
from hubify.evidence.gateway.lines import Kind, Piece, pieces_of
from hubify.evidence.gateway.rules import HINTS, RULES, SEARCHED, UNHINTED, WARNED, Rule

MAX_PER_RULE: Final = 5  # findings of one rule in one file
REACH: Final = 200  # characters of the line before that belong to a sentence
ACROSS: Final = frozenset({Kind.PROSE, Kind.COMMENT})
CODE: Final = frozenset({Kind.SCRIPT, Kind.FENCE, Kind.DATA})
QUOTES: Final = frozenset("\"'`\u201c\u201d\u2018\u2019\u00ab\u00bb")
LOWERED: Final = {
    Severity.CRITICAL: Severity.MEDIUM,
    Severity.HIGH: Severity.LOW,
    Severity.MEDIUM: Severity.LOW,
}


def scan_text(path: str, text: str, kind: Kind, *, first_line: int = 1) -> Iterator[Finding]:
    """Findings of every rule in one file; `first_line` places a part of a file."""
    seen: Counter[str] = Counter()
    lines: set[tuple[str, int]] = set()
    hints = _held(HINTS, text.lower())
    for piece in pieces_of(text, kind):
        if len(piece.text) < SHORTEST:
            continue
        for rule, found in _matches(hints, piece):
            place = (rule.id, piece.line)
            if place in lines or seen[rule.id] >= MAX_PER_RULE:
                continue
            seen[rule.id] += 1
            lines.add(place)
            yield _finding(rule, piece, found, path, piece.line + first_line - 1)


def _matches(hints: Iterable[str], piece: Piece) -> Iterator[tuple[Rule, re.Match[str]]]:
    context = piece.before[-REACH:] if piece.kind in ACROSS else ""
    for rule in _possible(_held(hints, f"{context} {piece.text}".lower())):
        if piece.kind in rule.looks_in:
            found = _match(rule, piece)
            if found is not None:
                yield rule, found


def _held(hints: Iterable[str], lowered: str) -> list[str]:
    """Those of some hints that a text holds."""
    return [hint for hint in hints if hint in lowered]


def _possible(held: list[str]) -> list[Rule]:
    """Rules that a text with these hints may break; without a hint none of a rule's can match."""
    places = set(UNHINTED).union(*(HINTS[hint] for hint in held))
    return [RULES[place] for place in sorted(places)]


SHORTEST: Final = 6  # characters; no rule matches fewer


def _match(rule: Rule, piece: Piece) -> re.Match[str] | None:
    """A match in the piece, or across its beginning when a sentence began on the line before."""
    found = rule.pattern.search(piece.text)
    if found is None and piece.kind in ACROSS and piece.before:
        joined = piece.before[-REACH:] + " " + piece.text
        found = rule.pattern.search(joined)
        start = len(joined) - len(piece.text)
        if found is not None and (found.end() <= start or found.start() >= start):
            return None
    return found


def _finding(rule: Rule, piece: Piece, found: re.Match[str], path: str, line: int) -> Finding:
    blocks = piece.kind in rule.blocks_in and not _is_mentioned(rule, piece, found)
    severity = rule.severity
    if rule.blocks_in and not blocks:
        severity = LOWERED.get(severity, severity)
    return Finding(
        gate=Gate.CONTENT,
        rule=rule.id,
        severity=severity,
        blocks=blocks,
        path=path,
        line=line,
        excerpt=excerpt_of(found.string, found.start()),
        message=rule.message,
        fix=rule.fix,
    )


def _is_mentioned(rule: Rule, piece: Piece, found: re.Match[str]) -> bool:
    """Whether the text speaks of the thing rather than doing it: warned of, quoted, looked for."""
    start = found.start()
    before = found.string[max(0, start - REACH) : start]
    if piece.kind in CODE:
        return _is_comment_or_search(piece, before)
    if rule.id.startswith("injection/"):
        quoted = before.rstrip()[-1:] in QUOTES if before.strip() else False
        told = WARNED.search(before) or SEARCHED.search(before)
        return piece.kind is Kind.PROSE and (quoted or bool(told))
    heading = piece.before.rstrip().endswith(":") and WARNED.search(piece.before)
    return bool(WARNED.search(before)) or bool(heading)


def _is_comment_or_search(piece: Piece, before: str) -> bool:
    """A comment, what a comment above warns of, or a quoted text that is looked for."""
    if before.lstrip().startswith(COMMENT_MARKS):
        return True
    above = piece.before.strip()
    if piece.kind is Kind.FENCE and above.startswith(COMMENT_MARKS):
        return bool(WARNED.match(above.lstrip("#/-* ")))
    inside_quotes = before.count('"') % 2 == 1 or before.count("'") % 2 == 1
    return inside_quotes and bool(SEARCHED.search(before)) and not RUNS.search(before)


COMMENT_MARKS: Final = ("#", "//", "-- ", "REM ")
RUNS: Final = re.compile(r"\b(?:eval|exec|source|(?:ba|z|da)?sh\s{1,3}-c)\b", re.IGNORECASE)
