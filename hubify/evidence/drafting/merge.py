"""The drafter that needs no model: advice of agents becomes bullets in the fitting sections.

Invariant: every byte of the skill outside the added lines stays as it was, line ends and a missing
last line end included; each added line belongs to one request and names its suggestions.
"""

import re
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from hubify.evidence.drafting.advice import advice_from
from hubify.evidence.drafting.placing import choose_section
from hubify.evidence.drafting.sections import (
    Section,
    body_start,
    content_end,
    in_open_fence,
    last_bullet,
    lines_of,
    sections_of,
)
from hubify.evidence.similarity import Suggestion, analyse, same_request
from hubify.evidence.suggestions import read_suggestion

MAX_SKILL: Final = 1_048_576  # characters of a skill's own file
MAX_REQUESTS: Final = 20  # requests that one draft takes in
MAX_WORDINGS: Final = 50  # wordings of one request that are compared for the best
CONTEXT_LINES: Final = 3
VERSION: Final = re.compile(
    r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:[-+][0-9A-Za-z.+-]{1,100})?", re.ASCII
)
NEW_ABILITIES: Final = frozenset("add include support generate create export enable write".split())

Bump = Literal["patch", "minor"]


class Asked(msgspec.Struct, frozen=True):
    """One suggestion: its id and its text as its agent wrote it."""

    id: str
    text: str


class Request(msgspec.Struct, frozen=True):
    """Suggestions that ask for the same."""

    suggestions: tuple[Asked, ...]


class Hunk(msgspec.Struct, frozen=True):
    """One added line of advice: where, for whom, and how it looks as a unified diff.

    `line` counts from 1 in the new text.
    """

    section: str
    line: int
    added: str
    suggestions: tuple[str, ...]
    summary: str
    diff: str


class Draft(msgspec.Struct, frozen=True):
    """A new text of the skill, what changed and for whom, and how far its version moves."""

    text: str
    version: str
    bump: Bump
    summary: str
    hunks: tuple[Hunk, ...]


class NoDraft(msgspec.Struct, frozen=True):
    """Why there is no draft."""

    reason: str


class Wanted(msgspec.Struct, frozen=True):
    """A request ready to be placed."""

    line: str
    features: Suggestion
    ids: tuple[str, ...]


class Insertion(msgspec.Struct, frozen=True):
    """Lines to put before the line `at` of the old text; the last one is the advice."""

    at: int
    lines: tuple[str, ...]
    section: str
    wanted: Wanted


def merge_draft(text: str, version: str, requests: Sequence[Request]) -> Draft | NoDraft:
    """Add what the requests ask for to a skill's text, or say why that is not possible.

    `version` is the current one, strict semver. At most `MAX_REQUESTS` requests are taken in.
    Suggestions that are vague, praise or an attack are passed over; a request that the text meets
    already adds nothing.
    """
    unfit = _unfit(text, version)
    if unfit:
        return NoDraft(unfit)
    wanted = [found for request in requests[:MAX_REQUESTS] if (found := _wanted(request))]
    if not wanted:
        return NoDraft("no suggestion names a concrete change")
    lines = lines_of(text)
    new = [one for one in _distinct(wanted) if not _is_said(one, lines)]
    if not new:
        return NoDraft("the skill says so already")
    return _draft(lines, version, new)


def _unfit(text: str, version: str) -> str | None:
    if len(text) > MAX_SKILL:
        return f"the skill is longer than {MAX_SKILL} characters"
    if not _numbers(version):
        return "the current version is not a semantic version"
    lines = lines_of(text)
    if in_open_fence(lines):
        return "a code block of the skill is never closed"
    return None


def _numbers(version: str) -> tuple[int, int, int] | None:
    match = VERSION.fullmatch(version)
    if match is None:
        return None
    major, minor, patch = (int(part) for part in match.groups())
    return major, minor, patch


def _wanted(request: Request) -> Wanted | None:
    """The wording that stands for a request, and everybody who asked."""
    readings = [(one.id, read_suggestion(one.text)) for one in request.suggestions[:MAX_WORDINGS]]
    concrete = [(name, reading.text) for name, reading in readings if reading.kind == "concrete"]
    if not concrete:
        return None
    features = {text: analyse(text) for _, text in concrete}
    chosen = _most_central([text for _, text in concrete], features)
    line = advice_from(chosen)
    ids = tuple(name for name, _ in concrete)
    return Wanted(line, features[chosen], ids) if line else None


def _most_central(texts: list[str], features: dict[str, Suggestion]) -> str:
    """The wording most like all others, one that asks before one that tells, then the first."""

    def rank(text: str) -> tuple[bool, float, int]:
        others = (same_request(features[text], features[other]).score for other in texts)
        return bool(features[text].acts), round(sum(others), 6), -texts.index(text)

    return max(texts, key=rank)


def _distinct(wanted: list[Wanted]) -> list[Wanted]:
    """One entry a line of advice: requests of equal wording share it."""
    by_line: dict[str, Wanted] = {}
    for one in wanted:
        known = by_line.get(one.line)
        ids = one.ids if known is None else tuple(dict.fromkeys((*known.ids, *one.ids)))
        by_line[one.line] = Wanted(one.line, one.features, ids)
    return list(by_line.values())


