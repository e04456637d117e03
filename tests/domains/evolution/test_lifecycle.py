"""The main job as stories: from three suggestions to a promotion, a rollback, a person's word."""

import pytest

from hubify.domains.evolution.tables import CanaryStatus, EvolutionStatus
from hubify.domains.skills import VersionStatus, WrongState
from hubify.functions import Conflict, Forbidden
from hubify.testing.backend import known
from tests.domains.story import (
    AUTHOR,
    HOUR_MS,
    NAME,
    OTHER_REQUEST,
    SAME_REQUEST,
    SKILL_MD,
    Story,
)

SHORT = {"stageHours": [1, 1, 1], "stageShares": [0.05, 0.25, 0.5]}


def version_status(story: Story, version: str) -> VersionStatus:
    told = {"name": NAME, "version": version}
    return story.backend.query("skills:getVersion", told).status


def improvements(story: Story) -> list[tuple[str, str | None]]:
    found = story.ask("evolution:getPendingImprovements").improvements
    return [(one.status, one.missing) for one in found]


def test_three_agents_ask_for_the_same_and_the_skill_gets_better() -> None:
    story = Story(**SHORT)
    story.fleet(1, stable=0.6, per_hour=90)
    assert story.suggest() == [False, False, True]
    assert story.status().status == "pending"
    assert story.status().reason == "enough agents ask for the same, which is being followed"
    assert improvements(story) == [("drafting", None)]

    story.backend.advance(1)
    begun = story.canary()
    assert (begun.version, begun.traffic, begun.decision) == ("1.0.1", 5, "pending")
    assert story.skill().version == "1.0.0"

    seen = set[float]()
    for _ in range(40):
        story.fleet(0.5, stable=0.6, canary=1.0, per_hour=300)
        if story.status().status == "stable":
            break
        seen.add(story.canary().traffic)
    assert seen == {5, 25, 50}

    ended = story.latest()
    assert ended.status is EvolutionStatus.PROMOTED
    assert (ended.from_version, ended.to_version, ended.decided_by) == ("1.0.0", "1.0.1", "judge")
    assert (ended.confidence_after or 0) > (ended.confidence_before or 0)
    assert story.skill().version == "1.0.1"
    assert version_status(story, "1.0.0") is VersionStatus.SUPERSEDED
    assert improvements(story) == []


def test_history_says_who_asked_for_what_and_why_it_won() -> None:
    story = Story(**SHORT)
    story.suggest()
    story.backend.advance(1)
    story.decide(stable=0.6, canary=1.0)
    latest = story.latest()
    detail = story.backend.query("evolution:get", {"evolutionId": latest.id})
    assert [one.agent_id for one in detail.suggestions] == [f"reporter-{n}-1" for n in range(3)]
    assert {one.status for one in detail.suggestions} == {"resolved"}
    assert {one.resolved_in_version for one in detail.suggestions} == {"1.0.1"}
    asked = {one.id for one in detail.suggestions}
    assert {name for change in latest.changes for name in change.suggestions} <= asked
    assert detail.evidence.reason == "not_worse"
    assert detail.evidence.not_worse.e_value >= detail.evidence.not_worse.threshold
    assert len(bytes.fromhex(detail.secret)) == 32


def test_contributors_are_credited_and_their_reputation_rises() -> None:
    story = Story(**SHORT)
    story.suggest()
    told = {"agentId": "reporter-0-1"}
    before = story.backend.query("agents:get", told, principal=known("reporter-0"))
    story.backend.advance(1)
    story.decide(stable=0.6, canary=1.0)
    after = story.backend.query("agents:get", told, principal=known("reporter-0"))
    assert after.contribution > before.contribution
    assert after.reputation > before.reputation
    parts = list(reversed(story.ask("evolution:getCredits").credits))
    assert [(one.agent_id, one.skill_version) for one in parts] == [
        (f"reporter-{place}-1", "1.0.1") for place in range(3)
    ]
    assert sum(one.weight for one in parts) == pytest.approx(1, abs=0.001)


def test_a_worse_version_is_rolled_back_and_the_same_draft_is_not_tried_again() -> None:
    story = Story(**SHORT)
    story.suggest()
    story.backend.advance(1)
    story.decide(stable=0.95, canary=0.1)
    ended = story.latest()
    assert ended.status is EvolutionStatus.ROLLED_BACK
    assert story.skill().version == "1.0.0"
    assert version_status(story, "1.0.1") is VersionStatus.ROLLED_BACK
    ((status, missing),) = improvements(story)
    assert status == "grouped"
    assert missing is not None
    assert "1.0.1 was rolled back" in missing

    again = story.report("reporter-3", improvement=SAME_REQUEST[3])
    assert again.evolution_triggered
    story.backend.advance(1)
    refused = story.latest()
    assert refused.status is EvolutionStatus.FAILED
    assert "the same draft was rolled_back" in story.reason()
    assert story.status().status == "stable"


def test_where_neither_side_is_proved_a_person_decides_at_the_horizon() -> None:
    story = Story(**SHORT)
    story.suggest()
    story.backend.advance(1)
    for turn in range(40):
        story.run(f"owner-{turn % 4}", stable=0.9, canary=0.9)
    story.wait(14)
    assert (story.status().status, story.canary().decision) == ("canary", "inconclusive")
    assert story.ask("evolution:getCanaryStatus").status is CanaryStatus.INCONCLUSIVE
    assert story.latest().status is EvolutionStatus.INCONCLUSIVE
    given = {story.resolve(f"owner-{place}").why for place in range(40)}
    assert given == {"stable"}

    decided = story.maintain("promote", reason="read and found good")
    assert (decided.status, decided.reason) == (EvolutionStatus.PROMOTED, "read and found good")
    assert decided.decided_by == "maria"
    assert story.skill().version == "1.0.1"


