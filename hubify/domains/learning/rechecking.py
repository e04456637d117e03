"""Why a trial was decided as it was: all that its judge was told, and the decision from that.

Invariant: nothing but the record and the trial's own rules goes in, so the answer is what the
record says, whatever was stored of the decision.
"""

from typing import Annotated, Any

import msgspec

from hubify.domains.arguments import Cursor
from hubify.domains.evolution import (
    Canary,
    Evolution,
    EvolutionNotFound,
    canary_of,
    judge_of,
    looks_of,
    visible_evolution,
)
from hubify.domains.evolution.explaining import sentence_of
from hubify.domains.evolution.looks import EffectInterval, LookView, interval_of, look_view
from hubify.domains.evolution.naming import shown_decision, shown_look
from hubify.domains.learning.errors import NeverOnTrial
from hubify.domains.learning.record import entries_of, reports_of, run_of, told_runs
from hubify.domains.learning.tables import Report, learning
from hubify.domains.skills.reporters import shown_owner
from hubify.evidence.canary import (
    Decision,
    RunReport,
    Settings,
    decision_of,
    judge_record,
)
from hubify.evidence.reports import Arm, Outcome
from hubify.functions import PageRequest, QueryCtx, RateClass, RowId, get

MAX_RECHECKED = 5_000
"""Reports that one recheck reads: a quarter of a second of work. A longer record is judged outside,
from `getTrialRecord`."""
MAX_PAGE = 1_000

Limit = Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE)]


class Rechecked(msgspec.Struct, frozen=True):
    """A trial judged again from its record.

    `why` is the decision in one sentence; `interval` is what is not ruled out, as it was kept.
    `agrees`: it is the decision that was kept, to the last figure. `complete`: no report was left
    out for want of room.
    """

    why: str
    decision: Decision
    agrees: bool
    interval: EffectInterval | None
    reports: int
    complete: bool


class RecordedRun(msgspec.Struct, frozen=True):
    """A run as the judge was told of it, `at_ms` after the trial began; `share` is its ticket's.

    Without the scope `learning:read` a label stands for its owner: the judge tells owners apart
    and nothing else, so that it decides alike.
    """

    report_id: RowId
    at_ms: int
    arm: Arm
    share: float
    owner: str
    platform: str
    outcome: Outcome
    ticketed: bool
    is_regression: bool


class TrialRecord(msgspec.Struct, frozen=True):
    """A page of what a trial's judge was told: the rules, the looks beside runs, and the runs.

    The judge was told the first `runs_told` runs of all pages, and each look `after_runs` of them.
    """

    started_at: int
    rules: dict[str, Any]
    runs_per_hour: float
    runs_told: int
    looks: tuple[LookView, ...]
    runs: list[RecordedRun]
    is_done: bool
    continue_cursor: str


@learning.query(
    public=True,
    rest=get("/v1/evolutions/{evolution_id}/recheck"),
    rate=RateClass.ANALYSIS,
    errors=(EvolutionNotFound, NeverOnTrial),
)
def recheck_canary(ctx: QueryCtx, *, evolution_id: RowId) -> Rechecked:
    """Judge an evolution's trial again from its record: the decision, why, the effect's interval.

    For a trial that is still running it says how it stands.
    """
    attempt, canary = tried(ctx, evolution_id)
    kept = kept_decision(ctx, attempt, canary)
    reports = told_runs(ctx, canary, limit=MAX_RECHECKED + 1)
    told = told_count(kept)
    runs = [run for run, _report_id in reports[: min(told, MAX_RECHECKED)]]
    rules = msgspec.convert(canary.rules, Settings)
    state = judge_record(entries_of(ctx, canary, runs), rules, runs_per_hour=canary.runs_per_hour)
    decision = decision_of(state)
    return Rechecked(
        why=attempt.reason or sentence_of(decision, canary),
        decision=shown_decision(ctx, canary.skill_id, decision),
        agrees=decision == kept,
        interval=interval_of(ctx, canary),
        reports=len(runs),
        complete=len(runs) == told,
    )


@learning.query(
    public=True,
    rest=get("/v1/evolutions/{evolution_id}/record"),
    errors=(EvolutionNotFound, NeverOnTrial),
)
def get_trial_record(
    ctx: QueryCtx, *, evolution_id: RowId, limit: Limit = 100, cursor: Cursor | None = None
) -> TrialRecord:
    """All that the judge of an evolution's trial was told, oldest first, to judge it elsewhere.

    Pass `continueCursor` as `cursor` for the runs after these; a page may hold fewer than `limit`.
    """
    attempt, canary = tried(ctx, evolution_id)
    page = ctx.paginate(reports_of(canary), PageRequest(num_items=limit, cursor=cursor))
    found = ((report, run_of(canary, report)) for report in page.page)
    return TrialRecord(
        started_at=canary.started_at,
        rules=canary.rules,
        runs_per_hour=canary.runs_per_hour,
        runs_told=told_count(kept_decision(ctx, attempt, canary)),
        looks=tuple(look_view(shown_look(ctx, look, canary)) for look in looks_of(ctx, canary)),
        runs=[recorded(ctx, report, run) for report, run in found if run is not None],
        is_done=page.is_done,
        continue_cursor=page.continue_cursor,
    )


def tried(ctx: QueryCtx, evolution_id: str) -> tuple[Evolution, Canary]:
    """An evolution that the caller may see, and its trial.

    Raises:
        EvolutionNotFound: there is none of that id, or not for this caller.
        NeverOnTrial: it did not come to a trial.

    """
    attempt = visible_evolution(ctx, evolution_id)
    canary = canary_of(ctx, attempt)
    if canary is None:
        raise NeverOnTrial("this evolution has not been on trial; there is nothing to judge")
    return attempt, canary


def kept_decision(ctx: QueryCtx, attempt: Evolution, canary: Canary) -> Decision:
    """What is kept of a trial's decision: with the attempt once it is over, else with its judge."""
    state = judge_of(ctx, canary.id)
    if state is not None:
        return decision_of(state)
    assert attempt.evidence is not None, "a trial that is over has left its evidence"
    return msgspec.convert(attempt.evidence, Decision)


def told_count(decision: Decision) -> int:
    """How many runs the judge had been told of."""
    shown = decision.shown
    return shown.canary.runs + shown.stable.runs + decision.late


def recorded(ctx: QueryCtx, report: Report, run: RunReport) -> RecordedRun:
    """A run of the record as the caller may see it, with the report that told of it."""
    return RecordedRun(
        report_id=report.id,
        at_ms=run.at_ms,
        arm=run.arm,
        share=run.share,
        owner=shown_owner(ctx, report.skill_id, run.owner),
        platform=run.platform,
        outcome=run.outcome,
        ticketed=run.ticketed,
        is_regression=run.is_regression,
    )
