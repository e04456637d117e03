"""A canary whose runs are not reported: seen by its tickets, never promoted, said why."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from hubify.domains.evolution.rules import JUDGED_OWNERS, patience_ms
from hubify.domains.evolution.tables import CanaryStatus, EvolutionStatus
from hubify.domains.skills.resolving import Resolved
from hubify.evidence.canary import Reason, Settings, Stage, Verdict, start
from tests.domains.story import DAY_MS, HOUR_MS, Story

PER_HOUR = 24
OWNERS = 60
DAY_STAGES: dict[str, Any] = {"stageHours": [24, 24, 24], "stageShares": [0.5, 0.5, 0.5]}


def trial() -> Story:
    """A busy skill that has just come on trial, with three stages of a day."""
    story = Story(**DAY_STAGES)
    story.fleet(1, stable=1.0, per_hour=60)
    story.suggest()
    story.backend.advance(1)
    assert len(story.ask("evolution:getCanaryStatus").stages) == 3
    return story


def run_on(story: Story, hours: int, *, silent: Callable[[Resolved], bool]) -> None:
    """Let a fleet run the skill well; runs of silent tickets are never reported."""
    for turn in range(hours * PER_HOUR):
        owner = f"owner-{turn % OWNERS}"
        resolved = story.resolve(owner)
        if not silent(resolved):
            story.report(owner, ticket=resolved.ticket, platform="claude-code")
        story.backend.advance(HOUR_MS // PER_HOUR)


def one_in_four(resolved: Resolved) -> bool:
    """Whether a ticket is one of a quarter of all, always the same ones."""
    return sha256(str(resolved.ticket).encode()).digest()[0] % 4 == 0


def bad_canary(resolved: Resolved) -> bool:
    """A canary that breaks one agent in four, so that it cannot report."""
    return resolved.why == "canary" and one_in_four(resolved)


def test_tickets_and_their_returns_are_shown_for_each_arm() -> None:
    story = trial()
    run_on(story, 3, silent=lambda resolved: resolved.why == "canary")
    story.backend.take_in_notes()
    tickets = story.ask("evolution:getCanaryStatus").tickets
    assert tickets.baseline.issued == tickets.baseline.returned > 0
    assert tickets.canary.issued > 0
    assert tickets.canary.returned == 0


@pytest.mark.slow
def test_a_canary_that_breaks_its_agents_is_not_promoted_and_waits_with_the_reason() -> None:
    story = trial()
    run_on(story, 76, silent=bad_canary)
    view = story.ask("evolution:getCanaryStatus")
    evidence = view.evidence
    assert evidence.returns.missing_reports
    assert (evidence.verdict, evidence.reason) == (Verdict.INCONCLUSIVE, Reason.MISSING_REPORTS)
    assert evidence.returns.tickets.stable.rate == 1
    assert evidence.returns.tickets.canary.rate < 0.9
    assert evidence.stages_completed
    assert evidence.not_worse.e_value >= evidence.not_worse.threshold, "its reports are all good"
    assert view.status is CanaryStatus.RUNNING

    story.wait(14)
    assert story.latest().status is EvolutionStatus.INCONCLUSIVE
    assert "come back less often" in story.reason()
    assert story.skill().version == "1.0.0"


@pytest.mark.slow
def test_the_same_canary_would_be_promoted_if_nobody_counted_tickets() -> None:
    story = trial()
    run_on(story, 76, silent=lambda _resolved: False)
    assert story.latest().status is EvolutionStatus.PROMOTED


@pytest.mark.slow
def test_silence_in_both_arms_alike_is_no_finding() -> None:
    story = trial()
    run_on(story, 60, silent=one_in_four)
    evidence = story.ask("evolution:getCanaryStatus").evidence
    assert evidence.returns.tickets.canary.runs > 50
    assert evidence.returns.tickets.canary.rate < 1
    assert not evidence.returns.missing_reports


@pytest.mark.slow
def test_a_ticket_has_a_day_to_come_back() -> None:
    story = trial()
    run_on(story, 20, silent=lambda resolved: resolved.why == "canary")
    evidence = story.ask("evolution:getCanaryStatus").evidence
    assert evidence.returns.tickets.canary.runs == 0
    run_on(story, 6, silent=lambda resolved: resolved.why == "canary")
    evidence = story.ask("evolution:getCanaryStatus").evidence
    assert evidence.returns.tickets.canary.runs > 0
    assert evidence.returns.missing_reports


def test_in_a_short_trial_tickets_have_a_third_of_it() -> None:
    settings = Settings(stages=(Stage(0.5, HOUR_MS),) * 3)
    assert patience_ms(start(settings)) == HOUR_MS
    assert patience_ms(start(Settings())) == DAY_MS
    assert patience_ms(start(Settings(stages=(Stage(0.5, 0),)))) == HOUR_MS // 12


def test_what_a_stopped_server_missed_is_caught_up_with_in_batches() -> None:
    story = trial()
    for owner in range(700):
        story.resolve(f"owner-{owner}")
    story.backend.take_in_notes()
    story.wait(3)
    view = story.ask("evolution:getCanaryStatus")
    told = view.evidence.returns.tickets
    assert view.tickets.baseline.issued + view.tickets.canary.issued == 700
    assert told.canary.runs + told.stable.runs == JUDGED_OWNERS < 700
    assert told.canary.successes == told.stable.successes == 0
