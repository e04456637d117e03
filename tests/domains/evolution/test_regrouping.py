"""Every joining can be taken back, and groups can be brought together by those who know."""

import pytest

from hubify.domains.evolution.views import PendingImprovement
from hubify.functions import Forbidden, InvalidInput
from hubify.testing.backend import known
from tests.domains.story import AUTHOR, OTHER_REQUEST, SAME_REQUEST, Story


@pytest.fixture
def story() -> Story:
    return Story(minReporters=10)


def groups(story: Story) -> list[PendingImprovement]:
    return list(story.ask("evolution:getPendingImprovements").improvements)


def members(story: Story) -> list[tuple[int, int, int]]:
    return [(one.count, one.agent_count, one.owner_count) for one in groups(story)]


def change(story: Story, verb: str, **told: object) -> PendingImprovement:
    return story.backend.mutation(f"evolution:{verb}", told, principal=AUTHOR)


def improvement_of(story: Story, report_id: str) -> str:
    """The id of a report's suggestion, as the page of an evolution shows it."""
    begun = story.maintain("trigger")
    detail = story.backend.query("evolution:get", {"evolutionId": begun.id})
    story.backend.advance(1)
    story.maintain("rollback", reason="only to look")
    place = [one.agent_id for one in detail.suggestions].index(report_id)
    return detail.suggestions[place].id


def test_a_maintainer_splits_a_group_and_the_counts_follow(story: Story) -> None:
    story.suggest(3)
    wrong = improvement_of(story, "reporter-2-1")
    (group,) = groups(story)
    fresh = change(story, "splitGroup", groupId=group.group_id, improvementIds=[wrong])
    assert (fresh.suggestion, fresh.count) == (SAME_REQUEST[2], 1)
    assert members(story) == [(2, 2, 2), (1, 1, 1)]


def test_a_group_cannot_lose_all_its_members_nor_those_of_another(story: Story) -> None:
    story.suggest(1)
    own = improvement_of(story, "reporter-0-1")
    (group,) = groups(story)
    for ids in ([own], ["no-such-id"]):
        with pytest.raises(InvalidInput):
            change(story, "splitGroup", groupId=group.group_id, improvementIds=ids)


def test_a_maintainer_merges_groups_and_what_was_missing_may_be_there(story: Story) -> None:
    story.suggest(2)
    for place in range(2):
        story.report(f"other-{place}", improvement=OTHER_REQUEST)
    first, second = groups(story)
    story.maintain("updateSettings", minReporters=4)
    merged = change(story, "mergeGroups", groupId=second.group_id, into=first.group_id)
    assert (merged.count, merged.agent_count, merged.status) == (4, 4, "drafting")
    assert len(groups(story)) == 1


def test_an_agent_in_both_groups_counts_once_after_a_merge(story: Story) -> None:
    story.report("ada", improvement=SAME_REQUEST[0])
    story.report("ada", improvement=OTHER_REQUEST)
    first, second = groups(story)
    merged = change(story, "mergeGroups", groupId=second.group_id, into=first.group_id)
    assert (merged.count, merged.agent_count) == (2, 1)


def test_only_maintainers_take_groups_apart(story: Story) -> None:
    story.suggest(2)
    (group,) = groups(story)
    told = {"groupId": group.group_id, "improvementIds": ["x"]}
    with pytest.raises(Forbidden):
        story.backend.mutation(
            "evolution:splitGroup", told, principal=known("eve", "evolution:write")
        )
