"""A recorded stream is judged as it was live, and to its end."""

from itertools import takewhile

import pytest

from hubify.evidence.canary import (
    Reason,
    Settings,
    Verdict,
    decision_of,
    observe,
    replay,
    start,
)
from hubify.evidence.canary.settings import HOUR_MS
from tests.evidence.canary.streams import Truth, stream

GOOD = Truth(effect=0.03)


def test_a_replay_gives_the_decision_that_was_taken_live() -> None:
    state = start(Settings())
    for report in stream(5, Truth(effect=-0.3)):
        observe(state, report)
    assert state.verdict is Verdict.ROLLBACK
    assert replay(stream(5, Truth(effect=-0.3)), Settings()).decision == decision_of(state)


def test_a_stream_that_stops_within_the_last_hour_is_judged_at_its_end() -> None:
    cut = takewhile(lambda report: report.at_ms < 72 * HOUR_MS, stream(5, GOOD))
    decision = replay(cut, Settings()).decision
    assert decision.now_ms == 72 * HOUR_MS
    assert (decision.verdict, decision.reason) == (Verdict.PROMOTE, Reason.NOT_WORSE)


@pytest.mark.parametrize(("until_h", "verdict"), [(71, "inconclusive"), (72, "promote")])
def test_the_end_of_the_watch_may_be_said(until_h: int, verdict: str) -> None:
    cut = takewhile(lambda report: report.at_ms < 70 * HOUR_MS, stream(5, GOOD))
    decision = replay(cut, Settings(), until_ms=until_h * HOUR_MS).decision
    assert decision.verdict == verdict


def test_no_stream_ends_as_running() -> None:
    decision = replay([], Settings()).decision
    assert (decision.verdict, decision.reason) == (Verdict.INCONCLUSIVE, Reason.END_OF_RECORD)
