"""What the judge says of a canary, with all that is needed to explain and to check it.

Invariant: read from the state alone, and reading changes nothing.
"""

from math import exp, log

import msgspec

from hubify.evidence.canary.betting import Wealth, wealth_of
from hubify.evidence.canary.colluders import survives_colluders
from hubify.evidence.canary.settings import Stage
from hubify.evidence.canary.state import CanaryState, Reason, Runs, Verdict

JUDGE = "canary-judge/1"
DISSENT_ALPHA = 0.05
"""Chance, at most, that any owner is named though its runs saw nothing unusual."""


class ArmSummary(msgspec.Struct, frozen=True):
    """The runs of one arm; the rate counts a partial success as half."""

    runs: int
    successes: float
    rate: float | None


class Comparison(msgspec.Struct, frozen=True):
    """Both arms over the same reports."""

    canary: ArmSummary
    stable: ArmSummary


class Proof(msgspec.Struct, frozen=True):
    """How far one direction is proved, with the K most helpful owners left out."""

    e_value: float
    """The wealth now."""
    threshold: float
    """1/alpha: what it must reach."""
    anytime_p: float
    """1 over the largest wealth at any look, at most 1: valid however often one looked."""
    e_value_of_all: float
    """The wealth now with nobody left out."""


class ReturnRates(msgspec.Struct, frozen=True):
    """How many tickets came back in each arm."""

    tickets: Comparison
    fewer_from_canary: Proof
    missing_reports: bool


class Dissenter(msgspec.Struct, frozen=True):
    """An owner whose own runs say the opposite of what the others' runs say."""

    owner: str
    runs: Comparison


class Dissent(msgspec.Struct, frozen=True):
    """Owners that disagree with the rest.

    `blocked` is the decision that would stand at this look without them, if there is one.
    """

    worse: tuple[Dissenter, ...] = ()
    """They see a loss; the rest do not."""
    better: tuple[Dissenter, ...] = ()
    """They see none; the rest do."""
    blocked: Verdict | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, and what it rests on. Times are milliseconds since the canary began."""

    judge: str
    verdict: Verdict
    reason: Reason
    now_ms: int
    decided_ms: int | None
    stages: tuple[Stage, ...]
    stage: int
    share: float
    stages_completed: bool
    paused: bool
    owners: int
    dropped: int
    """K: owners left out on each side."""
    survives_colluders: int | None
    """The largest k such that the proof stands after removing any k owners, if one decided."""
    counted: Comparison
    shown: Comparison
    unticketed: int
    over_owner_cap: int
    over_owner_limit: int
    late: int
    effect: float | None
    not_worse: Proof
    worse: Proof
    returns: ReturnRates
    dissent: Dissent
    platforms: dict[str, Comparison]
    regression_owners: tuple[str, ...]


def decision_of(state: CanaryState) -> Decision:
    """The state's answer at its last look."""
    settings, uncounted = state.settings, state.uncounted
    verdict, reason = _answer(state)
    return Decision(
        judge=JUDGE,
        verdict=verdict,
        reason=reason,
        now_ms=state.now_ms,
        decided_ms=state.decided_ms,
        stages=state.stages,
        stage=state.clock.index,
        share=state.share,
        stages_completed=state.clock.completed,
        paused=state.paused,
        owners=len(state.owners),
        dropped=state.dropped,
        survives_colluders=_survived(state),
        counted=comparison(state.counted),
        shown=comparison(state.shown),
        unticketed=uncounted.unticketed,
        over_owner_cap=uncounted.over_owner_cap,
        over_owner_limit=uncounted.over_owner_limit,
        late=uncounted.late,
        effect=state.effect,
        not_worse=_proof(state.not_worse, settings.promote_alpha, state.dropped),
        worse=_proof(state.worse, settings.rollback_alpha, state.dropped),
        returns=_return_rates(state),
        dissent=dissent_of(state),
        platforms={name: comparison(runs) for name, runs in state.platform_runs.items()},
        regression_owners=tuple(state.regression_owners),
    )


