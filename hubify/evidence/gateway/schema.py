"""Gate 1: the skill's own fields are there, well formed and follow from the version before.

Invariant: the front matter comes parsed; this gate reads values only, never a file.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from hubify.evidence.gateway.findings import Finding, Gate, GateResult, Severity, result_of

NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
SEMVER: Final = re.compile(
    r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})"
    r"(?:-([0-9A-Za-z-]{1,64}(?:\.[0-9A-Za-z-]{1,64}){0,8}))?(?:\+[0-9A-Za-z.-]{1,128})?"
)
MIN_NAME: Final = 3
MAX_NAME: Final = 64  # names on import may be longer than the registry's documented 50
MAX_DESCRIPTION: Final = 1_024
TYPES: Final = frozenset({"skill", "agent", "soul"})

Order = tuple[int, int, int, int, tuple[tuple[int, int, str], ...]]


class Previous(msgspec.Struct, frozen=True):
    """The version that a new one follows."""

    name: str
    version: str
    type: str = "skill"


class Declared(msgspec.Struct, frozen=True):
    """A skill's front matter as parsed, and what the registry says about the publication.

    `front_matter` is None when it did not parse; `problem` and `line` say why and where. `version`
    is the number to be published, `own_file` the path that the front matter stands in.
    """

    front_matter: Mapping[str, object] | None
    version: str
    own_file: str = "SKILL.md"
    problem: str = ""
    line: int = 0
    previous: Previous | None = None


def schema_gate(declared: Declared) -> GateResult:
    """Check required fields, their types, the name, the version and what must not change."""
    if declared.front_matter is None:
        problem = declared.problem or "there is no front matter"
        found = _fault("schema/front-matter", declared, problem, "Begin the file with `---`.")
        return result_of(Gate.SCHEMA, [found])
    return result_of(Gate.SCHEMA, list(_faults(declared, declared.front_matter)))


def _faults(declared: Declared, fields: Mapping[str, object]) -> Iterator[Finding]:
    yield from _name_faults(declared, fields.get("name"))
    yield from _description_faults(declared, fields.get("description"))
    yield from _type_faults(declared, fields.get("type"))
    yield from _version_faults(declared, fields.get("version"))


def _name_faults(declared: Declared, name: object) -> Iterator[Finding]:
    if not isinstance(name, str) or not name.strip():
        yield _fault("schema/name-missing", declared, "`name` is missing", "Give the skill a name.")
        return
    if not MIN_NAME <= len(name) <= MAX_NAME or not NAME.fullmatch(name):
        yield _fault(
            "schema/name",
            declared,
            f"`name` is not {MIN_NAME} to {MAX_NAME} lower-case letters, digits and hyphens",
            "Use kebab case, such as `pdf-reader`.",
        )
    if declared.previous and name != declared.previous.name:
        yield _fault(
            "schema/name-changed",
            declared,
            "`name` differs from the version before",
            "Publish a skill of another name as a new skill.",
        )


def _description_faults(declared: Declared, description: object) -> Iterator[Finding]:
    if not isinstance(description, str) or not description.strip():
        what = "`description` is missing"
        yield _fault("schema/description-missing", declared, what, "Say what the skill does.")
    elif len(description) > MAX_DESCRIPTION:
        what = f"`description` is longer than {MAX_DESCRIPTION} characters"
        yield _fault("schema/description", declared, what, "Shorten it.")


def _type_faults(declared: Declared, kind: object) -> Iterator[Finding]:
    if kind is None:
        return
    if kind not in TYPES:
        what = "`type` is none of skill, agent, soul"
        yield _fault("schema/type", declared, what, "Leave it out for a skill.")
    elif declared.previous and kind != declared.previous.type:
        what = "`type` differs from the version before"
        yield _fault("schema/type-changed", declared, what, "Publish it under a new name.")


def _version_faults(declared: Declared, written: object) -> Iterator[Finding]:
    number = version_order(declared.version)
    if number is None:
        what = "the version is not a semantic version"
        yield _fault("schema/version", declared, what, "Use MAJOR.MINOR.PATCH.")
        return
    before = version_order(declared.previous.version) if declared.previous else None
    if before is not None and number <= before:
        what = "the version is not above the one before"
        yield _fault("schema/version-not-bumped", declared, what, "Raise the version.")
    if written is not None and str(written).removeprefix("v") != declared.version:
        yield Finding(
            gate=Gate.SCHEMA,
            rule="schema/version-written",
            severity=Severity.INFO,
            blocks=False,
            path=declared.own_file,
            message="the file names another version than is published; the registry's counts",
        )


def version_order(version: str) -> Order | None:
    """A key by which semantic versions sort (semver 2.0.0, section 11), or None for other text."""
    match = SEMVER.fullmatch(version)
    if match is None:
        return None
    numbers = (int(match[1]), int(match[2]), int(match[3]))
    if match[4] is None:
        return (*numbers, 1, ())
    parts = tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in match[4].split(".")
    )
    return (*numbers, 0, parts)


def _fault(rule: str, declared: Declared, what: str, fix: str) -> Finding:
    return Finding(
        gate=Gate.SCHEMA,
        rule=rule,
        severity=Severity.MEDIUM,
        blocks=True,
        path=declared.own_file,
        line=declared.line,
        message=what,
        fix=fix,
    )
