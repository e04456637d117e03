"""A trial judged again from its record comes to the decision that was taken, to the last figure."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from hubify.domains.evolution.tables import LookKind
from hubify.domains.learning import effects
from hubify.domains.learning.effects import is_due
from hubify.domains.learning.errors import NeverOnTrial
from hubify.domains.learning.rechecking import RecordedRun, TrialRecord
from hubify.evidence.canary import (
    ClockLook,
    Decision,
    Ended,
    Entry,
    Resumed,
    RunReport,
    Settings,
    decision_of,
    judge_record,
)
from hubify.functions import Principal
from hubify.functions.principal import ANONYMOUS, SYSTEM
from tests.domains.story import HOUR_MS, MINUTE_MS, Story

STAGES = {"stageHours": [1, 1, 1], "stageShares": [0.05, 0.25, 0.5]}
HALF = {"stageHours": [1], "stageShares": [0.5]}


def begun(**settings: object) -> Story:
    story = Story(**settings)
    story.fleet(0.5, stable=0.6, per_hour=90)
    story.suggest()
    story.backend.advance(1)
    return story


@cache
def promoted() -> Story:
    story = begun(**STAGES)
    for turn in range(60):
        story.fleet(0.1, stable=0.6, canary=1.0, per_hour=300)
        story.report(f"plain-{turn % 5}", "fail", skillVersion="1.0.1")
    story.decide(stable=0.6, canary=1.0)
    return story


@cache
def rolled_back() -> Story:
    story = begun(**HALF)
    story.decide(stable=0.95, canary=0.1)
    return story


def paused_and_resumed() -> Story:
    story = begun(**HALF)
    for turn in range(90):
        story.run(f"owner-{turn % 30}", stable=0.9, canary=0.9)
    callers = [f"owner-{place}" for place in range(30)]
    for owner in [one for one in callers if story.resolve(one).why == "canary"][:2]:
        story.run(owner, stable=0.9, canary=0.0, isRegression=True)
    story.backend.advance(2 * HOUR_MS)
    story.maintain("resume")
    story.decide(stable=0.5, canary=1.0)
    return story


def ended_by_hand() -> Story:
    story = begun(**STAGES)
    story.fleet(1.5, stable=0.9, canary=0.9)
    story.maintain("promote", reason="read and found good")
    return story


def decided_after_the_horizon() -> Story:
    story = begun(**HALF)
    story.fleet(0.3, stable=0.9, canary=0.9, owners=4)
    story.wait(14)
    story.backend.advance(MINUTE_MS)
    story.report("late", skillVersion="1.0.1")
    story.maintain("rollback", reason="nobody needs it")
    return story


def running() -> Story:
    story = begun(**STAGES)
    story.fleet(1.3, stable=0.9, canary=0.9)
    return story


ENDINGS = (
    promoted, rolled_back, paused_and_resumed, ended_by_hand, decided_after_the_horizon, running,
)  # fmt: skip


def record(
    story: Story, evolution_id: str, limit: int = 100, *, by: Principal = SYSTEM
) -> list[TrialRecord]:
    """All pages of a trial's record, as somebody reads them."""
    pages: list[TrialRecord] = []
    told: dict[str, Any] = {"evolutionId": evolution_id, "limit": limit}
    while True:
        page = story.backend.query("learning:getTrialRecord", told, principal=by)
        pages.append(page)
        if page.is_done:
            return pages
        told["cursor"] = page.continue_cursor


def judged(pages: list[TrialRecord]) -> Decision:
    """The decision that somebody else comes to from a record."""
    first = pages[0]
    runs = [as_told(run) for page in pages for run in page.runs][: first.runs_told]
    entries: list[Entry] = []
    for place in range(len(runs) + 1):
        for look in first.looks:
            if look.after_runs == place:
                match look.kind:
                    case LookKind.CLOCK:
                        entries.append(ClockLook(look.at_ms))
                    case LookKind.TICKETS:
                        entries.extend(look.tickets)
                    case LookKind.RESUMED:
                        entries.append(Resumed(look.at_ms))
                    case LookKind.ENDED:
                        assert look.verdict is not None
                        entries.append(Ended(look.at_ms, look.verdict))
        entries.extend(runs[place : place + 1])
    rules = msgspec.convert(first.rules, Settings)
    return decision_of(judge_record(entries, rules, runs_per_hour=first.runs_per_hour))


