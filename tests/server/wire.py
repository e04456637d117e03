"""Plain HTTP and plain sync sockets, for tests that send what no client library would.

Invariant: every wait has an end; what was sent is byte for byte what the test wrote.
"""

import json
import socket
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from websockets.sync.client import ClientConnection, connect

from tests.clients.server import Server

WITHIN_S = 15.0
LOOPBACK = "127.0.0.1"
JSON = {"Content-Type": "application/json"}
HANDSHAKE = (
    b"GET /api/sync HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

Json = Any  # a value as JSON spells it


class Answer(NamedTuple):
    """One HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        """The body."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a refusal, however its face spells it; empty when it is none."""
        return _refusal(self.json).get("code", "")

    @property
    def message(self) -> str:
        """The sentence of a refusal."""
        return _refusal(self.json).get("message", "")


def _refusal(told: Json) -> Json:
    return told.get("error") or told.get("errorData") or told


def request(
    method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> bytes:
    """The bytes of a request after which the connection closes."""
    lines = {"Host": "x", "Connection": "close", **(headers or {})}
    if body:
        lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


def opened(server: Server, within_s: float = WITHIN_S) -> socket.socket:
    """A connection on which every wait ends."""
    return socket.create_connection((LOOPBACK, server.port), timeout=within_s)


def exchange(server: Server, sent: bytes, within_s: float = WITHIN_S) -> Answer:
    """Send bytes, and read the first answer to its end."""
    with opened(server, within_s) as connection:
        send_what_is_taken(connection, sent)
        return read_answer(connection)


def send_what_is_taken(connection: socket.socket, sent: bytes) -> None:
    """Send until all is sent, or the server takes no more."""
    try:
        connection.sendall(sent)
    except (BrokenPipeError, ConnectionResetError):
        return  # it has answered and closed


def read_answer(connection: socket.socket) -> Answer:
    """Read one answer.

    Raises:
        AssertionError: the connection ended before it was whole.

    """
    arrived = b""
    while b"\r\n\r\n" not in arrived:
        arrived += _more(connection, arrived)
    head, _, body = arrived.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in lines[1:])
    headers = {name.lower(): value for name, _, value in pairs}
    while len(body) < int(headers.get("content-length", "0")):
        body += _more(connection, arrived + body)
    return Answer(int(lines[0].split(" ")[1]), headers, body)


def _more(connection: socket.socket, before: bytes) -> bytes:
    got = connection.recv(65536)
    assert got, f"the connection ended after {before[:200]!r}"
    return got


def ask(
    server: Server, method: str, path: str, told: Json = None, key: str = "", **headers: str
) -> Answer:
    """One REST request; `told` becomes its JSON body; `headers` with hyphens for underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if key:
        named["Authorization"] = f"Bearer {key}"
    body = b"" if told is None else json.dumps(told).encode()
    return exchange(server, request(method, path, body, {**JSON, **named}))


def call(server: Server, kind: str, path: str, arguments: Json, key: str = "") -> Answer:
    """One call over Convex HTTP."""
    return ask(
        server, "POST", f"/api/{kind}", {"path": path, "args": arguments, "format": "json"}, key
    )


def echo(value: bytes, path: str = "/api/query") -> bytes:
    """A request that sends raw JSON as the value of `checks:echo`."""
    body = b'{"path":"checks:echo","format":"json","args":{"value":' + value + b"}}"
    return request("POST", path, body, JSON)


class Socket:
    """A sync socket, spoken to by hand."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self._requests = 0
        self._version = 0
        self._identity = 0

    def say(self, **message: Json) -> None:
        """Send a message."""
        self.connection.send(json.dumps(message))

    def hear(self, *kinds: str) -> Json:
        """The next message of one of these kinds; others are passed over."""
        while True:
            message = json.loads(self.connection.recv(timeout=WITHIN_S))
            if message["type"] in kinds:
                return message

    def connect(self) -> None:
        """Begin a session of its own, as a client does first."""
        session = str(uuid.uuid4())
        self.say(type="Connect", sessionId=session, connectionCount=0, lastCloseReason=None)

    def authenticate(self, key: str) -> None:
        """Show a key."""
        base, self._identity = self._identity, self._identity + 1
        self.say(type="Authenticate", baseVersion=base, tokenType="User", value=key)

    def start(self, kind: str, path: str, arguments: Json) -> int:
        """Call a mutation or an action; gives its request id."""
        number, self._requests = self._requests, self._requests + 1
        self.say(
            type=kind.capitalize(), requestId=number, udfPath=path, args=[arguments],
        )  # fmt: skip
        return number

    def call(self, kind: str, path: str, arguments: Json) -> Json:
        """Call a mutation or an action, and wait for its response."""
        self.start(kind, path, arguments)
        return self.hear(f"{kind.capitalize()}Response")

    def watch(self, path: str, arguments: Json) -> Json:
        """Watch one more query; what the next transition says of it."""
        base, self._version = self._version, self._version + 1
        add = {"type": "Add", "queryId": base, "udfPath": path, "args": [arguments]}
        self.say(type="ModifyQuerySet", baseVersion=base, newVersion=base + 1, modifications=[add])
        return self.news(base)

    def skip_versions(self, count: int) -> None:
        """Count changes of the query set that a test has sent by itself."""
        self._version += count

    def news(self, query: int = 0) -> Json:
        """What the next transition that tells of a query says of it."""
        while True:
            told = self.hear("Transition")["modifications"]
            mine = [each for each in told if each["queryId"] == query]
            if mine:
                return mine[-1]


@contextmanager
def sync_socket(server: Server, key: str = "") -> Iterator[Socket]:
    """A connected sync socket, with a key if one is given."""
    url = f"ws://{LOOPBACK}:{server.port}/api/sync"
    with connect(url, open_timeout=WITHIN_S, close_timeout=2, max_size=None) as connection:
        socket = Socket(connection)
        socket.connect()
        if key:
            socket.authenticate(key)
        yield socket
