"""Judging a trial again from the reports that are kept, for everybody to compare.

Invariant: nothing but the reports and the canary's own rules goes in, so the answer is what the
record says, whatever was stored of the decision.
"""

import msgspec

from hubify.domains.evolution import Canary, EvolutionNotFound, canary_of, visible_evolution
from hubify.domains.learning.errors import NeverOnTrial
from hubify.domains.learning.tables import Report, learning
from hubify.evidence.canary import Decision, RunReport, Settings, replay
from hubify.functions import QueryCtx, RowId, get

MAX_RECHECKED = 8_000
"""Reports that one recheck judges again: about a second of work."""


class Rechecked(msgspec.Struct, frozen=True):
    """A trial judged again from its reports.

    `lower` and `upper` bound the effects (canary minus stable success rate) that are not ruled out;
    `complete`: no report was left out for want of room.
    """

    decision: Decision
    lower: float
    upper: float
    reports: int
    complete: bool


@learning.query(
    public=True,
    rest=get("/v1/evolutions/{evolution_id}/recheck"),
    errors=(EvolutionNotFound, NeverOnTrial),
)
def recheck_canary(ctx: QueryCtx, *, evolution_id: RowId) -> Rechecked:
    """Judge an evolution's trial again from its reports: the decision, and the effect's interval.

    For a trial that is still running it says what would be decided if it ended now.
    """
    canary = canary_of(ctx, visible_evolution(ctx, evolution_id))
    if canary is None:
        raise NeverOnTrial("this evolution has not been on trial; there is nothing to judge")
    reports = trial_reports(ctx, canary)
    again = replay(
        reports[:MAX_RECHECKED],
        msgspec.convert(canary.rules, Settings),
        runs_per_hour=canary.runs_per_hour,
        until_ms=canary.decided_at - canary.started_at if canary.decided_at else None,
        with_interval=True,
    )
    assert again.interval is not None, "it was asked for"
    return Rechecked(
        decision=again.decision,
        lower=again.interval.lower,
        upper=again.interval.upper,
        reports=min(len(reports), MAX_RECHECKED),
        complete=len(reports) <= MAX_RECHECKED,
    )


def trial_reports(ctx: QueryCtx, canary: Canary) -> list[RunReport]:
    """The runs that a trial's judge was shown, in order of arrival; one more than are rechecked."""
    query = Report.where(skill_id=canary.skill_id).at_least(created_at=canary.started_at)
    if canary.decided_at is not None:
        query = query.at_most(created_at=canary.decided_at)
    return [
        RunReport(
            at_ms=report.created_at - canary.started_at,
            arm=report.arm,
            share=report.share,
            owner=report.owner,
            platform=report.platform,
            outcome=report.outcome,
            is_regression=report.is_regression,
        )
        for report in ctx.db.take(query, limit=MAX_RECHECKED + 1)
        if report.canary_id == canary.id and report.arm is not None and report.share is not None
    ]
