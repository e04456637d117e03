"""Every few minutes the judges of running trials hear which tickets came back.

A canary whose runs fail so badly that nobody reports them would otherwise look no worse than the
stable version. A ticket that was not reported within a day (`rules.patience_ms`: in a short trial
sooner) counts as one that did not come back.

Invariant: the judge is told each ticket once, in the order in which they were handed out, and the
tickets of one trial never wait for those of another.
"""

from hubify.domains.evolution.judging import has_ripe_tickets, look_at_tickets
from hubify.domains.evolution.lifecycle import follow
from hubify.domains.evolution.looks import note_look
from hubify.domains.evolution.tables import Canary, JudgeState, LookKind, evolution
from hubify.domains.skills import WrongState
from hubify.functions import MutationCtx, NotFound, RowId

EVERY_S = 600
MAX_TRIALS = 1_000
"""Trials that one round looks at; further ones are looked at as these end."""


@evolution.cron(every_s=EVERY_S)
@evolution.mutation(internal=True)
def judge_returns(ctx: MutationCtx) -> None:
    """Schedule a look for every trial with tickets that have had their time to come back."""
    for judge in ctx.db.take(JudgeState.where().order_by("canary_id"), limit=MAX_TRIALS):
        if has_ripe_tickets(ctx, judge.canary_id):
            ctx.schedule(judge_tickets, canary_id=judge.canary_id)


@evolution.mutation(internal=True, errors=(NotFound, WrongState))
def judge_tickets(ctx: MutationCtx, *, canary_id: RowId) -> None:
    """Let a trial's judge see which of these tickets came back, some hundreds at once."""
    canary, told = ctx.db.get(Canary, canary_id), look_at_tickets(ctx, canary_id)
    if canary is None or told is None:
        return
    note_look(ctx, canary, told.look.state, LookKind.TICKETS, tickets=told.tickets)
    follow(ctx, canary_id, told.look)
    if has_ripe_tickets(ctx, canary_id):
        ctx.schedule(judge_tickets, canary_id=canary_id)