def comparison(runs: Runs) -> Comparison:
    """Counts of either arm as runs, successes and rate."""
    return Comparison(
        canary=_arm(runs.canary_runs, runs.canary_halves),
        stable=_arm(runs.stable_runs, runs.stable_halves),
    )


def dissent_of(state: CanaryState) -> Dissent:
    """The owners that disagree with the rest, when there are any.

    Whoever one-sidedly says "worse" or "better" is known by wealth that its own reports alone won,
    at a level divided by the number of owners. Against a decision, all who say the opposite
    dissent. Without one, those without whom a decision would stand block it; failing that, a
    minority that says "worse" is named, as no loss is proved of the whole.
    """
    worse = _one_sided(state, state.worse)
    better = [owner for owner in _one_sided(state, state.not_worse) if owner not in worse]
    if state.verdict is Verdict.ROLLBACK:
        return Dissent(better=_named(state, better))
    if state.verdict is Verdict.PROMOTE:
        return Dissent(worse=_named(state, worse))
    rollback, promote = state.settings.rollback_alpha, state.settings.promote_alpha
    if better and _proved_without(state, state.worse, better, rollback):
        return Dissent(better=_named(state, better), blocked=Verdict.ROLLBACK)
    if worse and _proved_without(state, state.not_worse, worse, promote):
        return Dissent(worse=_named(state, worse), blocked=Verdict.PROMOTE)
    if 2 * len(worse) < len(state.owners):
        return Dissent(worse=_named(state, worse))
    return Dissent()


def _answer(state: CanaryState) -> tuple[Verdict, Reason]:
    if state.verdict is not Verdict.RUNNING:
        return state.verdict, state.reason
    if state.missing_reports:
        return Verdict.INCONCLUSIVE, Reason.MISSING_REPORTS
    return state.verdict, Reason.PAUSED if state.paused else state.reason


def _survived(state: CanaryState) -> int | None:
    if state.reason is Reason.NOT_WORSE:
        return survives_colluders(state.not_worse, log(1 / state.settings.promote_alpha))
    if state.reason is Reason.WORSE:
        return survives_colluders(state.worse, log(1 / state.settings.rollback_alpha))
    return None


def _proof(wealth: Wealth, alpha: float, dropped: int) -> Proof:
    return Proof(
        e_value=wealth_of(wealth.log_e(dropped)),
        threshold=1 / alpha,
        anytime_p=exp(-wealth.best),
        e_value_of_all=wealth_of(wealth.log_e()),
    )


def _return_rates(state: CanaryState) -> ReturnRates:
    returns = state.returns
    dropped = state.settings.dropped(len(returns.owners))
    return ReturnRates(
        tickets=comparison(returns.tickets),
        fewer_from_canary=_proof(returns.fewer, state.settings.rollback_alpha, dropped),
        missing_reports=state.missing_reports,
    )


def _arm(runs: int, halves: int) -> ArmSummary:
    successes = halves / 2
    return ArmSummary(runs, successes, successes / runs if runs else None)


def _one_sided(state: CanaryState, wealth: Wealth) -> list[int]:
    owners = range(len(state.owners))
    level = log(max(1, len(state.owners)) / DISSENT_ALPHA)
    return [owner for owner in owners if wealth.owner_log_e(owner) >= level]


def _proved_without(
    state: CanaryState, wealth: Wealth, dissenters: list[int], alpha: float
) -> bool:
    rest = wealth.without(set(dissenters))
    return rest.reaches(log(1 / alpha), state.settings.dropped(len(state.owners) - len(dissenters)))


def _named(state: CanaryState, places: list[int]) -> tuple[Dissenter, ...]:
    names = list(state.owners)
    return tuple(Dissenter(names[at], comparison(state.owner_runs[at])) for at in places)
