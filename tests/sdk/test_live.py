"""Watching a query over real sockets on loopback, from a server that keeps to a script."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from websockets.sync.server import ServerConnection, serve

from hubify.sdk.errors import HubifyError
from hubify.sdk.http import Client
from hubify.wire.results import live_value
from hubify.wire.server_texts import ZERO, Version, auth_error, query_result, transition

Script = Callable[[ServerConnection], None]


def results(*values: bytes) -> list[str]:
    """The transitions that bring these values, on a fresh socket."""
    texts: list[str] = []
    start = ZERO
    for number, value in enumerate(values, start=1):
        end = Version(1, 0, number)
        texts.append(transition(start, end, [query_result(0, live_value(value))]).decode())
        start = end
    return texts


def says(*texts: str) -> Script:
    """Hear the opening out, send these texts and hang up."""

    def play(connection: ServerConnection) -> None:
        for _message in ("Connect", "ModifyQuerySet"):
            connection.recv(timeout=10)
        for text in texts:
            connection.send(text)

    return play


@contextmanager
def scripted(*scripts: Script) -> Iterator[str]:
    """A server that plays one script per connection; its address."""
    waiting = list(scripts)

    def play_next(connection: ServerConnection) -> None:
        waiting.pop(0)(connection)

    with serve(play_next, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_results_come_as_they_change_and_across_lost_connections() -> None:
    waits: list[float] = []
    with (
        scripted(says(*results(b"1.0", b"2.0")), says(*results(b"2.0", b"3.0"))) as url,
        Client(url, sleep=waits.append) as client,
    ):
        watched = client.subscribe("a:b")
        assert [next(watched), next(watched), next(watched)] == [1, 2, 3]
        assert len(waits) == 1
        del watched


def test_nobody_at_the_address_ends_the_watch() -> None:
    waits: list[float] = []
    with scripted() as url:
        pass
    with Client(url, sleep=waits.append) as client, pytest.raises(HubifyError) as caught:
        next(client.subscribe("a:b"))
    assert caught.value.code == "UNAVAILABLE"
    assert len(waits) == 5


def test_a_revoked_key_ends_the_watch() -> None:
    ended = auth_error("this API key is revoked", 0, attempted=False).decode()
    with (
        scripted(says(*results(b"1.0"), ended)) as url,
        Client(url, sleep=lambda _s: None) as client,
    ):
        watched = client.subscribe("a:b")
        assert next(watched) == 1
        with pytest.raises(HubifyError, match="UNAUTHORIZED: this API key is revoked"):
            next(watched)
