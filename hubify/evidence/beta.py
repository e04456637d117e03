"""Quantiles of a Beta distribution, by one fixed routine of our own.

Invariant: a plain sequence of floating-point operations decides the answer: no library of
statistics, no random start, no table. Server, export and `hubify explain` share it, so a
confidence number can be recomputed bit for bit.

The distribution function is the continued fraction of Didonato and Morris (ACM TOMS 18, 1992,
formula 9; the even part of DLMF 8.17.22) evaluated by Lentz's method; its quantile is found by
Halley's method on log I against log x. For b >= 1 that function is increasing and concave, so a
plain Newton step never overshoots the root, and the root lies left of the mean, where the
fraction converges fast.
"""

from math import exp, expm1, isfinite, lgamma, log, log1p, sqrt

LEVEL = 0.05
"""Probability below the quantile, unless another is asked for."""

_NORMAL_QUANTILES = {LEVEL: 1.6448536269514722, 0.1: 1.2815515655446004}  # of 1 - level
_FRACTION_TOLERANCE = 1e-15
_MAX_FRACTION_TERMS = 20_000  # the terms grow with the square root of a: 70 at 1e5, 700 at 1e7
_LOG_TOLERANCE = 1e-5  # Halley's error is of third order: the step taken from here errs by 1e-15
_MAX_STEPS = 60


def lower_quantile(a: float, b: float, level: float = LEVEL) -> float:
    """The x in [0, 1] with P(X <= x) = `level` for X ~ Beta(a, b), where a > 0 and b >= 1.

    Args:
        a: the successes' parameter.
        b: the failures' parameter.
        level: 0.05 or 0.1.

    Raises:
        ValueError: a or b lies outside that domain or is not finite.

    """
    if not (isfinite(a) and isfinite(b) and a > 0 and b >= 1):
        raise ValueError(f"no quantile for Beta({a}, {b}): need a > 0 and b >= 1")
    log_level = log(level)
    if b == 1:
        return exp(log_level / a)
    log_beta = lgamma(a) + lgamma(b) - lgamma(a + b)
    log_mean = log(a / (a + b))
    log_x = min(_first_guess(a, b, log_beta, level), log_mean)
    for _ in range(_MAX_STEPS):
        excess, step = _halley_step(a, b, log_beta, log_level, log_x)
        log_x = min(log_x - step, log_mean)
        if abs(excess) < _LOG_TOLERANCE:
            break
    return exp(log_x)


def _first_guess(a: float, b: float, log_beta: float, level: float) -> float:
    """A start for log x: Abramowitz and Stegun 26.5.22, or the leading term of I when a < 1."""
    if a < 1:
        return (log(level) + log(a) + log_beta) / a
    inverse_a, inverse_b = 1 / (2 * a - 1), 1 / (2 * b - 1)
    normal = _NORMAL_QUANTILES[level]
    spread = (normal**2 - 3) / 6
    harmonic = 2 / (inverse_a + inverse_b)
    shift = spread + 5 / 6 - 2 / (3 * harmonic)
    w = normal * sqrt(max(harmonic + spread, 0.0)) / harmonic - (inverse_b - inverse_a) * shift
    return -log1p(b / a * exp(2 * w))


def _halley_step(
    a: float, b: float, log_beta: float, log_level: float, log_x: float
) -> tuple[float, float]:
    """How far log I(x) lies above the level's, and the step in log x that takes it away."""
    x, rest = exp(log_x), -expm1(log_x)
    fraction = _fraction(a, b, x, rest)
    excess = a * log_x + b * log(rest) - log_beta - log(fraction) - log_level
    slope = fraction / rest  # d log I / d log x
    newton = excess / slope
    curvature = a - (b - 1) * x / rest - slope  # of log I over its slope
    return excess, newton / max(1 - newton * curvature / 2, 0.5)


def _fraction(a: float, b: float, x: float, rest: float) -> float:
    """x^a (1-x)^b / (I_x(a, b) B(a, b)), for x at most the mean; `rest` is 1 - x."""
    both = a + b
    drift = a - both * x + 1
    value = numerator = a / (a + 1) * drift
    inverse = 0.0
    for n in range(1, _MAX_FRACTION_TERMS):
        odd = a + 2 * n - 1
        w = n * (b - n) * x
        alpha = (a + n - 1) * (both + n - 1) / (odd * odd) * w * x
        beta = n + w / odd + (a + n) / (odd + 2) * (drift + n * (1 + rest))
        inverse = 1 / (beta + alpha * inverse)
        numerator = beta + alpha / numerator
        factor = numerator * inverse
        value *= factor
        if abs(factor - 1) < _FRACTION_TOLERANCE:
            break
    return value
