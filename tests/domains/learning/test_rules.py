"""Totals by day, agreement with others, and what an object may hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.domains.arguments import check_object
from hubify.domains.learning.rules import (
    counted_day,
    found_the_same,
    span_of,
    total_of,
)
from hubify.domains.learning.tables import SkillDay
from hubify.domains.skills.rules import MAX_PLATFORMS, OTHER_PLATFORM, success_rate
from hubify.evidence.confidence import UNITS_PER_RUN, Evidence
from hubify.evidence.reports import Outcome
from hubify.functions import Int64, InvalidInput
from hubify.values.errors import TooLarge
from hubify.values.ids import RowId

RUN = UNITS_PER_RUN
runs = st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abc"), st.integers(0, 2)))


def added(days: dict[int, SkillDay], day: int, platform: str, halves: int) -> None:
    newest = days[max(days)] if days else None
    fields = counted_day(newest, day, platform, halves)
    days[day] = SkillDay(skill_id=RowId("s"), **fields)


@given(runs)
def test_what_fell_into_a_span_is_the_difference_of_two_totals(
    told: list[tuple[int, str, int]],
) -> None:
    told = sorted(told)
    days: dict[int, SkillDay] = {}
    for day, platform, halves in told:
        added(days, day, platform, halves)
    for end in range(10):
        upto = [days[day] for day in sorted(days) if day <= end]
        inside = [halves for day, _platform, halves in told if day <= end]
        span = span_of(total_of(upto[-1] if upto else None), (0, 0))
        assert span.executions == len(inside)
        assert span.success_rate == success_rate(len(inside), sum(inside))
    if days:
        assert sum(count for count, _halves in days[max(days)].platforms.values()) == len(told)


def test_platforms_beyond_the_bound_are_counted_together() -> None:
    days: dict[int, SkillDay] = {}
    for place in range(MAX_PLATFORMS + 5):
        added(days, 1, f"p{place}", 2)
    assert len(days[1].platforms) == MAX_PLATFORMS + 1
    assert days[1].platforms[OTHER_PLATFORM] == (5, 10)


@pytest.mark.parametrize(
    ("outcome", "others", "own", "agreed"),
    [
        (Outcome.SUCCESS, Evidence(2 * RUN, 0), Evidence(), None),
        (Outcome.SUCCESS, Evidence(3 * RUN, 0), Evidence(), True),
        (Outcome.FAIL, Evidence(3 * RUN, 0), Evidence(), False),
        (Outcome.FAIL, Evidence(2 * RUN, 9 * RUN), Evidence(), True),
        (Outcome.PARTIAL, Evidence(9 * RUN, 0), Evidence(), True),
        (Outcome.SUCCESS, Evidence(8 * RUN, 0), Evidence(100 * RUN, 0), None),
        (Outcome.SUCCESS, Evidence(8 * RUN, 4 * RUN), Evidence(100 * RUN, 0), False),
    ],
)
def test_an_agent_is_compared_with_other_owners_only(
    *, outcome: Outcome, others: Evidence, own: Evidence, agreed: bool | None
) -> None:
    assert found_the_same(outcome, others, own) is agreed


def test_an_object_may_hold_what_a_document_may_and_no_more() -> None:
    check_object({"n": 1, "big": Int64(2**60), "raw": b"x", "list": [None, True, 1.5]}, "context")
    deep: dict[str, object] = {}
    for _ in range(40):
        deep = {"a": deep}
    with pytest.raises(TooLarge):
        check_object(deep, "context")
    with pytest.raises(InvalidInput):
        check_object({"": "\ud800"}, "context")
