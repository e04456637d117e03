"""The interval of a canary's effect: all effects that its reports have not ruled out.

Invariant: the same two processes, the same left-out owners and the same books as the judge's; only
the effect they are tested against moves. Calculated from the record when it is shown, since the
state keeps the processes for two effects only.
"""

from collections.abc import Callable, Iterable
from math import log

import msgspec

from hubify.evidence.canary.betting import LARGEST_LOSS, Wealth
from hubify.evidence.canary.judge import Score, count, start
from hubify.evidence.canary.settings import Settings
from hubify.evidence.canary.state import RunReport

STEPS_PER_ONE = 200
"""The grid: effects in steps of 0.005."""
FIRST_STRIDE = 5


class Interval(msgspec.Struct, frozen=True):
    """Effects (canary minus stable success rate) from `lower` to `upper` are not ruled out."""

    lower: float
    upper: float


def effect_interval(reports: Iterable[RunReport], settings: Settings) -> Interval:
    """The interval after these reports, which are those the judge took in, in the same order.

    Each side errs with at most `settings.interval_alpha`. Costs time in proportion to the reports,
    about a fifth of a second for 7,000, so it is for explaining, not for every report.
    """
    books = start(settings)
    scores = [score for report in reports if (score := count(books, report)) is not None]
    level, dropped, owners = log(1 / settings.interval_alpha), books.dropped, len(books.owners)

    def above(steps: int) -> bool:
        """Whether the effect is proved to be above so many steps."""
        return _wealth_above(scores, owners, steps / STEPS_PER_ONE).reaches(level, dropped)

    def below(steps: int) -> bool:
        """Whether the effect is proved to be below so many steps."""
        return _wealth_below(scores, owners, steps / STEPS_PER_ONE).reaches(level, dropped)

    near = round((books.effect or 0) * STEPS_PER_ONE)
    lower = _first(lambda steps: not above(steps), near)
    upper = -_first(lambda steps: not below(-steps), -near)
    return Interval(min(lower, upper) / STEPS_PER_ONE, max(lower, upper) / STEPS_PER_ONE)


def _wealth_above(scores: list[Score], owners: int, effect: float) -> Wealth:
    """The process against "the effect is at most `effect`"."""
    wealth = _empty(owners)
    for score in scores:
        centred = score.score - score.variance * effect
        deepest = score.deepest + score.variance * max(effect, 0)
        wealth.bet(score.owner, centred, LARGEST_LOSS / deepest)
    return wealth


def _wealth_below(scores: list[Score], owners: int, effect: float) -> Wealth:
    """The process against "the effect is at least `effect`"."""
    wealth = _empty(owners)
    for score in scores:
        centred = score.variance * effect - score.score
        deepest = score.highest + score.variance * max(-effect, 0)
        wealth.bet(score.owner, centred, LARGEST_LOSS / deepest)
    return wealth


def _empty(owners: int) -> Wealth:
    wealth = Wealth()
    for _ in range(owners):
        wealth.admit()
    return wealth


def _first(holds: Callable[[int], bool], near: int) -> int:
    """The least step of the grid that holds, where all after it hold too; the last if none does.

    Looks in growing strides below `near`, which is likely to hold, and then halves the stride.
    """
    low, high = -STEPS_PER_ONE, STEPS_PER_ONE
    middle, stride = max(low, min(near, high - 1)), FIRST_STRIDE
    while low < high:
        if holds(middle):
            high, stride = middle, 2 * stride
            middle = max(middle - stride, (low + high) // 2)
        else:
            low = middle + 1
            middle = (low + high) // 2
    return low
