"""The canary judge: fed one ticketed report at a time, it says promote, roll back or go on.

Two test martingales live through the whole canary, one for each direction, so a look after every
report costs no error (statistics.md 1.2). The effect of an arm is read from the score
s = (A - p)(Y - m): A is 1 for the canary, p the share written into the ticket, Y the outcome and m
a mean of the outcomes before. Its mean is p(1 - p) times the effect, whatever m is, so owners,
platforms and drift cannot fake one. Each decision must hold after the K most helpful owners are
left out, wager by wager; K is a tenth of the owners seen.

Invariant: the state is a function of the settings and of the reports in order of arrival, and
stands still once a verdict is final. Time is an argument and never runs backwards.
"""

from math import log

import msgspec

from hubify.evidence.canary.betting import LARGEST_LOSS, Wealth
from hubify.evidence.canary.settings import AtHorizon, Settings
from hubify.evidence.canary.state import (
    CanaryState,
    Reason,
    RunReport,
    Runs,
    StageClock,
    Verdict,
)
from hubify.evidence.reports import Arm, Outcome

MAX_PLATFORMS = 100
OTHER_PLATFORMS = "other"


class Score(msgspec.Struct, frozen=True):
    """One counted report, ready to be bet on."""

    owner: int
    score: float
    variance: float
    """Of the arm: the mean of the score is so many times the effect."""
    deepest: float
    """How far below zero the score could lie."""
    highest: float
    """How far above zero the score could lie."""


def start(settings: Settings, *, runs_per_hour: float | None = None) -> CanaryState:
    """A canary at its beginning.

    Args:
        settings: kept for the canary's whole life.
        runs_per_hour: ticketed runs of the skill an hour before it; little traffic has one stage.
    """
    return CanaryState(settings=settings, stages=settings.plan(runs_per_hour))


def observe(state: CanaryState, report: RunReport) -> Verdict:
    """Take in one report, in order of arrival, and look.

    Raises:
        ValueError: the share does not lie between 0 and 1; the state is then to be thrown away.
    """
    if advance(state, report.at_ms) is not Verdict.RUNNING:
        state.uncounted.late += 1
        return state.verdict
    score = count(state, report)
    if score is not None:
        _bet(state, score)
    if report.ticketed and report.is_regression and report.arm is Arm.CANARY:
        _call_regression(state, report.owner)
    _look(state)
    return state.verdict


def observe_ticket(
    state: CanaryState, *, arm: Arm, share: float, owner: str, reported: bool
) -> None:
    """Take in what became of one ticket, once, when it is sure: reported, or expired unreported.

    Best in order of expiry, so that an arm that reports more slowly does not look silent.
    """
    returns = state.returns
    if _is_final(state) or not _admit(returns.owners, returns.fewer, owner, state.settings):
        return
    halves = Outcome.SUCCESS.halves if reported else 0
    score = _score(returns.owners[owner], arm, share, halves, returns.tickets.mean())
    returns.tickets.count(arm, halves)
    returns.fewer.bet(score.owner, -score.score, LARGEST_LOSS / score.highest)
    returns.fewer.look(state.settings.dropped(len(returns.owners)))


def advance(state: CanaryState, now_ms: int) -> Verdict:
    """Let the clock run: stages end on time, not at the next report, and the horizon is kept."""
    if _is_final(state):
        return state.verdict
    state.now_ms = max(state.now_ms, now_ms)
    _end_stage(state)
    _look(state)
    if state.verdict is Verdict.RUNNING and state.now_ms >= state.settings.horizon_ms:
        _end_at_horizon(state)
    return state.verdict


def settle(state: CanaryState, verdict: Verdict, reason: Reason, now_ms: int) -> None:
    """End a canary from outside: the gateway, the sandbox or a maintainer decides.

    A person may also settle what was left inconclusive.
    """
    assert verdict is not Verdict.RUNNING
    state.now_ms = max(state.now_ms, now_ms)
    _decide(state, verdict, reason, state.now_ms)


def resume(state: CanaryState) -> None:
    """Take back a pause, as a maintainer may; the calls stay on record."""
    state.paused = False


def count(state: CanaryState, report: RunReport) -> Score | None:
    """Enter a report in the books; its score, or None when it is shown but not counted."""
    halves = report.outcome.halves
    state.shown.count(report.arm, halves)
    if not report.ticketed:
        state.uncounted.unticketed += 1
        return None
    if not _admit_owner(state, report.owner):
        state.uncounted.over_owner_limit += 1
        return None
    owner = state.owners[report.owner]
    if _over_cap(state, state.owner_runs[owner].runs):
        state.uncounted.over_owner_cap += 1
        return None
    score = _score(owner, report.arm, report.share, halves, state.counted.mean())
    state.owner_runs[owner].count(report.arm, halves)
    _platform(state, report.platform).count(report.arm, halves)
    state.counted.count(report.arm, halves)
    state.score_sum += score.score
    state.variance_sum += score.variance
    if report.arm is Arm.CANARY:
        _count_for_stage(state, owner)
    return score


