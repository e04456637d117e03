"""The interval map against a naive one."""

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
