"""A server that does nothing: the best that one Python process on uvloop can do on this machine.

    python -m bench.floor

prints its port. It answers each HTTP request with the same bytes, upgrades any socket, and sends
one prebuilt frame to every socket whenever a client sends one. It speaks just enough of either
protocol that the scenarios' clients take it for the product.

Invariant: nothing is parsed beyond what tells requests apart, nothing is kept.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, cast

import uvloop

from bench.sync_client import TEXT

BODY = b'{"status":"success","value":{"name":"a","number":1.0,"text":"' + b"x" * 330 + b'"}}'
REPLY = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BODY)
) + BODY
UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
MESSAGE = b'{"type":"Transition","modifications":[{"type":"QueryUpdated","value":' + BODY + b"}]}"
FRAME = bytes([0x80 | TEXT, 126]) + len(MESSAGE).to_bytes(2, "big") + MESSAGE
MASKED = 0x81


class Floor(asyncio.Protocol):
    """One connection."""

    sockets: ClassVar[set[asyncio.Transport]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer a request, or send the frame to everybody."""
        if data[0] == MASKED:
            if b'"Mutation"' in data:
                for transport in self.sockets:
                    transport.write(FRAME)
        elif b"Upgrade: websocket" in data:
            self.transport.write(UPGRADE)
        elif data.startswith(b"POST"):
            self.transport.write(REPLY)
        if b'"ModifyQuerySet"' in data:
            self.sockets.add(self.transport)
            self.transport.write(FRAME)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol has it
        """Forget it."""
        self.sockets.discard(self.transport)


async def serve() -> None:
    """Serve until ended."""
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(Floor, "127.0.0.1", 0, backlog=1_024)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await listener.serve_forever()


@contextmanager
def floor() -> Iterator[int]:
    """Start one in a process of its own; its port."""
    command = [sys.executable, "-m", "bench.floor"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


if __name__ == "__main__":
    uvloop.run(serve())
