"""Each rule of the judge, and its state: small, storable, the same however it is fed."""

import random
from collections import defaultdict
from collections.abc import Iterable
from math import ceil, exp, log
from typing import TypedDict, Unpack

import msgspec
import pytest

from hubify.evidence.canary import (
    AtHorizon,
    CanaryState,
    Reason,
    RunReport,
    Settings,
    Stage,
    Verdict,
    advance,
    decision_of,
    observe,
    observe_ticket,
    resume,
    settle,
    start,
)
from hubify.evidence.canary.betting import WAGERS
from hubify.evidence.canary.judge import MAX_PLATFORMS, OTHER_PLATFORMS
from hubify.evidence.canary.settings import DAY_MS, HOUR_MS
from hubify.evidence.reports import Arm, Outcome
from tests.evidence.canary.streams import Truth, stream

CANARY, STABLE = Arm.CANARY, Arm.STABLE
SUCCESS, PARTIAL, FAIL = Outcome.SUCCESS, Outcome.PARTIAL, Outcome.FAIL


class Changes(TypedDict, total=False):
    arm: Arm
    share: float
    owner: str
    platform: str
    outcome: Outcome
    ticketed: bool
    is_regression: bool


PLAIN_RUN = RunReport(
    at_ms=0, arm=CANARY, share=0.5, owner="ada", platform="cursor", outcome=SUCCESS
)


def run(at_ms: int = 0, **changes: Unpack[Changes]) -> RunReport:
    """A canary run that succeeded, unless said otherwise."""
    return msgspec.structs.replace(PLAIN_RUN, at_ms=at_ms, **changes)


def feed(state: CanaryState, reports: Iterable[RunReport]) -> CanaryState:
    for report in reports:
        observe(state, report)
    return state


def runs_of(
    owners: int, rounds: int, at_ms: int = 0, **changes: Unpack[Changes]
) -> list[RunReport]:
    """Canary runs by so many owners in turn."""
    return [
        msgspec.structs.replace(run(at_ms, **changes), owner=f"owner-{owner}")
        for _ in range(rounds)
        for owner in range(owners)
    ]


def broken(rounds: int, at_ms: int = 0) -> list[RunReport]:
    """Runs by twenty owners in turn that always fail in the canary and never in the stable arm."""
    failing, sound = (
        runs_of(20, rounds, at_ms, outcome=FAIL),
        runs_of(20, rounds, at_ms, arm=STABLE),
    )
    return [report for pair in zip(failing, sound, strict=True) for report in pair]


# --- the formulas, against a second writing of them ------------------------------------------


class PlainJudge:
    """The formulas of statistics.md 1.2 as they stand there, from scratch at each look."""

    def __init__(self, promote_from_ms: int) -> None:
        self.promote_from_ms = promote_from_ms
        self.for_promotion: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(WAGERS))
        self.for_rollback: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(WAGERS))
        self.counts: dict[str, int] = defaultdict(int)
        self.outcomes: list[float] = []

    def take(self, report: RunReport) -> Verdict:
        others = [count for owner, count in self.counts.items() if owner != report.owner]
        allowed = max(5.0, 2 * sum(others) / len(others)) if others else 5.0
        if self.counts[report.owner] < allowed:
            self.count(report)
        dropped = max(1, ceil(len(self.counts) / 10))
        if self.wealth(self.for_rollback, dropped) >= 50:
            return Verdict.ROLLBACK
        if report.at_ms >= self.promote_from_ms and self.wealth(self.for_promotion, dropped) >= 20:
            return Verdict.PROMOTE
        return Verdict.RUNNING

    def count(self, report: RunReport) -> None:
        arm, share, outcome = report.arm is CANARY, report.share, report.outcome.halves / 2
        mean = (1.8 + sum(self.outcomes)) / (2 + len(self.outcomes))
        score, variance = (arm - share) * (outcome - mean), share * (1 - share)
        low = max((1 - share) * mean, share * (1 - mean))
        high = max((1 - share) * (1 - mean), share * mean)
        for at, wager in enumerate(WAGERS):
            self.for_promotion[report.owner][at] += log(
                1 + min(wager, 0.75 / low) * (score + variance * 0.05)
            )
            self.for_rollback[report.owner][at] += log(1 - min(wager, 0.75 / high) * score)
        self.counts[report.owner] += 1
        self.outcomes.append(outcome)

    def wealth(self, parts: dict[str, list[float]], dropped: int) -> float:
        products: list[float] = []
        for at in range(len(WAGERS)):
            logs = sorted(part[at] for part in parts.values())
            kept = [each for each in logs[-dropped:] if each < 0] + logs[:-dropped]
            products.append(exp(sum(kept)))
        return sum(products) / len(WAGERS)


