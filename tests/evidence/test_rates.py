"""Rates beyond what is allowed are found, whenever one looks, and by no owner alone."""

import random

from hypothesis import given
from hypothesis import strategies as st

from hubify.evidence.rates import PROVED, Count, differs, exceeds, falls_short

counts = st.builds(Count, st.integers(1, 50), st.just(0.0)).flatmap(
    lambda one: st.builds(
        Count, st.just(one.runs), st.integers(0, 2 * one.runs).map(lambda n: n / 2)
    )
)
owners = st.dictionaries(st.sampled_from("abcdefgh"), counts, max_size=8)


def ever_proved(seed: int, rate: float, allowed: float, most: int) -> int | None:
    """The first run after which more failures than allowed are proved."""
    chance = random.Random(seed)
    told = {f"o{owner}": Count(0, 0) for owner in range(10)}
    for number in range(1, most + 1):
        owner = f"o{chance.randrange(10)}"
        runs, wrong = told[owner]
        told[owner] = Count(runs + 1, wrong + (chance.random() < rate))
        if exceeds(told, allowed) >= PROVED:
            return number
    return None


def test_an_allowed_rate_is_seldom_found_too_high_however_often_one_looks() -> None:
    assert sum(ever_proved(seed, 0.3, 0.3, 400) is not None for seed in range(100)) <= 5


def test_a_rate_far_too_high_is_found_within_tens_of_runs() -> None:
    found = sorted(ever_proved(seed, 0.7, 0.3, 400) or 400 for seed in range(50))
    assert found[25] <= 40
    assert found[45] <= 80


@given(count=counts, allowed=st.floats(0.01, 0.9))
def test_one_owner_alone_proves_nothing(count: Count, allowed: float) -> None:
    assert exceeds({"alone": count}, allowed) <= 1
    assert falls_short({"alone": count}, allowed) <= 1


@given(told=owners, allowed=st.floats(0.01, 0.9), owner=st.sampled_from("abcdefgh"))
def test_a_run_that_went_well_never_raises_the_evidence(
    told: dict[str, Count], allowed: float, owner: str
) -> None:
    runs, wrong = told.get(owner, Count(0, 0))
    better = {**told, owner: Count(runs + 1, wrong)}
    assert exceeds(better, allowed) <= exceeds(told, allowed) * (1 + 1e-9)


def test_a_platform_is_told_from_the_others_when_it_does_much_worse() -> None:
    there = {f"o{owner}": Count(20, 12) for owner in range(10)}
    elsewhere = {f"o{owner}": Count(60, 6) for owner in range(10)}
    assert differs(there, elsewhere, 0.2) > 480
    assert differs(elsewhere, elsewhere, 0.2) < 1
    assert differs({}, elsewhere, 0.2) <= 1
