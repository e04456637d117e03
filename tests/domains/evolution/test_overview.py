"""One answer tells what is on trial, in the making and asked for, of all skills one may see."""

import pytest

from hubify.domains.evolution.overview import Overview
from hubify.functions import Principal
from hubify.functions.principal import ANONYMOUS
from hubify.testing.backend import known
from tests.domains.story import AUTHOR, NAME, OTHER_REQUEST, Story


def overview(story: Story, principal: Principal = ANONYMOUS) -> Overview:
    return story.backend.query("evolution:overview", principal=principal)


def lengths(told: Overview) -> tuple[int, int, int]:
    return len(told.trials), len(told.drafts), len(told.requests)


def test_an_empty_hub_has_nothing_to_tell() -> None:
    assert lengths(overview(Story())) == (0, 0, 0)


def test_a_request_is_told_from_its_first_word_to_its_end() -> None:
    story = Story(stageHours=[1], stageShares=[0.5], manualApproval=True)
    story.suggest(2)
    ((asked,),) = [overview(story).requests]
    assert (asked.skill_name, asked.agent_count) == (NAME, 2)
    assert asked.missing == "2 agents: 1 more agent needed"

    story.suggest(3)
    assert lengths(overview(story)) == (0, 1, 0)
    assert overview(story).drafts[0].waits_for == "its draft"
    story.backend.advance(1)
    assert "evolution.accept" in overview(story).drafts[0].waits_for

    story.maintain("accept")
    assert overview(story).drafts[0].waits_for == "its trial to begin"
    story.backend.advance(1)
    assert lengths(overview(story)) == (1, 0, 0)
    (trial,) = overview(story).trials
    assert (trial.version, trial.baseline_version, trial.stage) == ("1.0.1", "1.0.0", 1)
    assert trial.traffic == 50
    assert story.canary().traffic == 50

    story.maintain("promote")
    assert lengths(overview(story)) == (0, 0, 0)


def test_a_trial_that_waits_for_a_person_gets_no_share_of_the_runs() -> None:
    story = Story(stageHours=[1], stageShares=[0.5])
    story.suggest()
    story.backend.advance(1)
    story.wait(15)
    (trial,) = overview(story).trials
    assert (trial.status, trial.traffic) == ("inconclusive", 0)


@pytest.mark.parametrize("visibility", ["org", "private"])
def test_what_is_not_public_is_told_to_its_owner_only(visibility: str) -> None:
    story = Story(minReporters=2)
    told = {"name": NAME, "visibility": visibility}
    story.report("maria", improvement=OTHER_REQUEST)
    story.backend.mutation("skills:update", told, principal=AUTHOR)
    assert lengths(overview(story)) == (0, 0, 0)
    assert lengths(overview(story, known("eve", "skills:read"))) == (0, 0, 0)
    assert lengths(overview(story, AUTHOR)) == (0, 0, 1)
    story.backend.mutation("skills:delete", {"name": NAME}, principal=AUTHOR)
    assert lengths(overview(story, AUTHOR)) == (0, 0, 0)


def test_a_report_leaves_what_the_overview_read_as_it_is() -> None:
    story = Story(stageHours=[1], stageShares=[0.5])
    story.suggest()
    story.backend.advance(1)
    before = overview(story)
    for turn in range(10):
        story.run(f"owner-{turn}", stable=1, canary=1)
    assert overview(story) == before
