"""The judge's memory of a canary: one row that each ticketed report of the trial rewrites.

Invariant: the row is the judge's state after every report in order of arrival, so a decision falls
in the same commit as the report that tips it.
"""

from typing import NamedTuple

import msgspec

from hubify.domains.evolution.rules import marks, may_end_now
from hubify.domains.evolution.tables import Canary, JudgeState
from hubify.evidence.canary import (
    CanaryState,
    Reason,
    RunReport,
    Verdict,
    advance,
    observe,
    resume,
    settle,
)
from hubify.evidence.reports import Arm, Outcome
from hubify.functions import MutationCtx, QueryCtx

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(CanaryState).decode


class TrialRun(NamedTuple):
    """A run of a skill that has a version on trial; without a ticket it is shown, not counted."""

    canary_id: str
    arm: Arm
    share: float
    owner: str
    platform: str
    outcome: Outcome
    is_regression: bool
    ticketed: bool = True


class Look(NamedTuple):
    """The judge's state after a look, and whether the look moved what others act upon."""

    state: CanaryState
    moved: bool


def remember(ctx: MutationCtx, canary: Canary, state: CanaryState) -> None:
    """Store the state that a canary begins with."""
    row = JudgeState(canary_id=canary.id, started_at=canary.started_at, state=_encode(state))
    ctx.db.insert(row)


def judge_of(ctx: QueryCtx, canary_id: str) -> CanaryState | None:
    """What the judge knows of a canary; None once it has been concluded."""
    kept = ctx.db.first(JudgeState.where(canary_id=canary_id))
    return _decode(kept.state) if kept else None


def look_at_run(ctx: MutationCtx, run: TrialRun) -> Look | None:
    """Let the judge see one run, at the cost of one row; None when the canary is over.

    A run whose ticket was issued while the trial was paused says nothing of either version.
    """
    kept = ctx.db.first(JudgeState.where(canary_id=run.canary_id))
    if kept is None or (run.ticketed and not 0 < run.share < 1):
        return None
    state = _decode(kept.state)
    stood = marks(state)
    report = RunReport(
        at_ms=ctx.now - kept.started_at,
        arm=run.arm,
        share=run.share,
        owner=run.owner,
        platform=run.platform,
        outcome=run.outcome,
        ticketed=run.ticketed,
        is_regression=run.is_regression,
    )
    observe(state, report)
    if may_end_now(state):
        advance(state, report.at_ms)
    ctx.db.replace(kept, state=_encode(state))
    return Look(state, marks(state) != stood)


def look_at_clock(ctx: MutationCtx, canary_id: str) -> Look | None:
    """Let the judge see what time it is: stages end, and in the end the trial does."""
    kept = ctx.db.first(JudgeState.where(canary_id=canary_id))
    if kept is None:
        return None
    state = _decode(kept.state)
    stood = marks(state)
    advance(state, ctx.now - kept.started_at)
    ctx.db.replace(kept, state=_encode(state))
    return Look(state, marks(state) != stood)


def overrule(ctx: MutationCtx, canary_id: str, verdict: Verdict) -> CanaryState:
    """End a canary by somebody's word, whatever the judge says; the evidence stays."""
    kept = ctx.db.first(JudgeState.where(canary_id=canary_id))
    assert kept is not None, "an undecided canary has its judge"
    state = _decode(kept.state)
    settle(state, verdict, Reason.MAINTAINER, ctx.now - kept.started_at)
    return state


def take_back_pause(ctx: MutationCtx, canary_id: str) -> CanaryState:
    """Let a paused canary go on; the calls that paused it stay on record."""
    kept = ctx.db.first(JudgeState.where(canary_id=canary_id))
    assert kept is not None, "an undecided canary has its judge"
    state = _decode(kept.state)
    resume(state)
    ctx.db.replace(kept, state=_encode(state))
    return state


def forget(ctx: MutationCtx, canary_id: str) -> None:
    """Drop the state of a concluded canary: the decision and the reports are kept."""
    kept = ctx.db.first(JudgeState.where(canary_id=canary_id))
    if kept is not None:
        ctx.db.delete(kept)
