"""The properties that `confidence/1` promises, each at one as-of day, and its published figures."""

from collections.abc import Iterable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubify.evidence.confidence import (
    DAY_WEIGHTS,
    OLDEST_DAYS,
    OWNER_CAP,
    PLATFORM_CAP,
    UNITS_PER_RUN,
    Cell,
    Evidence,
    Standing,
    Tally,
    add_report,
    confidence,
    confidence_of,
    counted,
    day_weight,
    evidence_of,
    groups_of,
    lower_bound,
    percent,
    tally_of,
)
from hubify.evidence.reports import Binding, Outcome

TODAY = 20_000


def one(place: tuple[str, str, int], outcome: Outcome, binding: Binding) -> Cell:
    return Cell(*place, tally_of(outcome, binding))


owners = st.sampled_from(["ada", "ben", "cleo", "dora"])
platforms = st.sampled_from(["claude-code", "cursor", "windsurf"])
days = st.integers(TODAY - OLDEST_DAYS - 20, TODAY) | st.integers(TODAY - 3, TODAY + 1)
numbers = st.integers(0, 3) | st.integers(0, 200)
tallies = st.builds(Tally, numbers, numbers, numbers, numbers, numbers, numbers)
cells = st.builds(Cell, owners, platforms, days, tallies)
records = st.lists(cells, max_size=12)
places = st.tuples(owners, platforms, days)
ones = st.builds(
    one,
    places,
    st.sampled_from(Outcome),
    st.sampled_from(Binding),
)
bindings = st.sampled_from(Binding)


often = settings(deadline=None, max_examples=150)


def spread(successes: int, runs: int, owner_count: int, platform_count: int = 2) -> list[Cell]:
    """So many successes among so many ticketed runs today, dealt out evenly."""
    good = Tally(successes=1)
    bad = Tally(failures=1)
    return [
        Cell(
            f"owner-{run % owner_count}",
            f"platform-{run // owner_count % platform_count}",
            TODAY,
            good if run * successes // runs != (run + 1) * successes // runs else bad,
        )
        for run in range(runs)
    ]


@pytest.mark.parametrize(
    ("record", "number"),
    [
        ([], 0),
        (spread(0, 50, 5), 0),
        (spread(1, 1, 1), 5.00),
        ([Cell("ada", "cursor", TODAY, Tally(plain_successes=1))], 0.25),
        (spread(10, 10, 10), 74.11),
        (spread(50, 50, 10), 94.18),
        (spread(180, 200, 20), 84.30),
        (spread(190, 200, 20), 90.37),
        (spread(96, 100, 20), 91.08),
        (spread(1_000, 1_000, 1), 68.77),
        (spread(1_000, 1_000, 1, 5), 68.77),
        (spread(200, 200, 50), 97.53),
        (spread(200, 200, 50, 1), 95.13),
        (spread(940, 1_000, 50), 89.12),
    ],
)
def test_the_published_examples_come_out_to_the_last_digit(
    record: list[Cell], number: float
) -> None:
    assert confidence(record, TODAY) == number


@often
@given(records, places, bindings, st.integers(1, 30))
def test_more_successes_never_lower_confidence(
    record: list[Cell], place: tuple[str, str, int], binding: Binding, more: int
) -> None:
    added = [one(place, Outcome.SUCCESS, binding)] * more
    assert confidence(record + added, TODAY) >= confidence(record, TODAY)


@often
@given(records, places, bindings, st.integers(1, 30))
def test_more_failures_never_raise_confidence(
    record: list[Cell], place: tuple[str, str, int], binding: Binding, more: int
) -> None:
    added = [one(place, Outcome.FAIL, binding)] * more
    assert confidence(record + added, TODAY) <= confidence(record, TODAY)


@often
@given(records, places, bindings)
def test_a_partial_result_lies_between_a_failure_and_a_success(
    record: list[Cell], place: tuple[str, str, int], binding: Binding
) -> None:
    def after(outcome: Outcome) -> float:
        return confidence([*record, one(place, outcome, binding)], TODAY)

    assert after(Outcome.FAIL) <= after(Outcome.PARTIAL) <= after(Outcome.SUCCESS)


@often
@given(records.flatmap(lambda record: st.tuples(st.just(record), st.permutations(record))))
def test_the_order_of_the_record_does_not_matter(dealt: tuple[list[Cell], list[Cell]]) -> None:
    record, shuffled = dealt
    assert groups_of(shuffled, TODAY) == groups_of(record, TODAY)


@often
@given(records)
def test_cells_may_be_split_into_single_reports_or_joined(record: list[Cell]) -> None:
    joined: dict[tuple[str, str, int], Tally] = {}
    for cell in record:
        place = (cell.owner, cell.platform, cell.day)
        joined[place] = joined.get(place, Tally()) + cell.tally
    merged = [Cell(*place, tally) for place, tally in joined.items()]
    assert groups_of(merged, TODAY) == groups_of(record, TODAY)


@often
@given(st.lists(st.builds(Cell, owners, platforms, days, st.builds(Tally, failures=numbers))))
def test_what_always_fails_has_no_confidence(record: list[Cell]) -> None:
    assert confidence(record, TODAY) == 0


@often
@given(records, owners)
def test_one_owner_adds_at_most_eight_free_successes(record: list[Cell], owner: str) -> None:
    others = [cell for cell in record if cell.owner != owner]
    by_owner = groups_of(others, TODAY).standing.by_owner
    granted = by_owner.plus(Evidence(OWNER_CAP * UNITS_PER_RUN, 0))
    assert confidence(record, TODAY) <= percent(lower_bound(granted))


