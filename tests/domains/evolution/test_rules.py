"""What a group lacks to trigger, and how a skill's settings become the judge's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.domains.evolution.rules import (
    MS_PER_HOUR,
    improvement_status,
    judge_settings,
    missing_for_trigger,
    runs_per_hour,
)
from hubify.domains.evolution.tables import GroupStatus, ImprovementGroup
from hubify.domains.skills import CountBy, EvolutionSettings, Skill, SkillStanding, Visibility
from hubify.domains.skills.tables import DayCount, Listing, Origin, SkillStatus
from hubify.values.ids import RowId

DAY_MS = 24 * MS_PER_HOUR
THREE = EvolutionSettings()
THREE_OWNERS = EvolutionSettings(count_by=CountBy.OWNER)


def group(
    agents: int, owners: int = 1, tried_at: int = 0, note: str | None = None
) -> ImprovementGroup:
    return ImprovementGroup(
        skill_id=RowId("s"), text="t", wordings=(), status=GroupStatus.OPEN, first_seen=0,
        last_seen=0, members=agents, agents=agents, owners=owners, tried_at=tried_at, note=note,
    )  # fmt: skip


def skill(
    visibility: Visibility = Visibility.PUBLIC,
    created_at: int = 0,
    settings: EvolutionSettings = THREE,
) -> Skill:
    return Skill(
        name="s", owner="o", visibility=visibility, listing=Listing.LISTED, display_name="",
        description="", category="", tags=(), platforms=(), status=SkillStatus.ACTIVE,
        stable_version="1.0.0", canary_version=None, beta_version=None, fork_of=None,
        origin=Origin.HUMAN, evolution=settings, created_at=created_at, updated_at=0,
    )  # fmt: skip


def standing(*recent: DayCount) -> SkillStanding:
    return SkillStanding(
        skill_id=RowId("s"), owner="o", listing=Listing.LISTED, category="", recent=recent
    )


@pytest.mark.parametrize(
    ("agents", "owners", "settings", "missing"),
    [
        (1, 1, THREE, "1 agent: 2 more agents needed"),
        (2, 1, THREE, "2 agents: 1 more agent needed"),
        (3, 1, THREE, None),
        (3, 1, THREE_OWNERS, "3 agents, 1 owner: 2 more owners needed"),
        (9, 2, THREE_OWNERS, "9 agents, 2 owners: 1 more owner needed"),
        (3, 3, THREE_OWNERS, None),
        (9, 9, EvolutionSettings(enabled=False), "evolution is switched off for this skill"),
    ],
)
def test_a_group_says_what_it_lacks(
    agents: int, owners: int, settings: EvolutionSettings, missing: str | None
) -> None:
    assert missing_for_trigger(group(agents, owners), skill(settings=settings)) == missing


def test_after_a_draft_came_to_nothing_one_more_supporter_is_needed() -> None:
    tried = group(3, tried_at=3, note="version 1.0.1 was rolled back")
    told = missing_for_trigger(tried, skill())
    assert told == "version 1.0.1 was rolled back; one more agent needed to try again"
    assert missing_for_trigger(group(4, tried_at=3), skill()) is None


@given(st.integers(0, 20), st.integers(1, 20), st.sampled_from(list(CountBy)))
def test_one_more_supporter_never_takes_a_trigger_away(
    agents: int, needed: int, count_by: CountBy
) -> None:
    wanted = skill(settings=EvolutionSettings(min_reporters=needed, count_by=count_by))
    if missing_for_trigger(group(agents, agents), wanted) is None:
        assert missing_for_trigger(group(agents + 1, agents + 1), wanted) is None


def test_a_suggestion_alone_is_pending_and_in_company_grouped() -> None:
    assert improvement_status(None) == "pending"
    assert improvement_status(group(1)) == "pending"
    assert improvement_status(group(2)) == "grouped"
    assert improvement_status(group(3).changed(status=GroupStatus.CANARY)) == "drafting"


def test_stages_of_a_skill_become_the_judges_and_little_traffic_takes_the_last_one() -> None:
    settings = judge_settings(skill())
    assert [(one.share, one.length_ms) for one in settings.stages] == [
        (0.05, DAY_MS), (0.25, DAY_MS), (0.5, DAY_MS),
    ]  # fmt: skip
    assert settings.plan(19) == settings.stages[-1:]
    assert settings.plan(20) == settings.stages


def test_within_one_organisation_nobody_is_left_out() -> None:
    assert judge_settings(skill(Visibility.PRIVATE)).dropped(60) == 0
    assert judge_settings(skill()).dropped(60) == 6


def test_traffic_is_counted_since_yesterday_or_since_the_skill_was_made() -> None:
    now = 100 * DAY_MS + 12 * MS_PER_HOUR
    recent = standing(DayCount(90, 9_999, 0), DayCount(99, 480, 0), DayCount(100, 240, 0))
    assert runs_per_hour(skill(), recent, now) == 20
    assert runs_per_hour(skill(created_at=now - 10), recent, now) == 720
    assert runs_per_hour(skill(), standing(), now) == 0
