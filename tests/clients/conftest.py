"""Servers and official clients for the tests of this folder, all of which end with their test.

Invariant: a server that these tests used has logged no fault of its own.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients.hosts import Host, node_host, python_host
from tests.clients.legs import (
    LEGS,
    LIVE_LEGS,
    NPM_LEGS,
    NPM_LIVE,
    NPM_LIVE_LEGS,
    NPM_REACT,
    PYPI_LIVE,
    Client,
    Leg,
)
from tests.clients.server import Server

Connect = Callable[..., Client]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Programs of other languages take their time."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def node() -> Iterator[Host]:
    """The plain clients of npm's package."""
    host = node_host()
    yield host
    host.close()


@pytest.fixture(scope="session")
def react() -> Iterator[Host]:
    """The React client of npm's package."""
    host = node_host("react")
    yield host
    host.close()


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that stays up."""
    with Server(tmp_path_factory.mktemp("hub") / "data") as server:
        yield server
        assert not server.faults(), server.log()


@pytest.fixture(scope="session", autouse=True)
def _watchmen(hub: Server, node: Host, react: Host) -> Iterator[None]:
    """Clients that watch from the first test to the last, and are not disturbed meanwhile.

    What happens to a quiet connection only after a while is seen here without waiting for it.
    """
    hosts = {NPM_LIVE: node, NPM_REACT: react, PYPI_LIVE: python_host()}
    watchmen = [Client(leg, host, hub.url) for leg, host in hosts.items()]
    watching = [client.subscribe("checks:counter", name="watchmen") for client in watchmen]
    for live in watching:
        assert live.next() == 0
    yield
    for client in watchmen:
        if client.leg.is_npm:
            assert client.connections() == 1, [*client.host.logged]
    hub.call("mutation", "checks:increment", {"name": "watchmen"})
    for live in watching:
        assert live.next() == 1
    hosts[PYPI_LIVE].close()


@pytest.fixture
def own_hub(tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own, to stop and to kill."""
    with Server(tmp_path / "data") as server:
        yield server
        assert not server.faults(), server.log()


@pytest.fixture(scope="session")
def idle_hosts() -> Iterator[list[Host]]:
    """PyPI's clients: programs that wait for their next client."""
    idle: list[Host] = []
    yield idle
    for host in idle:
        host.close()


@pytest.fixture
def connect(request: pytest.FixtureRequest, idle_hosts: list[Host]) -> Iterator[Connect]:
    """Open a client: `connect(leg, server)`."""
    opened: list[Client] = []

    def open_client(leg: Leg, server: Server) -> Client:
        if leg.is_npm:
            host = request.getfixturevalue("react" if leg == NPM_REACT else "node")
        else:
            host = idle_hosts.pop() if idle_hosts else python_host()
        opened.append(client := Client(leg, host, server.url))
        return client

    yield open_client
    for client in opened:
        if client.leg.is_npm:
            client.close()
        elif client.host.is_idle:
            client.close()
            idle_hosts.append(client.host)
        else:
            client.host.close()


@pytest.fixture(params=LEGS, ids=lambda leg: leg.name)
def leg(request: pytest.FixtureRequest) -> Leg:
    """Each official client."""
    return request.param


@pytest.fixture(params=LIVE_LEGS, ids=lambda leg: leg.name)
def live_leg(request: pytest.FixtureRequest) -> Leg:
    """Each official client that subscribes."""
    return request.param


@pytest.fixture(params=NPM_LEGS, ids=lambda leg: leg.name)
def npm_leg(request: pytest.FixtureRequest) -> Leg:
    """Each client of npm's package."""
    return request.param


@pytest.fixture(params=NPM_LIVE_LEGS, ids=lambda leg: leg.name)
def npm_live_leg(request: pytest.FixtureRequest) -> Leg:
    """Each client of npm's package that subscribes."""
    return request.param


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name that no other test uses."""
    return request.node.name
