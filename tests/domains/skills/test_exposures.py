"""Which tickets were handed out: each once, never more than there were, whatever crashes."""

import pytest

from hubify.domains.skills import TicketRefused, exposures
from hubify.domains.skills.exposures import IssuedTicket, TrialTickets
from hubify.evidence.reports import Arm
from hubify.storage.memory import MemoryEngine, MemoryStore
from hubify.testing.backend import InMemoryBackend, known
from tests.domains.skills.registry import SkillRegistry, skill_md

CANARY_ID = "c-1.1.0-beta.1"
MINUTE_MS = 60_000


@pytest.fixture
def registry() -> SkillRegistry:
    made = SkillRegistry()
    made.publish(skill_md(body="One.", version="1.0.0"))
    made.publish(skill_md(body="Two.", version="1.1.0-beta.1"))
    return made


def begin(registry: SkillRegistry, share: float = 0.5) -> None:
    told = {"name": "greet", "version": "1.1.0-beta.1", "share": share}
    registry.backend.mutation("probe:begin", told)


def rows(backend: InMemoryBackend) -> list[IssuedTicket]:
    reader = backend.database.begin_read(lambda: None)
    return reader.take(IssuedTicket.where(canary_id=CANARY_ID), limit=500)


def counts(backend: InMemoryBackend) -> TrialTickets:
    reader = backend.database.begin_read(lambda: None)
    found = reader.first(TrialTickets.where(canary_id=CANARY_ID))
    return found or TrialTickets(canary_id=CANARY_ID)


def report(registry: SkillRegistry, ticket: str, agent: str = "a-1") -> None:
    registry.report(owner="ada", agent=agent, ticket=ticket)


def test_a_ticket_handed_out_many_times_is_one(registry: SkillRegistry) -> None:
    begin(registry)
    for _minute in range(5):
        registry.resolve()
        registry.backend.take_in_notes()
    (row,) = rows(registry.backend)
    assert (row.owner, row.share, row.reported) == ("ada", 0.5, False)
    assert counts(registry.backend).issued == 1


def test_outside_a_trial_nothing_is_noted(registry: SkillRegistry) -> None:
    registry.resolve()
    assert registry.backend.take_in_notes() == 0
    begin(registry)
    registry.backend.mutation("probe:share", {"name": "greet", "share": 0})
    registry.resolve()
    assert registry.backend.take_in_notes() == 0, "a paused trial tosses no coins"


def test_pinned_agents_and_those_who_ask_for_a_channel_are_no_part_of_the_trial(
    registry: SkillRegistry,
) -> None:
    begin(registry)
    registry.resolve(channel="stable")
    registry.mutate("skills:pin", name="greet", version="1.0.0", reason="calm")
    registry.resolve()
    assert registry.backend.take_in_notes() == 0


def test_both_arms_are_counted_and_reports_mark_their_tickets(registry: SkillRegistry) -> None:
    begin(registry)
    tickets = {f"a-{number}": registry.resolve(agentId=f"a-{number}") for number in range(40)}
    registry.backend.take_in_notes()
    arms = [resolved.arm for resolved in tickets.values()]
    seen = counts(registry.backend)
    assert seen.canary_issued == arms.count(Arm.CANARY) > 0
    assert seen.stable_issued == arms.count(Arm.STABLE) > 0
    for agent, resolved in tickets.items():
        if resolved.arm is Arm.CANARY:
            report(registry, resolved.ticket, agent)
    seen = counts(registry.backend)
    assert (seen.canary_returned, seen.stable_returned) == (seen.canary_issued, 0)
    assert all(row.reported == (row.arm is Arm.CANARY) for row in rows(registry.backend))


def test_a_report_that_comes_before_its_note_is_counted_once(registry: SkillRegistry) -> None:
    begin(registry)
    report(registry, registry.resolve().ticket)
    assert counts(registry.backend).issued == 1
    registry.backend.take_in_notes()
    (row,) = rows(registry.backend)
    assert row.reported
    assert counts(registry.backend).issued == 1


