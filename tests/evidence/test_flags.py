"""Flags: what raises one, what never does, and how seldom an honest owner meets one."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.evidence.flags import (
    BURST,
    MINUTE_MS,
    REMEMBERED,
    REPEATS,
    FlagKind,
    Seen,
    Stream,
    fingerprint_of,
    observed,
    surprise,
)

gaps = st.lists(st.integers(0, 3 * MINUTE_MS), min_size=1, max_size=200)


def kinds(reports: list[Seen]) -> list[set[FlagKind]]:
    """Which rules each report of a stream meets."""
    stream, found = Stream(), []
    for seen in reports:
        stream, hits = observed(stream, seen)
        found.append({hit.kind for hit in hits})
    return found


def plain(at_ms: int = 0, fingerprint: int | None = None) -> Seen:
    return Seen(at_ms, fingerprint, succeeded=True, others_failing=None)


@given(gaps)
def test_a_burst_is_what_exceeds_the_envelope_over_some_stretch(gaps: list[int]) -> None:
    times = [sum(gaps[: place + 1]) // 20 for place in range(len(gaps))]
    found = kinds([plain(at) for at in times])
    for last, at in enumerate(times):
        most = max(
            (last - first + 1) - (at - times[first]) / MINUTE_MS for first in range(last + 1)
        )
        assert (FlagKind.BURST in found[last]) == (most > BURST)


def test_one_report_a_minute_is_no_burst_however_long() -> None:
    assert not any(kinds([plain(place * MINUTE_MS) for place in range(2_000)]))


def test_the_same_report_again_and_again_is_told_from_the_third_time_on() -> None:
    found = kinds([plain(place * MINUTE_MS, fingerprint=7) for place in range(6)])
    assert [bool(kinds) for kinds in found] == [False] * REPEATS + [True] * (6 - REPEATS)


@given(st.lists(st.integers(0, 40), max_size=120))
def test_what_is_remembered_is_bounded_and_new_tellings_are_no_duplicates(told: list[int]) -> None:
    stream = Stream()
    for place, one in enumerate(told):
        stream, hits = observed(stream, plain(place * MINUTE_MS, one))
        assert len(stream.fingerprints) <= REMEMBERED
        if one not in told[:place]:
            assert not hits


def test_a_short_note_may_be_said_often() -> None:
    assert fingerprint_of(["success", "ok"], ["ok", None], None) is None
    assert fingerprint_of(["success", "ok", 1503.0], ["ok"], 1503.0) is not None
    long = "The third request timed out and was sent again."
    same = fingerprint_of([long, {"b": 1, "a": 2}], [long], None)
    assert same == fingerprint_of([long, {"a": 2, "b": 1}], [long], None)
    assert same != fingerprint_of([long, {"a": 2, "b": 2}], [long], None)


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_stake_grows_for_nobody_who_fails_as_often(others: float, more: float) -> None:
    failing = others / 2 + more * (1 - others / 2)
    mean = (1 - failing) * 2 ** (surprise(others, succeeded=True) / 1000)
    mean += failing * 2 ** (surprise(others, succeeded=False) / 1000)
    assert mean <= 1 + 1e-9


def test_a_stream_without_a_failure_where_others_fail_is_too_perfect_and_an_honest_one_is_not() -> (
    None
):
    def stream(failing: float, random: Random) -> bool:
        runs = [
            Seen(place * MINUTE_MS, None, random.random() >= failing, 0.2) for place in range(400)
        ]
        return any(FlagKind.TOO_PERFECT in found for found in kinds(runs))

    random = Random(3)
    assert stream(0.0, random)
    assert sum(stream(0.1, random) for _ in range(300)) <= 2


@pytest.mark.parametrize("others", [None, 0.0])
def test_nothing_is_too_perfect_where_nobody_else_fails(others: float | None) -> None:
    runs = [
        Seen(place * MINUTE_MS, None, succeeded=True, others_failing=others) for place in range(500)
    ]
    assert not any(kinds(runs))
