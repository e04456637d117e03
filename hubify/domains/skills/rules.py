"""What follows from a skill's fields alone: listing, status, level, trend, platform names.

Invariant: pure; the same fields give the same answer on every machine.
"""

import math
import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from unicodedata import normalize

from hubify.domains.arguments import in_one_line
from hubify.domains.skills.tables import (
    DayCount,
    Listing,
    Skill,
    SkillStatus,
    Trend,
    VersionStatus,
    Visibility,
)
from hubify.formats.names import is_slug
from hubify.formats.versions import bump_minor, bump_patch

RESERVED_NAMES = frozenset({"import", "proposals", "publish", "reports", "search"})
"""Words that stand in REST paths where a skill's name stands; a test reads them off the routes."""
MAX_PLATFORMS = 24
"""Platforms that a version tells apart; further ones are counted together."""
OTHER_PLATFORM = "other"
UNKNOWN_PLATFORM = "unknown"
MAX_PLATFORM = 40
RECENT_DAYS = 14
WINDOW_DAYS = 7
TREND_Z = 1.645
"""One-sided 5 %: a change smaller than chance would make is no trend."""


class Bump(StrEnum):
    """Which part of the highest number so far the new version raises."""

    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"


_OTHER_CHARACTERS = re.compile(r"[^a-z0-9.]+")


def listing_of(visibility: Visibility, status: SkillStatus, stable: str | None) -> Listing:
    """Where a skill stands in public lists: only what is public and can be run stands there."""
    if visibility is not Visibility.PUBLIC or status is SkillStatus.DELETED or stable is None:
        return Listing.HIDDEN
    return Listing.DEPRECATED if status is SkillStatus.DEPRECATED else Listing.LISTED


def may_be_named(name: str) -> bool:
    """Whether a skill may have this name: a slug that stands for nothing else."""
    return is_slug(name) and name not in RESERVED_NAMES


def repaired_name(name: str, written: str) -> str:
    """What a skill's name was made of, in one line; empty where nothing had to be repaired."""
    return "" if written == name else in_one_line(normalize("NFC", written))


def called(skill: Skill) -> str:
    """What a skill is called where names are free: what it was made of, else as it is shown."""
    return skill.written_name or in_one_line(normalize("NFC", skill.display_name))


def shown_status(skill: Skill) -> str:
    """A skill's status in the published words: pending, active, canary or deprecated."""
    if skill.status is not SkillStatus.ACTIVE:
        return str(skill.status)
    if skill.stable_version is None:
        return "pending"
    return "canary" if skill.canary_version is not None else "active"


@lru_cache(maxsize=1_024)
def platform_name(platform: str | None) -> str:
    """A platform as it is counted: lower case, hyphens, at most 40 characters."""
    plain = _OTHER_CHARACTERS.sub("-", (platform or "").lower()).strip("-.")
    return plain[:MAX_PLATFORM] or UNKNOWN_PLATFORM


def counted_platform(name: str, known: Iterable[str]) -> str:
    """The platform a report is counted under: its own while there is room, else `other`."""
    seen = set(known)
    return name if name in seen or len(seen) < MAX_PLATFORMS else OTHER_PLATFORM


def with_run(recent: tuple[DayCount, ...], day: int, halves: int) -> tuple[DayCount, ...]:
    """The last days' counts with one more run of `day` in them, oldest first."""
    counts = {count.day: count for count in recent if count.day > day - RECENT_DAYS}
    before = counts.get(day, DayCount(day, 0, 0))
    counts[day] = DayCount(day, before.runs + 1, before.halves + halves)
    return tuple(counts[known] for known in sorted(counts))


def trend_of(recent: Iterable[DayCount], today: int) -> Trend:
    """Whether the last seven days' success differs from the seven before by more than chance.

    Two-proportion z test at 5 % to either side; without runs in both windows, `stable`.
    """
    late, early = (0, 0), (0, 0)
    for count in recent:
        age = today - count.day
        if age < WINDOW_DAYS:
            late = (late[0] + count.runs, late[1] + count.halves)
        elif age < RECENT_DAYS:
            early = (early[0] + count.runs, early[1] + count.halves)
    if not (late[0] and early[0]):
        return Trend.STABLE
    runs = late[0] + early[0]
    pooled = (late[1] + early[1]) / (2 * runs)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / late[0] + 1 / early[0]))
    change = late[1] / (2 * late[0]) - early[1] / (2 * early[0])
    if abs(change) <= TREND_Z * spread:
        return Trend.STABLE
    return Trend.IMPROVING if change > 0 else Trend.DECLINING


def is_published(status: VersionStatus) -> bool:
    """Whether a version has files and has been given to somebody."""
    return status not in (VersionStatus.PLACEHOLDER, VersionStatus.DRAFT)


def raised(version: str, bump: Bump) -> str:
    """The next version after this one, raised in the given part."""
    match bump:
        case Bump.PATCH:
            return bump_patch(version)
        case Bump.MINOR:
            return bump_minor(version)
        case Bump.MAJOR:
            return f"{int(version.split('.', maxsplit=1)[0]) + 1}.0.0"


def success_rate(executions: int, halves: int) -> float:
    """The share of success in some runs, 0 to 1, four decimals; 0 without runs."""
    return round(halves / (2 * executions), 4) if executions else 0.0
