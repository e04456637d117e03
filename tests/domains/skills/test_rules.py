"""The rules of skills: what follows from fields alone."""

from hypothesis import given
from hypothesis import strategies as st

from hubify.domains.skills.rules import (
    MAX_PLATFORM,
    MAX_PLATFORMS,
    OTHER_PLATFORM,
    RECENT_DAYS,
    Bump,
    counted_platform,
    listing_of,
    platform_name,
    raised,
    success_rate,
    trend_of,
    with_run,
)
from hubify.domains.skills.tables import DayCount, Listing, SkillStatus, Trend, Visibility
from hubify.formats.versions import compare, is_version

COUNTS = st.lists(st.tuples(st.integers(0, 13), st.integers(1, 50), st.floats(0, 1)), max_size=14)


@given(st.sampled_from(Visibility), st.sampled_from(SkillStatus), st.none() | st.just("1.0.0"))
def test_only_what_is_public_and_can_be_run_is_listed(
    visibility: Visibility, status: SkillStatus, stable: str | None
) -> None:
    listing = listing_of(visibility, status, stable)
    if visibility is not Visibility.PUBLIC or stable is None or status is SkillStatus.DELETED:
        assert listing is Listing.HIDDEN
    else:
        assert listing is not Listing.HIDDEN


@given(st.text(max_size=200))
def test_a_platforms_name_is_short_plain_and_stays_what_it_is(text: str) -> None:
    name = platform_name(text)
    assert name
    assert len(name) <= MAX_PLATFORM
    assert platform_name(name) == name


def test_platforms_are_told_apart_by_more_than_case_and_spaces() -> None:
    assert platform_name("Claude Code") == platform_name("claude-code") == "claude-code"
    assert platform_name(None) == platform_name(" ") == "unknown"


def test_a_new_platform_beyond_the_bound_is_counted_as_other() -> None:
    known = [f"p{number}" for number in range(MAX_PLATFORMS)]
    assert counted_platform("new", known) == OTHER_PLATFORM
    assert counted_platform("p3", known) == "p3"
    assert counted_platform("new", known[1:]) == "new"


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2)), max_size=60))
def test_recent_days_keep_every_run_of_the_last_two_weeks(runs: list[tuple[int, int]]) -> None:
    recent: tuple[DayCount, ...] = ()
    for day, halves in sorted(runs):
        recent = with_run(recent, day, halves)
    last = max((day for day, _ in runs), default=0)
    wanted = [halves for day, halves in runs if day > last - RECENT_DAYS]
    assert sum(count.runs for count in recent) == len(wanted)
    assert sum(count.halves for count in recent) == sum(wanted)
    assert len(recent) <= RECENT_DAYS


@given(COUNTS)
def test_turning_success_into_failure_turns_the_trend_around(
    counts: list[tuple[int, int, float]],
) -> None:
    days = [DayCount(day, runs, round(2 * runs * rate)) for day, runs, rate in counts]
    turned = [DayCount(c.day, c.runs, 2 * c.runs - c.halves) for c in days]
    opposite = {
        Trend.IMPROVING: Trend.DECLINING,
        Trend.DECLINING: Trend.IMPROVING,
        Trend.STABLE: Trend.STABLE,
    }
    assert trend_of(turned, 13) is opposite[trend_of(days, 13)]


def test_a_difference_that_chance_would_make_is_no_trend() -> None:
    early, late = DayCount(3, 10, 18), DayCount(12, 10, 14)
    assert trend_of([early, late], 13) is Trend.STABLE
    assert trend_of([early], 13) is Trend.STABLE
    assert trend_of([DayCount(3, 200, 360), DayCount(12, 200, 280)], 13) is Trend.DECLINING


@given(st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99)), st.sampled_from(Bump))
def test_a_raised_version_is_higher(numbers: tuple[int, int, int], bump: Bump) -> None:
    version = ".".join(map(str, numbers))
    higher = raised(version, bump)
    assert is_version(higher)
    assert compare(higher, version) > 0


def test_a_partial_run_is_half_a_success() -> None:
    assert success_rate(0, 0) == 0
    assert success_rate(4, 5) == 0.625
