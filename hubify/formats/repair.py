"""Reading YAML that is almost YAML, as people and models write it in front matter.

Invariant: a repair only makes more of what is written count as text; it invents nothing, and each
one is a finding. The file itself is never changed.
"""

import json
import re

from msgspec import Struct

from hubify.formats.findings import Finding, Refused, quoted, refused, repaired
from hubify.formats.limits import MAX_REPAIRS
from hubify.formats.yaml_nodes import NotYaml, Parsed, Scalar, parse_yaml

_ENTRY = re.compile(r"([ ]*(?:- )*)([A-Za-z0-9_][\w.-]{0,63})[ ]*:(?:[ ]+(.*))?")
_GLUED = re.compile(r"([A-Za-z_][\w-]{0,63}):(?!//)(\S.*)")
_BLOCK = re.compile(r"[|>][-+0-9]{0,2}[ ]*(?:#.*)?")
_TABS = re.compile(r"^[ \t]*\t[ \t]*|(?<=[:-])[ ]*\t[ \t]*")


class _Edit(Struct, frozen=True):
    """The lines after one repair, the line it changed, and its finding."""

    lines: list[str]
    finding: Finding


def parse_kindly(text: str, *, first_line: int = 1) -> Parsed:
    """Parse YAML; where it breaks, read the value there as text and try again, a few times.

    Raises:
        Refused: it is not YAML after at most eight repairs, or refused as `parse_yaml` says. The
            finding names the line of the first break.
    """
    lines = text.split("\n")
    findings: list[Finding] = []
    first: NotYaml | None = None
    for _ in range(MAX_REPAIRS + 1):
        try:
            parsed = parse_yaml("\n".join(lines), first_line=first_line)
        except NotYaml as error:
            first = first or error
            edit = _repair(lines, error, first_line)
        else:
            edit = _part_all(lines, first_line) if isinstance(parsed.root, Scalar) else None
            if edit is None:
                return Parsed(parsed.root, (*findings, *parsed.findings))
        if edit is None:
            break
        lines = edit.lines
        findings.append(edit.finding)
    assert first is not None  # only broken grammar ends the loop without an answer
    raise Refused(_not_yaml(first)) from first


def _not_yaml(error: NotYaml) -> Finding:
    what = f"This is not YAML: {error.problem}."
    fix = "Write `key: value` lines, and quote values that hold `: ` or begin with a sign."
    return refused("not-yaml", what, fix, line=error.line)


def _repair(lines: list[str], error: NotYaml, first_line: int) -> _Edit | None:
    """Mend the first thing near the break that can be mended, None when nothing can."""
    if any(_TABS.search(line) for line in lines):
        what = "Tabs in the front matter are read as spaces."
        mended = [_TABS.sub(_spaces, line) for line in lines]
        return _Edit(mended, repaired("yaml-tabs", what, line=error.line))
    for line in (error.context_line, error.line):
        number = min(line - first_line, len(lines) - 1)
        if line and number >= 0:
            edit = _mend_entry(lines, number, first_line)
            if edit is not None:
                return edit
    return None


def _spaces(tabs: re.Match[str]) -> str:
    return tabs[0].replace("\t", "  ") if tabs.start() == 0 else " "


def _mend_entry(lines: list[str], number: int, first_line: int) -> _Edit | None:
    """Mend the entry that line `number` belongs to: its own key, or the nearest key above.

    Where that key stands inside a value that began on a line above, the value is mended whole.
    """
    for start in range(number, -1, -1):
        if _GLUED.fullmatch(lines[start]):
            mended = [*lines[:start], _parted(lines[start]), *lines[start + 1 :]]
            return _Edit(mended, _space_missing(start + first_line))
        entry = _ENTRY.fullmatch(lines[start])
        if entry is not None:
            outer = _outer_value(lines, start)
            return _quote_value(lines, start if outer is None else outer, first_line)
        if lines[start][:1] not in {" ", ""}:
            return None
    return None


def _outer_value(lines: list[str], number: int) -> int | None:
    """Return the line of the key above whose value line `number` continues, None when none."""
    indent = _indent(lines[number])
    for start in range(number - 1, -1, -1):
        if lines[start].strip() and _indent(lines[start]) < indent:
            entry = _ENTRY.fullmatch(lines[start])
            return start if entry is not None and entry[3] else None
    return None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _part_all(lines: list[str], first_line: int) -> _Edit | None:
    """Mend `key:value` lines, which YAML takes for one long text; None when there are none."""
    mended = [_parted(line) for line in lines]
    if mended == lines:
        return None
    changed = next(number for number, line in enumerate(lines) if line != mended[number])
    return _Edit(mended, _space_missing(changed + first_line))


def _parted(line: str) -> str:
    match = _GLUED.fullmatch(line)
    return f"{match[1]}: {match[2]}" if match else line


def _space_missing(line: int) -> Finding:
    what = "A space is missing after a key's colon; read as if it stood there."
    return repaired("yaml-space", what, line=line)


def _quote_value(lines: list[str], start: int, first_line: int) -> _Edit | None:
    """Quote the value of the entry on a line, together with the lines that continue it."""
    entry = _ENTRY.fullmatch(lines[start])
    assert entry is not None
    lead, key, value = entry.group(1, 2, 3)
    if not value or _BLOCK.fullmatch(value) or _is_mended(value):
        return None
    end = start + 1
    while end < len(lines) and _continues(lines[end], len(lead)):
        end += 1
    parts = [value, *lines[start + 1 : end]]
    text = _unquoted(" ".join(part.strip() for part in parts).strip())
    mended = f"{lead}{key}: {json.dumps(text, ensure_ascii=False)}"
    what = f"The value of {quoted(key)} is not YAML; read as text."
    finding = repaired("yaml-quoted", what, line=start + first_line)
    return _Edit([*lines[:start], mended, *lines[end:]], finding)


def _is_mended(value: str) -> bool:
    """Whether the value is one that quoting has made already, or could make no better."""
    try:
        return isinstance(json.loads(value), str)
    except (ValueError, RecursionError):
        return False


def _continues(line: str, indent: int) -> bool:
    return bool(line.strip()) and _indent(line) > indent


def _unquoted(text: str) -> str:
    """Drop quotes around the whole, or an opening quote that nothing closes."""
    mark = text[:1]
    if mark not in {'"', "'"}:
        return text
    if len(text) > 1 and text.endswith(mark):
        return text[1:-1]
    return text if mark in text[1:] else text[1:]
