"""Verification: each skill's stable version is watched, and who depends on it hears when it breaks.

Invariant: what this page exports is what higher domains build on; they tell it of runs, and it
tells them what was found.
"""

from hubify.domains.verification import functions
from hubify.domains.verification.tables import Alert, AlertStatus, verification
from hubify.domains.verification.watches import (
    Watched,
    open_alerts,
    reached,
    take_in,
    watch_of,
)

__all__ = [
    "Alert",
    "AlertStatus",
    "Watched",
    "functions",
    "open_alerts",
    "reached",
    "take_in",
    "verification",
    "watch_of",
]
