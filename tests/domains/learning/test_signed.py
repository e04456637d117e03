"""Signed reports: accepted by a good key only, once, in time, exactly as they were sent."""

from typing import Any

import pytest

from hubify.domains.agent_keys import MAX_ACTIVE, AgentKey, agent_keys
from hubify.domains.learning.reporting import Reported
from hubify.domains.learning.signed import KEPT_MS, SignatureRefused
from hubify.domains.learning.tables import SignedNonce
from hubify.evidence.reports import Binding
from hubify.evidence.tickets import _decoded
from hubify.functions import Forbidden, InvalidInput, NotFound
from hubify.testing.backend import known
from hubify.values.errors import Conflict
from hubify.wire.signing import sign_key, sign_report
from tests.domains.story import AUTHOR, HOUR_MS, MINUTE_MS, NAME, Story

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
START = "2026-01-01T00:00:00Z"
BODY: dict[str, object] = {"skillName": NAME, "outcome": "success", "agentId": "ada-1"}


@pytest.fixture
def story() -> Story:
    story = Story(agent_keys)
    told = {"agentId": "ada-1", "platform": "claude-code"}
    story.backend.mutation("agents:register", told, principal=known("ada"))
    register(story)
    return story


def register(story: Story, key: bytes = KEY, agent: str = "ada-1", owner: str = "ada") -> AgentKey:
    public_key, proof = sign_key(key, owner=owner, agent_id=agent)
    told = {"agentId": agent, "publicKey": public_key, "proof": proof}
    return story.backend.mutation("agents:registerKey", told, principal=known(owner))


def signed(
    key: bytes = KEY, *, at: str = START, nonce: str = "nonce-01", **more: object
) -> dict[str, object]:
    return sign_report({**BODY, **more}, key, signed_at=at, nonce=nonce)


def send(story: Story, report: dict[str, object], owner: str = "ada") -> Reported:
    return story.backend.mutation("learning:report", report, principal=known(owner))


def logs(story: Story) -> list[Any]:
    return story.ask("learning:getLogs", principal=known("root")).logs


def test_a_signed_report_weighs_in_full_and_says_whose_key_signed_it(story: Story) -> None:
    first = send(story, signed())
    (log,) = logs(story)
    assert log.binding is Binding.SIGNED
    (key,) = keys(story)
    assert log.signed_with == key.id
    plain = Story()
    assert first.skill_confidence_change > plain.report("ada").skill_confidence_change
    ticketed = Story()
    given = ticketed.resolve("ada").ticket
    assert ticketed.report("ada", ticket=given).skill_confidence_change == (
        first.skill_confidence_change
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "fail"},
        {"note": "more than was signed"},
        {"isRegression": False},
        {"nonce": "nonce-02"},
        {"signed_at": "2026-01-01T00:00:01Z"},
        {"signature": None},
        {"signature": "A" * 86},
        {"public_key": None},
        {"nonce": None},
    ],
)
def test_whatever_was_not_signed_so_is_refused_and_stores_nothing(
    story: Story, changes: dict[str, object]
) -> None:
    sent = {k: v for k, v in {**signed(), **changes}.items() if v is not None}
    with pytest.raises(InvalidInput) as refused:
        send(story, sent)
    assert refused.value.code == "VALIDATION_ERROR"
    assert logs(story) == []
    assert not send(story, signed()).repeated


def test_a_field_that_is_left_out_breaks_the_signature(story: Story) -> None:
    sent = signed(note="slow")
    del sent["note"]
    with pytest.raises(SignatureRefused, match="the signature does not hold"):
        send(story, sent)


def test_the_fields_of_a_signature_have_one_name_each(story: Story) -> None:
    report = signed()
    sent = {**BODY, "publicKey": report["public_key"], "signedAt": report["signed_at"]}
    with pytest.raises(SignatureRefused, match="signature, public_key, signed_at, nonce"):
        send(story, sent)


def test_the_very_same_report_again_changes_nothing(story: Story) -> None:
    first = send(story, signed())
    again = send(story, signed())
    assert again.repeated
    assert again.report_id == first.report_id
    assert len(logs(story)) == 1


def test_a_nonce_is_good_once_for_a_key(story: Story) -> None:
    send(story, signed())
    with pytest.raises(SignatureRefused, match="this nonce was used for another report"):
        send(story, signed(note="another"))
    register(story, OTHER_KEY)
    assert not send(story, signed(OTHER_KEY, note="another")).repeated


def test_an_idempotency_key_is_no_part_of_what_is_signed(story: Story) -> None:
    sent = {**signed(), "idempotencyKey": "once"}
    assert send(story, sent) == send(story, sent)
    assert len(logs(story)) == 1


def test_a_report_comes_within_five_minutes_of_its_signature(story: Story) -> None:
    story.backend.advance(5 * MINUTE_MS)
    send(story, signed())
    story.backend.advance(1)
    with pytest.raises(SignatureRefused, match="signed_at is 300 s ago by the clock here"):
        send(story, signed(nonce="nonce-02"))
    with pytest.raises(SignatureRefused, match="ahead"):
        send(story, signed(nonce="nonce-03", at="2026-01-01T00:11:00Z"))


