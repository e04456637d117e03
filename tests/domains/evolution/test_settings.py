"""How a skill evolves is set in one place, and a change that completes a request follows it."""

from typing import Any

import pytest

from hubify.functions import Forbidden, InvalidInput
from hubify.testing.backend import known
from tests.domains.story import AUTHOR, MINUTE_MS, NAME, SKILL_MD, Story


def test_settings_change_one_by_one() -> None:
    story = Story()
    story.maintain("updateSettings", minReporters=5, countBy="owner")
    settings = story.ask("evolution:getSettings")
    assert (settings.min_reporters, settings.count_by, settings.enabled) == (5, "owner", True)


@pytest.mark.parametrize(
    "change",
    [
        {"minReporters": 3},
        {"countBy": "owner", "minReporters": 3},
        {"enabled": True, "minReporters": 3},
    ],
)
def test_a_request_that_new_settings_let_through_is_followed_at_once(
    change: dict[str, Any],
) -> None:
    story = Story(minReporters=10, enabled="enabled" not in change)
    story.suggest(3)
    assert story.status().status == "stable"
    story.maintain("updateSettings", **change)
    assert story.status().status == "pending"


def test_settings_that_change_nothing_for_a_request_leave_it_waiting() -> None:
    story = Story(minReporters=10)
    story.suggest(3)
    story.maintain("updateSettings", manualApproval=True)
    assert story.status().status == "stable"


@pytest.mark.parametrize(
    "stages",
    [{"stageHours": [1]}, {"stageShares": [0.5, 0.25], "stageHours": [1, 1]}],
)
def test_stages_that_do_not_fit_together_are_refused(stages: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=r"stageHours|stageShares"):
        Story().maintain("updateSettings", **stages)


def test_only_maintainers_change_settings_and_only_here() -> None:
    story = Story()
    with pytest.raises(Forbidden):
        story.maintain("updateSettings", principal=known("eve", "evolution:write"), enabled=False)
    told = {"name": NAME, "evolution": {"minReporters": 1}}
    with pytest.raises(InvalidInput):
        story.backend.mutation("skills:update", told, principal=AUTHOR)


def test_a_trial_for_those_who_opted_in_gives_nobody_else_a_ticket_of_either_arm() -> None:
    story = Story(stageHours=[24], stageShares=[0.5], optInOnly=True)
    for place in range(20):
        told = {"agentId": f"owner-{place}-1", "platform": "cursor", "canaryOptIn": place < 10}
        story.backend.mutation("agents:register", told, principal=known(f"owner-{place}"))
    story.suggest()
    story.backend.advance(1)
    given = [story.run(f"owner-{place}", stable=1, canary=1) for place in range(20)]
    assert set(given[:10]) == {"stable", "canary"}
    assert set(given[10:]) == {"stable"}
    evidence = story.ask("evolution:getCanaryStatus").evidence
    assert (evidence.owners, evidence.counted.canary.runs) == (10, given.count("canary"))

    leaving = {"agentId": "owner-0-1", "canaryOptIn": False}
    story.backend.mutation("agents:update", leaving, principal=known("owner-0"))
    assert {story.run("owner-0", stable=1, canary=1) for _ in range(8)} == {"stable"}


@pytest.mark.parametrize("promotes", [True, False])
def test_at_the_horizon_a_version_without_a_visible_loss_is_promoted_where_that_was_chosen(
    promotes: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    story = Story(stageHours=[1], stageShares=[0.5], promoteOnNoRegression=promotes)
    story.suggest()
    story.backend.advance(1)
    told = "success", "success", "success", "success", "fail"
    runs = {"stable": 0, "canary": 0}
    for turn in range(640):
        given = story.resolve(f"owner-{turn % 4}")
        outcome = told[runs[given.arm] % len(told)]
        runs[given.arm] += 1
        story.report(f"owner-{turn % 4}", outcome, ticket=given.ticket)
        story.backend.now_ms += MINUTE_MS
    story.wait(14)
    if not promotes:
        assert story.canary().decision == "inconclusive"
        return
    assert story.skill().version == "1.0.1"
    assert story.reason().startswith("promoted without proof, as the skill's settings allow: ")
    assert story.reason().endswith("points is not ruled out")


def test_an_operator_sets_whom_new_skills_count() -> None:
    story = Story()
    assert story.backend.query("evolution:getDefaults").count_by == "agent"
    chosen = story.backend.mutation("evolution:setDefaults", {"countBy": "owner"})
    assert (chosen.count_by, chosen.min_reporters) == ("owner", 3)
    other = SKILL_MD.replace(NAME, "another-client")
    story.backend.action("skills:publish", {"skillMd": other}, principal=AUTHOR)
    made = story.backend.query("evolution:getSettings", {"skillName": "another-client"})
    assert made.count_by == "owner"
    assert story.ask("evolution:getSettings").count_by == "agent", (
        "those that are there keep theirs"
    )


def test_only_administrators_set_what_holds_for_all() -> None:
    story = Story()
    with pytest.raises(Forbidden):
        story.backend.mutation(
            "evolution:setDefaults", {"minReporters": 1}, principal=known("eve", "evolution:write")
        )
