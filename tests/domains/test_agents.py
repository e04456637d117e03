"""Agents: one owner's, created by their first report, with a reputation that follows their word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.domains.agents import (
    BURST_REPORTS,
    NEWCOMER,
    AgentNotFound,
    AgentStanding,
    agents,
    count_report,
    credit,
    faded,
    find_or_create,
    reputation_of,
    with_activity,
    with_report,
)
from hubify.domains.system import system
from hubify.evidence.reports import Outcome
from hubify.functions import Domain, MutationCtx
from hubify.testing.backend import InMemoryBackend, known
from hubify.values.errors import Conflict, Forbidden, InvalidInput
from hubify.values.ids import RowId

DAY_MS = 86_400_000

probe = Domain("probe")


@probe.mutation(internal=True)
def report(
    ctx: MutationCtx, *, owner: str, agent_id: str, outcome: Outcome, agreed: bool | None = None
) -> float:
    """Count one report the way learning does."""
    agent = find_or_create(ctx, owner, agent_id, "claude-code")
    return count_report(ctx, agent, outcome, "claude-code", agreed=agreed).reputation


@probe.mutation(internal=True)
def accept(ctx: MutationCtx, *, owner: str, agent_id: str) -> float:
    """Credit one accepted suggestion."""
    return credit(ctx, find_or_create(ctx, owner, agent_id, "cursor"), accepted=True).reputation


@pytest.fixture
def backend() -> InMemoryBackend:
    return InMemoryBackend([system, agents, probe])


def told(backend: InMemoryBackend, **more: object) -> float:
    arguments = {"owner": "ada", "agent_id": "a-1", "outcome": "success", **more}
    return backend.mutation("probe:report", arguments)


def standing(*, agreed: int = 0, compared: int = 0) -> AgentStanding:
    return AgentStanding(
        agent=RowId("x"),
        owner="ada",
        agent_id="a-1",
        last_active=0,
        day=0,
        hour=0,
        agreed=agreed,
        compared=compared,
    )


def test_a_newcomer_has_the_reputation_of_one_nothing_is_known_of() -> None:
    assert reputation_of(standing()) == NEWCOMER


def test_the_first_report_creates_the_agent_and_the_next_one_finds_it(
    backend: InMemoryBackend,
) -> None:
    told(backend)
    told(backend, outcome="fail")
    profile = backend.query("agents:get", {"agentId": "a-1"}, principal=known("ada"))
    assert (profile.reports_submitted, profile.successful_reports, profile.failed_reports) == (
        2, 1, 1,
    )  # fmt: skip
    assert profile.platforms_used == ("claude-code",)
    assert profile.first_seen == profile.last_active == backend.now_ms


def test_the_same_id_under_two_owners_is_two_agents(backend: InMemoryBackend) -> None:
    told(backend)
    told(backend, owner="bob")
    page = backend.query("agents:list", {}, principal=known("ada"))
    assert [(one.owner, one.agent_id) for one in page.page] == [("ada", "a-1"), ("bob", "a-1")]
    with pytest.raises(AgentNotFound):
        backend.query("agents:get", {"agentId": "a-1"}, principal=known("eve"))


def test_callers_see_their_own_agents_and_no_others(backend: InMemoryBackend) -> None:
    for owner in ("ada", "bob"):
        told(backend, owner=owner)
    eve, ada = known("eve", "agents:read"), known("ada", "agents:read")
    assert backend.query("agents:list", {}, principal=eve).page == []
    assert [one.owner for one in backend.query("agents:list", {}, principal=ada).page] == ["ada"]
    for path, more in (("list", {}), ("get", {"agentId": "a-1"})):
        with pytest.raises(Forbidden):
            backend.query(f"agents:{path}", {"owner": "bob", **more}, principal=ada)


def test_a_key_of_one_agent_sees_and_changes_that_one_only(backend: InMemoryBackend) -> None:
    backend.mutation("agents:register", {"agentId": "a-2", "platform": "p"}, principal=known("ada"))
    told(backend)
    bound = known("ada", "agents:write", agent="a-2")
    listed = backend.query("agents:list", {}, principal=bound).page
    assert [one.agent_id for one in listed] == ["a-2"]
    backend.mutation("agents:update", {"agentId": "a-2", "bio": "Mine."}, principal=bound)
    for path, more in (("update", {"bio": "Not mine."}), ("register", {"platform": "p"})):
        with pytest.raises(Forbidden, match="acts as 'a-2' only"):
            backend.mutation(f"agents:{path}", {"agentId": "a-1", **more}, principal=bound)
    with pytest.raises(Forbidden):
        backend.query("agents:get", {"agentId": "a-1"}, principal=bound)


def test_agreement_raises_and_contradiction_lowers_an_agents_own_reputation(
    backend: InMemoryBackend,
) -> None:
    alone = told(backend, agreed=None)
    agreeing = told(backend, agreed=True)
    assert agreeing > alone
    assert told(backend, agreed=False) < agreeing


def test_an_accepted_suggestion_raises_the_reputation(backend: InMemoryBackend) -> None:
    before = told(backend)
    assert backend.mutation("probe:accept", {"owner": "ada", "agent_id": "a-1"}) > before


def test_a_burst_costs_the_day_its_steadiness_once() -> None:
    calm = with_activity(standing(), hour=5, today=0)
    burst = calm
    for _ in range(2 * BURST_REPORTS):
        burst = with_activity(with_report(burst, Outcome.SUCCESS, "x", agreed=None), 5, 0)
    assert calm.steady_days == calm.active_days == burst.active_days
    assert burst.steady_days == 0


def test_each_day_with_reports_is_one_trial_of_consistency(backend: InMemoryBackend) -> None:
    first = told(backend)
    assert told(backend) == first
    backend.advance(DAY_MS)
    assert told(backend) > first


def test_sums_halve_in_ninety_days_and_are_gone_in_the_end() -> None:
    full = standing(agreed=1000, compared=2000)
    assert (faded(full, 90).agreed, faded(full, 90).compared) == (500, 1000)
    assert faded(full, 10_000).compared == 0


@given(st.lists(st.sampled_from([True, False, None]), max_size=60), st.integers(0, 3))
def test_a_reputation_stays_between_nothing_and_everything(
    agreements: list[bool | None], days_between: int
) -> None:
    current = standing()
    for place, agreed in enumerate(agreements):
        today = place * days_between
        current = with_activity(current, today * 24, today)
        current = with_report(current, Outcome.PARTIAL, "x", agreed=agreed)
        assert 0 <= reputation_of(current) <= 1


def test_an_agent_introduces_itself_and_changes_only_what_it_says(
    backend: InMemoryBackend,
) -> None:
    ada = known("ada")
    introduction = {"agentId": "a-2", "platform": "cursor", "displayName": "Two"}
    assert backend.mutation("agents:register", introduction, principal=ada).reputation == NEWCOMER
    with pytest.raises(Conflict):
        backend.mutation("agents:register", introduction, principal=ada)
    changed = backend.mutation(
        "agents:update", {"agentId": "a-2", "canaryOptIn": True}, principal=ada
    )
    assert (changed.display_name, changed.canary_opt_in) == ("Two", True)
    with pytest.raises(AgentNotFound):
        backend.mutation("agents:update", {"agentId": "a-2"}, principal=known("bob"))


def test_an_id_with_control_characters_or_without_characters_is_refused(
    backend: InMemoryBackend,
) -> None:
    for hostile in ("", "a\x00b", "x" * 129):
        with pytest.raises(InvalidInput):
            backend.query("agents:get", {"agentId": hostile}, principal=known("ada"))
