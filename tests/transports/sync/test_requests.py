"""Request ids are remembered exactly, in little room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.transports.sync.requests import MAX_GAPS, SeenIds
from hubify.wire.sync_messages import ProtocolViolation


@given(st.lists(st.integers(0, 30)))
def test_an_id_is_new_exactly_once(ids: list[int]) -> None:
    seen = SeenIds()
    known: set[int] = set()
    for each in ids:
        assert seen.add(each) == (each not in known)
        known.add(each)


@given(st.permutations(range(50)))
def test_ids_without_gaps_are_one_range_in_the_end(ids: list[int]) -> None:
    seen = SeenIds()
    for each in ids:
        seen.add(each)
    assert (seen._starts, seen._ends) == ([0], [50])


def test_scattered_ids_are_a_violation() -> None:
    seen = SeenIds()
    for each in range(MAX_GAPS + 1):
        seen.add(2 * each)
    with pytest.raises(ProtocolViolation, match="count up"):
        seen.add(10 * MAX_GAPS)
