"""Semantic versions as text: reading them kindly, comparing them, and what comes next.

Invariant: every version that leaves this module is strict semver 2.0.0 without a leading `v`.
Where no version is given it is 1.0.0 (settled in the product's rules for import).
"""

import re
from collections.abc import Collection, Iterable
from enum import StrEnum

import semver
from msgspec import Struct

from hubify.formats.findings import quoted
from hubify.formats.limits import MAX_VERSION, MAX_VERSION_DIGITS

FIRST = "1.0.0"
_NUMBER = rf"[0-9]{{1,{MAX_VERSION_DIGITS}}}"
_LENIENT = re.compile(
    rf"[vV]?({_NUMBER})(?:\.({_NUMBER}))?(?:\.({_NUMBER}))?"
    r"(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?"
)


class BadVersion(ValueError):
    """The text is not a version, nor close enough to one to be read as such."""


def read_version(text: str) -> str:
    """Return the strict form of a version: `v` dropped, missing parts 0, leading zeros dropped.

    Raises:
        BadVersion: the text is anything else, or longer than 64 characters.
    """
    match = _LENIENT.fullmatch(text.strip()) if len(text) <= MAX_VERSION else None
    if match is None:
        raise BadVersion(f"{quoted(text)} is not a version like 1.2.3")
    numbers = ".".join(str(int(part or 0)) for part in match.group(1, 2, 3))
    prerelease = f"-{match[4]}" if match[4] else ""
    build = f"+{match[5]}" if match[5] else ""
    return str(_parsed(numbers + prerelease + build))


def is_version(text: str) -> bool:
    """Whether the text is strict semver already."""
    try:
        return read_version(text) == text
    except BadVersion:
        return False


def bump_patch(version: str) -> str:
    """Return the next fix: 1.2.3 gives 1.2.4, and so does any canary of 1.2.3."""
    return str(_parsed(version).bump_patch())


def bump_minor(version: str) -> str:
    """Return the next version with a new ability: 1.2.3 gives 1.3.0."""
    return str(_parsed(version).bump_minor())


def canary_of(release: str, number: int) -> str:
    """Return the name of the `number`th attempt at a release: `1.3.0-canary.1`."""
    if number < 1:
        raise ValueError("canaries are counted from 1")
    return f"{release_of(release)}-canary.{number}"


def release_of(version: str) -> str:
    """Return the version without pre-release and build: `1.3.0-canary.1` gives 1.3.0."""
    return str(_parsed(version).finalize_version())


def is_prerelease(version: str) -> bool:
    """Whether the version is an attempt (canary, beta) and not a release."""
    return _parsed(version).prerelease is not None


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1 by semver precedence; build metadata does not count (semver 10)."""
    return _parsed(left).compare(_parsed(right))


def highest(versions: Iterable[str]) -> str | None:
    """Return the one of highest precedence, None when there is none."""
    return max(versions, key=_parsed, default=None)


def free_version(wanted: str, taken: Collection[str]) -> str:
    """Return `wanted`, or the first patch after it that is not taken.

    Changed bytes under a number that exists bump PATCH, because versions never change.
    """
    held = frozenset(taken)
    while wanted in held:
        wanted = bump_patch(wanted)
    return wanted


class Numbering(StrEnum):
    """How an entry of a history came by its number."""

    DECLARED = "declared"  # the number that its author gave
    ASSIGNED = "assigned"  # none was given
    BUMPED = "bumped"  # the given number held other bytes already
    REPEATED = "repeated"  # the same bytes once more: nothing new


class Numbered(Struct, frozen=True):
    """The number of one entry of a history."""

    version: str
    how: Numbering


def number_history(entries: Iterable[tuple[str | None, str]]) -> list[Numbered]:
    """Give each entry (strict version or None, content digest), oldest first, its version.

    Declared numbers stand in whatever order they come. An entry without one follows the entry
    before it by a patch. Equal bytes again are REPEATED and keep the number they had.
    """
    listed = list(entries)
    declared = frozenset(version for version, _ in listed if version is not None)
    given: dict[str, str] = {}
    numbered: list[Numbered] = []
    for version, digest in listed:
        last = numbered[-1].version if numbered else None
        numbered.append(_number(version, digest, last, given, declared))
        given.setdefault(numbered[-1].version, digest)
    return numbered


def _number(
    version: str | None, digest: str, last: str | None, given: dict[str, str], kept: frozenset[str]
) -> Numbered:
    """Number one entry; `given` holds the digest under each number, `kept` numbers to come."""
    wanted = version or last
    if wanted is not None and given.get(wanted) == digest:
        return Numbered(wanted, Numbering.REPEATED)
    if version is not None and version not in given:
        return Numbered(version, Numbering.DECLARED)
    how = Numbering.ASSIGNED if version is None else Numbering.BUMPED
    if wanted is None:
        return Numbered(free_version(FIRST, kept), how)
    return Numbered(free_version(bump_patch(wanted), {*given, *kept}), how)


def _parsed(version: str) -> semver.Version:
    try:
        return semver.Version.parse(version)
    except (ValueError, TypeError) as error:
        raise BadVersion(f"{quoted(version)} is not a version like 1.2.3") from error