def _score(owner: int, arm: Arm, share: float, halves: int, mean: float) -> Score:
    if not 0 < share < 1:
        raise ValueError(f"the share of a report lies between 0 and 1, not at {share}")
    rest = 1 - share
    return Score(
        owner,
        score=((arm is Arm.CANARY) - share) * (halves / 2 - mean),
        variance=share * rest,
        deepest=max(rest * mean, share * (1 - mean)),
        highest=max(rest * (1 - mean), share * mean),
    )


def _bet(state: CanaryState, score: Score) -> None:
    """One step of either martingale; nulls: canary worse by the margin; canary not worse."""
    edge = score.variance * state.settings.margin
    state.not_worse.bet(score.owner, score.score + edge, LARGEST_LOSS / score.deepest)
    state.worse.bet(score.owner, -score.score, LARGEST_LOSS / score.highest)


def _look(state: CanaryState) -> None:
    """Decide if a side is proved; the rollback is asked first."""
    if state.verdict is not Verdict.RUNNING:
        return
    settings, dropped = state.settings, state.dropped
    state.worse.look(dropped)
    state.not_worse.look(dropped)
    if state.worse.best >= log(1 / settings.rollback_alpha):
        _decide(state, Verdict.ROLLBACK, Reason.WORSE, state.now_ms)
    elif _may_promote(state) and state.not_worse.reaches(log(1 / settings.promote_alpha), dropped):
        _decide(state, Verdict.PROMOTE, Reason.NOT_WORSE, state.now_ms)


def _may_promote(state: CanaryState) -> bool:
    return state.clock.completed and not state.paused and not state.missing_reports


def _end_stage(state: CanaryState) -> None:
    """Move to the next stage at the moment the present one was both long enough and seen enough."""
    clock = state.clock
    if clock.completed or clock.ready_ms is None or state.paused:
        return
    end = max(clock.started_ms + state.stages[clock.index].length_ms, clock.ready_ms)
    if state.now_ms < end:
        return
    if clock.index + 1 == len(state.stages):
        clock.completed = True
    else:
        state.clock = StageClock(index=clock.index + 1, started_ms=end)


def _end_at_horizon(state: CanaryState) -> None:
    horizon = state.settings.horizon_ms
    if state.missing_reports:
        _decide(state, Verdict.INCONCLUSIVE, Reason.MISSING_REPORTS, horizon)
    elif _promotable_unproven(state):
        _decide(state, Verdict.PROMOTE, Reason.UNPROVEN, horizon)
    else:
        _decide(state, Verdict.INCONCLUSIVE, Reason.HORIZON, horizon)


def _promotable_unproven(state: CanaryState) -> bool:
    settings = state.settings
    owners = sum(runs.canary_runs > 0 for runs in state.owner_runs)
    return (
        settings.at_horizon is AtHorizon.PROMOTE_ON_NO_REGRESSION
        and _may_promote(state)
        and state.counted.canary_runs >= settings.unproven_runs
        and owners >= settings.unproven_owners
        and state.effect is not None
        and state.effect >= -settings.unproven_loss
    )


def _call_regression(state: CanaryState, owner: str) -> None:
    """Two owners pause a canary, more than K roll it back: K liars always include two."""
    called = state.regression_owners
    if owner in called or len(called) >= state.settings.max_owners:
        return
    called.append(owner)
    if len(called) > state.dropped:
        _decide(state, Verdict.ROLLBACK, Reason.CRITICAL, state.now_ms)
    elif len(called) >= state.settings.pause_owners:
        state.paused = True


def _decide(state: CanaryState, verdict: Verdict, reason: Reason, now_ms: int) -> None:
    state.verdict, state.reason, state.decided_ms = verdict, reason, now_ms


def _is_final(state: CanaryState) -> bool:
    return state.verdict is not Verdict.RUNNING


def _admit(owners: dict[str, int], wealth: Wealth, owner: str, settings: Settings) -> bool:
    """Give a new owner a place while there is one."""
    if owner in owners:
        return True
    if len(owners) >= settings.max_owners:
        return False
    owners[owner] = len(owners)
    wealth.admit()
    return True


def _admit_owner(state: CanaryState, owner: str) -> bool:
    known = len(state.owners)
    if not _admit(state.owners, state.not_worse, owner, state.settings):
        return False
    if len(state.owners) > known:
        state.worse.admit()
        state.owner_runs.append(Runs())
    return True


def _over_cap(state: CanaryState, own: int) -> bool:
    """Whether an owner with so many counted runs has had its part; known before the outcome."""
    settings, others = state.settings, len(state.owners) - 1
    if settings.trusted_owners or own < settings.owner_cap_floor:
        return False
    return others == 0 or own >= settings.owner_cap_factor * (state.counted.runs - own) / others


def _platform(state: CanaryState, platform: str) -> Runs:
    known = state.platform_runs
    name = platform if platform in known or len(known) < MAX_PLATFORMS else OTHER_PLATFORMS
    return known.setdefault(name, Runs())


def _count_for_stage(state: CanaryState, owner: int) -> None:
    clock, settings = state.clock, state.settings
    clock.reports += 1
    if owner not in clock.owners and len(clock.owners) < settings.owners_needed:
        clock.owners.append(owner)
    enough = clock.reports >= settings.stage_reports and len(clock.owners) >= settings.owners_needed
    if enough and clock.ready_ms is None:
        clock.ready_ms = state.now_ms