@pytest.mark.parametrize("seed", range(24))
def test_the_judge_decides_as_the_formulas_say_at_the_same_report(seed: int) -> None:
    chance = random.Random(seed)
    effect = (-0.5, -0.2, 0.0, 0.3)[seed % 4]
    plain = PlainJudge(promote_from_ms=200)
    state = start(Settings(stages=(Stage(0.25, 100), Stage(0.5, 100))))
    for at in range(600):
        share = 0.25 if at < 100 else 0.5
        canary = chance.random() < share
        success = chance.random() < 0.6 + (effect if canary else 0)
        report = run(
            at,
            arm=CANARY if canary else STABLE,
            share=share,
            owner=str(min(int(chance.expovariate(0.3)), 11)),
            outcome=chance.choice([SUCCESS, PARTIAL]) if success else FAIL,
        )
        expected = plain.take(report)
        observe(state, report)
        assert state.verdict is expected
        if expected is not Verdict.RUNNING:
            break
        assert exp(state.worse.log_e(state.dropped)) == pytest.approx(
            plain.wealth(plain.for_rollback, state.dropped), rel=1e-3
        )
        assert exp(state.not_worse.log_e(state.dropped)) == pytest.approx(
            plain.wealth(plain.for_promotion, state.dropped), rel=1e-3
        )


# --- what counts -----------------------------------------------------------------------------


def test_reports_without_a_ticket_are_shown_and_decide_nothing() -> None:
    state = feed(start(Settings()), runs_of(20, 20, outcome=FAIL, ticketed=False))
    assert state.verdict is Verdict.RUNNING
    assert state.shown.canary_runs == state.uncounted.unticketed == 400
    assert state.counted.runs == 0
    assert state.worse.log_e() == 0


def test_an_owner_counts_five_times_and_then_up_to_twice_the_mean_of_the_others() -> None:
    state = feed(start(Settings()), [run() for _ in range(9)])
    assert (state.counted.runs, state.uncounted.over_owner_cap) == (5, 4)
    feed(state, [run(owner="ben") for _ in range(4)] + [run()] * 4)
    assert state.owner_runs[0].runs == 8
    assert state.shown.runs == 17


def test_trusted_owners_are_not_capped() -> None:
    state = feed(start(Settings(trusted_owners=True)), [run() for _ in range(9)])
    assert state.counted.runs == 9


def test_a_private_skill_of_one_organisation_can_be_rolled_back_by_its_only_owner() -> None:
    settings = Settings(trusted_owners=True)
    state = feed(start(settings), [run(at, outcome=FAIL) for at in range(40)])
    assert (state.verdict, state.reason) == (Verdict.ROLLBACK, Reason.WORSE)


def test_one_owner_alone_never_decides_a_public_canary() -> None:
    state = feed(start(Settings(owner_cap_floor=10_000)), [run(outcome=FAIL) for _ in range(500)])
    assert state.verdict is Verdict.RUNNING


