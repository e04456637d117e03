"""A load generator's client: as little as it takes to speak the sync protocol.

It masks with a zero key, so that sending costs no exclusive-or, and parses server frames (which are
never masked) by hand. Correctness is tested with the official clients; this one is for load.
"""

import asyncio
import json
import os
from base64 import b64encode
from collections.abc import Callable
from typing import Any, cast

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
SMALL, MEDIUM = 126, 1 << 16


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """One client frame, masked with zeros."""
    size = len(payload)
    if size < SMALL:
        head = bytes([0x80 | opcode, 0x80 | size])
    elif size < MEDIUM:
        head = bytes([0x80 | opcode, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | opcode, 0x80 | 127]) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload


class SyncClient(asyncio.Protocol):
    """One socket. `on_text` gets each message's bytes."""

    def __init__(self, on_text: Callable[["SyncClient", bytes], None]) -> None:
        self._on_text = on_text
        self._buffer = b""
        self._upgraded = False
        self.ready = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        # uvloop's transports are no subclass of asyncio's, whatever they can do.
        self.transport = transport = cast("asyncio.Transport", transport)
        key = b64encode(os.urandom(16)).decode()
        lines = [
            "GET /api/1.48.0/sync HTTP/1.1", "Host: localhost", "Upgrade: websocket",
            "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", "",
        ]  # fmt: skip
        transport.write("\r\n".join(lines).encode())

    def data_received(self, data: bytes) -> None:
        """Take frames apart."""
        self._buffer += data
        if not self._upgraded:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            assert b" 101 " in head, head
            self._buffer, self._upgraded = rest, True
            self.ready.set_result(self)
        while self._take_frame():
            pass

    def send(self, message: dict[str, Any]) -> None:
        """Send one message."""
        assert self.transport is not None
        self.transport.write(frame(json.dumps(message).encode()))

    def connect(self) -> None:
        """The message that opens a session."""
        session = f"{os.urandom(4).hex()}-0000-4000-8000-{os.urandom(6).hex()}"
        self.send({
            "type": "Connect", "sessionId": session, "connectionCount": 0,
            "lastCloseReason": "InitialConnect", "clientTs": 0,
        })  # fmt: skip

    def authenticate(self, key: str) -> None:
        """Show a key."""
        self.send({"type": "Authenticate", "baseVersion": 0, "tokenType": "User", "value": key})

    def subscribe(self, version: int, queries: list[tuple[int, str, dict[str, Any]]]) -> None:
        """Add queries: (query id, path, arguments)."""
        added = [
            {"type": "Add", "queryId": number, "udfPath": path, "args": [arguments]}
            for number, path, arguments in queries
        ]
        self.send({
            "type": "ModifyQuerySet", "baseVersion": version, "newVersion": version + 1,
            "modifications": added,
        })  # fmt: skip

    def mutate(self, request: int, path: str, arguments: dict[str, Any]) -> None:
        """Send a mutation."""
        message = {"type": "Mutation", "requestId": request, "udfPath": path, "args": [arguments]}
        self.send(message)

    def _take_frame(self) -> bool:
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        size, start = buffer[1], 2
        if size == 126:
            size, start = int.from_bytes(buffer[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < start + size:
            return False
        payload, self._buffer = buffer[start : start + size], buffer[start + size :]
        opcode = buffer[0] & 15
        if opcode == TEXT:
            self._on_text(self, payload)
        elif opcode == PING and self.transport is not None:
            self.transport.write(frame(payload, PONG))
        return True


async def open_client(port: int, on_text: Callable[[SyncClient, bytes], None]) -> SyncClient:
    """Connect one socket and open its session."""
    loop = asyncio.get_running_loop()
    _transport, client = await loop.create_connection(
        lambda: SyncClient(on_text), "127.0.0.1", port
    )
    await client.ready
    client.connect()
    return client
