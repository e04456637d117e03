"""The record of a trial: all that its judge was told, in order, for everybody to judge again.

Invariant: the entries are those of the live judge in its order, so that they lead to its state.
"""

from hubify.domains.evolution import Canary, entries_of_look, looks_of
from hubify.domains.learning.tables import Report
from hubify.evidence.canary import Entry, RunReport
from hubify.functions import Query, QueryCtx, RowId


def reports_of(canary: Canary) -> Query[Report]:
    """The reports on a trial's skill while it ran, oldest first; not all are runs of the trial."""
    query = Report.where(skill_id=canary.skill_id).at_least(created_at=canary.started_at)
    ended = canary.decided_at
    return query if ended is None else query.at_most(created_at=ended)


def run_of(canary: Canary, report: Report) -> RunReport | None:
    """A report as the trial's judge was told of it; None when it was not."""
    if report.canary_id != canary.id or report.arm is None:
        return None
    return RunReport(
        at_ms=report.created_at - canary.started_at,
        arm=report.arm,
        share=report.share or 0.0,
        owner=report.owner,
        platform=report.platform,
        outcome=report.outcome,
        ticketed=report.serial is not None,
        is_regression=report.is_regression,
    )


def told_runs(ctx: QueryCtx, canary: Canary, *, limit: int) -> list[tuple[RunReport, RowId]]:
    """The runs that a trial's judge was told of, in order of arrival, with their reports.

    `limit` is of the reports that are read. Ids tell the order even where a clock was set back.
    """
    reports = ctx.db.take(reports_of(canary), limit=limit)
    reports.sort(key=lambda report: report.id)
    return [(run, report.id) for report in reports if (run := run_of(canary, report)) is not None]


def entries_of(ctx: QueryCtx, canary: Canary, runs: list[RunReport]) -> list[Entry]:
    """The runs with what the judge was told between them."""
    entries: list[Entry] = []
    place = 0
    for look in looks_of(ctx, canary):
        entries += runs[place : look.after_runs]
        place = max(place, look.after_runs)
        entries.extend(entries_of_look(look))
    return entries + runs[place:]
