"""Watching a query over a WebSocket, in the caller's own thread, across lost connections.

Invariant: what is yielded is what the query answered at some moment, in order; when the connection
is lost the watch goes on, and when it cannot it ends with a `HubifyError`, never in silence.
"""

import socket
from collections.abc import Callable, Generator
from urllib.parse import urlsplit

from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from hubify.sdk.errors import BAD_ANSWER, UNAVAILABLE, HubifyError
from hubify.sdk.exchange import CLIENT_NAME, LOOPBACK, NOT_REACHED
from hubify.sdk.patience import Patience
from hubify.sdk.session import Session
from hubify.values.values import Value
from hubify.wire.limits import MAX_JSON_BYTES

OPEN_TIMEOUT_S = 5.0
SILENCE_S = 45.0  # the server says something at least every 15
MAX_MESSAGE_BYTES = 2 * MAX_JSON_BYTES
STEADFAST = Patience(retries=60, longest_s=15.0)
"""Once there was a result: up to a quarter of an hour of trying."""
Wait = Callable[[HubifyError, float], None]


def watch(
    url: str, session: Session, *, first: Patience, wait: Wait, chance: Callable[[], float]
) -> Generator[Value]:
    """Yield the query's results as they change, until the caller stops asking.

    `first` is the patience until there is a result; `wait(error, seconds)` waits before the next
    connection.

    Raises:
        HubifyError: the query was refused, or no connection lasts.

    """
    attempt, reason = 0, "InitialConnect"
    while True:
        try:
            for value in _results(url, session, reason):
                attempt = 0
                yield value
        except HubifyError as error:
            patience = STEADFAST if session.has_shown else first
            seconds = patience.wait_s(error, attempt=attempt, repeatable=True, chance=chance())
            if seconds is None:
                raise
            wait(error, seconds)
            attempt, reason = attempt + 1, error.message[:100]


def _results(url: str, session: Session, reason: str) -> Generator[Value]:
    """The results that come over one connection; ends only with an error."""
    try:
        with _opened(url) as connection:
            for message in session.opening(reason):
                connection.send(message)
            while True:
                result = session.receive(connection.recv(timeout=SILENCE_S))
                if result is not None:
                    yield result.value
    except InvalidStatus as error:
        status = error.response.status_code
        code = UNAVAILABLE if status in NOT_REACHED else BAD_ANSWER
        raise HubifyError(code, f"{url} answers {status} instead of opening a socket") from None
    except (OSError, WebSocketException) as error:
        message = f"the connection to {url} failed: {error}"
        raise HubifyError(UNAVAILABLE, message) from None


def _opened(url: str) -> ClientConnection:
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    connection = connect(
        f"{scheme}://{parts.netloc}{parts.path}/api/sync",
        sock=_direct(parts.hostname, parts.port, scheme),
        additional_headers={"Convex-Client": CLIENT_NAME},
        open_timeout=OPEN_TIMEOUT_S,
        max_size=MAX_MESSAGE_BYTES,
    )
    assert isinstance(connection, ClientConnection), "no reconnecting iterator was asked for"
    return connection


def _direct(host: str | None, port: int | None, scheme: str) -> socket.socket | None:
    """A connection to this machine itself, past any proxy; None: let the library connect."""
    if host not in LOOPBACK:
        return None
    usual = 443 if scheme == "wss" else 80
    return socket.create_connection((host, port or usual), OPEN_TIMEOUT_S)
