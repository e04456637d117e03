"""How a skill evolves is set in one place, and a change that completes a request follows it."""

import pytest

from hubify.functions import Forbidden, InvalidInput
from hubify.testing.backend import known
from tests.domains.story import AUTHOR, NAME, Story


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
    change: dict[str, object],
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
def test_stages_that_do_not_fit_together_are_refused(stages: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match=r"stageHours|stageShares"):
        Story().maintain("updateSettings", **stages)


def test_only_maintainers_change_settings_and_only_here() -> None:
    story = Story()
    with pytest.raises(Forbidden):
        story.maintain("updateSettings", principal=known("eve", "evolution:write"), enabled=False)
    told = {"name": NAME, "evolution": {"minReporters": 1}}
    with pytest.raises(InvalidInput):
        story.backend.mutation("skills:update", told, principal=AUTHOR)
