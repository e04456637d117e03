"""Reaching the hub of a data directory: absent, held by a server, held by another, free."""

from pathlib import Path

import pytest

from hubify.app.directory import DataDirectory
from tests.cli.terminal import URL, FakeServer, hubify

KEYS = FakeServer({"auth:listApiTokens": {"tokens": []}})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A directory that was served once."""
    (tmp_path / "hubify.db").touch()
    return tmp_path


def test_a_directory_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for argv in (["keys", "list"], ["skills", "search", "x"]):
        finished = hubify(*argv, "--data", str(tmp_path / "no"), environment={})
        assert finished.status == 1
        assert finished.err.startswith("hubify: NOT_FOUND: there is no hub in")
        assert "`hubify serve`" in finished.err
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_a_server_holds_is_reached_through_it_as_admin(data: Path) -> None:
    with DataDirectory(data) as directory:
        directory.keep_address(URL)
        directory.keep_admin_key("hk_live_admin")
        server = FakeServer({"auth:listApiTokens": {"tokens": []}})
        finished = hubify("keys", "list", environment={"HUBIFY_DATA": str(data)}, server=server)
    assert finished.status == 0
    assert server.calls[0].key == "hk_live_admin"


def test_a_key_of_ones_own_goes_before_the_admin_key(data: Path) -> None:
    environment = {"HUBIFY_DATA": str(data), "HUBIFY_API_KEY": "hk_live_mine"}
    with DataDirectory(data) as directory:
        directory.keep_address(URL)
        directory.keep_admin_key("hk_live_admin")
        server = FakeServer({"auth:listApiTokens": {"tokens": []}})
        hubify("keys", "list", environment=environment, server=server)
    assert server.calls[0].key == "hk_live_mine"


def test_a_directory_that_something_else_holds_is_waited_for_and_then_refused(data: Path) -> None:
    with DataDirectory(data):
        finished = hubify("keys", "list", "--data", str(data), environment={})
    assert finished.status == 1
    assert "is in use by another process; try again in a moment" in finished.err
