"""The past shows nothing that the caller could not read now, whatever was open then."""

from collections.abc import Callable
from typing import Any

import pytest

from hubify.domains.evolution import EvolutionNotFound
from hubify.domains.gateway import DecisionNotFound
from hubify.domains.learning.errors import ReportNotFound
from hubify.domains.skills import SkillNotFound
from hubify.functions import AppError, Principal
from hubify.functions.principal import ANONYMOUS
from hubify.testing.backend import known
from tests.domains.story import AUTHOR, NAME, Story

EVE = known("eve", "skills:read", "learning:read", "agents:read", "evolution:read")


class Past:
    """A skill that was public at `ts`, with reports, requests and an evolution."""

    def __init__(self) -> None:
        self.story = Story()
        self.story.backend.mutation("skills:star", {"name": NAME}, principal=EVE)
        self.reported = self.story.report("ada", "fail", note="a note", improvement="Do it better.")
        self.story.suggest(3)
        self.story.backend.advance(1)
        self.evolution = self.story.latest().id
        decisions = self.story.backend.query("gateway:listDecisions", {})
        self.decision = decisions.page[0].id
        self.ts = self.story.backend.head()
        self.story.backend.advance(1)

    def hide(self) -> None:
        self.change("skills:update", visibility="private")

    def delete(self) -> None:
        self.change("skills:delete")

    def transfer(self) -> None:
        self.change("skills:transfer", by=known("ops"), owner="bob")
        self.change("skills:update", by=known("bob"), visibility="private")

    def change(self, path: str, *, by: Principal = AUTHOR, **more: object) -> None:
        self.story.backend.mutation(path, {"name": NAME, **more}, principal=by)

    def ask(self, path: str, arguments: dict[str, object], by: Principal) -> Any:  # noqa: ANN401 - each function answers its own type
        return self.story.backend.query(path, arguments, principal=by, at=self.ts)


@pytest.fixture
def past() -> Past:
    return Past()


BY_NAME = (
    "skills:getByName", "skills:getVersion", "skills:listVersions", "skills:getFiles",
    "skills:explainConfidence", "skills:listEvidence", "skills:lineage", "skills:listMoves",
)  # fmt: skip
BY_SKILL_NAME = (
    "learning:getStats", "learning:getLogs", "evolution:getStatus", "evolution:getHistory",
    "evolution:getCanaryStatus", "evolution:getPendingImprovements", "evolution:getCredits",
)  # fmt: skip


def looks(past: Past) -> list[tuple[str, dict[str, object], type[AppError]]]:
    """Every way to a skill's past, with the refusal of what does not exist."""
    return [
        *((path, {"name": NAME}, SkillNotFound) for path in BY_NAME),
        *((path, {"skillName": NAME}, SkillNotFound) for path in BY_SKILL_NAME),
        ("skills:getFile", {"name": NAME, "path": "SKILL.md"}, SkillNotFound),
        ("learning:getReport", {"reportId": past.reported.report_id}, ReportNotFound),
        ("evolution:get", {"evolutionId": past.evolution}, EvolutionNotFound),
        ("learning:recheckCanary", {"evolutionId": past.evolution}, EvolutionNotFound),
        ("gateway:getDecision", {"decisionId": past.decision}, DecisionNotFound),
    ]


def lists(past: Past, by: Principal) -> list[object]:
    """What every list shows of the past."""
    overview = past.ask("evolution:overview", {}, by)
    return [
        past.ask("skills:list", {}, by).page,
        past.ask("skills:list", {"sort": "name"}, by).page,
        past.ask("skills:list", {"owner": "maria"}, by).page,
        past.ask("skills:search", {"query": "retry"}, by),
        past.ask("gateway:listDecisions", {}, by).page,
        [*overview.trials, *overview.drafts, *overview.requests],
    ]


@pytest.mark.parametrize("caller", [ANONYMOUS, EVE])
@pytest.mark.parametrize("end", [Past.hide, Past.delete, Past.transfer])
def test_what_was_hidden_since_is_hidden_in_the_past(
    past: Past, end: Callable[[Past], None], caller: Principal
) -> None:
    for path, arguments, _missing in looks(past):
        past.ask(path, arguments, caller)
    assert all(lists(past, caller))
    end(past)
    for path, arguments, missing in looks(past):
        with pytest.raises(missing):
            past.ask(path, arguments, caller)
    assert not any(lists(past, caller))


def test_what_was_hidden_then_stays_hidden_when_it_is_public_now(past: Past) -> None:
    past.hide()
    past.ts = past.story.backend.head()
    past.story.backend.advance(1)
    past.change("skills:update", visibility="public")
    for path, arguments, missing in looks(past):
        with pytest.raises(missing):
            past.ask(path, arguments, EVE)
    assert not any(lists(past, EVE))


@pytest.mark.parametrize("end", [Past.hide, Past.delete])
def test_the_owner_reads_the_past_of_a_hidden_or_deleted_skill(
    past: Past, end: Callable[[Past], None]
) -> None:
    end(past)
    for path, arguments, _missing in looks(past):
        past.ask(path, arguments, AUTHOR)
    assert past.ask("skills:list", {"owner": "maria"}, AUTHOR).page


def test_a_former_owner_no_longer_reads_the_notes_of_its_time(past: Past) -> None:
    past.change("skills:transfer", by=known("ops"), owner="bob")
    reader = known("maria", "learning:read")
    (log, *_more) = past.ask("learning:getLogs", {"skillName": NAME}, reader).logs[::-1]
    assert (log.owner, log.note) == ("ada", None)


def test_stars_of_the_past_leave_out_what_is_hidden_now(past: Past) -> None:
    assert past.ask("skills:listStarred", {}, EVE) == [NAME]
    past.hide()
    assert past.ask("skills:listStarred", {}, EVE) == []
