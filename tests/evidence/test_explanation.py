"""What `explain` says agrees with the number and with itself."""

from hypothesis import given, settings

from hubify.evidence.confidence import Cell, Tally, confidence
from hubify.evidence.explanation import Factors, explain
from tests.evidence.test_confidence import TODAY, records, spread


@settings(deadline=None)
@given(records)
def test_an_explanation_agrees_with_the_number(record: list[Cell]) -> None:
    told = explain(record, TODAY)
    assert told.confidence == told.lower == confidence(record, TODAY)
    assert 0 <= told.lower <= told.upper <= 100
    assert told.formula == "confidence/1"


@settings(deadline=None)
@given(records)
def test_perfect_success_or_endless_volume_never_lower_the_number(record: list[Cell]) -> None:
    told = explain(record, TODAY)
    assert told.factors.success >= told.confidence
    assert told.factors.volume >= told.confidence


def test_without_evidence_everything_is_possible() -> None:
    told = explain([], TODAY)
    assert (told.lower, told.upper) == (0, 100)
    assert told.factors == Factors(0, 0, 0, 0, 0)
    assert (told.runs, told.owners, told.platforms) == (0, 0, 0)


def test_fifty_failures_leave_a_small_upper_limit() -> None:
    told = explain(spread(0, 50, 50), TODAY)
    assert (told.lower, told.upper) == (0, 5.82)  # 1 - 0.05 ** (1 / 50)


def test_each_factor_is_the_number_with_that_ingredient_perfect() -> None:
    record = [
        Cell("ada", "cursor", TODAY - 30, Tally(successes=30, failures=2)),
        Cell("ben", "cursor", TODAY, Tally(successes=4, plain_partials=2)),
    ]
    told = explain(record, TODAY)
    fresh = [Cell(cell.owner, cell.platform, TODAY, cell.tally) for cell in record]
    assert told.factors.recency == confidence(fresh, TODAY)
    alone = [
        Cell(f"{cell.owner}-{run}", cell.platform, cell.day, Tally(**{kind: 1}))
        for cell in record
        for kind in ("successes", "failures", "plain_partials")
        for run in range(getattr(cell.tally, kind))
    ]
    assert told.factors.agent_diversity == confidence(alone, TODAY)
    assert told.factors.platform_diversity == told.confidence
    assert told.limited_by == "owner"
    assert (told.runs, told.owners, told.platforms) == (38, 2, 1)


def test_one_platform_is_named_as_the_limit() -> None:
    told = explain(spread(200, 200, 50, platform_count=1), TODAY)
    assert told.limited_by == "platform"
    assert told.factors.platform_diversity > told.confidence
