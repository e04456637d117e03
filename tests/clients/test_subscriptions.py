"""Live queries of every official client that subscribes: what is seen, when, and in which parts."""

from tests.clients.conftest import Connect
from tests.clients.legs import Leg
from tests.clients.server import Server

CHUNKED = 6_000_000  # characters: more than fit one part of a transition


def test_a_subscriber_sees_a_change_of_somebody_else(
    connect: Connect, hub: Server, live_leg: Leg, name: str
) -> None:
    live = connect(live_leg, hub).subscribe("checks:counter", name=name)
    assert live.next() == 0
    hub.call("mutation", "checks:increment", {"name": name})
    assert live.next() == 1


def test_a_client_has_seen_its_own_write_when_the_promise_resolves(
    connect: Connect, hub: Server, live_leg: Leg, name: str
) -> None:
    client = connect(live_leg, hub)
    live = client.subscribe("checks:counter", name=name)
    assert live.next() == 0
    for count in range(1, 20):
        assert client.mutation("checks:increment", name=name) == count
        assert live.after_write() == count


def test_a_write_that_changes_no_watched_query_is_acknowledged_too(
    connect: Connect, hub: Server, live_leg: Leg, name: str
) -> None:
    client = connect(live_leg, hub)
    live = client.subscribe("checks:counter", name=name)
    assert live.next() == 0
    assert client.mutation("checks:increment", name=f"{name} other") == 1
    assert client.mutation("checks:measure", value="nothing is written") == 18


def test_a_query_that_comes_to_be_refused_says_so_and_recovers(
    connect: Connect, hub: Server, live_leg: Leg, name: str
) -> None:
    client = connect(live_leg, hub)
    live = client.subscribe("checks:belowTwo", name=name)
    assert live.next() == 0
    hub.call("mutation", "checks:increment", {"name": name, "by": 2})
    told = {"code": "CONFLICT", "message": f"{name} is 2"}
    assert live.refused().data == told
    hub.call("mutation", "checks:increment", {"name": name, "by": -1})
    live.retry()
    assert live.next() == 1


def test_all_queries_of_a_client_move_together(
    connect: Connect, hub: Server, npm_live_leg: Leg, name: str
) -> None:
    client = connect(npm_live_leg, hub)
    names = [f"{name} {number}" for number in range(2)]
    one, other = (client.subscribe("checks:counter", beside=True, name=each) for each in names)
    assert (one.next(), other.next()) == (0, 0)
    for count in range(1, 20):
        client.mutation("checks:incrementBoth", one=names[0], other=names[1])
        assert (one.after_write(), other.after_write()) == (count, count)
    for _ in range(20):
        hub.call("mutation", "checks:incrementBoth", {"one": names[0], "other": names[1]})
    while one.next() < 39:
        assert len({*one.beside.values()}) == 1, "one query was ahead of the other"
    other.until(39)


def test_what_is_no_longer_watched_is_no_longer_told(
    connect: Connect, hub: Server, live_leg: Leg, name: str
) -> None:
    client = connect(live_leg, hub)
    dropped = client.subscribe("checks:counter", name=name)
    assert dropped.next() == 0
    dropped.unsubscribe()
    assert client.mutation("checks:increment", name=name) == 1
    again = client.subscribe("checks:counter", name=name)
    assert again.next() == 1
    assert dropped.unread == 0


def test_a_large_result_arrives_whole(connect: Connect, hub: Server, live_leg: Leg) -> None:
    client = connect(live_leg, hub)
    assert client.subscribe("checks:large", size=CHUNKED).next() == "x" * CHUNKED
    assert client.query("checks:echo", value="and goes on") == "and goes on"


def test_a_hundred_queries_are_watched_at_once(
    connect: Connect, hub: Server, live_leg: Leg, name: str
) -> None:
    client = connect(live_leg, hub)
    names = [f"{name} {number}" for number in range(100)]
    watched = [client.subscribe("checks:counter", name=each) for each in names]
    assert [live.next() for live in watched] == [0] * 100
    for number, each in enumerate(names, start=1):
        hub.call("mutation", "checks:increment", {"name": each, "by": number})
    assert [live.next() for live in watched] == [*range(1, 101)]
