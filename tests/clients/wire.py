"""A client of the sync protocol that does as it is told: well, badly, slowly, or not at all.

Invariant: it hides nothing; each message goes out as given and comes in as sent.
"""

import json
import socket
from contextlib import suppress
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.clients.server import Server

NPM, OTHERS = "/api/1.48.0/sync", "/api/sync"
WAIT_S = 30.0
SMALL_BUFFER = 4096
Message = dict[str, Any]


class Wire:
    """One socket."""

    def __init__(self, server: Server, path: str = NPM, *, reads_slowly: bool = False) -> None:
        plug = socket.socket()
        if reads_slowly:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        plug.connect(("127.0.0.1", server.port))
        self._opening = connect(
            f"ws://127.0.0.1:{server.port}{path}",
            sock=plug,
            compression=None,
            max_size=None,
            max_queue=1,
            ping_interval=None,
            open_timeout=WAIT_S,
            close_timeout=0.1,
            proxy=None,
        )
        self.socket: ClientConnection = self._opening.__enter__()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self.socket.socket.shutdown(socket.SHUT_RDWR)  # without waiting for an answer
        self._opening.__exit__(kind, error, trace)

    def send(self, **message: object) -> None:
        """Send a message as JSON."""
        self.socket.send(json.dumps(message))

    def greet(self, session: str = "") -> None:
        """Begin as every client does, with a session of its own unless one is given."""
        session = session or str(uuid4())
        self.send(type="Connect", sessionId=session, connectionCount=0, lastCloseReason=None)

    def modify(self, version: int, *modifications: Message) -> None:
        """Change the query set from one version to the next."""
        versions = {"baseVersion": version, "newVersion": version + 1}
        self.send(type="ModifyQuerySet", **versions, modifications=modifications)

    def mutate(self, request_id: int, path: str, **arguments: object) -> None:
        """Call a mutation."""
        self.send(type="Mutation", requestId=request_id, udfPath=path, args=[arguments])

    def receive(self, within_s: float = WAIT_S) -> Message:
        """The next message; raises `ConnectionClosed`."""
        return json.loads(self.socket.recv(within_s))

    def until(self, kind: str, within_s: float = WAIT_S) -> Message:
        """The next message of a type."""
        while (message := self.receive(within_s))["type"] != kind:
            continue
        return message

    def ending(self) -> tuple[list[Message], int | None, str]:
        """All that is still said, and the code and reason of the close."""
        said: list[Message] = []
        with suppress(ConnectionClosed):
            while True:
                said.append(self.receive())
        return said, self.socket.close_code, self.socket.close_reason or ""


def watching(query_id: int, path: str, **arguments: object) -> Message:
    """The modification that begins to watch a query."""
    return {"type": "Add", "queryId": query_id, "udfPath": path, "args": [arguments]}
