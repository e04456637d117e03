"""Wishes for skills that do not exist become proposals, not reports on any skill."""

import json

import pytest

from hubify.functions import Conflict, Forbidden
from hubify.testing.backend import known
from tests.domains.story import NAME, Story
from tests.shared_data import shared_path

WISH = {"title": "Recover from failing heredocs", "description": "Write a file and run that."}
ADMIN = known("ops", "skills:read", "skills:admin")


@pytest.fixture
def story() -> Story:
    return Story()


def test_a_proposal_is_listed_and_decided_once(story: Story) -> None:
    backend = story.backend
    made = backend.mutation("evolution:proposeSkill", WISH, principal=known("ada", agent="a-1"))
    assert (made.owner, made.author_agent_id, made.status) == ("ada", "a-1", "open")
    told = {"proposalId": made.id, "approve": True, "mergedSkill": NAME}
    with pytest.raises(Forbidden):
        backend.mutation("evolution:decideProposal", told, principal=known("ada", "skills:write"))
    assert backend.mutation("evolution:decideProposal", told, principal=ADMIN).status == "merged"
    with pytest.raises(Conflict):
        backend.mutation("evolution:decideProposal", told, principal=ADMIN)
    assert backend.query("evolution:listProposals", {}, principal=ADMIN).page == []
    assert backend.query("evolution:getProposal", {"proposalId": made.id}).merged_skill == NAME


def test_known_secrets_are_taken_out_of_every_text_of_a_proposal(story: Story) -> None:
    secret = "AKIA" + "ABCDEFGHIJKLMNOP"
    sent = {"title": secret, "description": secret, "source": secret, "sourceId": secret}
    made = story.backend.mutation("evolution:proposeSkill", {**sent, "tags": [secret]})
    assert secret not in repr(made)


def test_the_same_source_proposes_once_per_owner(story: Story) -> None:
    sent = {**WISH, "source": "analysis", "sourceId": "task-1/0"}
    ids = [
        story.backend.mutation("evolution:proposeSkill", sent, principal=known(owner)).id
        for owner in ("ada", "ada", "bob")
    ]
    assert ids[0] == ids[1] != ids[2]


def test_a_real_record_yields_a_proposal_for_each_suggestion_that_names_no_skill(
    story: Story,
) -> None:
    text = shared_path("data/openspace/analyses.jsonl").read_text("utf-8")
    analyses = [json.loads(line) for line in text.splitlines()]
    nameless = [
        (f"{analysis['task_id']}/{place}", suggestion["direction"])
        for analysis in analyses
        for place, suggestion in enumerate(analysis["suggestions"])
        if not suggestion["target_skills"]
    ]
    for source_id, direction in nameless:
        wish = {
            "title": direction[:200],
            "description": direction,
            "source": "openspace",
            "sourceId": source_id,
        }
        story.backend.mutation("evolution:proposeSkill", wish, principal=known("ada"))
    page = {"paginationOpts": {"numItems": 1000}}
    listed = story.backend.query("evolution:listProposals", page, principal=ADMIN).page
    assert len(listed) == len(nameless) == 100
    assert story.ask("learning:getStats").total_executions == 0