def test_owners_beyond_the_limit_are_shown_not_counted() -> None:
    state = feed(start(Settings(max_owners=3)), runs_of(5, 2))
    assert len(state.owners) == len(state.owner_runs) == len(state.worse.parts[0]) == 3
    assert state.uncounted.over_owner_limit == 4


def test_platforms_beyond_the_limit_are_counted_together() -> None:
    names = [f"platform-{number}" for number in range(MAX_PLATFORMS + 5)]
    state = start(Settings(trusted_owners=True))
    feed(state, [run(platform=name) for name in names])
    assert len(state.platform_runs) == MAX_PLATFORMS + 1
    assert state.platform_runs[OTHER_PLATFORMS].runs == 5


def test_a_partial_success_counts_half() -> None:
    state = feed(start(Settings()), [run(outcome=PARTIAL), run(arm=STABLE, outcome=PARTIAL)])
    told = decision_of(state).counted
    assert (told.canary.successes, told.stable.successes, told.canary.rate) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.1, float("nan")])
def test_a_share_that_no_coin_could_have_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        observe(start(Settings()), run(share=share))


def test_time_never_runs_backwards() -> None:
    state = feed(start(Settings()), [run(1_000), run(200)])
    assert state.now_ms == 1_000


# --- stages ----------------------------------------------------------------------------------


def test_stages_end_on_time_and_not_at_the_next_report() -> None:
    state = feed(start(Settings()), runs_of(5, 3, at_ms=HOUR_MS))
    assert state.share == 0.05
    feed(state, runs_of(5, 3, at_ms=30 * HOUR_MS))
    assert (state.share, state.clock.started_ms) == (0.25, 24 * HOUR_MS)
    advance(state, 48 * HOUR_MS)
    assert (state.share, state.clock.started_ms) == (0.5, 48 * HOUR_MS)
    feed(state, runs_of(5, 3, at_ms=50 * HOUR_MS))
    advance(state, 72 * HOUR_MS - 1)
    assert not state.clock.completed
    advance(state, 72 * HOUR_MS)
    assert state.clock.completed
    assert state.share == 0.5


def test_a_stage_waits_for_ten_canary_reports_of_three_owners() -> None:
    state = feed(start(Settings()), runs_of(2, 5, at_ms=HOUR_MS))
    feed(state, runs_of(5, 3, at_ms=HOUR_MS, arm=STABLE))
    advance(state, 25 * HOUR_MS)
    assert state.share == 0.05
    feed(state, [run(26 * HOUR_MS, owner="cleo")])
    advance(state, 27 * HOUR_MS)
    assert (state.share, state.clock.started_ms) == (0.25, 26 * HOUR_MS)


def test_each_stage_needs_reports_of_its_own() -> None:
    state = feed(start(Settings()), runs_of(5, 3, at_ms=HOUR_MS))
    advance(state, 60 * HOUR_MS)
    assert state.share == 0.25


def test_nothing_is_promoted_before_all_stages_have_run() -> None:
    settings = Settings(stages=(Stage(0.5), Stage(0.5)))
    state = start(settings)
    for report in stream(1, Truth(hours=47, stages=settings.stages, effect=0.1)):
        observe(state, report)
    assert decision_of(state).not_worse.e_value > 20
    assert state.verdict is Verdict.RUNNING
    assert advance(state, 48 * HOUR_MS) is Verdict.PROMOTE
    assert (state.reason, state.decided_ms) == (Reason.NOT_WORSE, 48 * HOUR_MS)


def test_little_traffic_starts_at_one_half() -> None:
    assert start(Settings(), runs_per_hour=2).share == 0.5


# --- the end ---------------------------------------------------------------------------------


def test_at_the_horizon_a_canary_without_proof_waits_for_a_person() -> None:
    state = feed(start(Settings()), runs_of(5, 3))
    advance(state, 14 * DAY_MS + 5)
    assert (state.verdict, state.reason) == (Verdict.INCONCLUSIVE, Reason.HORIZON)
    assert state.decided_ms == 14 * DAY_MS


