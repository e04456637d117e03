"""Standings: a report changes a few rows, and the number is that of the whole record."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.domains.skills import fading, standing
from hubify.domains.skills.reading import DayReports
from hubify.domains.skills.tables import (
    CELL_DAYS,
    EvidenceCell,
    OwnerEvidence,
    SkillReporter,
    SkillStanding,
    VersionStanding,
)
from hubify.evidence.confidence import Cell, Tally, confidence, groups_of, tally_of
from hubify.evidence.reports import Binding, Outcome
from hubify.functions.principal import ANONYMOUS
from hubify.values.limits import MAX_ROWS_READ
from tests.domains.skills.registry import DAY_MS, HOUR_MS, SkillRegistry, skill_md

REPORTS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "ben", "cid"]),
        st.sampled_from(["claude-code", "Cursor", "windsurf"]),
        st.sampled_from(Outcome),
        st.sampled_from(Binding),
        st.integers(0, 40),
    ),
    max_size=25,
)


@pytest.fixture
def registry() -> SkillRegistry:
    made = SkillRegistry()
    made.publish()
    return made


def shown(registry: SkillRegistry) -> float:
    return registry.query("skills:explainConfidence", name="greet").explanation.confidence


@pytest.mark.parametrize("owners", [1, 10])
def test_ten_successes_give_the_documented_number(registry: SkillRegistry, owners: int) -> None:
    for run in range(9):
        registry.report(owner=f"o{run % owners}", platform=f"p{run % 2}")
    moved = registry.report(owner=f"o{9 % owners}", platform="p1")
    assert moved.version_after == (74.11 if owners == 10 else 68.77)
    found = registry.query("skills:getByName", name="greet")
    assert (found.confidence, found.executions) == (round(moved.version_after), 10)


def test_a_report_answers_what_it_moved(registry: SkillRegistry) -> None:
    first = registry.report()
    second = registry.report(owner="dora")
    assert (first.skill_before, first.skill_after) == (0.0, 5.0)
    assert second.skill_before == first.skill_after < second.skill_after


@given(reports=REPORTS)
def test_the_number_kept_report_by_report_is_that_of_the_whole_record(
    reports: list[tuple[str, str, Outcome, Binding, int]],
) -> None:
    registry = SkillRegistry()
    registry.publish()
    cells: list[Cell] = []
    start = registry.backend.now_ms
    for owner, platform, outcome, binding, day in sorted(reports, key=lambda item: item[-1]):
        registry.backend.now_ms = start + day * DAY_MS
        told = {"owner": owner, "platform": platform, "outcome": outcome, "binding": binding}
        moved = registry.report(**told)
        today = registry.backend.now_ms // DAY_MS
        cells.append(Cell(owner, platform.lower(), today, tally_of(outcome, binding)))
        assert moved.version_after == confidence(cells, today)
    if cells:
        assert shown(registry) == confidence(cells, cells[-1].day)


def test_anybody_can_calculate_the_number_anew_from_the_record(registry: SkillRegistry) -> None:
    for day in range(3):
        for run in range(12):
            outcome = list(Outcome)[run % 3]
            registry.report(owner=f"o{run % 5}", platform=f"p{run % 2}", outcome=outcome)
        registry.backend.now_ms += (1 + day) * DAY_MS
    cells = whole_record(registry)
    explained = registry.query("skills:explainConfidence", name="greet").explanation
    assert sum(cell.tally.runs for cell in cells) == explained.runs == 36
    assert confidence(cells, explained.as_of_day) == explained.confidence
    assert not {"o0", "o1"} & {cell.owner for cell in cells}


def whole_record(registry: SkillRegistry) -> list[Cell]:
    cells: list[Cell] = []
    cursor: str | None = None
    for _ in range(100):
        page = registry.query(
            "skills:listEvidence",
            by=ANONYMOUS,
            name="greet",
            paginationOpts={"numItems": 3, "cursor": cursor},
        )
        cells.extend(
            Cell(row.owner, row.platform, told.day, as_tally(told))
            for row in page.page
            for told in row.days
        )
        if page.is_done:
            return cells
        cursor = page.continue_cursor
    pytest.fail("the record has no end")


def as_tally(told: DayReports) -> Tally:
    fields = msgspec.structs.asdict(told)
    del fields["day"]
    return Tally(**fields)


def test_days_without_reports_let_the_evidence_fade(registry: SkillRegistry) -> None:
    for owner in ("ann", "ben", "cid"):
        registry.report(owner=owner)
    before = registry.query("skills:getByName", name="greet").confidence
    reported_on = registry.backend.now_ms // DAY_MS
    registry.backend.now_ms += 30 * DAY_MS
    registry.backend.advance(2 * HOUR_MS)
    today = registry.backend.now_ms // DAY_MS
    after = registry.query("skills:getByName", name="greet").confidence
    record = [Cell(o, "claude-code", reported_on, Tally(successes=1)) for o in ("a", "b", "c")]
    assert after < before
    assert after == round(confidence(record, today))
    assert shown(registry) == confidence(record, today)


def test_evidence_that_weighs_nothing_any_more_is_left_in_peace(registry: SkillRegistry) -> None:
    registry.report()
    registry.backend.now_ms += 700 * DAY_MS
    registry.backend.advance(2 * HOUR_MS)
    assert registry.query("skills:getByName", name="greet").confidence == 0
    head = registry.backend.head()
    assert registry.backend.mutation("skills:fade") == 0
    assert registry.backend.head() == head


def test_a_version_that_is_not_stable_does_not_move_the_skills_number(
    registry: SkillRegistry,
) -> None:
    registry.report()
    registry.publish(skill_md(body="Try."), version="1.1.0-beta.1")
    moved = registry.report(version="1.1.0-beta.1")
    assert moved.version_after == 5.0
    assert moved.skill_before == moved.skill_after == 5.0
    assert registry.query("skills:getByName", name="greet").executions == 2


def test_agents_owners_and_platforms_are_counted_once(registry: SkillRegistry) -> None:
    for agent, platform in [("a", "cursor"), ("b", "Cursor"), ("a", "windsurf")]:
        registry.report(agent=agent, platform=platform)
    registry.report(owner="dora", agent="a")
    found = registry.query("skills:getByName", name="greet")
    assert (found.unique_agents, found.unique_platforms) == (3, 3)


def test_twenty_good_runs_of_three_owners_make_a_skill_field_tested(
    registry: SkillRegistry,
) -> None:
    for run in range(20):
        registry.report(owner=f"o{run % 5}")
    found = registry.query("skills:getByName", name="greet")
    assert (found.verification_level, found.verified) == (2, True)


def test_a_level_falls_when_the_numbers_do(registry: SkillRegistry) -> None:
    for run in range(20):
        registry.report(owner=f"o{run % 5}")
    for run in range(20):
        registry.report(owner=f"o{run % 5}", outcome="fail")
    assert registry.query("skills:getByName", name="greet").verification_level == 0


def test_success_lost_within_a_week_is_a_declining_trend(registry: SkillRegistry) -> None:
    for run in range(20):
        registry.report(owner=f"o{run}")
    registry.backend.now_ms += 8 * DAY_MS
    for run in range(20):
        registry.report(owner=f"o{run}", outcome="fail")
    assert registry.query("skills:getByName", name="greet").trend == "declining"


def test_more_platforms_than_are_told_apart_are_counted_together(
    registry: SkillRegistry,
) -> None:
    for run in range(60):
        registry.report(platform=f"platform {run}")
    assert registry.query("skills:getByName", name="greet").unique_platforms == 25
    registry.backend.advance(DAY_MS)
    assert shown(registry) > 0


@pytest.mark.parametrize("binding", Binding)
def test_a_further_report_writes_four_small_rows_and_moves_no_index_entry(
    registry: SkillRegistry, binding: Binding
) -> None:
    for _ in range(60):
        registry.report()
    head = registry.backend.head()
    registry.report(binding=binding)
    (commit,) = registry.backend.database.engine.tail(head, limit=10)
    names = {
        registry.backend.database.catalog.table_of(kind).number: kind.__name__
        for kind in (EvidenceCell, OwnerEvidence, VersionStanding, SkillStanding, SkillReporter)
    }
    written = [names[write.table] for write in commit.writes]
    assert sorted(written) == ["EvidenceCell", "OwnerEvidence", "SkillStanding", "VersionStanding"]
    assert sum(len(write.added) + len(write.removed) for write in commit.writes) == 0
    stored = [registry.backend.database.engine.get(write.id) for write in commit.writes]
    assert sum(len(version.value) for version in stored if version is not None) < 1_500


def told(registry: SkillRegistry, owner: str, day: int) -> Cell:
    """Report one success, and how the record holds it."""
    registry.report(owner=owner, platform=f"p{day % 2}")
    return Cell(owner, f"p{day % 2}", day, Tally(successes=1))


@given(st.lists(st.sampled_from(["ann", "ben", "cid", "dan", "eve", "fade"]), max_size=30))
def test_reports_that_come_while_a_long_record_is_weighed_are_counted_once(
    steps: list[str],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fading, "WEIGHED_ROWS", 1)
        patch.setattr(standing, "QUICK_CELLS", 0)
        registry = SkillRegistry()
        registry.publish()
        day = registry.backend.now_ms // DAY_MS
        cells = [told(registry, owner, day) for owner in ("ann", "ben", "cid")]
        registry.backend.now_ms += 20 * DAY_MS
        registry.backend.mutation("system:tick")
        for step in steps:
            if step == "fade":
                registry.backend.mutation("skills:fade")
            else:
                cells.append(told(registry, step, day + 20))
        registry.backend.advance(2 * HOUR_MS)
        assert shown(registry) == confidence(cells, day + 20)
        cells.extend(told(registry, owner, day + 20) for owner in ("ann", "dan"))
        current = registry.backend.query("probe:standing", {"name": "greet"})
        assert current.as_of_day == day + 20
        assert current.confidence == confidence(cells, day + 20)


def test_a_record_longer_than_one_transaction_may_read_fades_all_the_same(
    registry: SkillRegistry,
) -> None:
    months = MAX_ROWS_READ // 400 + 1
    told = {"name": "greet", "owners": 400, "months": months}
    for first in range(0, 400, 40):
        registry.backend.mutation("probe:remember", {**told, "first": first})
    registry.report(owner="newcomer", platform="p")
    reported = registry.backend.now_ms // DAY_MS
    registry.backend.now_ms += 30 * DAY_MS
    registry.backend.advance(2 * HOUR_MS)
    today = registry.backend.now_ms // DAY_MS
    record = [
        Cell(f"o{owner:04}", "p", (reported // CELL_DAYS - back) * CELL_DAYS, Tally(successes=1))
        for owner in range(400)
        for back in range(months)
    ]
    whole = groups_of([*record, Cell("newcomer", "p", reported, Tally(successes=1))], today)
    current = registry.backend.query("probe:standing", {"name": "greet"})
    assert (current.as_of_day, current.by_owner) == (today, whole.standing.by_owner)
    assert registry.query("skills:getByName", name="greet").confidence == round(current.confidence)
    head = registry.backend.head()
    assert registry.backend.mutation("skills:fade") == 0
    assert registry.backend.head() == head
