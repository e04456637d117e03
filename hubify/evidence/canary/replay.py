"""The judge over a recorded stream: the same state, fed all at once and read at the end.

Invariant: a replay of the record gives the decision that was taken live.
"""

from collections.abc import Iterable

import msgspec

from hubify.evidence.canary.decision import Decision, decision_of
from hubify.evidence.canary.interval import Interval, effect_interval
from hubify.evidence.canary.judge import advance, observe, settle, start
from hubify.evidence.canary.settings import HOUR_MS, Settings
from hubify.evidence.canary.state import CanaryState, Reason, RunReport, Verdict


class Replay(msgspec.Struct, frozen=True):
    """The decision at the end of a stream, and the interval of the effect if it was asked for."""

    decision: Decision
    interval: Interval | None = None


def replay(
    reports: Iterable[RunReport],
    settings: Settings,
    *,
    runs_per_hour: float | None = None,
    until_ms: int | None = None,
    with_interval: bool = False,
) -> Replay:
    """Judge a recorded stream, given in order of arrival, to its end.

    Args:
        reports: times count from the start of the canary, not from the first report.
        settings: the canary's rules.
        runs_per_hour: ticketed runs an hour before the canary, which choose the stages.
        until_ms: when the watch ended. Without it, the end of the hour of the last report: a stage
            that ends on that hour has run, though no report fell into its last moments.
        with_interval: also calculate the interval, which takes longer than the judging.
    """
    state = start(settings, runs_per_hour=runs_per_hour)
    judged: list[RunReport] = []
    for report in reports:
        if advance(state, report.at_ms) is Verdict.RUNNING and with_interval:
            judged.append(report)
        observe(state, report)
    _finish(state, until_ms)
    interval = effect_interval(judged, settings) if with_interval else None
    return Replay(decision_of(state), interval)


def _finish(state: CanaryState, until_ms: int | None) -> None:
    """No stream ends as "running": what is not proved by its end is inconclusive."""
    end_of_hour = -(-state.now_ms // HOUR_MS) * HOUR_MS
    if advance(state, end_of_hour if until_ms is None else until_ms) is not Verdict.RUNNING:
        return
    reason = Reason.MISSING_REPORTS if state.missing_reports else Reason.END_OF_RECORD
    settle(state, Verdict.INCONCLUSIVE, reason, state.now_ms)