def test_after_a_decision_the_state_stands_still() -> None:
    state = feed(start(Settings()), broken(3))
    assert state.verdict is Verdict.ROLLBACK
    before = msgspec.json.encode(state.worse), state.decided_ms, state.now_ms
    late = state.uncounted.late
    feed(state, broken(5, at_ms=99))
    observe_ticket(state, arm=CANARY, share=0.5, owner="ada", reported=False)
    assert (msgspec.json.encode(state.worse), state.decided_ms, state.now_ms) == before
    assert state.uncounted.late == late + 200
    assert state.returns.tickets.runs == 0


UNPROVEN = Settings(
    stages=(Stage(0.5, 0),), at_horizon=AtHorizon.PROMOTE_ON_NO_REGRESSION, promote_alpha=1e-9
)


def even_runs(canary_rounds: int, owners: int, canary: str) -> list[RunReport]:
    """Both arms alike but for the outcomes of the canary: a pattern of s(uccess) and f(ail)."""
    reports: list[RunReport] = []
    for number in range(canary_rounds * owners):
        outcome = SUCCESS if canary[number % len(canary)] == "s" else FAIL
        owner = f"owner-{number % owners}"
        stable = SUCCESS if number % 10 else FAIL
        reports.append(run(number, owner=owner, outcome=outcome))
        reports.append(run(number, owner=owner, arm=STABLE, outcome=stable))
    return reports


@pytest.mark.parametrize(
    ("rounds", "owners", "canary", "reason"),
    [
        (61, 5, "fsssssssss", Reason.UNPROVEN),
        (59, 5, "fsssssssss", Reason.HORIZON),  # 295 canary runs
        (200, 2, "fsssssssss", Reason.HORIZON),  # of two owners
        (61, 5, "fssssssssssssfsfssss", Reason.HORIZON),  # five points worse
    ],
)
def test_promotion_without_proof_needs_runs_owners_and_no_visible_loss(
    rounds: int, owners: int, canary: str, reason: Reason
) -> None:
    settings = msgspec.structs.replace(UNPROVEN, stage_owners=1)
    state = feed(start(settings), even_runs(rounds, owners, canary))
    advance(state, 14 * DAY_MS)
    assert state.reason is reason
    expected = Verdict.PROMOTE if reason is Reason.UNPROVEN else Verdict.INCONCLUSIVE
    assert state.verdict is expected


def test_the_default_never_promotes_without_proof() -> None:
    settings = msgspec.structs.replace(UNPROVEN, at_horizon=AtHorizon.WAIT)
    state = feed(start(settings), even_runs(61, 5, "fsssssssss"))
    assert advance(state, 14 * DAY_MS) is Verdict.INCONCLUSIVE


# --- tickets that do not come back -----------------------------------------------------------


def lose_canary_tickets(state: CanaryState, rounds: int) -> None:
    for number in range(rounds):
        owner = f"owner-{number % 20}"
        observe_ticket(state, arm=CANARY, share=0.5, owner=owner, reported=number % 3 == 0)
        observe_ticket(state, arm=STABLE, share=0.5, owner=owner, reported=True)


def test_a_canary_whose_tickets_do_not_come_back_is_never_promoted() -> None:
    state = start(UNPROVEN)
    lose_canary_tickets(state, 100)
    assert state.missing_reports
    told = decision_of(state)
    assert (told.verdict, told.reason) == (Verdict.INCONCLUSIVE, Reason.MISSING_REPORTS)
    assert told.returns.tickets.canary.rate == pytest.approx(0.34)
    feed(state, even_runs(100, 5, "s"))
    advance(state, 14 * DAY_MS)
    assert (state.verdict, state.reason) == (Verdict.INCONCLUSIVE, Reason.MISSING_REPORTS)