def test_a_refused_report_marks_nothing(registry: SkillRegistry) -> None:
    begin(registry)
    ticket = registry.resolve().ticket
    registry.backend.take_in_notes()
    with pytest.raises(TicketRefused):
        report(registry, ticket, agent="a-2")
    (row,) = rows(registry.backend)
    assert not row.reported


def test_a_run_that_began_before_the_trial_and_is_reported_in_it_has_come_back(
    registry: SkillRegistry,
) -> None:
    before = registry.resolve().ticket
    begin(registry)
    during = registry.resolve().ticket
    assert during != before
    registry.backend.take_in_notes()
    report(registry, before)
    (row,) = rows(registry.backend)
    assert row.reported, "the slot is used up, so the trial's ticket will not be reported"


def test_a_crash_loses_one_interval_at_most_and_a_restart_counts_nothing_twice() -> None:
    store = MemoryStore()
    first = SkillRegistry(engine=MemoryEngine(store))
    first.publish(skill_md(body="One.", version="1.0.0"))
    first.publish(skill_md(body="Two.", version="1.1.0-beta.1"))
    begin(first)
    for number in range(10):
        first.resolve(agentId=f"kept-{number}")
    first.backend.take_in_notes()
    for number in range(3):
        first.resolve(agentId=f"lost-{number}")  # the process is killed within the minute

    again = SkillRegistry(engine=MemoryEngine(store))
    assert counts(again.backend).issued == 10
    for number in range(10):
        again.resolve(agentId=f"kept-{number}")
    again.backend.take_in_notes()
    assert counts(again.backend).issued == 10
    report(again, again.resolve(agentId="lost-1").ticket, "lost-1")
    again.backend.take_in_notes()
    assert counts(again.backend).issued == 11


def test_two_processes_that_hand_out_one_ticket_count_it_once() -> None:
    store = MemoryStore()
    one = SkillRegistry(engine=MemoryEngine(store), alone=False)
    one.publish(skill_md(body="One.", version="1.0.0"))
    one.publish(skill_md(body="Two.", version="1.1.0-beta.1"))
    begin(one)
    two = SkillRegistry(engine=MemoryEngine(store), alone=False)
    first = one.resolve().ticket
    assert two.resolve().ticket == first
    assert (one.backend.take_in_notes(), two.backend.take_in_notes()) == (1, 1)
    assert counts(two.backend).issued == 1


def test_the_judge_is_told_each_ticket_once_in_the_order_they_were_handed_out(
    registry: SkillRegistry,
) -> None:
    begin(registry)
    start = registry.backend.now_ms
    for number in range(25):
        registry.resolve(agentId=f"a-{number}")
        registry.backend.now_ms += MINUTE_MS
    registry.backend.take_in_notes()
    assert tell(registry, until=start - 1) == []
    assert len(tell(registry, until=start + 4 * MINUTE_MS)) == 5
    told = tell(registry, limit=15) + tell(registry, limit=15)
    assert [row.issued_at for row in told] == [start + n * MINUTE_MS for n in range(5, 25)]
    assert tell(registry) == []


def tell(
    registry: SkillRegistry, *, until: int | None = None, limit: int = 100
) -> list[IssuedTicket]:
    told = {"canary_id": CANARY_ID, "until": until or registry.backend.now_ms, "limit": limit}
    return registry.backend.mutation("probe:tell", told)


def test_a_trial_keeps_so_many_tickets_and_no_more(
    registry: SkillRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exposures, "MAX_TRACKED", 3)
    begin(registry)
    tickets = [registry.resolve(agentId=f"a-{number}").ticket for number in range(6)]
    registry.backend.take_in_notes()
    report(registry, tickets[5], "a-5")
    assert len(rows(registry.backend)) == counts(registry.backend).issued == 3


def test_an_answer_by_a_key_of_idempotency_counts_no_second_ticket(
    registry: SkillRegistry,
) -> None:
    begin(registry)
    caller = known("ada", "skills:read")
    told = {"name": "greet", "agentId": "a-1", "idempotencyKey": "once"}
    for _ in range(2):
        registry.backend.mutation("skills:resolve", told, principal=caller)
    registry.backend.take_in_notes()
    assert counts(registry.backend).issued == 1
