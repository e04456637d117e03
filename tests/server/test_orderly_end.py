"""A server that is asked to stop goes through its own end, and is not cut off before it."""

import signal
from pathlib import Path

import pytest

from tests.clients.server import Server

STOP_WITHIN_S = 30


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_stop_ends_the_server_in_order(tmp_path: Path, asked: signal.Signals) -> None:
    with Server(tmp_path / "data") as server:
        process = server._process  # pyright: ignore[reportPrivateUsage]
        assert process is not None, "the server runs"
        process.send_signal(asked)
        assert process.wait(STOP_WITHIN_S) == 0
        left = {path.name for path in server.data.iterdir()}
        assert "server.url" not in left, "commands would look for the server there"
        assert "hubify.db-wal" not in left, "the store was not closed"
        assert "Traceback" not in server.log()