def test_a_canary_with_missing_reports_can_still_be_rolled_back() -> None:
    state = start(Settings())
    lose_canary_tickets(state, 100)
    feed(state, broken(3))
    assert (state.verdict, state.reason) == (Verdict.ROLLBACK, Reason.WORSE)


def test_tickets_that_get_lost_in_both_arms_alike_are_no_finding() -> None:
    state = start(Settings())
    chance = random.Random(4)
    for number in range(2_000):
        arm = CANARY if chance.random() < 0.5 else STABLE
        reported = chance.random() < 0.6
        observe_ticket(state, arm=arm, share=0.5, owner=str(number % 20), reported=reported)
    assert not state.missing_reports


# --- critical failures -----------------------------------------------------------------------


def test_two_owners_that_call_a_regression_pause_and_more_than_k_roll_back() -> None:
    state = feed(start(Settings()), runs_of(30, 1))
    calls = runs_of(30, 1, at_ms=5, is_regression=True)
    feed(state, calls[:1] * 5)
    assert not state.paused
    feed(state, calls[1:3])
    assert state.paused
    assert decision_of(state).reason is Reason.PAUSED
    assert state.verdict is Verdict.RUNNING
    feed(state, calls[3:4])
    assert (state.verdict, state.reason) == (Verdict.ROLLBACK, Reason.CRITICAL)


def test_the_first_owners_to_come_cannot_call_a_regression_for_all_that_are_expected() -> None:
    calls = runs_of(6, 1, is_regression=True)
    assert feed(start(Settings()), calls).verdict is Verdict.ROLLBACK
    patient = feed(start(Settings(expected_owners=60)), calls)
    assert (patient.verdict, patient.paused) == (Verdict.RUNNING, True)


@pytest.mark.parametrize("change", [{"ticketed": False}, {"arm": STABLE}])
def test_only_canary_tickets_call_a_regression(change: Changes) -> None:
    calls = runs_of(9, 1, is_regression=True)
    state = feed(start(Settings()), [msgspec.structs.replace(call, **change) for call in calls])
    assert state.regression_owners == []


def test_a_paused_canary_neither_moves_nor_is_promoted_until_it_is_resumed() -> None:
    state = feed(start(Settings(expected_owners=60)), runs_of(5, 3))
    feed(state, runs_of(2, 1, is_regression=True))
    advance(state, 30 * HOUR_MS)
    assert state.share == 0.05
    resume(state)
    advance(state, 30 * HOUR_MS)
    assert state.share == 0.25


@pytest.mark.parametrize("reason", [Reason.GATEWAY, Reason.SANDBOX, Reason.MAINTAINER])
def test_gateway_sandbox_and_maintainer_roll_back_at_once(reason: Reason) -> None:
    state = feed(start(Settings()), runs_of(3, 1))
    settle(state, Verdict.ROLLBACK, reason, 7)
    assert (state.verdict, state.reason, state.decided_ms) == (Verdict.ROLLBACK, reason, 7)
    assert observe(state, run(8)) is Verdict.ROLLBACK


# --- the state -------------------------------------------------------------------------------


def test_a_state_stored_and_read_back_after_each_report_goes_on_as_if_never_stored() -> None:
    reports = list(stream(9, Truth(hours=6, effect=-0.2)))
    kept, stored = start(Settings()), start(Settings())
    for report in reports:
        observe(kept, report)
        observe_ticket(kept, arm=report.arm, share=report.share, owner=report.owner, reported=True)
        plain = msgspec.to_builtins(stored)
        stored = msgspec.convert(msgspec.json.decode(msgspec.json.encode(plain)), type=CanaryState)
        observe(stored, report)
        observe_ticket(
            stored, arm=report.arm, share=report.share, owner=report.owner, reported=True
        )
    assert stored == kept


def test_the_settings_of_a_running_canary_are_its_own() -> None:
    settings = Settings(margin=0.03)
    assert start(settings).settings is settings
