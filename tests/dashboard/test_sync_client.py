"""The page's own client of the sync protocol, by itself: values, lost connections, grown pages."""

import json
from collections.abc import Iterator

import pytest

from tests.clients.server import Server
from tests.dashboard.browser import Tab

pytestmark = pytest.mark.slow

BEGIN = """(async () => {
  const { SyncClient } = await import("/live/sync.js");
  window.client = new SyncClient(new URL("/api/sync", location), () => {});
  window.client.start(null);
})()"""


@pytest.fixture
def client(hub: Server, tab: Tab) -> Iterator[Tab]:
    """A page with nothing but a connected client, `window.client`."""
    tab.go(hub.url + "/live/icon.svg")
    tab.evaluate(BEGIN)
    tab.wait_for("client.phase === 'live'")
    yield tab
    tab.evaluate("0")


def watch(tab: Tab, name: str, path: str, arguments: object) -> None:
    """Watch a query as `window.<name>`."""
    tab.evaluate(
        f"void (window.{name} = client.watch({json.dumps(path)}, {json.dumps(arguments)}))"
    )


def test_values_that_json_cannot_say_arrive(client: Tab) -> None:
    value = {
        "far": {"$float": "AAAAAAAA8H8="}, "none": {"$float": "AAAAAAAA+H8="},
        "long": {"$integer": "//////////8="}, "bytes": {"$bytes": "AQI="}, "plain": [1.5, None],
    }  # fmt: skip
    watch(client, "echoed", "checks:echo", {"value": value})
    client.wait_for("echoed.isLoaded")
    assert client.evaluate("echoed.error") is None
    assert client.evaluate("echoed.value.far === Infinity && Number.isNaN(echoed.value.none)")
    assert client.evaluate("echoed.value.long === -1n")
    assert client.evaluate("[...new Uint8Array(echoed.value.bytes)]") == [1, 2]
    assert client.evaluate("echoed.value.plain") == [1.5, None]


def test_the_same_query_is_asked_once_however_often_it_is_watched(client: Tab) -> None:
    for name in ("one", "other"):
        watch(client, name, "checks:counter", {"name": "shared"})
    client.wait_for("one.isLoaded")
    assert client.evaluate("one === other")
    client.evaluate("client.release(one)")
    client.evaluate("client.mutate('checks:increment', {name: 'shared'})")
    assert client.evaluate("other.value") == 1
    sent = [one["response"]["payloadData"] for one in client.told("Network.webSocketFrameSent")]
    assert sum(text.count('"udfPath":"checks:counter"') for text in sent) == 1


def test_what_a_mutation_did_shows_when_its_answer_comes(client: Tab) -> None:
    watch(client, "count", "checks:counter", {"name": "own"})
    client.wait_for("count.isLoaded")
    told = client.evaluate(
        "client.mutate('checks:increment', {name: 'own', by: 3}).then((n) => [n, count.value])"
    )
    assert told == [3, 3]


def test_a_refused_mutation_says_why(client: Tab) -> None:
    told = client.evaluate(
        "client.mutate('checks:refuse', {why: 'on purpose'}).catch((e) => [e.code, e.message])"
    )
    assert told[0]
    assert "on purpose" in told[1]


def test_a_mutation_across_a_lost_connection_happens_once(hub: Server, client: Tab) -> None:
    client.evaluate("client.mutate('checks:increment', {name: 'once'})")
    hub.kill()
    client.wait_for("client.phase === 'waiting'")
    client.evaluate(
        "void client.mutate('checks:increment', {name: 'once'}).then((n) => (window.told = n))"
    )
    hub.start()
    client.wait_for("window.told === 2", 40)
    assert hub.call("query", "checks:counter", {"name": "once"}) == 2


def test_a_page_that_has_grown_long_is_asked_for_anew(hub: Server, client: Tab) -> None:
    asked = {"list": "line", "paginationOpts": {"numItems": 2, "cursor": None}}
    hub.call("mutation", "checks:place", {"list": "line", "ranks": [100, 101, 102]})
    watch(client, "line", "checks:ranked", asked)
    client.wait_for("line.isLoaded")
    lengths: list[int] = []
    for rank in range(99, 85, -1):
        hub.call("mutation", "checks:place", {"list": "line", "ranks": [rank]})
        client.wait_for(f"line.value.page[0].rank === {rank}")
        lengths.append(client.evaluate("line.value.page.length"))
    assert max(lengths) <= 9, "it grows at its start, up to four times what was asked"
    assert lengths != sorted(lengths), "and is then as long as it was asked to be"
