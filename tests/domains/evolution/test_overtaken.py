"""Attempts that come to no end by themselves: failed jobs, and channels that are moved by hand."""

import pytest

from hubify.domains.evolution import lifecycle
from hubify.domains.evolution.rules import OPEN_STATUSES
from hubify.domains.evolution.tables import EvolutionStatus
from tests.domains.story import AUTHOR, HOUR_MS, NAME, OTHER_REQUEST, SAME_REQUEST, SKILL_MD, Story

SHORT = {"stageHours": [1], "stageShares": [0.5]}


def fail(*_arguments: object) -> None:
    message = "the drafter broke"
    raise RuntimeError(message)


class Forgiving(Story):
    """A world in which a fault fails the job it is in, and nothing else."""

    strict = False


def publish(story: Story, version: str) -> None:
    new = {"skillMd": SKILL_MD + f"\nAs of {version}.\n", "name": NAME, "version": version}
    story.backend.action("skills:publish", new, principal=AUTHOR)


def move_stable(story: Story, version: str) -> None:
    told = {"name": NAME, "channel": "stable", "version": version, "reason": "by hand"}
    story.backend.mutation("skills:setChannel", told, principal=AUTHOR)


def asked(story: Story) -> list[tuple[str, str | None]]:
    found = story.ask("evolution:getPendingImprovements").improvements
    return [(one.status, one.missing) for one in found]


