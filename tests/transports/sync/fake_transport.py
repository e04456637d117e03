"""A transport without a network, for sockets whose time and back-pressure a test controls."""

import asyncio
from typing import Any

import msgspec
from websockets.frames import Frame, Opcode

from hubify.transports.sync.endpoint import SyncEndpoint
from hubify.transports.sync.socket import SyncSocket
from hubify.wire.sync_messages import ClientMessage, Connect, ServerMessage, decode_server_message
from tests.transports.sync.model_client import SESSION

REQUEST = (
    b"GET /api/1.48.0/sync HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class FakeTransport(asyncio.Transport):
    """Keeps what is written; `stuck` makes it hold everything back until `let_go`."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.stuck = False
        self.buffered = 0
        self.reading = True
        self.ended = False
        self.closed = False
        self.aborted = False
        self.protocol: SyncSocket | None = None

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401
        return ("127.0.0.1", 1) if name == "peername" else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high == 0
        assert low is None

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.writes.append(bytes(data))
        if self.stuck:
            self.buffered += len(data)
            assert self.protocol is not None
            self.protocol.pause_writing()

    def let_go(self) -> None:
        """The client reads everything."""
        self.stuck = False
        self.buffered = 0
        assert self.protocol is not None
        self.protocol.resume_writing()

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True

    def is_closing(self) -> bool:
        return self.closed

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = self.closed = True


class Line:
    """A socket on a fake transport, with the client's end in the test's hands."""

    def __init__(self, endpoint: SyncEndpoint, *, connect: bool = True) -> None:
        self.transport = FakeTransport()
        self.socket = SyncSocket(endpoint, set())
        self.transport.protocol = self.socket
        self.socket.connection_made(self.transport)
        self.socket.data_received(REQUEST)
        assert b"101 Switching Protocols" in self.transport.writes.pop()
        if connect:
            self.send(Connect(session_id=SESSION))

    def send(self, *messages: ClientMessage) -> None:
        """Let messages of the client arrive in one piece."""
        self.socket.data_received(b"".join(map(client_frame, messages)))

    def lose(self) -> None:
        """The network is gone."""
        self.socket.connection_lost(None)

    def heard(self) -> list[ServerMessage]:
        """The messages that were written since the last call; control frames left out."""
        data, self.transport.writes = b"".join(self.transport.writes), []
        return [decode_server_message(text) for opcode, text in split(data) if opcode == 1]

    def control_frames(self) -> list[tuple[int, bytes]]:
        """The control frames that were written since the last call."""
        data, self.transport.writes = b"".join(self.transport.writes), []
        return [(opcode, text) for opcode, text in split(data) if opcode != 1]


def client_frame(message: ClientMessage | bytes, opcode: Opcode = Opcode.TEXT) -> bytes:
    """A masked frame, as a client sends it."""
    data = message if isinstance(message, bytes) else msgspec.json.encode(message)
    return Frame(opcode, data).serialize(mask=True)


def split(data: bytes) -> list[tuple[int, bytes]]:
    """(opcode, payload) of a server's frames."""
    frames: list[tuple[int, bytes]] = []
    while data:
        opcode, size, start = data[0] & 0x0F, data[1], 2
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(data[2:10], "big"), 10
        frames.append((opcode, data[start : start + size]))
        data = data[start + size :]
    return frames


async def settle(rounds: int = 20) -> None:
    """Let the loop run what is due."""
    for _ in range(rounds):
        await asyncio.sleep(0)
