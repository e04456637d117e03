"""A server whose operator lets nobody read without a key."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.server import Server
from tests.server.conftest import check
from tests.server.wire import ask, call, sync_socket


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Such a server."""
    path: Path = tmp_path_factory.mktemp("closed")
    with Server(path / "data", anonymous_reads="off") as running:
        yield running
        check(running)


def test_strangers_read_nothing_on_any_face(closed: Server) -> None:
    for answer in (ask(closed, "GET", "/v1/skills"), call(closed, "query", "skills:list", {})):
        assert answer.code == "UNAUTHORIZED"
        assert "Authorization: Bearer <key>" in answer.message
    with sync_socket(closed) as socket:
        assert socket.watch("skills:list", {})["errorData"]["code"] == "UNAUTHORIZED"
    assert ask(closed, "POST", "/v1/skills/any/resolve").code == "UNAUTHORIZED"


def test_a_key_reads_as_before(closed: Server) -> None:
    assert ask(closed, "GET", "/v1/skills", key=closed.admin_key).status == 200
    with sync_socket(closed, closed.admin_key) as socket:
        assert socket.watch("skills:list", {})["type"] == "QueryUpdated"


def test_a_caller_is_told_whom_it_is_taken_for(closed: Server) -> None:
    told = ask(closed, "GET", "/v1/auth/whoami", key=closed.admin_key).json["data"]
    assert told == {
        "kind": "admin", "owner": "admin", "agent": None, "scopes": ["*"], "expires_at": None,
    }  # fmt: skip
    assert ask(closed, "GET", "/v1/auth/whoami").code == "UNAUTHORIZED"


def test_the_descriptions_want_a_key_and_health_and_the_live_page_do_not(closed: Server) -> None:
    for path in ("/docs", "/openapi.json", "/api/functions"):
        assert ask(closed, "GET", path).status == 401
        assert ask(closed, "GET", path, key=closed.admin_key).status == 200
    for path in ("/healthz", "/readyz", "/version", "/live/"):
        assert ask(closed, "GET", path).status == 200
