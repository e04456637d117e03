"""Tickets: the same one until it is used up, one coin per ticket, and nothing written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.domains.skills import TicketRefused
from hubify.domains.skills.tables import Rollout, Skill, SkillReporter, SpentTicket
from hubify.domains.skills.tickets import TTL_MS, Holder, Slot, due_slot, trial_of
from hubify.evidence.reports import Arm
from hubify.values.ids import RowId
from tests.domains.skills.registry import DAY_MS, HOUR_MS, SECRET, SkillRegistry, skill_md

KEY = b"k" * 32
NAMES = st.text(min_size=1, max_size=20)


@pytest.fixture
def registry() -> SkillRegistry:
    made = SkillRegistry()
    made.publish(skill_md(body="One.", version="1.0.0"))
    made.publish(skill_md(body="Two.", version="1.1.0-beta.1"))
    return made


def begin(registry: SkillRegistry, share: float) -> None:
    told = {"name": "greet", "version": "1.1.0-beta.1", "share": share}
    registry.backend.mutation("probe:begin", told)


def report(registry: SkillRegistry, ticket: str, agent: str = "a-1") -> object:
    return registry.report(owner="ada", agent=agent, ticket=ticket)


def test_resolving_writes_nothing_but_the_first_key(registry: SkillRegistry) -> None:
    registry.resolve()
    head = registry.backend.head()
    registry.resolve(agentId="a-2")
    registry.resolve()
    assert registry.backend.head() == head


def test_an_open_ticket_is_given_again(registry: SkillRegistry) -> None:
    first = registry.resolve()
    registry.backend.now_ms += 60_000
    assert registry.resolve().ticket == first.ticket
    assert registry.resolve(agentId="a-2").ticket != first.ticket


def test_a_used_ticket_makes_room_for_the_next_and_does_not_count_again(
    registry: SkillRegistry,
) -> None:
    first = registry.resolve().ticket
    report(registry, first)
    second = registry.resolve().ticket
    assert second != first
    with pytest.raises(TicketRefused, match="used for a report already"):
        report(registry, first)
    report(registry, second)


def test_a_ticket_can_be_reported_for_a_day_after_it_was_last_handed_out(
    registry: SkillRegistry,
) -> None:
    for _ in range(30):
        registry.backend.now_ms += HOUR_MS
        resolved = registry.resolve()
        assert resolved.expires_at >= registry.backend.now_ms + TTL_MS
    ticket = registry.resolve().ticket
    registry.backend.now_ms += TTL_MS - 1
    report(registry, ticket)


def test_a_ticket_ends(registry: SkillRegistry) -> None:
    resolved = registry.resolve()
    registry.backend.now_ms = resolved.expires_at
    assert registry.resolve().ticket != resolved.ticket
    with pytest.raises(TicketRefused, match="expired"):
        report(registry, resolved.ticket)


def test_a_ticket_counts_for_its_agent_and_skill_only(registry: SkillRegistry) -> None:
    registry.publish(skill_md("other"))
    ticket = registry.resolve().ticket
    with pytest.raises(TicketRefused, match="another agent"):
        report(registry, ticket, agent="a-2")
    with pytest.raises(TicketRefused, match="for 'greet'"):
        registry.report("other", owner="ada", agent="a-1", ticket=ticket)
    with pytest.raises(TicketRefused, match="not issued here"):
        report(registry, ticket[:-1] + ("A" if ticket[-1] != "A" else "B"))


def test_a_sessions_used_ticket_is_kept_until_nobody_could_use_it(registry: SkillRegistry) -> None:
    tickets = [registry.resolve(session=f"s-{place}").ticket for place in range(3)]
    for ticket in tickets:
        registry.report(owner="ada", agent="a-1", ticket=ticket)
    registry.backend.now_ms += 2 * DAY_MS - HOUR_MS
    registry.backend.mutation("skills:sweepTickets")
    with pytest.raises(TicketRefused):
        registry.report(owner="ada", agent="a-1", ticket=tickets[0])
    assert kept(registry) == 3
    registry.backend.now_ms += HOUR_MS
    registry.backend.mutation("skills:sweepTickets")
    assert kept(registry) == 0
    with pytest.raises(TicketRefused):
        registry.report(owner="ada", agent="a-1", ticket=tickets[0])


def kept(registry: SkillRegistry) -> int:
    """How many used tickets of sessions are stored."""
    reader = registry.backend.database.begin_read(lambda: None)
    return len(reader.take(SpentTicket.where(), limit=100))


def test_each_session_has_one_ticket_of_its_own(registry: SkillRegistry) -> None:
    one, two = (registry.resolve(session=session).ticket for session in ("s-1", "s-2"))
    assert len({one, two, registry.resolve().ticket}) == 3
    report(registry, one)
    assert registry.resolve(session="s-1").ticket == one
    with pytest.raises(TicketRefused, match="session"):
        report(registry, one)
    report(registry, two)


def test_a_trial_gives_its_share_of_agents_the_canary(registry: SkillRegistry) -> None:
    begin(registry, 0.25)
    found = [registry.resolve(agentId=f"a-{number}") for number in range(400)]
    canaries = [resolved for resolved in found if resolved.arm is Arm.CANARY]
    assert 60 <= len(canaries) <= 140
    assert {(c.version, c.why) for c in canaries} == {("1.1.0-beta.1", "canary")}
    assert {r.version for r in found if r.arm is Arm.STABLE} == {"1.0.0"}
    assert registry.query("skills:getByName", name="greet").version == "1.0.0"


def test_a_larger_share_leaves_open_tickets_in_their_arm(registry: SkillRegistry) -> None:
    begin(registry, 0.1)
    registry.backend.now_ms += 2 * TTL_MS
    agents = [f"a-{number}" for number in range(50)]
    before = [registry.resolve(agentId=agent).ticket for agent in agents]
    registry.backend.mutation("probe:share", {"name": "greet", "share": 0.9})
    assert [registry.resolve(agentId=agent).ticket for agent in agents] == before
    registry.backend.now_ms += TTL_MS
    after = [registry.resolve(agentId=agent).arm for agent in agents]
    assert after.count(Arm.CANARY) > 30


def test_a_paused_trial_and_an_ended_one_give_nobody_the_canary(registry: SkillRegistry) -> None:
    begin(registry, 0.99)
    assert registry.resolve().arm is Arm.CANARY
    registry.backend.mutation("probe:share", {"name": "greet", "share": 0})
    assert registry.resolve().arm is Arm.STABLE
    registry.backend.mutation("probe:end", {"name": "greet", "promote": False})
    assert registry.resolve().version == "1.0.0"


def test_a_pin_comes_before_the_trial(registry: SkillRegistry) -> None:
    registry.mutate("skills:pin", name="greet", reason="Release week.", agentId="a-1")
    begin(registry, 0.99)
    pinned, other = registry.resolve(), registry.resolve(agentId="a-2")
    assert (pinned.version, pinned.why, pinned.pin_reason) == ("1.0.0", "pin", "Release week.")
    assert other.arm is Arm.CANARY
    registry.publish(skill_md(body="Three."), version="2.0.0")
    assert registry.resolve().version == "1.0.0"


def test_whoever_asks_for_a_channel_gets_it_without_a_coin(registry: SkillRegistry) -> None:
    begin(registry, 0.99)
    assert registry.resolve(channel="stable").version == "1.0.0"
    beta = registry.resolve(channel="beta")
    assert (beta.version, beta.why, beta.arm) == ("1.1.0-beta.1", "beta", Arm.STABLE)


@given(owner=NAMES, agent=NAMES, turn=st.integers(0, 5), now=st.integers(10**12, 2 * 10**12))
def test_a_slot_stays_the_same_for_its_window_and_changes_with_the_turn(
    owner: str, agent: str, turn: int, now: int
) -> None:
    skill = some_skill()
    holder = Holder(owner, agent)
    reporter = reporter_at(holder, turn, now - TTL_MS // 2)
    slot = due_slot(KEY, skill, holder, reporter, now)
    assert slot.start <= now < slot.start + TTL_MS
    for later in (slot.start, slot.start + TTL_MS - 1):
        assert due_slot(KEY, skill, holder, reporter, later) == slot
    assert due_slot(KEY, skill, holder, reporter, slot.start + TTL_MS) != slot
    used = reporter_at(holder, turn + 1, now)
    assert due_slot(KEY, skill, holder, used, now).serial != slot.serial


@given(share=st.floats(0.01, 0.99), start=st.integers(0, 100))
def test_the_share_of_a_ticket_is_that_of_its_slots_beginning(share: float, start: int) -> None:
    stages = ((10, share), (50, 1.0))
    trial = trial_of(rollout(stages), SECRET, "ada", Slot("t0", start))
    assert trial.share == (1.0 if start >= 50 else share)


def rollout(stages: tuple[tuple[int, float], ...]) -> Rollout:
    return Rollout(skill_id=RowId("s"), canary_id="c", version="2.0.0", stages=stages)


def reporter_at(holder: Holder, turn: int, since: int) -> SkillReporter | None:
    if turn == 0:
        return None
    return SkillReporter(
        skill_id=RowId("s"), owner=holder.owner, agent=holder.agent, turn=turn, turn_since=since
    )


def some_skill() -> Skill:
    registry = SkillRegistry()
    registry.publish()
    reader = registry.backend.database.begin_read(lambda: None)
    found = reader.first(Skill.where(name="greet"))
    assert found is not None
    return found


def test_a_caller_that_names_no_agent_keeps_its_pin_and_holds_a_ticket() -> None:
    registry = SkillRegistry()
    registry.publish(skill_md(version="1.0.0"))
    registry.publish(skill_md(body="Two.", version="1.1.0"))
    plain = registry.mutate("skills:resolve", by=registry.bob, name="greet")
    assert (plain.version, plain.why) == ("1.1.0", "stable")
    registry.report(owner="bob", agent="bob", ticket=plain.ticket)
    registry.mutate("skills:pin", by=registry.bob, name="greet", version="1.0.0", reason="Safe.")
    pinned = registry.mutate("skills:resolve", by=registry.bob, name="greet")
    assert (pinned.version, pinned.why) == ("1.0.0", "pin")
