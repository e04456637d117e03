"""The 5 % quantile of a Beta distribution, against exact binomial tails and a slow series."""

from fractions import Fraction
from math import comb, exp, lgamma, log, log1p

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubify.evidence.beta import LEVEL, lower_quantile

counts = st.integers(1, 30)
first = st.floats(1e-3, 1e4)
second = st.floats(1, 1e4)


def binomial_tail(a: int, b: int, x: float) -> Fraction:
    """P(Beta(a, b) <= x) for whole a and b, exactly."""
    n, share = a + b - 1, Fraction(x)
    return sum(
        (comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(a, n + 1)), Fraction(0)
    )


def series(a: float, b: float, x: float) -> float:
    """P(Beta(a, b) <= x) by the series of positive terms, DLMF 8.17.8 transformed."""
    if x == 0:
        return 0.0
    term = sum_ = 1.0
    n = 0
    while term > 1e-17 * sum_:
        term *= x * (a + b + n) / (a + 1 + n)
        sum_ += term
        n += 1
    log_front = a * log(x) + b * log1p(-x) - (lgamma(a) + lgamma(b) - lgamma(a + b)) - log(a)
    return exp(log_front) * sum_


@settings(deadline=None)
@given(counts, counts)
def test_the_quantile_of_whole_parameters_has_five_percent_below_it(a: int, b: int) -> None:
    tail = binomial_tail(a, b, lower_quantile(a, b))
    assert float(tail) == pytest.approx(LEVEL, rel=1e-12)


@settings(deadline=None)
@given(first, second)
def test_the_quantile_of_any_parameters_has_five_percent_below_it(a: float, b: float) -> None:
    x = lower_quantile(a, b)
    if x > 1e-300:
        assert series(a, b, x) == pytest.approx(LEVEL, rel=1e-8)


@settings(deadline=None)
@given(first, second, st.floats(1e-6, 10))
def test_more_success_never_lowers_and_more_failure_never_raises_the_quantile(
    a: float, b: float, more: float
) -> None:
    here = lower_quantile(a, b)
    assert lower_quantile(a + more, b) >= here * (1 - 1e-13)
    assert lower_quantile(a, b + more) <= here * (1 + 1e-13)


@pytest.mark.parametrize("a", [0.5, 1, 10, 1e6])
def test_without_failure_the_quantile_is_a_power(a: float) -> None:
    assert lower_quantile(a, 1) == pytest.approx(LEVEL ** (1 / a), rel=1e-15)


def test_a_vanishing_success_has_a_vanishing_quantile() -> None:
    assert lower_quantile(2.5e-7, 1) == 0
    assert lower_quantile(2.5e-7, 50) == 0


@pytest.mark.parametrize(
    ("a", "b", "quantile"),
    [
        (10, 1.5, 0.6827063136138655),
        (144, 17, 0.8520826423197585),
        (0.9, 200, 0.0001748257377660662),
        (1e5, 1e4, 0.9076609654277618),
        (1e7, 1e6, 0.9089482935141517),
    ],
)
def test_the_routine_stays_what_it_was(a: float, b: float, quantile: float) -> None:
    assert lower_quantile(a, b) == pytest.approx(quantile, rel=1e-13)


@pytest.mark.parametrize(
    ("a", "b"),
    [(0, 1), (-1, 2), (1, 0.5), (float("nan"), 1), (1, float("inf")), (float("inf"), 1)],
)
def test_parameters_outside_the_domain_are_refused(a: float, b: float) -> None:
    with pytest.raises(ValueError, match="need a > 0 and b >= 1"):
        lower_quantile(a, b)
