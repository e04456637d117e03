"""What sockets may take and leave: too much of it is refused with a word."""

import asyncio
import tracemalloc

import pytest
from websockets.frames import Frame, Opcode

from hubify.transports.sync.endpoint import SyncSettings
from hubify.transports.sync.socket import CLOSING_BEATS, SyncSocket
from hubify.wire.limits import MAX_MESSAGE_BYTES
from tests.transports.sync.fake_transport import (
    REQUEST,
    FakeTransport,
    client_frame,
    settle,
    split,
)
from tests.transports.sync.stage import MIB, Stage, on_stage, watch_long


@on_stage
async def test_tiny_pieces_of_a_message_take_no_more_room_than_they_say(stage: Stage) -> None:
    line = stage.line()
    pieces = [Frame(Opcode.TEXT, b"x", fin=False)] + [Frame(Opcode.CONT, b"x", fin=False)] * 8_000
    sent = b"".join(piece.serialize(mask=True) for piece in pieces)
    tracemalloc.start()
    try:
        for start in range(0, len(sent), 4096):
            line.socket.data_received(sent[start : start + 4096])
            await settle(1)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 10 * len(pieces)


def test_what_clients_leave_unread_is_bounded_together() -> None:
    async def play() -> None:
        stage = Stage(SyncSettings(max_unsent_bytes=4 * MIB))
        lines = [stage.line() for _ in range(4)]
        for number, line in enumerate(lines):
            await settle()
            line.heard()
            line.transport.stuck = True
            line.send(watch_long(f"{number}", 3 * MIB if number else 300))
            await settle()
        assert [line.transport.aborted for line in lines] == [False, False, True, True]
        lines[1].transport.let_go()
        for line in lines:
            line.lose()
        assert stage.endpoint.unsent.taken_bytes == 0

    asyncio.run(play())


def test_unfinished_messages_of_all_sockets_are_bounded() -> None:
    async def play() -> None:
        stage = Stage(SyncSettings(max_unfinished_bytes=300_000))
        lines = [stage.line() for _ in range(4)]
        part = client_frame(b" " * 200_000)[:100_000]
        for line in lines:
            line.socket.data_received(part)
            await settle()
        assert [line.transport.closed for line in lines] == [False, False, False, True]
        assert lines[3].control_frames()[-1] == (8, b"\x03\xf5TooManyConcurrentRequests")
        lines[3].lose()
        assert stage.endpoint.unfinished.taken_bytes == 300_000
        for line in lines:
            line.lose()
        assert stage.endpoint.unfinished.taken_bytes == 0

    asyncio.run(play())


@on_stage
async def test_a_message_that_is_too_long_is_said_to_be_so(stage: Stage) -> None:
    line = stage.line()
    await settle()
    line.heard()
    head = client_frame(b"x" * (MAX_MESSAGE_BYTES + 1))[:14]
    line.socket.data_received(head)
    frames = split(b"".join(line.transport.writes))
    assert b"FatalError" in frames[0][1]
    assert frames[1][1].startswith(b"\x03\xf1")  # 1009, message too big
    assert line.transport.ended


@on_stage
async def test_a_client_in_the_middle_of_too_long_a_message_has_time_to_hear_so(
    stage: Stage,
) -> None:
    line = stage.line()
    await settle()
    line.socket.data_received(client_frame(b"x" * (MAX_MESSAGE_BYTES + 1))[:14])
    for _ in range(100):
        line.socket.data_received(b"x" * 64 * 1024)
        await settle(1)
    assert line.transport.reading
    assert stage.endpoint.unfinished.taken_bytes < 64 * 1024
    for _ in range(CLOSING_BEATS):
        assert not line.transport.closed
        line.socket.beat()
    assert line.transport.aborted


@pytest.mark.parametrize(
    ("settings", "status"),
    [(SyncSettings(max_sockets=2), b"503"), (SyncSettings(max_sockets_per_address=2), b"429")],
)
def test_sockets_are_bounded(settings: SyncSettings, status: bytes) -> None:
    async def play() -> None:
        stage = Stage(settings)
        lines = [stage.line() for _ in range(2)]
        transport = FakeTransport()
        refused = SyncSocket(stage.endpoint)
        refused.connection_made(transport)
        refused.data_received(REQUEST)
        assert transport.writes[0].startswith(b"HTTP/1.1 %b " % status)
        assert transport.closed
        refused.connection_lost(None)
        lines[0].lose()
        stage.line()

    asyncio.run(play())


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\r\n\r\n", b"GET /\r\n\r\n", REQUEST[:40] + b"\r\n"]
)
def test_what_is_no_handshake_is_refused_with_a_code(sent: bytes) -> None:
    async def play() -> None:
        stage = Stage()
        transport = FakeTransport()
        socket = SyncSocket(stage.endpoint)
        socket.connection_made(transport)
        socket.data_received(sent)
        head, _, body = b"".join(transport.writes).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert b'"VALIDATION_ERROR"' in body
        assert transport.closed

    asyncio.run(play())