def test_with_manual_approval_a_draft_waits_for_its_maintainer() -> None:
    story = Story(**SHORT, manualApproval=True)
    story.suggest()
    story.backend.advance(HOUR_MS)
    pending = story.pending()
    assert pending.version == "1.0.1"
    assert "evolution.accept" in pending.waits_for
    assert version_status(story, "1.0.1") is VersionStatus.DRAFT
    with pytest.raises(Forbidden):
        story.maintain("accept", principal=known("reporter-0", "evolution:write"))

    story.maintain("accept", version="1.0.1")
    story.backend.advance(1)
    assert story.status().status == "canary"
    story.decide(stable=0.6, canary=1.0)
    assert story.skill().version == "1.0.1"


def test_a_rejected_draft_takes_its_suggestions_with_it() -> None:
    story = Story(manualApproval=True)
    story.suggest()
    story.backend.advance(1)
    rejected = story.maintain("reject", reason="we keep the fixed wait")
    assert rejected.status is EvolutionStatus.REJECTED
    assert story.status().status == "stable"
    assert improvements(story) == []


def test_a_draft_that_waits_for_a_word_is_neither_forked_nor_given_a_channel() -> None:
    story = Story(manualApproval=True)
    story.suggest()
    story.backend.advance(1)
    told = {"name": NAME, "version": "1.0.1"}
    with pytest.raises(WrongState, match="is a draft"):
        story.backend.mutation("skills:fork", told, principal=known("mallory"))
    for channel in ("stable", "beta"):
        wish = {**told, "channel": channel}
        with pytest.raises(WrongState, match="is a draft"):
            story.backend.mutation("skills:setChannel", wish, principal=AUTHOR)


def test_a_rejected_draft_may_leave_its_suggestions_open() -> None:
    story = Story(manualApproval=True)
    story.suggest()
    story.backend.advance(1)
    story.maintain("reject", reason="word it better", keepImprovements=True)
    ((status, missing),) = improvements(story)
    assert status == "grouped"
    assert "word it better" in (missing or "")


def test_two_owners_that_call_it_a_regression_pause_the_trial_and_a_maintainer_resumes_it() -> None:
    story = Story(stageHours=[24], stageShares=[0.5])
    story.suggest()
    story.backend.advance(1)
    for turn in range(60):
        story.run(f"owner-{turn % 30}", stable=0.9, canary=0.9)
    callers = [f"owner-{place}" for place in range(30)]
    on_canary = [one for one in callers if story.resolve(one).why == "canary"][:2]
    for owner in on_canary:
        story.run(owner, stable=0.9, canary=0.0, isRegression=True)
    paused = story.ask("evolution:getCanaryStatus")
    assert paused.status is CanaryStatus.PAUSED
    assert paused.evidence.regression_owners == tuple(on_canary)
    assert {story.resolve(f"late-{place}").why for place in range(30)} == {"stable"}

    resumed = story.maintain("resume")
    assert resumed.status is CanaryStatus.RUNNING
    assert "canary" in {story.resolve(f"later-{place}").why for place in range(30)}


def test_a_maintainer_may_roll_a_trial_back_at_once() -> None:
    story = Story()
    story.suggest()
    story.backend.advance(1)
    story.maintain("rollback", reason="it names a secret")
    assert story.reason() == "it names a secret"
    assert version_status(story, "1.0.1") is VersionStatus.ROLLED_BACK
    with pytest.raises(Conflict):
        story.maintain("rollback", reason="again")


def test_a_trial_ends_when_its_author_publishes_another_version_meanwhile() -> None:
    story = Story(stageHours=[24], stageShares=[0.5])
    story.suggest()
    story.backend.advance(1)
    new = {"skillMd": SKILL_MD + "\nMore.\n", "name": NAME, "version": "1.1.0"}
    story.backend.action("skills:publish", new, principal=AUTHOR)
    story.wait(1)
    assert story.latest().status is EvolutionStatus.ROLLED_BACK
    assert "1.1.0 became stable" in story.reason()
    assert story.skill().version == "1.1.0"


def test_a_second_request_waits_until_the_first_is_decided() -> None:
    story = Story(**SHORT)
    story.suggest()
    story.backend.advance(1)
    triggered = [
        story.report(f"other-{place}", improvement=OTHER_REQUEST).evolution_triggered
        for place in range(3)
    ]
    assert triggered == [False, False, True]
    story.backend.advance(1)
    assert story.canary().version == "1.0.1"
    story.maintain("rollback", reason="make room")
    story.backend.advance(1)
    assert story.canary().version == "1.1.0"


def test_an_author_may_evolve_a_skill_before_three_have_asked() -> None:
    story = Story()
    assert story.suggest(1) == [False]
    begun = story.maintain("trigger")
    assert (begun.trigger, begun.requested_by) == ("manual_request", "maria")
    story.backend.advance(1)
    assert story.status().status == "canary"


def test_a_draft_that_cannot_be_made_leaves_the_group_open_and_says_why() -> None:
    story = Story()
    story.suggest()
    story.backend.advance(1)
    story.maintain("promote")
    for place in range(3):
        story.report(f"late-{place}", improvement=SAME_REQUEST[place])
    story.backend.advance(1)
    assert story.latest().status is EvolutionStatus.FAILED
    ((_status, missing),) = improvements(story)
    assert missing == "the skill says so already; one more agent needed to try again"
