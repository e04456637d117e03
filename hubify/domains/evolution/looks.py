"""What a trial's judge was told beside runs, and the interval that is kept of its effect.

Invariant: with the runs and these looks, in the order that `after_runs` gives, anybody comes to
the judge's own state (`evidence.canary.judge_record`).
"""

from collections.abc import Sequence
from typing import assert_never

import msgspec

from hubify.domains.evolution.tables import Canary, CanaryInterval, CanaryLook, LookKind
from hubify.evidence.canary import (
    CanaryState,
    ClockLook,
    Ended,
    Entry,
    Interval,
    Resumed,
    TicketEnded,
    Verdict,
)
from hubify.functions import MutationCtx, QueryCtx

MAX_LOOKS = 2_000
"""Looks of one trial; a stage, a pause and an end each make one or two, each hour one or a few."""


class EffectInterval(msgspec.Struct, frozen=True):
    """Effects (canary minus stable success rate) from `lower` to `upper` are not ruled out.

    Valid whenever one looks; it takes in the first `runs` runs, as of `as_of` (ms since 1970).
    """

    lower: float
    upper: float
    runs: int
    as_of: int


class LookView(msgspec.Struct, frozen=True):
    """What the judge was told after so many runs, `at_ms` after the trial began."""

    after_runs: int
    at_ms: int
    kind: LookKind
    tickets: tuple[TicketEnded, ...]
    verdict: Verdict | None


def note_look(
    ctx: MutationCtx,
    canary: Canary,
    state: CanaryState,
    kind: LookKind,
    *,
    tickets: tuple[TicketEnded, ...] = (),
    verdict: Verdict | None = None,
) -> None:
    """Keep that the judge has just been told something beside a run."""
    look = CanaryLook(
        canary_id=canary.id,
        after_runs=runs_told(state),
        at_ms=ctx.now - canary.started_at,
        kind=kind,
        tickets=tickets,
        verdict=verdict,
    )
    ctx.db.insert(look)


def runs_told(state: CanaryState) -> int:
    """How many runs a judge has been told of, those that came too late included."""
    return state.shown.runs + state.uncounted.late


def looks_of(ctx: QueryCtx, canary: Canary) -> list[CanaryLook]:
    """All looks of a trial beside its runs, in order."""
    return ctx.db.take(CanaryLook.where(canary_id=canary.id), limit=MAX_LOOKS)


def look_view(look: CanaryLook) -> LookView:
    """A look as others see it."""
    return LookView(look.after_runs, look.at_ms, look.kind, look.tickets, look.verdict)


def entries_of_look(look: CanaryLook) -> Sequence[Entry]:
    """A look as the judge takes it."""
    match look.kind:
        case LookKind.CLOCK:
            return [ClockLook(look.at_ms)]
        case LookKind.TICKETS:
            return look.tickets
        case LookKind.RESUMED:
            return [Resumed(look.at_ms)]
        case LookKind.ENDED:
            assert look.verdict is not None, "whoever ends a trial says how"
            return [Ended(look.at_ms, look.verdict)]
        case _:
            assert_never(look.kind)


def keep_interval(ctx: MutationCtx, canary: Canary, interval: Interval, *, runs: int) -> None:
    """Keep the interval of a trial's effect after its first so many runs."""
    known = ctx.db.first(CanaryInterval.where(canary_id=canary.id))
    fresh = CanaryInterval(
        canary_id=canary.id, lower=interval.lower, upper=interval.upper, runs=runs, as_of=ctx.now
    )
    if known is None:
        ctx.db.insert(fresh)
    elif runs >= known.runs:
        ctx.db.replace(fresh.changed(id=known.id))


def interval_of(ctx: QueryCtx, canary: Canary) -> EffectInterval | None:
    """The interval of a trial's effect, as it was calculated last; None before the first run."""
    known = ctx.db.first(CanaryInterval.where(canary_id=canary.id))
    if known is None:
        return None
    return EffectInterval(known.lower, known.upper, known.runs, known.as_of)