def as_told(run: RecordedRun) -> RunReport:
    told = msgspec.structs.asdict(run)
    del told["report_id"]
    return RunReport(**told)


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_record_leads_to_the_very_decision_that_was_kept(
    ending: Callable[[], Story],
) -> None:
    story = ending()
    evolution_id = story.latest().id
    again = story.backend.query("learning:recheckCanary", {"evolutionId": evolution_id})
    assert (again.agrees, again.complete) == (True, True)
    estimate = max(-1.0, min(1.0, again.decision.effect or 0))
    assert again.interval.lower <= estimate <= again.interval.upper

    kept = story.backend.query("evolution:get", {"evolutionId": evolution_id}).evidence
    elsewhere = judged(record(story, evolution_id))
    assert elsewhere == (kept or again.decision)
    assert elsewhere.not_worse.e_value == again.decision.not_worse.e_value


def test_a_stranger_comes_to_the_same_decision_without_the_names_of_owners() -> None:
    story = paused_and_resumed()
    told = {"evolutionId": story.latest().id}
    kept = story.backend.query("learning:recheckCanary", told).decision
    pages = record(story, told["evolutionId"], by=ANONYMOUS)
    shown = story.backend.query("learning:recheckCanary", told, principal=ANONYMOUS).decision
    assert judged(pages) == shown
    assert shown != kept
    assert (shown.verdict, shown.counted, shown.worse) == (kept.verdict, kept.counted, kept.worse)
    owners = {run.owner for page in record(story, told["evolutionId"]) for run in page.runs}
    labels = {run.owner for page in pages for run in page.runs}
    assert len(labels) == len(owners)
    assert not labels & owners


def test_why_a_version_was_promoted_is_one_sentence_with_the_counts() -> None:
    story = promoted()
    told = {"evolutionId": story.latest().id}
    again = story.backend.query("learning:recheckCanary", told)
    counted = again.decision.counted
    assert again.why == story.reason() == (
        f"it is proved not to be worse: {counted.canary.runs} of {counted.canary.runs} runs of "
        f"1.0.1 succeeded, against {counted.stable.successes:g} of {counted.stable.runs} of 1.0.0, "
        "as 10 owners reported"
    )  # fmt: skip


def test_each_run_of_a_record_names_the_report_that_told_of_it() -> None:
    story = rolled_back()
    (page,) = record(story, story.latest().id, limit=1_000)
    for run in page.runs[:20]:
        log = story.backend.query("learning:getReport", {"reportId": run.report_id})
        assert (log.owner, log.result, log.is_canary) == (
            run.owner, run.outcome, run.arm == "canary",
        )  # fmt: skip


def test_a_record_that_was_changed_leads_elsewhere() -> None:
    story = rolled_back()
    pages = record(story, story.latest().id)
    kept = judged(pages)
    first = next(run for run in pages[0].runs if run.outcome == "fail")
    pages[0].runs.remove(first)
    assert judged(pages) != kept


def test_what_never_was_on_trial_cannot_be_judged() -> None:
    story = Story(manualApproval=True)
    story.suggest()
    story.backend.advance(1)
    for path in ("learning:recheckCanary", "learning:getTrialRecord"):
        with pytest.raises(NeverOnTrial):
            story.backend.query(path, {"evolutionId": story.latest().id})


@pytest.mark.parametrize("part", [7, 500])
def test_a_running_trial_shows_the_judges_own_interval(
    part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effects, "PART", part)
    story = begun(**HALF)
    assert story.ask("evolution:getCanaryStatus").interval is None
    story.fleet(0.6, stable=0.9, canary=0.9)
    view = story.ask("evolution:getCanaryStatus")
    interval = view.interval
    again = story.backend.query("learning:recheckCanary", {"evolutionId": story.latest().id})
    assert interval.runs <= again.reports < interval.runs + 5
    estimate = max(-1.0, min(1.0, view.evidence.effect or 0))
    assert interval.lower <= estimate <= interval.upper
    story.fleet(0.4, stable=0.9, canary=0.9)
    later = story.ask("evolution:getCanaryStatus").interval
    assert later.runs > interval.runs
    assert later.as_of > interval.as_of


def test_an_interval_is_calculated_at_fewer_and_fewer_of_the_runs() -> None:
    due = [runs for runs in range(20_000) if is_due(runs)]
    assert due[:12] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20]
    assert due[-1] == 8_000
    assert len(due) < 70
    gaps = [after - before for before, after in pairwise(due)]
    assert gaps == sorted(gaps)
