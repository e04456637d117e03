"""Connections of a real server on loopback, held within bounds that are small for the test."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn
import uvloop

from hubify.transports.connections import Bounds, connections_of
from hubify.transports.sync.endpoint import SyncEndpoint
from hubify.transports.sync.socket import protocol_of
from tests.transports.sync.fake_host import FakeHost

Run = Callable[[Awaitable[None]], None]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
GET = b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n"
UPGRADE = (
    b"GET /api/sync HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
LARGE = 8 * 1024 * 1024
WITHIN_S = 20


class Hall:
    """A server whose application tells each request's path and body, and counts its requests."""

    def __init__(self) -> None:
        self.requests = 0
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def application(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        """Answer with what arrived; `/large` with much more."""
        self.requests += 1
        headers = dict(scope["headers"])
        body, more = b"", b"content-length" in headers or b"transfer-encoding" in headers
        while more:
            message: Mapping[str, Any] = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message["body"], message["more_body"]
        told = b"x" * LARGE if scope["path"] == "/large" else scope["path"].encode() + b" " + body
        length = [(b"content-length", str(len(told)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": told})

    async def meet(self) -> Streams:
        """A connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writers.append(writer)
        return reader, writer

    async def part(self) -> None:
        """End all connections."""
        for writer in self._writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    def bounded(play: Awaitable[None]) -> None:
        async def within() -> None:
            await asyncio.wait_for(play, WITHIN_S)

        request.param(within())

    return bounded


@asynccontextmanager
async def hall(bounds: Bounds | None = None) -> AsyncIterator[Hall]:
    """A server of its own."""
    told = Hall()
    listening = socket.create_server(("127.0.0.1", 0))
    told.port = listening.getsockname()[1]
    connections: Any = connections_of(bounds or Bounds())
    sockets: Any = protocol_of(SyncEndpoint(FakeHost()))
    config = uvicorn.Config(
        told.application, http=connections, ws=sockets,
        interface="asgi3", lifespan="off", log_config=None,
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listening]))
    try:
        yield told
    finally:
        await told.part()
        server.should_exit = server.force_exit = True
        await serving


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The next answer's status and body."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
    return int(head.split(b" ")[1]), await reader.readexactly(length)


async def refusal(reader: asyncio.StreamReader) -> tuple[int, str]:
    """The status and the code of the next answer, after which the connection ends."""
    status, body = await answer(reader)
    assert await reader.read() == b""
    return status, json.loads(body)["code"]


@pytest.mark.parametrize(
    "head",
    [b"GET / HTTP/1.1\r\nx: " + b"a" * 100_000, b"GET /" + b"a" * 100_000,
     b"GET / HTTP/1.1\r\n" + b"x: a\r\n" * 20_000, b"\r\n" * 50_000],
    ids=["header", "path", "headers", "nothing"],
)  # fmt: skip
def test_a_head_without_end_is_refused(run: Run, head: bytes) -> None:
    async def play() -> None:
        async with hall() as server:
            reader, writer = await server.meet()
            writer.write(head)
            assert await refusal(reader) == (431, "PAYLOAD_TOO_LARGE")
            assert server.requests == 0

    run(play())


def test_trailers_without_end_are_refused(run: Run) -> None:
    async def play() -> None:
        async with hall() as server:
            reader, writer = await server.meet()
            writer.write(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
            writer.write(b"1\r\nx\r\n0\r\n" + b"x: a\r\n" * 20_000)
            assert await refusal(reader) == (431, "PAYLOAD_TOO_LARGE")

    run(play())


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"\r\n", b"POST / HTTP/1.1\r\nx: a\r\n"])
def test_a_request_that_does_not_come_is_not_waited_for_for_ever(run: Run, sent: bytes) -> None:
    async def play() -> None:
        async with hall(Bounds(head_seconds=0.05)) as server:
            reader, writer = await server.meet()
            writer.write(sent)
            assert await refusal(reader) == (408, "REQUEST_TIMEOUT")

    run(play())


def test_after_an_answer_the_next_request_has_its_own_time(run: Run) -> None:
    async def play() -> None:
        async with hall(Bounds(head_seconds=0.05)) as server:
            reader, writer = await server.meet()
            writer.write(GET % b"a")
            assert await answer(reader) == (200, b"/a ")
            writer.write(b"GET / HT")
            assert await refusal(reader) == (408, "REQUEST_TIMEOUT")

    run(play())


def test_requests_in_a_row_are_all_answered_in_order(run: Run) -> None:
    async def play() -> None:
        async with hall() as server:
            reader, writer = await server.meet()
            posts = [b"POST /%d HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc" % n for n in range(5_000)]
            writer.write(b"".join(posts))
            for number in range(5_000):
                assert await answer(reader) == (200, b"/%d abc" % number)
            assert server.requests == 5_000

    run(play())


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01garbage\r\n\r\n", b"BREW / HTTP/1.1\r\n\r\n"])
def test_what_is_no_http_is_refused_after_what_came_before_is_answered(
    run: Run, garbage: bytes
) -> None:
    async def play() -> None:
        async with hall() as server:
            reader, writer = await server.meet()
            writer.write(GET % b"a" + GET % b"b" + garbage + GET % b"c")
            assert await answer(reader) == (200, b"/a ")
            assert await answer(reader) == (200, b"/b ")
            assert await refusal(reader) == (400, "VALIDATION_ERROR")
            assert server.requests == 2

    run(play())


@pytest.mark.parametrize("before", [0, 1])
def test_a_body_that_turns_into_garbage_ends_its_request(run: Run, before: int) -> None:
    async def play() -> None:
        async with hall() as server:
            reader, writer = await server.meet()
            head = b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
            writer.write(before * (GET % b"a") + head + b"1\r\nx\r\nzz\r\n")
            for _ in range(before):
                assert await answer(reader) == (200, b"/a ")
            assert await refusal(reader) == (400, "VALIDATION_ERROR")

    run(play())


def test_a_protocol_that_we_do_not_speak_is_passed_over(run: Run) -> None:
    async def play() -> None:
        async with hall() as server:
            reader, writer = await server.meet()
            head = (
                b"POST /a HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                b"HTTP2-Settings: AAMAAABk\r\nContent-Length: 3\r\n\r\n"
            )
            writer.write(head + b"abc" + GET % b"b")
            assert await answer(reader) == (200, b"/a abc")
            assert await answer(reader) == (200, b"/b ")
            writer.write(b"CONNECT a:1 HTTP/1.1\r\n\r\n")
            assert await refusal(reader) == (405, "METHOD_NOT_ALLOWED")

    run(play())


def test_a_connection_too_many_is_told_to_come_back(run: Run) -> None:
    async def play() -> None:
        async with hall(Bounds(max_connections=1)) as server:
            reader, writer = await server.meet()
            other_reader, other = await server.meet()
            other.write(GET % b"a")
            assert await refusal(other_reader) == (503, "UNAVAILABLE")
            writer.write(GET % b"b")
            assert await answer(reader) == (200, b"/b ")
            assert server.requests == 1
            writer.close()
            await writer.wait_closed()
            while True:  # the server hears of it soon
                reader, writer = await server.meet()
                writer.write(GET % b"c")
                if (await answer(reader))[0] == 200:
                    return
                writer.close()

    run(play())


def test_one_address_does_not_take_all_connections(run: Run) -> None:
    async def play() -> None:
        async with hall(Bounds(max_of_one_address=1)) as server:
            reader, writer = await server.meet()
            other_reader, other = await server.meet()
            other.write(GET % b"a")
            assert await refusal(other_reader) == (429, "RATE_LIMITED")
            writer.write(GET % b"b")
            assert await answer(reader) == (200, b"/b ")

    run(play())


def test_an_answer_that_is_not_read_is_given_up(run: Run) -> None:
    async def play() -> None:
        async with hall(Bounds(unread_seconds=0.05)) as server:
            assert await cut_short(server)

    run(play())


def test_answers_that_wait_to_be_read_are_bounded_together(run: Run) -> None:
    async def play() -> None:
        async with hall(Bounds(max_unread_bytes=1024)) as server:
            assert await cut_short(server)

    run(play())


def test_a_socket_outlives_the_time_for_a_request_head(run: Run) -> None:
    async def play() -> None:
        async with hall(Bounds(head_seconds=0.05)) as server:
            reader, writer = await server.meet()
            writer.write(UPGRADE)
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 101 " in head
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.2)

    run(play())


async def cut_short(server: Hall) -> bool:
    """Ask twice for much, read nothing for long, and whether the rest never comes."""
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.settimeout(0)
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connection, GET % b"large" + GET % b"large")
    writer = await is_hung_up(connection)
    connection.close()
    return writer and server.requests == 1


async def is_hung_up(connection: socket.socket) -> bool:
    """Wait, without reading, until the other end has gone."""
    while True:
        try:
            connection.send(b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            return True
        await asyncio.sleep(0.001)
