"""How far the two versions of a trial differ: the interval that its judge has not ruled out.

It takes the trial's whole record, so it is calculated beside the reports and beside the server's
loop, at fewer and fewer of them. It is valid at any look, so one that is some reports old still
holds; it says how old it is (docs/decisions/0019-a-trial-is-decided-again-from-its-record.md).

Invariant: a trial's interval is that of the first runs which its judge was told, in their order.
"""

from typing import Any

import msgspec

from hubify.domains.evolution import Canary, keep_interval
from hubify.domains.learning.record import reports_of, run_of
from hubify.domains.learning.tables import learning
from hubify.evidence.canary import Interval, RunReport, Settings, effect_interval
from hubify.functions import ActionCtx, MutationCtx, PageRequest, QueryCtx, RowId
from hubify.functions.aside import aside

MAX_WEIGHED = 8_000
"""Runs that one calculation takes in: about half a second of work."""
PART = 500
"""Reports that are read at once."""
MAX_PARTS = 2 * MAX_WEIGHED // PART
"""Parts that are read: some of their reports are not of the trial."""


class TrialPart(msgspec.Struct, frozen=True):
    """Some of the runs of a trial that is under way, with their reports; `cursor` leads on."""

    rules: dict[str, Any]
    runs: list[tuple[RowId, RunReport]]
    cursor: str | None


def is_due(runs: int) -> bool:
    """Whether a trial's interval is calculated after so many runs: every 5 % or so of them."""
    digits = len(str(runs))
    every = 5 * 10 ** (digits - 2) if digits > 1 else 1
    return 0 < runs <= MAX_WEIGHED and runs % every == 0


@learning.action(internal=True)
async def weigh_effect(ctx: ActionCtx, *, canary_id: RowId) -> None:
    """Calculate the interval of a running trial's effect anew, and keep it."""
    parts: list[TrialPart] = []
    cursor: str | None = None
    while not parts or (cursor is not None and len(parts) < MAX_PARTS):
        part = await ctx.run(trial_part, canary_id=canary_id, cursor=cursor)
        if part is None:
            return
        parts.append(part)
        cursor = part.cursor
    told = sorted((one for part in parts for one in part.runs), key=lambda one: one[0])
    runs = [run for _report_id, run in told[:MAX_WEIGHED]]
    rules = msgspec.convert(parts[0].rules, Settings)
    found = await aside(effect_interval, runs, rules)
    await ctx.run(
        keep_effect, canary_id=canary_id, lower=found.lower, upper=found.upper, runs=len(runs)
    )


@learning.query(internal=True)
def trial_part(ctx: QueryCtx, *, canary_id: RowId, cursor: str | None = None) -> TrialPart | None:
    """Some of a trial's runs, oldest first; None when it is over."""
    canary = ctx.db.get(Canary, canary_id)
    if canary is None or canary.decided_at is not None:
        return None
    page = ctx.paginate(reports_of(canary), PageRequest(num_items=PART, cursor=cursor))
    runs = [(report.id, run) for report in page.page if (run := run_of(canary, report))]
    return TrialPart(canary.rules, runs, None if page.is_done else page.continue_cursor)


@learning.mutation(internal=True)
def keep_effect(
    ctx: MutationCtx, *, canary_id: RowId, lower: float, upper: float, runs: int
) -> None:
    """Keep the interval of a trial's effect, as it was after so many runs."""
    canary = ctx.db.get(Canary, canary_id)
    if canary is not None:
        keep_interval(ctx, canary, Interval(lower, upper), runs=runs)
