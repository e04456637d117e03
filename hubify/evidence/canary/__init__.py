"""The canary judge: is a new version not worse than the stable one, decided while it runs.

Invariant: what is imported from here is the public face; the modules follow statistics.md 1 in the
order settings, betting, state, judge, colluders, decision, interval, replay.
"""

from hubify.evidence.canary.decision import Decision, decision_of
from hubify.evidence.canary.interval import Interval, effect_interval
from hubify.evidence.canary.judge import (
    advance,
    observe,
    observe_ticket,
    resume,
    settle,
    start,
)
from hubify.evidence.canary.record import (
    ClockLook,
    Ended,
    Entry,
    Resumed,
    TicketEnded,
    judge_record,
)
from hubify.evidence.canary.replay import Replay, replay
from hubify.evidence.canary.settings import AtHorizon, Settings, Stage
from hubify.evidence.canary.state import CanaryState, Reason, RunReport, Verdict

__all__ = [
    "AtHorizon",
    "CanaryState",
    "ClockLook",
    "Decision",
    "Ended",
    "Entry",
    "Interval",
    "Reason",
    "Replay",
    "Resumed",
    "RunReport",
    "Settings",
    "Stage",
    "TicketEnded",
    "Verdict",
    "advance",
    "decision_of",
    "effect_interval",
    "judge_record",
    "observe",
    "observe_ticket",
    "replay",
    "resume",
    "settle",
    "start",
]
