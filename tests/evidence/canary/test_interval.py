"""The interval of the effect: what the judge's processes have not ruled out."""

import pytest

from hubify.evidence.canary import Interval, RunReport, Settings, Verdict, effect_interval, replay
from hubify.evidence.canary.interval import _first
from tests.evidence.canary.streams import Truth, stream

SETTINGS = Settings()


def reports(seed: int, effect: float, hours: float) -> list[RunReport]:
    return list(stream(seed, Truth(effect=effect, hours=hours)))


def test_without_reports_no_effect_is_ruled_out() -> None:
    assert effect_interval([], SETTINGS) == Interval(-1, 1)


@pytest.mark.parametrize("effect", [-0.10, 0.0, 0.03])
def test_the_interval_holds_the_true_effect_and_narrows(effect: float) -> None:
    short = effect_interval(reports(1, effect, 50), SETTINGS)
    long = effect_interval(reports(1, effect, 72), SETTINGS)
    for interval in (short, long):
        assert interval.lower <= effect <= interval.upper
    assert long.upper - long.lower < short.upper - short.lower


def test_bounds_lie_on_the_grid() -> None:
    interval = effect_interval(reports(2, 0, 60), SETTINGS)
    assert round(interval.lower * 200) / 200 == interval.lower
    assert round(interval.upper * 200) / 200 == interval.upper


def test_a_promoted_canary_has_the_margin_ruled_out() -> None:
    judged = replay(stream(3, Truth(effect=0.03)), SETTINGS, with_interval=True)
    assert judged.decision.verdict is Verdict.PROMOTE
    assert judged.interval is not None
    assert judged.interval.lower > -SETTINGS.margin


def test_a_canary_rolled_back_has_zero_ruled_out() -> None:
    judged = replay(stream(3, Truth(effect=-0.30)), SETTINGS, with_interval=True)
    assert judged.decision.verdict is Verdict.ROLLBACK
    assert judged.interval is not None
    assert judged.interval.upper < 0


@pytest.mark.parametrize("near", [-200, -3, 0, 57, 200])
def test_the_search_finds_the_first_step_from_wherever_it_starts(near: int) -> None:
    for edge in (-200, -199, -37, 0, 58, 199, 200):
        assert _first(lambda step, edge=edge: step >= edge, near) == edge
    assert _first(lambda _: False, near) == 200
