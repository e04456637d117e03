"""The words of a report: how a run ended, what binds the report to it, and in which arm it ran.

Invariant: outcomes are counted in whole halves of a success, so sums over reports are exact.
"""

from enum import StrEnum


class Outcome(StrEnum):
    """How one run ended."""

    SUCCESS = "success"
    PARTIAL = "partial"
    FAIL = "fail"

    @property
    def halves(self) -> int:
        """Half successes: 2, 1 or 0."""
        return _HALVES[self]


class Binding(StrEnum):
    """What ties a report to a run (evolution-and-trust 1)."""

    TICKETED = "ticketed"
    SIGNED = "signed"
    PLAIN = "plain"


class Arm(StrEnum):
    """Which version a run was given: the one in use, or the one on trial."""

    STABLE = "stable"
    CANARY = "canary"


_HALVES = {Outcome.SUCCESS: 2, Outcome.PARTIAL: 1, Outcome.FAIL: 0}
