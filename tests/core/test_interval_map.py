"""The interval map against a naive one."""

import inspect
import itertools
import sys
from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from hubify.core.interval_map import IntervalMap
from hubify.values.interval import TOP, Interval, prefix_interval

small = st.binary(max_size=3).filter(lambda key: not key.startswith(TOP))
ranges = st.tuples(small, small).map(lambda ends: Interval(*sorted(ends)))
intervals = st.one_of(small.map(prefix_interval), ranges)
steps = st.lists(st.tuples(st.booleans(), intervals, st.integers(0, 3)), max_size=60)


@given(steps, st.lists(small, max_size=10))
def test_stabbing_finds_exactly_the_owners_of_the_intervals_that_hold_the_key(
    changes: list[tuple[bool, Interval, int]], keys: list[bytes]
) -> None:
    held: IntervalMap[int] = IntervalMap()
    naive: set[tuple[Interval, int]] = set()
    for adding, interval, owner in changes:
        if adding:
            held.add(interval, owner)
            naive.add((interval, owner))
        elif (interval, owner) in naive:
            held.remove(interval, owner)
            naive.discard((interval, owner))
    for key in keys:
        found = set[int]().union(*held.stab(key))
        assert found == {owner for interval, owner in naive if key in interval}
    assert bool(held) == bool(naive)


def test_ranges_chosen_by_a_hash_that_anybody_can_compute_do_not_make_a_list_of_the_tree() -> None:
    slots = 400
    held: IntervalMap[int] = IntervalMap()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 200)
    try:
        for slot in range(slots):
            held.add(_ranked(slot, slots), slot)
    finally:
        sys.setrecursionlimit(limit)
    assert all({slot} in held.stab(_ranked(slot, slots).start) for slot in range(slots))


def _ranked(slot: int, slots: int) -> Interval:
    """The range of a slot whose checksum falls into the same slot, counted from the top."""
    for salt in itertools.count():
        start = b"%04d-%d" % (slot, salt)
        end = start + b"\x00"
        if crc32(end, crc32(start)) * slots >> 32 == slots - 1 - slot:
            return Interval(start, end)
    raise AssertionError