@often
@given(
    st.lists(st.builds(Cell, owners, platforms, days, st.builds(Tally, successes=numbers))),
    st.integers(0, 700),
)
def test_a_record_of_successes_only_falls_with_time(record: list[Cell], later: int) -> None:
    assert confidence(record, TODAY + 1 + later) <= confidence(record, TODAY + 1)


@often
@given(st.lists(ones, max_size=60), st.integers(TODAY - 5, TODAY + 40))
def test_the_number_kept_up_by_report_is_the_number_of_the_whole_record(
    reports: list[Cell], as_of_day: int
) -> None:
    standing = Standing(as_of_day)
    by_owner: dict[str, Evidence] = {}
    by_platform: dict[str, Evidence] = {}
    for cell in reports:
        added = add_report(
            standing,
            by_owner.get(cell.owner, Evidence()),
            by_platform.get(cell.platform, Evidence()),
            evidence_of(cell.tally, cell.day, as_of_day),
        )
        by_owner[cell.owner], by_platform[cell.platform] = added.owner, added.platform
        standing = added.standing
    whole = groups_of(reports, as_of_day)
    assert (by_owner, by_platform, standing) == (whole.owners, whole.platforms, whole.standing)
    assert confidence_of(standing) == confidence(reports, as_of_day)


units = st.integers(0, 10 * PLATFORM_CAP * UNITS_PER_RUN)


@often
@given(units, units, st.integers(1, 100 * UNITS_PER_RUN), st.sampled_from([OWNER_CAP, 60]))
def test_rounding_a_group_to_its_cap_keeps_its_order(
    success: int, failure: int, more: int, cap: int
) -> None:
    here = counted(Evidence(success, failure), cap)
    better = counted(Evidence(success + more, failure), cap)
    worse = counted(Evidence(success, failure + more), cap)
    assert better.success >= here.success
    assert better.failure <= here.failure
    assert worse.success <= here.success
    assert worse.failure >= here.failure
    assert here.weight == min(success + failure, cap * UNITS_PER_RUN)


@often
@given(records)
def test_whole_numbers_come_within_a_millionth_of_the_formula_in_fractions(
    record: list[Cell],
) -> None:
    def exact(groups: Iterable[Evidence], cap: int) -> Fraction:
        return sum(
            (
                Fraction(group.success, UNITS_PER_RUN)
                * min(1, Fraction(cap * UNITS_PER_RUN, max(1, group.weight)))
                for group in groups
            ),
            Fraction(0),
        )

    groups = groups_of(record, TODAY)
    by_owner = exact(groups.owners.values(), OWNER_CAP)
    assert 0 <= by_owner - Fraction(groups.standing.by_owner.success, UNITS_PER_RUN) < 1e-6
    by_platform = exact(groups.platforms.values(), PLATFORM_CAP)
    assert 0 <= by_platform - Fraction(groups.standing.by_platform.success, UNITS_PER_RUN) < 1e-6


def test_day_weights_halve_in_thirty_days_rounded_exactly() -> None:
    million = 2 * 10**6
    for age, weight in enumerate(DAY_WEIGHTS):
        assert (2 * weight - 1) ** 30 * 2**age <= million**30 <= (2 * weight + 1) ** 30 * 2**age


def test_the_one_day_weight_at_an_exact_half_is_rounded_to_even() -> None:
    assert DAY_WEIGHTS[210] == 7_812  # of 7812.5


def test_no_other_day_weight_is_near_enough_to_a_half_for_a_machine_to_matter() -> None:
    shares = {age: 1_000_000 * 2 ** (-age / 30) % 1 for age in range(OLDEST_DAYS + 1)}
    del shares[210]
    assert min(abs(share - 0.5) for share in shares.values()) > 1e-4


def test_days_to_come_count_as_now_and_long_past_ones_not_at_all() -> None:
    assert day_weight(-3) == day_weight(0) == 1_000_000
    assert day_weight(30) == 500_000
    assert day_weight(OLDEST_DAYS) == 1
    assert day_weight(OLDEST_DAYS + 1) == 0


def test_a_plain_report_weighs_half_and_a_partial_one_half_of_each() -> None:
    full = UNITS_PER_RUN
    assert {
        (outcome, binding): tuple(evidence_of(tally_of(outcome, binding), TODAY, TODAY))
        for outcome in Outcome
        for binding in Binding
    } == {
        (Outcome.SUCCESS, Binding.TICKETED): (full, 0),
        (Outcome.SUCCESS, Binding.SIGNED): (full, 0),
        (Outcome.SUCCESS, Binding.PLAIN): (full // 2, 0),
        (Outcome.PARTIAL, Binding.TICKETED): (full // 2, full // 2),
        (Outcome.PARTIAL, Binding.SIGNED): (full // 2, full // 2),
        (Outcome.PARTIAL, Binding.PLAIN): (full // 4, full // 4),
        (Outcome.FAIL, Binding.TICKETED): (0, full),
        (Outcome.FAIL, Binding.SIGNED): (0, full),
        (Outcome.FAIL, Binding.PLAIN): (0, full // 2),
    }


def test_a_tally_counts_its_runs_whatever_they_weigh() -> None:
    assert (Tally(1, 2, 3, 4, 5, 6) + Tally(plain_failures=1)).runs == 22
