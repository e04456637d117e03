"""The judge's error rates over seeded streams, looked at after every report, with margin for few.

The full table of statistics.md 1.3 to 1.6 needs 10,000 streams a row; here each row is small, and
its bound holds in kind.
"""

from collections import Counter

import pytest

from hubify.evidence.canary import Decision, Reason, Settings, Stage, Verdict, replay
from tests.evidence.canary.streams import (
    LIARS,
    Lie,
    Truth,
    fails_on_canary,
    stream,
    succeeds_on_canary,
    succeeds_on_canary_alone,
)

pytestmark = pytest.mark.slow

LOW_TRAFFIC = Settings().low_traffic_stages


def judge(truth: Truth, streams: int, runs_per_hour: float = 100) -> list[Decision]:
    return [
        replay(stream(seed, truth), Settings(), runs_per_hour=runs_per_hour).decision
        for seed in range(streams)
    ]


def shares(decisions: list[Decision]) -> dict[Verdict, float]:
    counts = Counter(decision.verdict for decision in decisions)
    return {verdict: counts[verdict] / len(decisions) for verdict in Verdict}


def median_canary_runs(decisions: list[Decision]) -> int:
    runs = sorted(decision.counted.canary.runs for decision in decisions)
    return runs[len(runs) // 2]


def test_an_equal_canary_is_not_rolled_back_and_mostly_promoted() -> None:
    share = shares(judge(Truth(), 40))
    assert share[Verdict.ROLLBACK] == 0
    assert share[Verdict.PROMOTE] >= 0.65


def test_a_canary_three_points_better_is_promoted() -> None:
    share = shares(judge(Truth(effect=0.03), 20))
    assert share[Verdict.PROMOTE] >= 0.95


def test_a_canary_ten_points_worse_is_rolled_back_within_about_34_hours() -> None:
    decisions = judge(Truth(effect=-0.10), 40)
    assert shares(decisions)[Verdict.ROLLBACK] >= 0.97
    assert 150 <= median_canary_runs(decisions) <= 500


def test_a_canary_five_points_worse_is_not_promoted() -> None:
    share = shares(judge(Truth(effect=-0.05), 20))
    assert share[Verdict.PROMOTE] == 0
    assert share[Verdict.ROLLBACK] >= 0.4


@pytest.mark.parametrize("lie", [fails_on_canary, succeeds_on_canary_alone])
def test_a_tenth_of_owners_cannot_cause_a_wrong_decision_and_are_named(lie: Lie) -> None:
    effect = 0.03 if lie is fails_on_canary else -0.10
    decisions = judge(Truth(effect=effect, lie=lie), 10)
    assert {decision.verdict for decision in decisions} == {Verdict.INCONCLUSIVE}
    liars = {f"owner-{number}" for number in range(LIARS)}
    for decision in decisions:
        dissent = decision.dissent
        named = {each.owner for each in (*dissent.worse, *dissent.better)}
        assert named <= liars
        assert len(named) >= LIARS - 2


def test_liars_for_a_canary_do_not_save_one_that_is_ten_points_worse() -> None:
    share = shares(judge(Truth(effect=-0.10, lie=succeeds_on_canary), 10))
    assert share[Verdict.ROLLBACK] >= 0.9


def test_with_little_traffic_a_total_break_is_stopped_after_about_ten_canary_runs() -> None:
    truth = Truth(effect=-1, rate=2, hours=14 * 24, owners=12, stages=LOW_TRAFFIC)
    decisions = judge(truth, 60, runs_per_hour=2)
    assert shares(decisions)[Verdict.ROLLBACK] == 1
    assert 5 <= median_canary_runs(decisions) <= 13


def test_with_little_traffic_a_loss_of_twenty_points_is_found_in_two_weeks() -> None:
    truth = Truth(effect=-0.20, rate=2, hours=14 * 24, owners=12, stages=LOW_TRAFFIC)
    decisions = judge(truth, 40, runs_per_hour=2)
    assert shares(decisions)[Verdict.ROLLBACK] >= 0.9
    assert 80 <= median_canary_runs(decisions) <= 220


def test_with_little_traffic_an_equal_canary_waits_for_a_person() -> None:
    truth = Truth(rate=2, hours=14 * 24, owners=12, stages=LOW_TRAFFIC)
    decisions = judge(truth, 40, runs_per_hour=2)
    assert shares(decisions)[Verdict.ROLLBACK] == 0
    waiting = [each for each in decisions if each.verdict is Verdict.INCONCLUSIVE]
    assert len(waiting) >= 30
    assert {each.reason for each in waiting} == {Reason.HORIZON}


def test_at_twenty_runs_an_hour_the_bounds_on_errors_hold() -> None:
    assert shares(judge(Truth(rate=20), 30))[Verdict.ROLLBACK] == 0
    assert shares(judge(Truth(effect=-0.05, rate=20), 30))[Verdict.PROMOTE] == 0


def test_a_stage_plan_of_one_half_finds_a_loss_sooner() -> None:
    half = Truth(effect=-0.10, stages=(Stage(0.5),))
    decisions = [replay(stream(seed, half), Settings(stages=(Stage(0.5),))) for seed in range(10)]
    staged = judge(Truth(effect=-0.10), 10)
    early = sorted(each.decision.decided_ms or 0 for each in decisions)
    late = sorted(each.decided_ms or 0 for each in staged)
    assert early[5] < late[5]
