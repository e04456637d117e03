"""Verification levels of a version: what has been shown of it, 0 to 3 (evolution-and-trust 2).

Invariant: a level is a function of what the record says now, so it falls again when the numbers
do. Counts are undecayed counts of the version's line; only the confidence decays.

The sandbox gives level 1 and nothing above it. Where it found a fault the version stays untested,
whatever is reported; where no sandbox could run, level 1 is out of reach but evidence from the
field still counts, since it says more than a sandbox would have.
"""

from enum import IntEnum, StrEnum

import msgspec


class Level(IntEnum):
    """How far a version is verified."""

    UNTESTED = 0
    SANDBOX_TESTED = 1
    FIELD_TESTED = 2
    BATTLE_TESTED = 3


class Sandbox(StrEnum):
    """What the gateway's sandbox said of a version."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Record(msgspec.Struct, frozen=True):
    """What a level is decided on."""

    runs: int
    owners: int
    platforms: int
    confidence: float
    sandbox: Sandbox


class Requirement(msgspec.Struct, frozen=True):
    """The least a record must show for a level that the field gives."""

    level: Level
    runs: int
    owners: int
    platforms: int
    confidence: float

    def met_by(self, record: Record) -> bool:
        """Whether each figure of the record reaches its minimum."""
        return (
            record.runs >= self.runs
            and record.owners >= self.owners
            and record.platforms >= self.platforms
            and record.confidence >= self.confidence
        )


FIELD_REQUIREMENTS = (
    Requirement(Level.BATTLE_TESTED, runs=200, owners=10, platforms=2, confidence=85),
    Requirement(Level.FIELD_TESTED, runs=20, owners=3, platforms=1, confidence=70),
)
"""Highest first."""


def verification_level(record: Record) -> Level:
    """The highest level whose requirements the record meets."""
    if record.sandbox is Sandbox.FAILED:
        return Level.UNTESTED
    for requirement in FIELD_REQUIREMENTS:
        if requirement.met_by(record):
            return requirement.level
    if record.sandbox is Sandbox.PASSED and record.runs >= 1:
        return Level.SANDBOX_TESTED
    return Level.UNTESTED
