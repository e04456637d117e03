"""When a version reaches, keeps and loses a verification level."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.evidence.levels import Level, Record, Sandbox, verification_level


def record(
    runs: int,
    owners: int,
    platforms: int,
    confidence: float,
    sandbox: Sandbox = Sandbox.PASSED,
) -> Record:
    return Record(runs, owners, platforms, confidence, sandbox)


@pytest.mark.parametrize(
    ("shown", "level"),
    [
        (record(0, 0, 0, 0), Level.UNTESTED),
        (record(1, 1, 1, 0), Level.SANDBOX_TESTED),
        (record(1, 1, 1, 0, Sandbox.SKIPPED), Level.UNTESTED),
        (record(20, 3, 1, 70), Level.FIELD_TESTED),
        (record(19, 3, 1, 70), Level.SANDBOX_TESTED),
        (record(20, 2, 1, 70), Level.SANDBOX_TESTED),
        (record(20, 3, 1, 69.99), Level.SANDBOX_TESTED),
        (record(200, 10, 2, 85), Level.BATTLE_TESTED),
        (record(199, 10, 2, 85), Level.FIELD_TESTED),
        (record(200, 9, 2, 85), Level.FIELD_TESTED),
        (record(200, 10, 1, 85), Level.FIELD_TESTED),
        (record(200, 10, 2, 84.99), Level.FIELD_TESTED),
        (record(200, 10, 2, 69), Level.SANDBOX_TESTED),
    ],
)
def test_a_level_is_reached_exactly_at_its_figures(shown: Record, level: Level) -> None:
    assert verification_level(shown) is level


def test_evidence_from_the_field_counts_where_no_sandbox_could_run() -> None:
    assert verification_level(record(20, 3, 1, 70, Sandbox.SKIPPED)) is Level.FIELD_TESTED


def test_a_fault_found_in_the_sandbox_outweighs_every_report() -> None:
    assert verification_level(record(900, 90, 9, 99, Sandbox.FAILED)) is Level.UNTESTED


@given(
    st.integers(0, 400),
    st.integers(0, 40),
    st.integers(0, 5),
    st.floats(0, 100),
    st.sampled_from(Sandbox),
)
def test_more_of_anything_never_lowers_the_level(
    runs: int, owners: int, platforms: int, confidence: float, sandbox: Sandbox
) -> None:
    here = verification_level(record(runs, owners, platforms, confidence, sandbox))
    more = record(runs + 50, owners + 5, platforms + 1, min(100, confidence + 10), sandbox)
    assert verification_level(more) >= here
