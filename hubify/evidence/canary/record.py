"""The record of a trial: all that its judge was told, in order, and what follows from it.

Invariant: a judge that is told the same in the same order comes to the same state, to the last
bit; so a decision can be taken again from its record by anybody.
"""

from collections.abc import Iterable

import msgspec

from hubify.evidence.canary.judge import (
    advance,
    observe,
    observe_ticket,
    resume,
    settle,
    start,
)
from hubify.evidence.canary.settings import Settings
from hubify.evidence.canary.state import CanaryState, Reason, RunReport, Verdict
from hubify.evidence.reports import Arm


class ClockLook(msgspec.Struct, frozen=True):
    """The judge was told what time it is: a stage may be over, or the trial."""

    at_ms: int


class Resumed(msgspec.Struct, frozen=True):
    """A maintainer let a paused trial go on."""

    at_ms: int


class TicketEnded(msgspec.Struct, frozen=True):
    """A ticket's time was over, and it had come back or not."""

    arm: Arm
    share: float
    owner: str
    reported: bool


class Ended(msgspec.Struct, frozen=True):
    """Somebody's word ended the trial, whatever the judge says."""

    at_ms: int
    verdict: Verdict
    reason: Reason = Reason.MAINTAINER


Entry = RunReport | TicketEnded | ClockLook | Resumed | Ended
"""One thing that a judge is told; times are milliseconds since the trial began."""


def judge_record(
    entries: Iterable[Entry], settings: Settings, *, runs_per_hour: float | None
) -> CanaryState:
    """The judge's state at the end of a record, as it was live.

    Args:
        entries: in the order in which the judge was told them.
        settings: the trial's rules.
        runs_per_hour: the traffic before the trial, which chose its stages.
    """
    state = start(settings, runs_per_hour=runs_per_hour)
    for entry in entries:
        tell(state, entry)
    return state


def tell(state: CanaryState, entry: Entry) -> None:
    """Tell the judge one thing; a run may be what its stage has waited for, and ends it at once."""
    match entry:
        case RunReport():
            observe(state, entry)
            advance(state, entry.at_ms)
        case TicketEnded(arm, share, owner, reported):
            observe_ticket(state, arm=arm, share=share, owner=owner, reported=reported)
        case ClockLook():
            advance(state, entry.at_ms)
        case Resumed():
            resume(state)
        case Ended():
            settle(state, entry.verdict, entry.reason, entry.at_ms)
