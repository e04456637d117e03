"""Weighing voices helps where they differ, and does nothing where they do not (statistics 3)."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.evidence.consensus import (
    Consensus,
    agreements_of,
    consensus,
    dispersion_of,
    leaders,
    plurality,
    weights_of,
)

Tasks = dict[int, dict[int, str]]
Truth = dict[int, str]

WORKERS, TASKS, ANSWERS = 40, 400, 7
voted = st.dictionaries(
    st.integers(0, 20),
    st.dictionaries(st.integers(0, 8), st.sampled_from("abc"), min_size=1),
    max_size=12,
)


def crowd(seed: int, spread: float, classes: int, liars: int = 0) -> tuple[Tasks, Truth]:
    """Answers by workers whose accuracies spread around 65 %; liars agree on a wrong one."""
    chance = random.Random(seed)
    skills = [min(0.97, max(0.3, chance.gauss(0.65, spread))) for _ in range(WORKERS)]
    tasks: Tasks = {}
    truth: Truth = {}
    for task in range(TASKS):
        names = [str(each) for each in range(classes)]
        truth[task] = names.pop(chance.randrange(classes))
        tasks[task] = {
            worker: names[0]
            if worker < liars
            else truth[task]
            if chance.random() < skills[worker]
            else chance.choice(names)
            for worker in chance.sample(range(WORKERS), ANSWERS)
        }
    return tasks, truth


def gain(tasks: Tasks, truth: Truth) -> float:
    """Points of accuracy over the plurality."""
    ours, plain = consensus(tasks).answers, plurality(tasks)
    return 100 * (score(ours, truth) - score(plain, truth))


def score(answers: dict[int, dict[str, float]], truth: Truth) -> float:
    return sum(answers[task].get(truth[task], 0) for task in truth) / len(truth)


@pytest.mark.parametrize("classes", [2, 4])
def test_workers_of_equal_quality_are_counted_exactly_alike(classes: int) -> None:
    for seed in range(20):
        tasks, _ = crowd(seed, 0.0, classes)
        assert consensus(tasks).answers == plurality(tasks)


@pytest.mark.parametrize("spread", [0.15, 0.25])
def test_where_workers_differ_weighing_gains(spread: float) -> None:
    gains = [gain(*crowd(seed, spread, 2 + 2 * (seed % 2))) for seed in range(20)]
    assert mean(gains) >= 1
    assert min(gains) >= -0.5


@pytest.mark.parametrize("liars", [WORKERS // 10, WORKERS // 5])
def test_colluders_up_to_a_fifth_make_it_gain_more(liars: int) -> None:
    gains = [gain(*crowd(seed, 0.15, 4, liars)) for seed in range(20)]
    assert mean(gains) >= 3
    assert min(gains) >= -0.5


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


@given(voted)
def test_each_task_that_was_answered_gets_shares_that_sum_to_one(tasks: Tasks) -> None:
    found = consensus(tasks)
    assert found.answers.keys() == tasks.keys()
    for task, shares in found.answers.items():
        assert sum(shares.values()) == pytest.approx(1)
        assert shares.keys() <= set(tasks[task].values())


@given(voted)
def test_with_the_gate_shut_the_answer_is_the_plurality_s(tasks: Tasks) -> None:
    found = consensus(tasks)
    if not found.gate_open:
        assert found.answers == plurality(tasks)
        assert set(found.weights.values()) <= {1.0}


@given(voted, st.randoms(use_true_random=False))
def test_the_order_of_tasks_and_votes_changes_nothing(tasks: Tasks, chance: random.Random) -> None:
    shuffled: Tasks = {}
    for task in chance.sample(sorted(tasks), len(tasks)):
        votes = list(tasks[task].items())
        chance.shuffle(votes)
        shuffled[task] = dict(votes)
    one, other = consensus(tasks), consensus(shuffled)
    assert one.answers == other.answers
    assert one.gate_open is other.gate_open


@given(voted)
def test_a_weight_lies_between_nothing_and_nine(tasks: Tasks) -> None:
    weights = weights_of(agreements_of(tasks), 3)
    assert all(0 <= weight <= 9 for weight in weights.values())


def test_agreement_is_with_the_others_alone_and_a_tie_counts_in_part() -> None:
    found = agreements_of({1: {"a": "x", "b": "x", "c": "y"}, 2: {"a": "x"}})
    assert found == {"a": (0.5, 1), "b": (0.5, 1), "c": (0.0, 1)}


def test_a_lonely_worker_and_an_empty_crowd_have_no_dispersion() -> None:
    assert dispersion_of({}) == 0
    assert dispersion_of(agreements_of({1: {"a": "x"}})) == 0
    empty: Consensus[int, str] = consensus({})
    assert (empty.answers, empty.gate_open) == ({}, False)


def test_where_nobody_carries_weight_votes_count_alike() -> None:
    assert leaders({"a": "x", "b": "y", "c": "x"}, {"a": 0.0, "b": 0.0, "c": 0.0}) == {"x": 1}
