"""What a decision tells: its evidence, how certain it is, and who disagrees."""

import msgspec
import pytest

from hubify.evidence.canary import Decision, Reason, Settings, Stage, Verdict, decision_of, replay
from hubify.evidence.canary.decision import ArmSummary
from hubify.evidence.canary.judge import observe, start
from hubify.evidence.canary.state import CanaryState
from tests.evidence.canary.streams import (
    LIARS,
    Truth,
    fails_on_canary,
    stream,
    succeeds_on_canary_alone,
)

LIAR_NAMES = {f"owner-{number}" for number in range(LIARS)}
HALF = (Stage(0.5),)


def judged(seed: int, truth: Truth) -> Decision:
    return replay(stream(seed, truth), Settings(stages=truth.stages)).decision


def fed(seed: int, truth: Truth) -> CanaryState:
    state = start(Settings(stages=truth.stages))
    for report in stream(seed, truth):
        observe(state, report)
    return state


def test_a_rollback_shows_its_proof() -> None:
    told = judged(1, Truth(effect=-0.4, stages=HALF))
    assert (told.verdict, told.reason) == (Verdict.ROLLBACK, Reason.WORSE)
    assert told.worse.e_value >= told.worse.threshold == 50
    assert told.worse.anytime_p <= 0.02
    assert told.worse.e_value_of_all >= told.worse.e_value
    assert told.survives_colluders is not None
    assert told.survives_colluders >= told.dropped == 6
    assert told.effect is not None
    assert told.effect < -0.2
    assert told.decided_ms == told.now_ms


def test_a_promotion_shows_its_proof() -> None:
    told = judged(1, Truth(effect=0.05, stages=HALF, hours=30))
    assert (told.verdict, told.reason) == (Verdict.PROMOTE, Reason.NOT_WORSE)
    assert told.not_worse.e_value >= told.not_worse.threshold == 20
    assert told.not_worse.anytime_p <= 0.05
    assert told.worse.anytime_p > 0.02
    assert told.survives_colluders is not None
    assert told.survives_colluders >= told.dropped


def test_without_a_proof_no_colluders_are_counted() -> None:
    assert judged(1, Truth(hours=3)).survives_colluders is None


def test_a_canary_without_reports_is_told_without_dividing_by_nothing() -> None:
    told = decision_of(start(Settings()))
    assert told.counted.canary == ArmSummary(runs=0, successes=0, rate=None)
    assert told.effect is None
    assert told.worse.e_value == told.worse.anytime_p == 1
    assert (told.verdict, told.reason, told.stage) == (Verdict.RUNNING, Reason.COLLECTING, 0)


def test_the_reports_used_and_not_used_add_up_to_those_shown() -> None:
    told = judged(2, Truth(hours=20))
    counted = told.counted.canary.runs + told.counted.stable.runs
    shown = told.shown.canary.runs + told.shown.stable.runs
    assert counted + told.over_owner_cap + told.over_owner_limit + told.unticketed == shown
    assert sum(each.canary.runs for each in told.platforms.values()) == told.counted.canary.runs


@pytest.mark.parametrize("seed", range(3))
def test_owners_who_see_the_canary_always_fail_are_named_when_the_rest_sees_no_loss(
    seed: int,
) -> None:
    dissent = judged(seed, Truth(effect=0.03, lie=fails_on_canary, stages=HALF, hours=40)).dissent
    assert {each.owner for each in dissent.worse} == LIAR_NAMES
    assert dissent.better == ()
    assert dissent.blocked is Verdict.PROMOTE
    for each in dissent.worse:
        assert each.runs.canary.successes == 0
        assert each.runs.stable.successes > 0


@pytest.mark.parametrize("seed", range(3))
def test_owners_who_hide_a_loss_are_named_when_the_rest_sees_it(seed: int) -> None:
    truth = Truth(effect=-0.10, lie=succeeds_on_canary_alone, stages=HALF, hours=60)
    dissent = judged(seed, truth).dissent
    assert {each.owner for each in dissent.better} == LIAR_NAMES
    assert dissent.blocked is Verdict.ROLLBACK


def test_nobody_is_named_where_owners_agree() -> None:
    for effect in (0.0, -0.4):
        dissent = judged(4, Truth(effect=effect, stages=HALF, hours=30)).dissent
        assert (dissent.worse, dissent.better, dissent.blocked) == ((), (), None)


def test_reading_a_decision_changes_nothing() -> None:
    state = fed(3, Truth(hours=10, lie=fails_on_canary))
    before = msgspec.json.encode(state)
    decision_of(state)
    assert msgspec.json.encode(state) == before


def test_a_decision_can_be_stored_and_read_back() -> None:
    told = judged(3, Truth(hours=10, lie=fails_on_canary))
    assert msgspec.json.decode(msgspec.json.encode(told), type=Decision) == told
