"""The judge's memory of a canary: one row that each ticketed report of the trial rewrites.

Which tickets came back it hears every few minutes (`returns.py`), each when it has had its time.

Invariant: the row is the judge's state after every report in order of arrival, so a decision falls
in the same commit as the report that tips it.
"""

from typing import NamedTuple

import msgspec

from hubify.domains.evolution.rules import marks, may_end_now, patience_ms
from hubify.domains.evolution.tables import Canary, JudgeState
from hubify.domains.skills import has_untold_tickets, tell_tickets
from hubify.evidence.canary import (
    CanaryState,
    Reason,
    RunReport,
    TicketEnded,
    Verdict,
    advance,
    observe,
    observe_ticket,
    resume,
    settle,
)
from hubify.evidence.reports import Arm, Outcome
from hubify.functions import MutationCtx, QueryCtx

TICKETS_AT_ONCE = 500
"""Tickets that one look at what came back takes in."""
LOOKS_IN_PATIENCE = 24
SHORTEST_BETWEEN_MS = 1_800_000

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


class TicketLook(NamedTuple):
    """A look at what became of some tickets: the judge's state after it, and those tickets."""

    look: Look
    tickets: tuple[TicketEnded, ...]


def has_ripe_tickets(ctx: MutationCtx, canary_id: str) -> bool:
    """Whether tickets of a running trial have waited long enough for the judge's next look.

    It looks at many at once, not at each: a look is kept for ever.
    """
    state = judge_of(ctx, canary_id)
    if state is None or state.verdict is not Verdict.RUNNING:
        return False
    patience = patience_ms(state)
    between = max(SHORTEST_BETWEEN_MS, patience // LOOKS_IN_PATIENCE)
    return has_untold_tickets(ctx, canary_id, until=ctx.now - patience - between)


def look_at_tickets(ctx: MutationCtx, canary_id: str) -> TicketLook | None:
    """Tell the judge which of the tickets that have had their time came back.

    At most `TICKETS_AT_ONCE`. None when there are none, or the trial is decided.
    """
    kept = ctx.db.first(JudgeState.where(canary_id=canary_id))
    state = _decode(kept.state) if kept else None
    if kept is None or state is None or state.verdict is not Verdict.RUNNING:
        return None
    until = ctx.now - patience_ms(state)
    ripe = tell_tickets(ctx, canary_id, until=until, limit=TICKETS_AT_ONCE)
    if not ripe:
        return None
    stood = marks(state)
    told = tuple(TicketEnded(one.arm, one.share, one.owner, one.reported) for one in ripe)
    for one in told:
        observe_ticket(state, arm=one.arm, share=one.share, owner=one.owner, reported=one.reported)
    ctx.db.replace(kept, state=_encode(state))
    return TicketLook(Look(state, marks(state) != stood), told)


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
