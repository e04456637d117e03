"""A break is noticed soon, chance seldom raises the alarm, no owner can alone (statistics 4)."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.evidence.alerts import ALARM_AT, MAX_OWNERS, Detector, detector, observe
from hubify.evidence.reports import Outcome

OWNERS = 20
outcomes = st.sampled_from(list(Outcome))


def reports_to_alarm(seed: int, before: float, after: float, baseline: int, most: int) -> int:
    """Reports after the change until the alarm, or `most`."""
    chance = random.Random(seed)
    failures = sum(chance.random() >= before for _ in range(baseline))
    state = started(baseline, failures)
    for number in range(1, most + 1):
        outcome = Outcome.SUCCESS if chance.random() < after else Outcome.FAIL
        if observe(state, f"owner-{chance.randrange(OWNERS)}", outcome):
            return number
    return most


def started(runs: int, failures: float) -> Detector:
    state = detector(runs, failures)
    assert state is not None
    return state


def quantile(values: list[int], share: float) -> int:
    return sorted(values)[int(share * len(values))]


def test_a_fall_from_90_to_70_is_noticed_within_160_reports_in_nine_of_ten_cases() -> None:
    delays = [reports_to_alarm(seed, 0.9, 0.7, 200, 400) for seed in range(200)]
    assert quantile(delays, 0.5) <= 95
    assert quantile(delays, 0.9) <= 190


def test_a_longer_baseline_notices_sooner() -> None:
    short = [reports_to_alarm(seed, 0.9, 0.7, 200, 400) for seed in range(100)]
    long = [reports_to_alarm(seed, 0.9, 0.7, 1_000, 400) for seed in range(100)]
    assert quantile(long, 0.5) < quantile(short, 0.5)


def test_a_total_break_is_noticed_after_about_ten_reports() -> None:
    delays = [reports_to_alarm(seed, 0.9, 0.1, 200, 100) for seed in range(100)]
    assert 5 <= quantile(delays, 0.5) <= 13


@pytest.mark.slow
def test_of_ten_skills_at_most_one_has_a_false_alarm_in_ten_thousand_reports() -> None:
    delays = [reports_to_alarm(seed, 0.9, 0.9, 200, 10_000) for seed in range(40)]
    assert sum(delay < 10_000 for delay in delays) <= 6


@given(st.lists(outcomes, max_size=300))
def test_one_owner_alone_never_raises_the_alarm(stream: list[Outcome]) -> None:
    state = started(200, 20)
    for outcome in stream:
        observe(state, "loud", Outcome.FAIL)
        observe(state, "quiet", Outcome.SUCCESS)
        assert not observe(state, "loud", outcome)


@given(st.lists(st.tuples(st.integers(0, 4), outcomes), max_size=80))
def test_each_copy_is_the_detector_that_never_saw_its_owner(
    stream: list[tuple[int, Outcome]],
) -> None:
    state = started(60, 6)
    for owner, outcome in stream:
        observe(state, str(owner), outcome)
    for name, sums in state.without.items():
        alone = started(60, 6)
        for owner, outcome in stream[: state.reports]:
            if str(owner) != name:
                observe(alone, str(owner), outcome)
        if alone.alarm_at is None:
            assert alone.sums == pytest.approx(sums)


@given(st.lists(outcomes, max_size=60))
def test_a_success_never_raises_the_level_and_a_failure_never_lowers_it_more(
    stream: list[Outcome],
) -> None:
    good, bad = started(60, 6), started(60, 6)
    for number, outcome in enumerate(stream):
        observe(good, str(number % 3), outcome)
        observe(bad, str(number % 3), outcome)
    if good.alarm_at is None:
        observe(good, "0", Outcome.SUCCESS)
        observe(bad, "0", Outcome.FAIL)
        assert good.level <= bad.level


def test_a_short_baseline_says_nothing() -> None:
    assert detector(49, 5) is None
    assert detector(50, 5) is not None


def test_a_skill_that_always_fails_has_nothing_left_to_lose() -> None:
    state = started(100, 100)
    for number in range(1_000):
        assert not observe(state, str(number % 5), Outcome.FAIL)


def test_owners_beyond_the_bound_count_as_one() -> None:
    state = started(200, 20)
    for number in range(MAX_OWNERS + 50):
        observe(state, str(number), Outcome.SUCCESS)
    assert len(state.without) == MAX_OWNERS + 1


def test_an_alarm_stands() -> None:
    state = started(200, 2)
    for number in range(100):
        observe(state, str(number % 4), Outcome.FAIL)
    assert state.alarm_at is not None
    raised, level = state.alarm_at, state.level
    assert observe(state, "later", Outcome.SUCCESS)
    assert (state.alarm_at, state.level) == (raised, level)
    assert level >= ALARM_AT
