"""What maintainers say themselves: which attempt they mean, and what they want changed."""

import pytest

from hubify.domains.evolution.errors import NothingPending, NothingToDraft
from hubify.domains.evolution.tables import EvolutionStatus
from hubify.functions import InvalidInput
from tests.domains.story import OTHER_REQUEST, SAME_REQUEST, Story

THIRD_REQUEST = "Say in the instructions that `curl` 8 or newer is needed."
WORDS = "Honour the `Retry-After` header on 429 responses. My key is ghp_" + "a1B2" * 9


@pytest.fixture
def waiting() -> Story:
    """A skill with a version on trial, and two requests that wait for its end."""
    story = Story(minReporters=1, stageHours=[24], stageShares=[0.5])
    for place, text in enumerate((SAME_REQUEST[0], OTHER_REQUEST, THIRD_REQUEST)):
        story.report(f"reporter-{place}", improvement=text)
    story.backend.advance(1)
    return story


def drafting(story: Story) -> list[str]:
    history = story.ask("evolution:getHistory").evolutions
    return [one.id for one in reversed(history) if one.status is EvolutionStatus.DRAFTING]


def test_a_maintainer_says_which_of_several_waiting_requests_is_refused(waiting: Story) -> None:
    first, second = drafting(waiting)
    refused = waiting.maintain("reject", reason="not this", evolutionId=second)
    assert refused.id == second
    assert drafting(waiting) == [first]
    group = waiting.backend.query("evolution:get", {"evolutionId": first}).evolution.group_id
    assert waiting.maintain("reject", reason="nor this", groupId=group).id == first


def test_an_attempt_that_is_named_and_not_there_is_not_replaced_by_another(waiting: Story) -> None:
    first, _second = drafting(waiting)
    for verb in ("promote", "rollback", "accept"):
        with pytest.raises(NothingPending, match="of that id"):
            waiting.maintain(verb, evolutionId=first)
    on_trial = waiting.latest().id if waiting.latest().to_version else None
    with pytest.raises(NothingPending):
        waiting.maintain("reject", reason="too late", evolutionId=on_trial or "none")


def test_a_maintainers_own_words_begin_an_evolution() -> None:
    story = Story(stageHours=[24], stageShares=[0.5])
    begun = story.maintain("trigger", improvement=WORDS)
    assert (begun.trigger, begun.requested_by) == ("manual_request", "maria")
    story.backend.advance(1)
    assert story.canary().version == "1.0.1"
    detail = story.backend.query("evolution:get", {"evolutionId": begun.id})
    assert detail.suggestions[0].owner == "maria"
    assert "Retry-After" in detail.suggestions[0].suggestion
    assert "ghp_" not in str(detail)


def test_a_maintainers_words_join_what_others_ask_for() -> None:
    story = Story()
    story.suggest(2)
    begun = story.maintain("trigger", improvement=SAME_REQUEST[2])
    detail = story.backend.query("evolution:get", {"evolutionId": begun.id})
    assert [one.owner for one in detail.suggestions] == ["reporter-0", "reporter-1", "maria"]


@pytest.mark.parametrize("words", ["Great skill, thanks!", "Improve error handling."])
def test_words_that_name_no_change_begin_nothing(words: str) -> None:
    story = Story()
    with pytest.raises(NothingToDraft, match="no change"):
        story.maintain("trigger", improvement=words)
    assert story.ask("evolution:getHistory").evolutions == ()


def test_words_and_a_group_are_not_given_together() -> None:
    story = Story()
    story.suggest(1)
    group = story.ask("evolution:getPendingImprovements").improvements[0].group_id
    with pytest.raises(InvalidInput, match="not both"):
        story.maintain("trigger", improvement=WORDS, groupId=group)
