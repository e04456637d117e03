"""Every member has its beat once a round, whenever it came."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from hubify.transports.sync.heartbeat import Wheel


@given(st.integers(1, 8), st.integers(0, 50), st.integers(0, 20))
def test_each_member_is_visited_once_a_round(slots: int, members: int, turned: int) -> None:
    wheel: Wheel[int] = Wheel(slots)
    for _ in range(turned):
        wheel.turn()
    for member in range(members):
        wheel.add(member)
    visits = Counter(member for _ in range(slots) for member in wheel.turn())
    assert visits == Counter(range(members))


@given(st.integers(1, 8), st.integers(0, 50))
def test_a_round_spreads_its_members_evenly(slots: int, members: int) -> None:
    wheel: Wheel[int] = Wheel(slots)
    for member in range(members):
        wheel.add(member)
    sizes = [len(wheel.turn()) for _ in range(slots)]
    assert max(sizes) - min(sizes) <= 1


def test_a_member_that_left_is_visited_no_more() -> None:
    wheel: Wheel[str] = Wheel(1)
    wheel.add("a")
    wheel.add("b")
    wheel.discard("a")
    wheel.discard("a")
    assert wheel.turn() == wheel.everyone() == ["b"]
    assert len(wheel) == 1
