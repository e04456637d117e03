"""Wealth: products of bets, kept per owner in whole millionths, read with the best left out."""

from itertools import combinations
from math import exp, isclose, log, prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubify.evidence.canary.betting import MICRO, WAGERS, Wealth, log_mean_exp, wealth_of

OWNERS = 4
bets = st.lists(
    st.tuples(st.integers(0, OWNERS - 1), st.floats(-0.7, 1.5), st.floats(0.1, 1.0)), max_size=60
)


def wealth_after(placed: list[tuple[int, float, float]]) -> Wealth:
    wealth = Wealth()
    for _ in range(OWNERS):
        wealth.admit()
    for owner, payoff, ceiling in placed:
        wealth.bet(owner, payoff, ceiling)
    return wealth


@given(bets)
def test_wealth_is_the_mean_over_wagers_of_the_products_of_bets(
    placed: list[tuple[int, float, float]],
) -> None:
    exact = log(
        sum(
            prod(1 + min(wager, ceiling) * payoff for _, payoff, ceiling in placed)
            for wager in WAGERS
        )
        / len(WAGERS)
    )
    kept = wealth_after(placed).log_e()
    assert kept <= exact + 1e-9
    assert kept >= exact - 2 * len(placed) / MICRO - 1e-9


@given(bets, st.integers(0, OWNERS))
def test_leaving_out_the_best_by_wager_is_never_more_than_leaving_out_any_such_set(
    placed: list[tuple[int, float, float]], dropped: int
) -> None:
    wealth = wealth_after(placed)
    for owners in combinations(range(OWNERS), dropped):
        assert wealth.log_e(dropped) <= wealth.without(owners).log_e() + 1e-12


@settings(deadline=None)
@given(bets)
def test_looks_that_are_skipped_change_neither_the_best_nor_what_is_reached(
    placed: list[tuple[int, float, float]],
) -> None:
    wealth, best = wealth_after([]), 0.0
    for owner, payoff, ceiling in placed:
        wealth.bet(owner, payoff, ceiling)
        wealth.look(dropped=1)
        best = max(best, wealth.log_e(1))
        assert wealth.best == best
        for level in (-1.0, 0.5, 2.0):
            assert wealth.reaches(level, 1) == (wealth.log_e(1) >= level)


@given(bets)
def test_the_wealth_of_one_owner_is_that_without_all_others(
    placed: list[tuple[int, float, float]],
) -> None:
    wealth = wealth_after(placed)
    for owner in range(OWNERS):
        alone = wealth.without({other for other in range(OWNERS) if other != owner})
        assert alone.log_e() == wealth.owner_log_e(owner)


def test_losses_of_owners_are_never_left_out() -> None:
    wealth = wealth_after([(0, -0.5, 1.0), (1, -0.5, 1.0)])
    assert wealth.log_e(2) == wealth.log_e()


def test_log_mean_exp_neither_overflows_nor_underflows() -> None:
    assert log_mean_exp([5_000 * MICRO, 0]) == pytest.approx(5_000 - log(2))
    assert log_mean_exp([-5_000 * MICRO, -5_000 * MICRO]) == -5_000
    assert isclose(wealth_of(5_000), exp(700))
