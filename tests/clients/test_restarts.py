"""Servers that stop and crash under official clients: nothing acknowledged is lost or done twice.

A crash is SIGKILL at a random instant while all five clients send mutations. A test run has a few
rounds of it; for many:

    HUBIFY_KILL_ROUNDS=50 .venv/bin/python -m pytest tests/clients/test_restarts.py -k killed
"""

import os
import random
import shutil
import time
from collections.abc import Callable

import pytest

from tests.clients.conftest import Connect
from tests.clients.hosts import Pending, Refusal
from tests.clients.legs import LEGS, LIVE_LEGS, PYPI_LIVE
from tests.clients.load import Load
from tests.clients.server import Server

ROUNDS = int(os.environ.get("HUBIFY_KILL_ROUNDS", "3"))
SERIES = [range(first, min(first + 10, ROUNDS)) for first in range(0, ROUNDS, 10)]
PER_ROUND = 40  # mutations of each client
MOST_DELAY_S = 0.02
HOW_IT_ENDS = [pytest.param(Server.stop, id="stopped"), pytest.param(Server.kill, id="crashed")]
End = Callable[[Server], None]


@pytest.mark.parametrize("end", HOW_IT_ENDS)
def test_live_queries_catch_up_when_the_server_is_back(
    connect: Connect, own_hub: Server, end: End
) -> None:
    key = own_hub.admin_key
    clients = [connect(leg, own_hub) for leg in LIVE_LEGS]
    for client in clients:
        client.authenticate(key)
    watching = [client.subscribe("checks:counter", name="a") for client in clients]
    guarded = [client.subscribe("checks:guarded") for client in clients]
    for live, own in zip(watching, guarded, strict=True):
        assert (live.next(), own.until("admin")) == (0, "admin")
    end(own_hub)
    own_hub.start()
    own_hub.call("mutation", "checks:increment", {"name": "a"})
    for live in watching:
        live.until(1)
    for client in clients:
        assert client.mutation("checks:increment", name="b") >= 1
        assert client.query("checks:guarded") == "admin"


@pytest.mark.parametrize("end", HOW_IT_ENDS)
def test_mutations_in_flight_happen_once(connect: Connect, own_hub: Server, end: End) -> None:
    load = Load(own_hub, [connect(leg, own_hub) for leg in LEGS])
    load.send(PER_ROUND)
    load.wait_for(PER_ROUND)
    end(own_hub)
    own_hub.start()
    load.finish()


@pytest.mark.parametrize("rounds", SERIES, ids=str)
def test_nothing_is_lost_or_done_twice_when_the_server_is_killed_again_and_again(
    connect: Connect, own_hub: Server, rounds: range
) -> None:
    chance = random.Random(rounds.start)
    clients = [connect(leg, own_hub) for leg in LEGS]
    load = Load(own_hub, clients)
    watching = [
        client.subscribe("checks:texts", list=clients[0].name)
        for client in clients
        if client.leg.is_live
    ]
    for count, _ in enumerate(rounds, start=1):
        load.send(PER_ROUND)
        load.wait_for(chance.randrange(PER_ROUND * len(LEGS)))
        time.sleep(chance.uniform(0, MOST_DELAY_S))
        own_hub.kill()
        own_hub.start()
        load.finish()
        for live in watching:
            live.until(lambda texts, wanted=count * PER_ROUND: len(texts) == wanted)


def test_an_action_in_flight_fails_or_is_sent_again_as_its_client_does(
    connect: Connect, own_hub: Server
) -> None:
    clients = [connect(leg, own_hub) for leg in LEGS]
    for client in clients:
        assert client.query("checks:counter", name="a") == 0
    under_way = {
        client.leg: client.start("action", "checks:outlast", name="a", value=1)
        for client in clients
    }
    own_hub.call("action", "checks:twice", {"name": "b"})
    own_hub.kill()
    own_hub.start()
    own_hub.call("mutation", "checks:increment", {"name": "a"})
    assert under_way[PYPI_LIVE].done()["value"] == 1
    for leg in LEGS:
        if leg != PYPI_LIVE:
            assert_lost(under_way[leg])


def assert_lost(under_way: Pending) -> None:
    """It failed, and not by a word of the server's."""
    with pytest.raises(Refusal) as failure:
        under_way.done()
    assert failure.value.data is None


def test_a_stop_does_not_wait_for_those_who_watch(connect: Connect, own_hub: Server) -> None:
    for leg in LIVE_LEGS:
        assert connect(leg, own_hub).subscribe("checks:counter", name="a").next() == 0
    began = time.monotonic()
    own_hub.stop()
    assert time.monotonic() - began < 5
    own_hub.start()


def test_clients_go_on_when_the_server_has_lost_all_its_data(
    connect: Connect, own_hub: Server
) -> None:
    clients = [connect(leg, own_hub) for leg in LIVE_LEGS]
    watching = [client.subscribe("checks:counter", name="a") for client in clients]
    own_hub.call("mutation", "checks:increment", {"name": "a", "by": 7})
    for live in watching:
        live.until(7)
    own_hub.kill()
    shutil.rmtree(own_hub.data)
    own_hub.start()
    for live in watching:
        live.until(0)
