"""A person is erased: every number stays, every name goes, and what was done is said."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubify.domains.erasure.functions import NobodyNamedSo
from hubify.functions import InvalidInput, NotFound, Unauthenticated
from hubify.testing.backend import known
from hubify.values.errors import Conflict, Forbidden
from hubify.wire.signing import sign_key
from tests.domains.erasure.erased_world import (
    AGENT,
    HIDDEN,
    KEY,
    NAME,
    PERSON,
    SECRET_WORDS,
    World,
    left,
    lived_in,
)

ROOT = known("root", "*")
OWNERS = ("quillon", "maud", "nils")
OUTCOMES = ("success", "partial", "fail")


def numbers(world: World) -> dict[str, Any]:
    """Every number that is shown of the public skill, and where its requests stand."""
    skill = world.backend.query("skills:getByName", {"name": NAME})
    pending = world.backend.query("evolution:getPendingImprovements", {"skillName": NAME})
    explained = world.backend.query("skills:explainConfidence", {"name": NAME})
    return {
        "confidence": explained.explanation,
        "shown": skill.confidence,
        "executions": skill.executions,
        "agents": skill.unique_agents,
        "stars": skill.stars,
        "level": skill.verification_level,
        "stats": world.backend.query("learning:getStats", {"skillName": NAME}),
        "requests": [(one.count, one.agent_count, one.owner_count) for one in pending.improvements],
    }


def test_every_number_is_the_same_before_and_after() -> None:
    world = lived_in()
    before = numbers(world)
    world.erase()
    assert numbers(world) == before


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(OWNERS), st.sampled_from(OUTCOMES), st.integers(0, 2)),
        min_size=1,
        max_size=20,
    ),
    st.booleans(),
)
def test_whoever_reported_what_the_numbers_stay_and_can_be_calculated(
    reports: list[tuple[str, str, int]],
    more: bool,  # noqa: FBT001 - drawn
) -> None:
    world = World()
    world.publish(NAME, "Calls HTTP services.", known("maud"))
    for owner, outcome, days in reports:
        world.report(owner, outcome, platform=f"platform-{days}")
        world.wait(days=days)
    before = numbers(world)
    world.erase()
    assert numbers(world) == before
    if more:
        world.report("nils")
        after = numbers(world)
        assert after["executions"] == before["executions"] + 1
        assert after["shown"] == round(after["confidence"].confidence)


def test_no_row_and_no_log_record_holds_the_name_any_more() -> None:
    world = lived_in()
    asked = world.erase()
    assert left(world, b"quillon") == {}
    for commit in world.backend.database.engine.tail(0, 10_000):
        assert "quillon" not in commit.caller
        for write in commit.writes:
            assert not any(b"quillon" in key for _, key in (*write.removed, *write.added))
    assert asked.kept == {}


def test_what_only_its_owner_could_see_is_gone() -> None:
    world = lived_in()
    assert "content_parts" in left(world, SECRET_WORDS.encode())
    world.erase()
    assert left(world, SECRET_WORDS.encode()) == {}
    assert left(world, HIDDEN.encode()) == {}


def test_a_file_that_another_version_has_too_is_kept() -> None:
    world = lived_in()
    text = f"Shared by two: {SECRET_WORDS}."
    for owner, name in (("maud", "maud-notes"), ("quillon", "quillon-notes")):
        files = [
            {"path": "SKILL.md", "content": f"---\nname: {name}\ndescription: d.\n---\n# {name}\n"},
            {"path": "notes.md", "content": text},
        ]
        told = {"files": files, "visibility": "private"}
        world.backend.action("skills:publish", told, principal=known(owner))
    world.erase()
    told = {"name": "maud-notes", "path": "notes.md"}
    assert world.backend.query("skills:getFile", told, principal=known("maud")).content == text


def test_public_skills_stay_published_under_the_pseudonym() -> None:
    world = lived_in()
    pseudonym = world.erase().pseudonym
    skill = world.backend.query("skills:getByName", {"name": NAME})
    assert skill.owner == pseudonym
    assert world.backend.query("skills:getFiles", {"name": NAME}).files
    world.do("skills:transfer", ROOT, name=NAME, owner="maud")
    assert world.backend.query("skills:getByName", {"name": NAME}).owner == "maud"


def test_reports_say_no_more_than_how_the_run_ended() -> None:
    world = lived_in()
    world.erase()
    told = {"skillName": NAME, "limit": 100}
    logs = world.backend.query("learning:getLogs", told, principal=ROOT).logs
    theirs = [log for log in logs if log.owner.startswith("erased-")]
    assert len(theirs) == 5
    assert {(log.note, log.error, log.context, log.llm) for log in theirs} == {(None,) * 4}
    assert {log.outcome for log in theirs} == {"success", "failure"}
    assert [log.note for log in logs if log.owner == "maud"][-1] == "seen by maud"


def test_what_a_key_signed_is_told_together_and_the_key_is_gone() -> None:
    world = lived_in()
    public_key, _proof = sign_key(KEY, owner="quillon", agent_id=AGENT)
    assert left(world, public_key.encode()) == {"agent_keys": 1}
    world.erase()
    told = {"skillName": NAME, "limit": 100}
    logs = world.backend.query("learning:getLogs", told, principal=ROOT).logs
    (signed,) = (log for log in logs if log.signed_with is not None)
    assert signed.owner.startswith("erased-")
    assert signed.binding == "signed"
    assert left(world, public_key.encode()) == {}


def test_what_was_odd_about_reports_stays_told_under_the_pseudonym() -> None:
    world = lived_in()
    for _ in range(5):
        world.report("quillon", durationMs=1503.5)
    pseudonym = world.erase().pseudonym
    (flag,) = world.backend.query("verification:getFlags", {"skillName": NAME}).flags
    assert (flag.kind, flag.owner, flag.reports) == ("duplicates", pseudonym, 2)


def test_the_past_cannot_be_read_where_it_would_show_the_name() -> None:
    world = lived_in()
    before = world.backend.head()
    world.erase()
    with pytest.raises(InvalidInput, match="kept"):
        world.backend.query("skills:getByName", {"name": NAME}, at=before)


def test_one_agent_of_an_owner_is_erased_alone() -> None:
    world = lived_in()
    before = numbers(world)
    view = world.erase(confirm=f"quillon/{AGENT}", agentId=AGENT)
    assert numbers(world) == before
    assert left(world, AGENT.encode()) == {}
    assert world.backend.query("skills:getByName", {"name": NAME}).owner == "quillon"
    with pytest.raises(NotFound):
        world.backend.query("agents:get", {"agentId": AGENT}, principal=PERSON)
    known_now = {"agentId": view.pseudonym}
    assert world.backend.query("agents:get", known_now, principal=PERSON).bio is None


def test_keys_and_sessions_end_with_the_request_and_the_name_is_free_at_the_end() -> None:
    world = lived_in()
    key = world.do("auth:createApiToken", PERSON, name="mine", scopes=["skills:read"]).token
    assert world.identities.find(key).owner == "quillon"
    asked = world.do("erasure:request", PERSON, confirm="quillon")
    with pytest.raises(Unauthenticated, match="being erased"):
        world.identities.find(key)
    world.finish(asked.id)
    with pytest.raises(Unauthenticated):
        world.identities.find(key)
    fresh = world.do(
        "auth:createApiToken", ROOT, name="new", owner="quillon", scopes=["skills:read"]
    )
    assert world.identities.find(fresh.token).owner == "quillon"
    assert world.backend.query("skills:listPins", principal=PERSON) == []


def test_what_a_call_under_way_still_writes_is_found_by_the_last_walk() -> None:
    world = lived_in()
    asked = world.do("erasure:request", PERSON, confirm="quillon")
    world.step()
    world.report("quillon", note="written behind the erasure's back")
    assert left(world, b"quillon")
    world.finish(asked.id)
    assert left(world, b"quillon") == {}


@pytest.mark.parametrize("steps", range(5))
def test_an_erasure_goes_on_after_its_process_has_stopped(steps: int) -> None:
    world = lived_in()
    asked = world.do("erasure:request", PERSON, confirm="quillon")
    for _ in range(steps):
        world.step()
        world.backend.advance(700_000)
    world.restart()
    view = world.finish(asked.id)
    assert left(world, b"quillon") == {}
    assert view.erased["learning_reports"] == 6


def test_a_name_within_a_text_of_somebody_else_stays_and_is_counted() -> None:
    world = lived_in()
    world.report("maud", note="quillon told me")
    assert world.erase().kept == {"learning_reports": 1}


def test_another_owner_whose_name_begins_alike_is_let_be() -> None:
    world = World()
    world.publish(NAME, "Calls HTTP services.", known("maud"))
    for owner in ("quillon", "quillona"):
        world.report(owner, note="mine")
    assert world.erase().kept == {}
    assert left(world, b"quillona") == left(world, b"quillon")
    told = {"agentId": "quillona-laptop"}
    assert world.backend.query("agents:get", told, principal=known("quillona")).reports_submitted


def test_an_erasure_must_be_confirmed_by_the_name() -> None:
    world = World()
    for wrong in ("", "yes", "maud", f"quillon/{AGENT}"):
        with pytest.raises(InvalidInput, match="give confirm as 'quillon'"):
            world.do("erasure:request", PERSON, confirm=wrong)


def test_who_may_erase_whom() -> None:
    world = World()
    maud = known("maud", "erasure:write")
    with pytest.raises(Forbidden):
        world.do("erasure:request", maud, owner="quillon", confirm="quillon")
    with pytest.raises(Forbidden, match="erasure:write"):
        world.do("erasure:request", known("maud", "auth:write"), confirm="maud")
    with pytest.raises(Forbidden, match="speaks for"):
        world.do("erasure:request", known("maud", agent="a"), confirm="maud")
    for nobody in ("admin", "hubify", "erased-0123456789abcdef"):
        with pytest.raises(InvalidInput, match="no person"):
            world.do("erasure:request", ROOT, owner=nobody, confirm=nobody)
    world = lived_in()
    world.do("erasure:request", ROOT, owner="quillon", confirm="quillon")
    with pytest.raises(Conflict, match="already"):
        world.do("erasure:request", ROOT, owner="quillon", confirm="quillon")


@pytest.mark.parametrize("agent", [None, "quilon-laptop"])
def test_a_mistyped_name_is_refused_and_costs_nobody_the_past(agent: str | None) -> None:
    world = lived_in()
    owner = "quilon" if agent is None else "quillon"
    named = {"owner": owner, "confirm": "/".join(filter(None, [owner, agent]))}
    if agent is not None:
        named["agentId"] = agent
    head = world.backend.head()
    with pytest.raises(NobodyNamedSo, match="nothing was changed"):
        world.do("erasure:request", ROOT, **named)
    assert world.backend.head() == head


def test_a_plan_says_beforehand_what_stays_and_what_goes() -> None:
    plan = lived_in().backend.query("erasure:plan", principal=PERSON)
    assert (plan.published_skills, plan.hidden_skills) == ((NAME,), (HIDDEN,))
    assert (plan.confirm, plan.keys) == ("quillon", 1)


def test_a_done_erasure_names_nobody() -> None:
    world = lived_in()
    done = world.erase()
    (listed,) = world.backend.query("erasure:list", principal=ROOT).page
    assert listed == done
    assert done.pseudonym.startswith("erased-")
    assert done.finished_at is not None
    assert any("stay published" in sentence for sentence in done.keeps)
    assert "erased_rows" not in left(world, b"erasure_id")