def _is_said(one: Wanted, lines: list[str]) -> bool:
    """Whether a line of the body says it already: the same bullet, or the same request."""
    for line in lines[body_start(lines) :]:
        plain = line.strip().lstrip("-*+ ")
        if plain == one.line:
            return True
        if line.lstrip().startswith(("- ", "* ", "+ ")) and plain.startswith(_FRAME):
            said = analyse(plain.removeprefix(_FRAME))
            if same_request(said, one.features).same:
                return True
    return False


_FRAME: Final = advice_from("x").split("x")[0]


def _draft(lines: list[str], version: str, new: list[Wanted]) -> Draft:
    newline = _newline(lines)
    insertions = _insertions(lines, new, newline)
    text, hunks = _apply(lines, insertions, newline)
    bump: Bump = "minor" if any(_is_ability(one.features) for one in new) else "patch"
    return Draft(text, _next(version, bump), bump, _summary(hunks), tuple(hunks))


def _is_ability(features: Suggestion) -> bool:
    """Whether a request wants something the skill could not do before."""
    return any(act.polarity > 0 and act.verb in NEW_ABILITIES for act in features.acts)


def _next(version: str, bump: Bump) -> str:
    major, minor, patch = _numbers(version) or (0, 0, 0)
    return f"{major}.{minor + 1}.0" if bump == "minor" else f"{major}.{minor}.{patch + 1}"


def _newline(lines: list[str]) -> str:
    crlf = sum(line.endswith("\r\n") for line in lines)
    return "\r\n" if 2 * crlf > len(lines) else "\n"


def _insertions(lines: list[str], new: list[Wanted], newline: str) -> list[Insertion]:
    sections = sections_of(lines)
    found: list[Insertion] = []
    opened: dict[str, bool] = {}
    for one in new:
        section, title = choose_section(one.features, sections, lines)
        first = not opened.get(title)
        opened[title] = True
        found.append(_insertion(lines, section, title, one, newline, first=first))
    return sorted(found, key=lambda insertion: insertion.at)


def _insertion(
    lines: list[str],
    section: Section | None,
    title: str,
    one: Wanted,
    newline: str,
    *,
    first: bool,
) -> Insertion:
    """Continue the section's list, begin one at its end, or begin a section at the end of all."""
    if section is None:
        lead = (newline, f"## {title}{newline}", newline) if first else ()
        return Insertion(len(lines), (*lead, f"- {one.line}{newline}"), title, one)
    bullet = last_bullet(lines, section)
    if bullet:
        at, mark = bullet
        return Insertion(at, (f"{mark} {one.line}{newline}",), title, one)
    at = content_end(lines, section)
    lead = (newline,) if first else ()
    return Insertion(at, (*lead, f"- {one.line}{newline}"), title, one)


def _apply(lines: list[str], insertions: list[Insertion], newline: str) -> tuple[str, list[Hunk]]:
    """The new text and a hunk for each insertion."""
    unended = bool(lines) and not lines[-1].endswith("\n")
    old = [*lines[:-1], lines[-1] + newline] if unended else list(lines)
    new: list[str] = []
    hunks: list[Hunk] = []
    place = 0
    for insertion in insertions:
        new.extend(old[place : insertion.at])
        place = insertion.at
        added = _spaced(new, insertion)
        hunks.append(_hunk(old, new, insertion, added))
        new.extend(added)
    new.extend(old[place:])
    text = "".join(new)
    return (text.removesuffix(newline) if unended else text), hunks


def _spaced(new: list[str], insertion: Insertion) -> list[str]:
    """Leave out a leading blank line where one stands already."""
    lines = list(insertion.lines)
    blank_before = not new or not new[-1].strip()
    if blank_before and not lines[0].strip():
        return lines[1:]
    return lines


def _hunk(old: list[str], new: list[str], insertion: Insertion, added: list[str]) -> Hunk:
    before = old[max(0, insertion.at - CONTEXT_LINES) : insertion.at]
    after = old[insertion.at : insertion.at + CONTEXT_LINES]
    context = len(before) + len(after)
    header = (
        f"@@ -{_range(insertion.at - len(before), context)}"
        f" +{_range(len(new) - len(before), context + len(added))} @@"
    )
    body = [*(" " + line for line in before), *("+" + line for line in added)]
    body.extend(" " + line for line in after)
    return Hunk(
        section=insertion.section,
        line=len(new) + len(added),
        added=insertion.wanted.line,
        suggestions=insertion.wanted.ids,
        summary=f"{insertion.section}: {insertion.wanted.line.removeprefix(_FRAME)}",
        diff="\n".join([header, *(line.rstrip("\r\n") for line in body)]),
    )


def _range(start: int, count: int) -> str:
    return f"{start + 1 if count else start},{count}"


def _summary(hunks: list[Hunk]) -> str:
    asked = sum(len(hunk.suggestions) for hunk in hunks)
    sections = list(dict.fromkeys(hunk.section for hunk in hunks))
    advice = "1 piece of advice" if len(hunks) == 1 else f"{len(hunks)} pieces of advice"
    reports = "1 suggestion" if asked == 1 else f"{asked} suggestions"
    return f"Add {advice} from {reports} to {', '.join(sections)}."
