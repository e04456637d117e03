"""A disk without room, a directory that may not be written, a directory with two servers.

The small disk is a memory file system; where this machine does not let us mount one, the tests that
need it are skipped.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.server import SERVE, Server, wait_until
from tests.server.conftest import check
from tests.server.wire import Answer, ask, call, sync_socket

KIB = 1024
SIZE = "12m"
CONTENT = "x" * 200 * KIB
FULL = "the disk is full: free some space"


COUNTER = {"name": "c"}


class Disk:
    """A small file system of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path / "data"
        self._ballast = path / "ballast"

    def mount(self) -> None:
        """Begin.

        Raises:
            OSError: not here.

        """
        self.path.mkdir()
        made = run("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(self.path))
        if made.returncode != 0:
            raise OSError(made.stderr.strip())

    def unmount(self) -> None:
        """End."""
        run("umount", "-l", str(self.path))

    def set(self, options: str) -> None:
        """Mount it otherwise."""
        assert run("mount", "-o", f"remount,{options}", str(self.path)).returncode == 0

    def fill(self) -> None:
        """Leave no room."""
        with self._ballast.open("ab", buffering=0) as ballast:
            try:
                while ballast.write(bytes(4 * KIB)):
                    pass
            except OSError:
                return

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink()


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except FileNotFoundError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    made = Disk(tmp_path / "disk")
    try:
        made.mount()
    except OSError as error:
        pytest.skip(f"no file system can be mounted here: {error}")
    try:
        yield made
    finally:
        made.unmount()


@pytest.fixture
def server(disk: Disk, tmp_path: Path) -> Iterator[Server]:
    made = Server(disk.data)
    made._log = tmp_path / "log"  # beside the disk that is to be filled
    with made:
        yield made
        check(made)


def start(data: Path) -> "subprocess.CompletedProcess[str]":
    """A server that must not start; its output."""
    return subprocess.run(
        [*SERVE, "--data", str(data), "--port", "0"],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip


def store(server: Server, name: str) -> Answer:
    return call(server, "mutation", "checks:store", {"name": name, "content": CONTENT})


def stored(server: Server, names: list[str]) -> list[str]:
    """Which of them are there."""
    return [name for name in names if server.call("query", "checks:load", {"name": name})]


def test_a_full_disk_refuses_writes_alone_and_needs_no_restart(server: Server, disk: Disk) -> None:
    kept: list[str] = []
    while not (refused := store(server, f"box {len(kept)}")).code:
        kept.append(f"box {len(kept)}")
    assert len(kept) > 10
    assert (refused.status, refused.code) == (200, "UNAVAILABLE")
    assert "did not happen" in refused.message
    disk.fill()
    with sync_socket(server) as socket:
        assert_reads_go_on(server, kept, socket.watch("checks:counter", COUNTER)["value"])
        counted = 0  # small writes may fit into what the write-ahead log has of the disk
        while "errorData" not in (told := socket.call("mutation", "checks:increment", COUNTER)):
            counted += 1
            assert socket.news()["value"] == counted
        assert told["errorData"]["code"] == "UNAVAILABLE"
        assert_unready(server)
        wish = {"name": "k", "scopes": ["skills:read"]}
        rest = ask(server, "POST", "/v1/auth/tokens", wish, server.admin_key)
        assert (rest.status, rest.code) == (503, "UNAVAILABLE")
        assert int(rest.headers["retry-after"]) >= 1
        disk.free()
        disk.set("size=24m")
        assert server.call("mutation", "checks:increment", COUNTER) == counted + 1
        assert socket.news()["value"] == counted + 1
    assert ask(server, "GET", "/readyz").status == 200
    wanted = [*kept, f"box {len(kept)}"]
    assert stored(server, wanted) == kept
    server.restart()
    assert stored(server, wanted) == kept
    assert server.call("query", "checks:counter", COUNTER) == counted + 1


def assert_reads_go_on(server: Server, kept: list[str], watched: int) -> None:
    assert watched == 0
    assert stored(server, kept) == kept
    assert ask(server, "GET", "/v1/skills").status == 200


def assert_unready(server: Server) -> None:
    unready = ask(server, "GET", "/readyz")
    assert unready.status == 503
    assert FULL in unready.json["fault"]
    assert ask(server, "GET", "/healthz").status == 200


def test_a_server_is_ready_again_when_there_is_room_though_nobody_writes(
    server: Server, disk: Disk
) -> None:
    disk.fill()
    while not store(server, "box").code:
        pass
    assert ask(server, "GET", "/readyz").status == 503
    disk.free()
    wait_until(lambda: ask(server, "GET", "/readyz").status == 200, "readiness", 10)


def test_a_server_starts_on_a_full_disk_and_answers_reads(server: Server, disk: Disk) -> None:
    assert not store(server, "box").code
    server.stop()
    disk.fill()
    try:
        server.start()
    except AssertionError as error:  # its address needs a file
        assert "UNAVAILABLE" in str(error)  # noqa: PT017 - it may start as well
    else:
        assert stored(server, ["box"]) == ["box"]
        assert store(server, "other").code == "UNAVAILABLE"
    disk.free()
    server.restart()
    assert stored(server, ["box"]) == ["box"]
    assert not store(server, "other").code


def test_an_empty_directory_on_a_full_disk_is_refused_in_a_line(disk: Disk) -> None:
    disk.fill()
    refused = start(disk.data)
    assert refused.returncode == 1
    assert re.fullmatch(r"hubify: UNAVAILABLE: .*\n", refused.stderr), refused.stderr
    disk.free()
    server = Server(disk.data)
    server._log = disk.path.parent / "log"
    with server:
        assert "shown once" in server.log()
        assert ask(server, "GET", "/v1/auth/tokens", key=server.admin_key).status == 200


def test_a_disk_that_may_not_be_written_is_refused_in_a_line(disk: Disk) -> None:
    disk.data.mkdir()
    disk.set("ro")
    for data in (disk.data, disk.path / "fresh" / "data"):
        refused = start(data)
        assert refused.returncode == 1
        assert "cannot be written: Read-only file system" in refused.stderr
        assert refused.stderr.startswith("hubify: UNAVAILABLE: ")


def test_a_directory_has_one_server(own_server: Server) -> None:
    own_server.call("mutation", "checks:increment", {"name": "c"})
    before = sorted(os.listdir(own_server.data))  # noqa: PTH208 - names are enough
    refused = start(own_server.data)
    assert refused.returncode == 1
    assert re.fullmatch(r"hubify: UNAVAILABLE: .* in use .*\n", refused.stderr)
    assert sorted(os.listdir(own_server.data)) == before  # noqa: PTH208
    assert own_server.call("mutation", "checks:increment", {"name": "c"}) == 2


def test_a_lock_file_that_was_tidied_away_still_locks(own_server: Server) -> None:
    (own_server.data / "lock").unlink()
    refused = start(own_server.data)
    assert refused.returncode == 1
    assert "is in use by a running server" in refused.stderr
    assert own_server.call("mutation", "checks:increment", {"name": "c"}) == 1
