"""Sessions of one agent share a few coins of a trial, so that nobody tosses until one suits."""

from base64 import urlsafe_b64decode

import msgspec

from hubify.domains.skills.serials import coin_of
from hubify.domains.skills.tickets import LANES
from hubify.evidence.tickets import Ticket
from hubify.testing.backend import known
from tests.domains.story import NAME, Story


def test_an_agent_tosses_no_more_coins_by_opening_more_sessions() -> None:
    story = Story(stageHours=[24], stageShares=[0.5])
    story.suggest()
    story.backend.advance(1)
    for place in range(60):
        told = {"name": NAME, "agentId": "mallory-1", "session": f"s-{place}"}
        given = story.backend.mutation("skills:resolve", told, principal=known("mallory"))
        outcome = "fail" if given.why == "canary" else "success"
        assert story.report("mallory", outcome, ticket=given.ticket).log_id
    story.backend.take_in_notes()
    tickets = story.ask("evolution:getCanaryStatus").tickets
    assert tickets.canary.issued + tickets.baseline.issued == LANES
    told = {"evolutionId": story.latest().id}
    assert len(story.backend.query("learning:getTrialRecord", told).runs) == LANES
    assert story.skill().executions == 60 + 3, "each is a report like any other"


def test_sessions_that_share_a_coin_are_given_the_same_version_and_count_once() -> None:
    story = Story(stageHours=[24], stageShares=[0.5])
    story.suggest()
    story.backend.advance(1)
    told = {"name": NAME, "agentId": "owner-1-1"}
    given = [
        story.backend.mutation(
            "skills:resolve", {**told, "session": f"s-{place}"}, principal=known("owner-1")
        )
        for place in range(40)
    ]
    assert len({one.ticket for one in given}) == 40
    arms = {coin_of(serial_in(one.ticket)): one.version for one in given}
    assert len(arms) == LANES
    assert all(arms[coin_of(serial_in(one.ticket))] == one.version for one in given)


def serial_in(ticket: str) -> str:
    fields = ticket.split(".")[1]
    packed = urlsafe_b64decode(fields + "=" * (-len(fields) % 4))
    return msgspec.msgpack.decode(packed, type=Ticket).serial
