"""`hubify bench canary-judge`: a stream of one's own, judged as the server would judge it.

Invariant: the production judge with its default settings decides; this file only reads and prints.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

import msgspec

from hubify.cli.world import Misuse, World
from hubify.evidence.canary.settings import HOUR_MS, Settings
from hubify.evidence.reports import Arm, Outcome

if TYPE_CHECKING:
    from hubify.evidence.canary import CanaryState, RunReport

WATCH_MS = 72 * HOUR_MS
"""A stream is watched so long at least: the three default stages."""
OUTCOMES = {0.0: Outcome.FAIL, 0.5: Outcome.PARTIAL, 1.0: Outcome.SUCCESS}


class Line(msgspec.Struct, frozen=True):
    """One report of the stream."""

    t: float
    """Seconds since the canary's start."""
    arm: Arm
    owner: str
    success: float | bool
    share: float | None = None
    """The ticket's; without it, the stage's by the plan."""
    platform: str = "unknown"
    ticketed: bool = True


class JudgeBench:
    """The command, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(self) -> None:
        """Judge reports from standard input, one JSON object a line, in order of arrival.

        Fields: t (seconds since the canary's start), arm (stable or canary), share (the ticket's
        chance of the canary), owner, platform, success (0, 0.5 or 1), ticketed. Prints a line for
        each change of stage and for the decision, and last the whole decision with the interval of
        the effect. Stages end at 24, 48 and 72 hours and so does the watch: what is open then is
        inconclusive.
        """
        from hubify.evidence.canary import advance, decision_of, effect_interval, observe, start

        settings = Settings()
        state = start(settings)
        judged: list[RunReport] = []
        for report in read_reports(self._world.source, settings):
            before = _place(state)
            if not _is_final(state):
                judged.append(report)
            observe(state, report)
            self._tell_change(state, before)
        before = _place(state)
        advance(state, max(WATCH_MS, state.now_ms))
        self._tell_change(state, before)
        _close(state)
        decision = decision_of(state)
        interval = effect_interval(judged, settings)
        self._print({"decision": decision.verdict, "interval": interval, "evidence": decision})

    def _tell_change(self, state: "CanaryState", before: tuple[int, bool, bool]) -> None:
        after = _place(state)
        if after[:2] != before[:2]:
            at_ms = state.now_ms if state.clock.completed else state.clock.started_ms
            told = "completed" if state.clock.completed else state.clock.index + 1
            self._print({"event": "stage", "t": at_ms / 1000, "stage": told, "share": state.share})
        if after[2] and not before[2]:
            at = (state.decided_ms or 0) / 1000
            self._print(
                {"event": "decision", "t": at, "decision": state.verdict, "reason": state.reason}
            )

    def _print(self, value: object) -> None:
        self._world.print(msgspec.json.encode(value).decode())


def read_reports(source: TextIO, settings: Settings) -> Iterator["RunReport"]:
    """The stream's reports.

    Raises:
        Misuse: a line is not one; says which and why.

    """
    decoder = msgspec.json.Decoder(Line)
    latest = 0.0
    for number, text in enumerate(source, start=1):
        if not text.strip():
            continue
        try:
            line = decoder.decode(text)
            report = _report(line, settings)
        except (msgspec.DecodeError, ValueError) as error:
            raise Misuse(f"line {number}: {error}") from None
        if line.t < latest:
            raise Misuse(f"line {number}: t runs backwards; sort the stream by t")
        latest = line.t
        yield report


def _report(line: Line, settings: Settings) -> "RunReport":
    from hubify.evidence.canary import RunReport
    from hubify.evidence.canary.streams import share_at

    outcome = OUTCOMES.get(float(line.success))
    if outcome is None:
        raise ValueError(f"success is 0, 0.5 or 1, not {line.success}")
    if not 0 <= line.t < float("inf"):
        raise ValueError(f"t counts seconds from the canary's start, not {line.t}")
    at_ms = round(line.t * 1000)
    share = share_at(at_ms / HOUR_MS, settings.stages) if line.share is None else line.share
    if not 0 < share < 1:
        raise ValueError(f"share lies between 0 and 1, not at {share}")
    return RunReport(
        at_ms=at_ms, arm=line.arm, share=share, owner=line.owner, platform=line.platform,
        outcome=outcome, ticketed=line.ticketed,
    )  # fmt: skip


def _place(state: "CanaryState") -> tuple[int, bool, bool]:
    return state.clock.index, state.clock.completed, _is_final(state)


def _is_final(state: "CanaryState") -> bool:
    from hubify.evidence.canary import Verdict

    return state.verdict is not Verdict.RUNNING


def _close(state: "CanaryState") -> None:
    """No stream ends as "running": what is not proved by its end is inconclusive."""
    from hubify.evidence.canary import Reason, Verdict, settle

    if not _is_final(state):
        reason = Reason.MISSING_REPORTS if state.missing_reports else Reason.END_OF_RECORD
        settle(state, Verdict.INCONCLUSIVE, reason, state.now_ms)