def test_a_drafting_job_that_fails_for_good_leaves_the_request_open_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = Forgiving(**SHORT)
    monkeypatch.setattr(lifecycle, "draft_version", fail)
    story.suggest()
    story.backend.advance(HOUR_MS // 2)
    assert story.pending().waits_for == "its draft"
    for place in range(3):
        story.report(f"other-{place}", improvement=OTHER_REQUEST)

    monkeypatch.undo()
    story.backend.advance(HOUR_MS)
    history = story.ask("evolution:getHistory").evolutions
    (failed,) = [one for one in history if one.status is EvolutionStatus.FAILED]
    assert "the job that drafts it failed" in failed.reason
    assert story.canary().version == "1.1.0", "the next attempt goes on"
    ((_status, missing),) = [one for one in asked(story) if one[0] == "grouped"]
    assert "one more agent needed to try again" in (missing or "")

    story.maintain("rollback")
    assert story.report("reporter-3", improvement=SAME_REQUEST[3]).evolution_triggered
    story.backend.advance(1)
    assert story.status().status == "canary"


def test_a_drafting_job_that_fails_once_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Forgiving(**SHORT)
    monkeypatch.setattr(lifecycle, "draft_version", fail)
    story.suggest()
    story.backend.advance(1)
    assert story.status().status == "pending"
    monkeypatch.undo()
    story.backend.advance(HOUR_MS)
    assert story.canary().version == "1.0.1"
    assert len(story.ask("evolution:getHistory").evolutions) == 1


def test_a_trial_that_compares_nothing_any_more_ends_within_the_hour() -> None:
    story = Story(stageHours=[24], stageShares=[0.5])
    story.suggest()
    story.backend.advance(1)
    publish(story, "1.1.0")
    story.backend.advance(HOUR_MS)
    assert story.latest().status is EvolutionStatus.ROLLED_BACK
    assert "1.1.0 became stable" in story.reason()


def test_a_version_that_is_made_stable_by_hand_during_its_trial_resolves_its_request() -> None:
    story = Story(stageHours=[24], stageShares=[0.5])
    story.suggest()
    story.backend.advance(1)
    move_stable(story, "1.0.1")
    story.backend.advance(HOUR_MS)
    ended = story.latest()
    assert (ended.status, ended.reason) == (EvolutionStatus.PROMOTED, "it was made stable by hand")
    assert asked(story) == []
    assert story.skill().version == "1.0.1"
    assert len(story.ask("evolution:getCredits").credits) == 3


def test_a_draft_that_another_version_overtakes_is_given_up_without_anybodys_word() -> None:
    story = Story(manualApproval=True)
    story.suggest()
    story.backend.advance(1)
    publish(story, "1.1.0")
    story.backend.advance(HOUR_MS)
    assert story.latest().status is EvolutionStatus.FAILED
    assert story.reason() == "it was drafted from 1.0.0, and 1.1.0 is stable"


def test_a_draft_that_was_deprecated_does_not_go_on_trial() -> None:
    story = Story(manualApproval=True)
    story.suggest()
    story.backend.advance(1)
    told = {"name": NAME, "version": "1.0.1"}
    story.backend.mutation("skills:deprecate", told, principal=AUTHOR)
    story.maintain("accept")
    story.backend.advance(1)
    assert story.reason() == "1.0.1 is deprecated"
    assert story.status().status == "stable"


@pytest.mark.parametrize("manual_approval", [True, False])
def test_the_attempts_of_a_deleted_skill_come_to_an_end(manual_approval: bool) -> None:  # noqa: FBT001 - a parameter of the test
    story = Story(stageHours=[24], stageShares=[0.5], manualApproval=manual_approval)
    story.suggest()
    story.backend.advance(1)
    attempt = story.latest()
    story.backend.mutation("skills:delete", {"name": NAME}, principal=AUTHOR)
    story.backend.advance(2 * HOUR_MS)
    ended = story.backend.query("evolution:get", {"evolutionId": attempt.id}, principal=AUTHOR)
    assert ended.evolution.status in (EvolutionStatus.FAILED, EvolutionStatus.ROLLED_BACK)


def test_nobody_gets_a_version_on_trial_that_another_has_overtaken() -> None:
    story = Story(stageHours=[24], stageShares=[0.5])
    publish(story, "2.0.0")
    story.suggest()
    story.backend.advance(1)
    assert story.canary().version == "2.0.1"
    back = {"name": NAME, "reason": "2.0.0 deletes files"}
    story.backend.mutation("skills:rollback", back, principal=AUTHOR)
    given = {story.resolve(f"owner-{place}").version for place in range(40)}
    assert given == {"1.0.0"}
    ended = story.latest()
    assert ended.status is EvolutionStatus.ROLLED_BACK
    assert ended.reason == "1.0.0 became stable while it ran against 2.0.0"


def test_a_trial_that_is_ended_by_hand_shows_its_coins_secret_like_any_other() -> None:
    story = Story(stageHours=[24], stageShares=[0.5])
    story.suggest()
    story.backend.advance(1)
    attempt = story.latest()
    move_stable(story, "1.0.1")
    ended = story.backend.query("evolution:get", {"evolutionId": attempt.id})
    assert ended.evolution.status is EvolutionStatus.PROMOTED
    assert len(ended.secret) == 64


def test_a_waiting_draft_is_given_up_in_the_commit_that_overtakes_it() -> None:
    story = Story(manualApproval=True)
    story.suggest()
    story.backend.advance(1)
    publish(story, "1.1.0")
    assert story.reason() == "it was drafted from 1.0.0, and 1.1.0 is stable"


def test_a_deleted_skill_leaves_no_attempt_open() -> None:
    story = Story(stageHours=[24], stageShares=[0.5])
    story.suggest()
    for place in range(3):
        story.report(f"other-{place}", improvement=OTHER_REQUEST)
    story.backend.advance(1)
    attempts = story.ask("evolution:getHistory").evolutions
    story.backend.mutation("skills:delete", {"name": NAME}, principal=AUTHOR)
    for attempt in attempts:
        told = {"evolutionId": attempt.id}
        ended = story.backend.query("evolution:get", told, principal=AUTHOR).evolution
        assert ended.reason == "the skill was deleted"
        assert ended.status in (EvolutionStatus.FAILED, EvolutionStatus.ROLLED_BACK)


def test_a_deprecated_skill_is_not_evolved_until_it_is_restored() -> None:
    story = Story(**SHORT)
    story.backend.mutation("skills:deprecate", {"name": NAME}, principal=AUTHOR)
    assert story.suggest() == [False, False, False]
    assert [missing for _status, missing in asked(story)] == ["the skill is deprecated"]
    story.backend.mutation("skills:restore", {"name": NAME}, principal=AUTHOR)
    story.wait(1)
    assert story.canary().version == "1.0.1"


def test_a_skill_that_is_deprecated_before_its_draft_keeps_the_request_for_later() -> None:
    story = Story(**SHORT)
    story.suggest()
    story.backend.mutation("skills:deprecate", {"name": NAME}, principal=AUTHOR)
    story.backend.advance(1)
    assert story.reason() == "the skill is deprecated"
    story.backend.mutation("skills:restore", {"name": NAME}, principal=AUTHOR)
    story.wait(1)
    assert story.canary().version == "1.0.1"


def test_a_rejected_draft_lets_no_second_one_begin_beside_a_trial() -> None:
    story = Story(stageHours=[24], stageShares=[0.5], minReporters=1)
    story.report("reporter-1", improvement=SAME_REQUEST[0])
    story.report("reporter-2", improvement=OTHER_REQUEST)
    story.report(
        "reporter-3", improvement="Say in the instructions that `curl` 8 or newer is needed."
    )
    story.backend.advance(1)
    assert story.canary().version == "1.0.1"
    story.maintain("reject", reason="not this one")
    story.backend.advance(2 * HOUR_MS)
    open_now = [
        one.status for one in story.ask("evolution:getHistory").evolutions
        if one.status in OPEN_STATUSES
    ]  # fmt: skip
    assert sorted(open_now) == ["canary", "drafting"]
    story.maintain("rollback")
    story.backend.advance(1)
    assert story.status().status == "canary"


def test_a_draft_that_waits_for_a_person_goes_on_trial_once_none_is_asked_for() -> None:
    story = Story(manualApproval=True, **SHORT)
    story.suggest()
    story.backend.advance(1)
    story.maintain("updateSettings", manualApproval=False)
    story.backend.advance(1)
    assert story.canary().version == "1.0.1"


def test_a_trial_that_cannot_begin_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Forgiving(**SHORT)
    monkeypatch.setattr(lifecycle, "judge_settings", fail)
    story.suggest()
    story.backend.advance(2 * HOUR_MS)
    assert story.latest().status is EvolutionStatus.FAILED
    assert "the job that begins its trial failed" in story.reason()
    assert story.status().status == "stable"
