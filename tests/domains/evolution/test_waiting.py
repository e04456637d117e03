"""Once a day, what became due in any other way than by a report or a setting is followed."""

import msgspec
import pytest

from hubify.domains.evolution import waiting
from hubify.domains.skills import skill_named
from hubify.functions import Domain, MutationCtx
from tests.domains.story import DAY_MS, NAME, OTHER_REQUEST, Story

probe = Domain("probe")


@probe.mutation(internal=True)
def lower(ctx: MutationCtx, *, needed: int) -> None:
    """Let fewer reporters do, in a way that does not look at what waits."""
    skill = skill_named(ctx, NAME)
    assert skill is not None
    easier = msgspec.structs.replace(skill.evolution, min_reporters=needed)
    ctx.db.replace(skill, evolution=easier)


@pytest.fixture
def story() -> Story:
    made = Story(probe, minReporters=10, manualApproval=True)
    made.suggest(3)
    made.report("other-1", improvement=OTHER_REQUEST)
    return made


def test_a_request_that_lacks_nothing_any_more_is_followed_within_a_day(story: Story) -> None:
    story.backend.mutation("probe:lower", {"needed": 3})
    story.backend.advance(DAY_MS)
    assert story.pending().version == "1.0.1"
    assert len(story.ask("evolution:getHistory").evolutions) == 1


def test_a_request_that_still_lacks_something_goes_on_waiting(story: Story) -> None:
    story.backend.advance(3 * DAY_MS)
    assert story.status().status == "stable"


def test_requests_beyond_one_look_are_looked_at_by_the_next(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOOKED_AT", 1)
    story.backend.mutation("probe:lower", {"needed": 1})
    story.backend.advance(DAY_MS)
    statuses = [one.status for one in story.ask("evolution:getHistory").evolutions]
    assert sorted(statuses) == ["drafting", "pending"]


def test_a_skill_that_was_deleted_evolves_no_more(story: Story) -> None:
    story.backend.mutation("probe:lower", {"needed": 3})
    story.backend.mutation("skills:delete", {"name": NAME})
    assert story.backend.mutation("evolution:followWaiting") == 0
