"""How far the two versions of a trial differ: the interval that its judge has not ruled out.

It takes the trial's whole record, so it is calculated beside the reports, at fewer and fewer of
them. It is valid at any look, so one that is some reports old still holds; it says how old it is.
Invariant: a trial's interval is that of the runs which its judge had been told by then.
"""

import msgspec

from hubify.domains.evolution import Canary, keep_interval
from hubify.domains.learning.record import told_runs
from hubify.domains.learning.tables import learning
from hubify.evidence.canary import Settings, effect_interval
from hubify.functions import MutationCtx, RowId

MAX_WEIGHED = 8_000
"""Runs that one calculation takes in: about a quarter of a second of work."""


def is_due(runs: int) -> bool:
    """Whether a trial's interval is calculated after so many runs: every 5 % or so of them."""
    digits = len(str(runs))
    every = 5 * 10 ** (digits - 2) if digits > 1 else 1
    return 0 < runs <= MAX_WEIGHED and runs % every == 0


@learning.mutation(internal=True)
def weigh_effect(ctx: MutationCtx, *, canary_id: RowId) -> None:
    """Calculate the interval of a trial's effect anew, from the runs that its judge was told."""
    canary = ctx.db.get(Canary, canary_id)
    if canary is None or canary.decided_at is not None:
        return
    runs = [run for run, _report_id in told_runs(ctx, canary, limit=MAX_WEIGHED)]
    interval = effect_interval(runs, msgspec.convert(canary.rules, Settings))
    keep_interval(ctx, canary, interval, runs=len(runs))
