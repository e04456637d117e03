"""The first start and the ones after, and keys made from the command line."""

import json
import os
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.server import CHECKOUT, Server
from tests.server.conftest import check
from tests.server.wire import ask, call, sync_socket

HUBIFY = [sys.executable, "-m", "hubify"]
KEY = re.compile(r"hk_live_[a-z2-7]{40}")


def hubify(data: Path, *argv: str, key: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a command on a directory."""
    named = {name: value for name, value in os.environ.items() if not name.startswith("HUBIFY_")}
    shown = {"HUBIFY_API_KEY": key} if key else {}
    return subprocess.run(
        [*HUBIFY, *argv, "--data", str(data)], capture_output=True, text=True, timeout=60,
        check=False, cwd=CHECKOUT, env={**named, **shown},
    )  # fmt: skip


def good(data: Path, *argv: str, key: str = "") -> str:
    """What a command that must succeed prints."""
    done = hubify(data, *argv, key=key)
    assert done.returncode == 0, done.stderr
    return done.stdout


def listed(data: Path, owner: str) -> list[dict[str, str]]:
    """An owner's keys."""
    return json.loads(good(data, "keys", "list", "--owner", owner, "--json"))["tokens"]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_start_mints_a_key_for_its_owners_eyes_only(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    data.parent.mkdir()
    server = Server(data)
    before = os.umask(0)
    try:
        server.start()
    finally:
        os.umask(before)
    with_key = server.admin_key
    try:
        assert KEY.fullmatch(with_key)
        assert server.log().count(with_key) == 1
        assert mode(data) == 0o700
        assert mode(data / "admin.key") == 0o600
        assert not [path.name for path in data.iterdir() if mode(path) & 0o077]
        assert ask(server, "GET", "/v1/auth/tokens", key=with_key).status == 200
        server.restart()
        assert server.log().count("hk_live_") == 1
        assert server.admin_key == with_key
        assert ask(server, "GET", "/v1/auth/tokens", key=with_key).status == 200
        check(server)
    finally:
        server.kill()


def test_the_store_holds_no_secret(own_server: Server) -> None:
    wish = {"name": "n", "owner": "ann", "scopes": ["skills:read"]}
    made = own_server.call("mutation", "auth:createApiToken", wish, own_server.admin_key)["token"]
    session = own_server.call("mutation", "auth:createSession", {"agentId": "a", "ttl": 60}, made)
    own_server.stop()
    for path in own_server.data.iterdir():
        for secret in (made, session["token"], own_server.admin_key):
            assert secret.encode() not in path.read_bytes() or path.name == "admin.key"


@pytest.mark.parametrize("served", [True, False], ids=["through the server", "under its lock"])
def test_keys_are_made_listed_and_revoked(own_server: Server, *, served: bool) -> None:
    data = own_server.data
    if not served:
        own_server.stop()
    scopes = ["--scope", "checks:read", "--scope", "auth:read"]
    made = hubify(data, "keys", "create", "--name", "ci", "--owner", "ann", "--agent", "a", *scopes)
    key = made.stdout.strip()
    assert KEY.fullmatch(key)
    assert key not in made.stderr
    (row,) = listed(data, "ann")
    assert (row["name"], row["status"], row["agent"]) == ("ci", "active", "a")
    assert key not in json.dumps(row)
    if served:
        assert call(own_server, "query", "checks:guarded", {}, key).json["value"] == "ann"
    good(data, "keys", "revoke", row["_id"])
    assert [each["status"] for each in listed(data, "ann")] == ["revoked"]
    if not served:
        own_server.start()
    assert call(own_server, "query", "checks:guarded", {}, key).status == 401


def test_a_key_revoked_from_the_command_line_ends_its_live_queries(own_server: Server) -> None:
    scope = ["--scope", "checks:read"]
    create = ["keys", "create", "--name", "n", "--owner", "ann", *scope]
    key = good(own_server.data, *create).strip()
    with sync_socket(own_server, key) as socket:
        assert socket.watch("checks:guarded", {})["value"] == "ann"
        good(own_server.data, "keys", "revoke", listed(own_server.data, "ann")[0]["_id"])
        assert "revoked" in socket.hear("AuthError", "FatalError")["error"]
    with sync_socket(own_server, key) as socket:
        assert "revoked" in socket.hear("AuthError", "FatalError")["error"]


def test_the_command_line_grants_no_more_than_its_own_key(own_server: Server) -> None:
    create = ["keys", "create", "--name", "n", "--owner", "ann"]
    scopes = ["--scope", "auth:write", "--scope", "skills:read"]
    minter = good(own_server.data, *create, *scopes).strip()
    for wanted in ("*", "skills:write"):
        refused = hubify(own_server.data, *create, "--scope", wanted, key=minter)
        assert refused.returncode == 1
        assert refused.stderr.startswith("hubify: FORBIDDEN: you cannot grant")
        assert refused.stdout == ""
    allowed = ["--scope", "skills:read"]
    assert KEY.fullmatch(good(own_server.data, *create, *allowed, key=minter).strip())


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--name", "n", "--owner", "../x"], "cannot be an owner's name"),
        (["--name", "n", "--owner", "ann", "--scope", "; rm -rf"], "is no scope"),
        (["--name", "", "--owner", "ann"], "name must be 1 to 100 characters"),
        (["--name", "n", "--owner", "ann", "--expires-in", "never"], "is not a duration"),
    ],
)
def test_a_wish_that_does_not_fit_is_refused_in_a_line(
    server: Server, argv: list[str], told: str
) -> None:
    refused = hubify(server.data, "keys", "create", *argv)
    assert refused.returncode in {1, 2}
    assert told in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert refused.stdout == ""


def test_a_directory_without_a_hub_is_not_made_one(tmp_path: Path) -> None:
    refused = hubify(tmp_path / "none", "keys", "list")
    assert refused.returncode == 1
    assert refused.stderr.startswith("hubify: NOT_FOUND: ")
    assert not (tmp_path / "none").exists()


def test_a_first_start_that_cannot_listen_mints_no_key(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = hubify(data, "serve", "--port", str(taken.getsockname()[1]))
    assert refused.returncode == 1
    assert "cannot be listened on" in refused.stderr
    assert not (data / "admin.key").exists()