def test_a_report_signed_when_its_ticket_was_issued_may_come_later(story: Story) -> None:
    ticket = story.resolve("ada").ticket
    assert ticket is not None
    issued = _decoded(ticket.split(".")[1]).issued_at
    seconds = (issued - story.backend.now_ms) // 1000
    at = f"2025-12-31T{24 + seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}Z"
    story.backend.advance(HOUR_MS)
    send(story, signed(at=at, ticket=ticket))
    (log,) = logs(story)
    assert log.binding is Binding.TICKETED
    assert log.signed_with is not None


def test_a_signed_run_without_a_ticket_decides_no_trial(story: Story) -> None:
    told = {"skillName": NAME, "stageHours": [1], "stageShares": [0.5]}
    story.backend.mutation("evolution:updateSettings", told, principal=AUTHOR)
    story.suggest()
    story.backend.advance(1)
    canary = story.canary().version
    send(story, signed(skillVersion=canary))
    told = {"evolutionId": story.latest().id}
    page = story.backend.query("learning:getTrialRecord", told)
    assert [run.ticketed for run in page.runs] == [False]
    assert story.backend.query("learning:recheckCanary", told).agrees


def test_nonces_are_forgotten_once_nobody_can_use_them(story: Story) -> None:
    send(story, signed())
    number = story.backend.database.table_of(SignedNonce).number
    rows = story.backend.database.engine.rows
    assert len(list(rows(number, after=0, limit=10))) == 1
    story.backend.advance(KEPT_MS + 2 * HOUR_MS)
    assert list(rows(number, after=0, limit=10)) == []
    with pytest.raises(SignatureRefused, match="by the clock here"):
        send(story, signed())


def keys(story: Story, owner: str = "ada") -> list[AgentKey]:
    return story.backend.query("agents:listKeys", {"agentId": "ada-1"}, principal=known(owner))


def test_a_key_signs_for_its_agent_and_owner_only(story: Story) -> None:
    for told in ({"agentId": "ada-2"}, {}):
        report = sign_report(
            {**BODY, "agentId": "ada-2", **told}, KEY, signed_at=START, nonce="n" * 9
        )
        with pytest.raises(InvalidInput, match="no key of agent 'ada-2'"):
            send(story, report)
    with pytest.raises(InvalidInput, match="no key of agent 'ada-1'"):
        send(story, signed(), owner="eve")
    with pytest.raises(InvalidInput, match="no key of agent 'ada-1'"):
        send(story, signed(OTHER_KEY))


def test_a_revoked_key_signs_nothing_new_and_what_it_signed_stays_attributed(story: Story) -> None:
    send(story, signed())
    (key,) = keys(story)
    gone = {"agentId": "ada-1", "keyId": key.id, "reason": "laptop lost"}
    story.backend.mutation("agents:revokeKey", gone, principal=known("ada"))
    with pytest.raises(InvalidInput, match="was revoked"):
        send(story, signed(nonce="nonce-02"))
    (log,), (kept,) = logs(story), keys(story)
    assert log.signed_with == kept.id
    assert (kept.revoked_because, kept.revoked_at) == ("laptop lost", story.backend.now_ms)
    with pytest.raises(Conflict, match="is, or was, an agent's"):
        register(story)
    with pytest.raises(Conflict, match="revoked before"):
        story.backend.mutation("agents:revokeKey", gone, principal=known("ada"))


def test_a_rotated_key_gives_way_to_the_new_one(story: Story) -> None:
    (old,) = keys(story)
    public_key, proof = sign_key(OTHER_KEY, owner="ada", agent_id="ada-1")
    told = {"agentId": "ada-1", "keyId": old.id, "publicKey": public_key, "proof": proof}
    new = story.backend.mutation("agents:rotateKey", told, principal=known("ada"))
    assert [key.id for key in keys(story)] == [new.id, old.id]
    assert keys(story)[1].replaced_by == new.id
    with pytest.raises(InvalidInput, match="was revoked"):
        send(story, signed())
    assert not send(story, signed(OTHER_KEY)).repeated


def test_a_key_is_registered_only_by_whoever_holds_it(story: Story) -> None:
    public_key, proof = sign_key(OTHER_KEY, owner="eve", agent_id="ada-1")
    told = {"agentId": "ada-1", "publicKey": public_key, "proof": proof}
    with pytest.raises(InvalidInput, match="the proof does not hold"):
        story.backend.mutation("agents:registerKey", told, principal=known("ada"))
    told["agentId"] = "nobody"
    with pytest.raises(NotFound):
        story.backend.mutation("agents:registerKey", told, principal=known("ada"))


def test_an_agent_has_a_few_keys_at_a_time(story: Story) -> None:
    for place in range(2, MAX_ACTIVE + 1):
        register(story, bytes([place] * 32))
    with pytest.raises(Conflict, match="an agent has 5 keys at a time"):
        register(story, bytes([99] * 32))


def test_a_key_of_one_agent_manages_no_other_s_keys(story: Story) -> None:
    other = known("ada", "agents:write", agent="ada-2")
    (key,) = keys(story)
    with pytest.raises(Forbidden):
        story.backend.query("agents:listKeys", {"agentId": "ada-1"}, principal=other)
    gone = {"agentId": "ada-1", "keyId": key.id}
    with pytest.raises(Forbidden):
        story.backend.mutation("agents:revokeKey", gone, principal=other)
    eve = known("eve", "agents:write")
    with pytest.raises(NotFound):
        story.backend.mutation("agents:revokeKey", gone, principal=eve)
    with pytest.raises(Forbidden):
        story.backend.query("agents:listKeys", {"agentId": "ada-1", "owner": "ada"}, principal=eve)
