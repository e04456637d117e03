"""Servers for the tests of this folder, and what must hold of them when all tests are done.

Invariant: a server that was abused here is still up at the end, has logged no fault of its own, and
no secret.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.server import Server

SECRET_PREFIXES = ("hk_live_", "hs_")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each starts or abuses a whole server."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.slow)


def check(server: Server) -> None:
    """What must hold of every server at its end."""
    assert server.faults() == []
    lines = [line for line in server.log().splitlines() if "(shown once; " not in line]
    assert not [line for line in lines if any(prefix in line for prefix in SECRET_PREFIXES)]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that all tests abuse and that stays up."""
    with Server(tmp_path_factory.mktemp("abused") / "data") as running:
        yield running
        assert running.call("query", "checks:echo", {"value": "up"}) == "up"
        check(running)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own."""
    with Server(tmp_path / "data") as running:
        yield running
        check(running)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name that no other test uses."""
    return request.node.name
