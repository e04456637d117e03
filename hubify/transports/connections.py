"""One HTTP connection: uvicorn reads its requests, within the bounds that uvicorn does not set.

Invariant: memory and time per connection are bounded. A head has a length and a deadline, requests
that wait for their turn are not read, an answer that nobody reads is given up; all answers that
wait to be read stay within one bound. What is no HTTP is refused with a code and leaves no line in
the log, which would otherwise be anybody's to fill.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

import httptools
import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from hubify.transports.http import failure
from hubify.wire.addresses import caller_address

KIB, MIB = 1024, 1024 * 1024
SLICE_BYTES = 16 * KIB  # parsed at a time: of the shortest requests, some 900 are in it
MAX_HEAD_BYTES = 64 * KIB  # of one request's line and headers
NOBODY: frozenset[str] = frozenset()  # whom we take for somebody else on a connection
FRAMING = 8  # bytes around one byte of a body, when each comes as a chunk of its own
UPGRADE_HEADERS = frozenset({b"upgrade", b"http2-settings"})


class Bounds(msgspec.Struct, frozen=True):
    """What one process allows its HTTP connections."""

    max_connections: int = 10_000
    max_of_one_address: int = 5_000  # so that nobody alone takes all of them
    head_seconds: float = 20.0  # until a request's head is complete
    linger_seconds: float = 5.0  # for a refused client to stop sending, so that it hears why
    unread_seconds: float = 30.0  # without progress of an answer that its client does not read
    max_unread_bytes: int = 256 * MIB  # of all such answers


class Crowd:
    """All HTTP connections of a process, counted."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.connections = 0
        self.by_address: Counter[str] = Counter()
        self.unread_bytes = 0

    def enter(self, address: str) -> Callable[..., Any] | None:
        """Count a connection; what answers it instead of the application when it is too many."""
        self.connections += 1
        self.by_address[address] += 1
        if self.by_address[address] > self.bounds.max_of_one_address:
            return too_many
        return no_room if self.connections > self.bounds.max_connections else None

    def leave(self, address: str) -> None:
        """Count a connection no longer."""
        self.connections -= 1
        self.by_address[address] -= 1
        if not self.by_address[address]:
            del self.by_address[address]


def connections_of(bounds: Bounds) -> Callable[..., "Connection"]:
    """What makes a connection's protocol, for uvicorn: `Config(app, http=connections_of(…))`."""
    crowd = Crowd(bounds)

    def protocol(
        *, config: Config, server_state: ServerState, app_state: dict[str, Any], **_others: object
    ) -> Connection:
        return Connection(crowd, config, server_state, app_state)

    return protocol


class Connection(HttpToolsProtocol):
    """A connection of one client."""

    def __init__(
        self, crowd: Crowd, config: Config, server_state: ServerState, app_state: dict[str, Any]
    ) -> None:
        super().__init__(config, server_state, app_state)
        self._crowd = crowd
        self._counted_as = ""
        self._arrived = b""
        self._parsed_bytes = 0  # of the request that is being read, and how many are its body's
        self._body_bytes = 0
        self._declines_upgrade = False
        self._handed_over = False
        self._refusal = b""
        self._held_back: tuple[RequestResponseCycle, Any] | None = None
        self._unread_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._unread_timer: asyncio.TimerHandle | None = None

    # What the network tells.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        super().connection_made(transport)
        self.flow = Flow(transport, self)
        peer = transport.get_extra_info("peername")
        self._counted_as = caller_address(str(peer[0]) if peer else "", (), NOBODY)
        if instead := self._crowd.enter(self._counted_as):
            self.app = cast("Any", instead)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, or was sent away."""
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        self._unset_keepalive_if_required()
        if not self._refusal:
            self._arrived += data
            self._take_in()

    def pause_writing(self) -> None:
        """An answer could not be handed to the network at once."""
        super().pause_writing()
        self._count_unread(self.transport.get_write_buffer_size())
        if self._crowd.unread_bytes > self._crowd.bounds.max_unread_bytes:
            self.transport.abort()
        elif self._unread_timer is None:
            self._watch_unread()

    def resume_writing(self) -> None:
        """The network has taken it."""
        self._count_unread(0)
        self._unread_timer = _cancelled(self._unread_timer)
        super().resume_writing()
        if self._held_back is not None:
            (cycle, app), self._held_back = self._held_back, None
            self._start_asgi_task(cycle, app)

    @property
    def is_behind(self) -> bool:
        """Whether requests that have arrived wait, so that no more should be read."""
        return bool(self._arrived)

    @property
    def _newest(self) -> RequestResponseCycle | None:
        """The newest request whose head is here; before the first there is none."""
        return self.cycle

    # Reading.

    def _take_in(self) -> None:
        """Parse what has arrived, as long as no parsed request waits for its turn."""
        while self._arrived and not (self.pipeline or self._is_over):
            piece, self._arrived = self._arrived[:SLICE_BYTES], self._arrived[SLICE_BYTES:]
            self._parse(piece)
        if self._arrived:
            self.flow.pause_reading()
        elif not self._is_over:
            self._await_head()

    @property
    def _is_over(self) -> bool:
        """Whether nothing more is ours to read: closing, or handed over to a socket's protocol."""
        return self._handed_over or self.transport.is_closing()

    def _parse(self, piece: bytes) -> None:
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            if self._declines_upgrade:
                self._read_without_upgrade(piece[upgrade.args[0] :])
            else:
                self.handle_websocket_upgrade()
        except httptools.HttpParserError:
            self._refuse(HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR", "this is no HTTP request")
        else:
            self._parsed_bytes += len(piece)
            if self._parsed_bytes > MAX_HEAD_BYTES + FRAMING * self._body_bytes:
                message = f"the headers are over {MAX_HEAD_BYTES} bytes; send fewer or shorter ones"
                too_large = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
                self._refuse(too_large, "PAYLOAD_TOO_LARGE", message)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._parsed_bytes = self._body_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A request's head is here."""
        self._head_timer = _cancelled(self._head_timer)
        self._declines_upgrade = self.parser.should_upgrade() and not self._should_upgrade()
        if not self._declines_upgrade:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a request's body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is here, or its head, when it asks to speak another protocol."""
        if not self._declines_upgrade:
            super().on_message_complete()

    def _should_upgrade(self) -> bool:
        return self.parser.get_method() == b"GET" and super()._should_upgrade()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over; no timer of ours may fire on it any more."""
        self._leave()
        self._handed_over = True
        super().handle_websocket_upgrade()

    def _read_without_upgrade(self, rest: bytes) -> None:
        """Serve a request as if it had not asked for a protocol that we do not speak."""
        self._declines_upgrade = False
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        if method == b"CONNECT":
            message = "this is no proxy"
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message)
            return
        kept = [(name, value) for name, value in self.headers if name not in UPGRADE_HEADERS]
        lines = [b"%b %b HTTP/%b" % (method, self.url, version)]
        lines += [b"%b: %b" % pair for pair in kept]
        self.parser = httptools.HttpRequestParser(self)
        self._arrived = b"\r\n".join((*lines, b"", rest)) + self._arrived

    # Taking turns.

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401
        """Begin to answer, unless the answer before still waits to be read."""
        if self.flow.write_paused:
            self._held_back = (cycle, app)
        else:
            super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """A request is answered: go on with the next."""
        others_wait = bool(self.pipeline)
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self._refusal and not others_wait:
            self._send_refusal()
        elif not self._refusal:
            self._take_in()

    # Refusing.

    def _refuse(self, status: HTTPStatus, code: str, message: str) -> None:
        """Read no more, and say why once everything before is answered."""
        self._arrived = b""
        self._refusal = _refusal(status, code, message)
        newest = self._newest
        if newest is None or newest.response_complete:
            self._send_refusal()
        elif newest.more_body:
            self._give_up(newest)

    def _give_up(self, cycle: RequestResponseCycle) -> None:
        """The body of the newest request will never be whole."""
        if self.pipeline:
            self.pipeline.popleft()
        else:
            cycle.disconnected = True
            cycle.message_event.set()
            self._send_refusal()

    def _send_refusal(self) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(self._refusal)
        self.transport.write_eof()
        self.flow.resume_reading()  # and forget: closed with bytes unread, it would be a reset
        seconds = self._crowd.bounds.linger_seconds
        self._head_timer = _cancelled(self._head_timer)
        self._head_timer = self.loop.call_later(seconds, self.transport.abort)

    # Time.

    def _await_head(self) -> None:
        newest = self._newest
        is_idle = newest is None or newest.response_complete
        keeps_alive = self.timeout_keep_alive_task is not None
        if is_idle and not keeps_alive and self._head_timer is None:
            seconds = self._crowd.bounds.head_seconds
            self._head_timer = self.loop.call_later(seconds, self._head_overdue)

    def _head_overdue(self) -> None:
        self._head_timer = None
        seconds = self._crowd.bounds.head_seconds
        message = f"the request did not come within {seconds:g} seconds"
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message)

    def _watch_unread(self) -> None:
        unread = self.transport.get_write_buffer_size()
        seconds = self._crowd.bounds.unread_seconds
        self._unread_timer = self.loop.call_later(seconds, self._check_unread, unread)

    def _check_unread(self, before: int) -> None:
        if self.transport.get_write_buffer_size() < before:
            self._watch_unread()
        else:
            self.transport.abort()

    # Counting.

    def _count_unread(self, unread: int) -> None:
        self._crowd.unread_bytes += unread - self._unread_bytes
        self._unread_bytes = unread

    def _leave(self) -> None:
        """Be counted no longer, and wait for nothing."""
        if self._counted_as:
            self._crowd.leave(self._counted_as)
            self._counted_as = ""
        self._count_unread(0)
        self._held_back = None
        self._arrived = b""
        self._head_timer = _cancelled(self._head_timer)
        self._unread_timer = _cancelled(self._unread_timer)


class Flow(FlowControl):
    """Whether the network is read: not while what was read waits."""

    def __init__(self, transport: asyncio.Transport, connection: Connection) -> None:
        super().__init__(transport)
        self._connection = connection

    def resume_reading(self) -> None:
        """Read again, unless requests that have arrived wait."""
        if not self._connection.is_behind:
            super().resume_reading()


async def no_room(_scope: object, _receive: object, send: Callable[[Any], Any]) -> None:
    """What a connection too many is told, whatever it asks for."""
    message = "the server has all the connections it can hold; try again later"
    await _turn_away(send, HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE", message)


async def too_many(_scope: object, _receive: object, send: Callable[[Any], Any]) -> None:
    """What an address is told on a connection that is too many of its own."""
    message = "this address has all the connections it may have; close some"
    await _turn_away(send, HTTPStatus.TOO_MANY_REQUESTS, "RATE_LIMITED", message)


async def _turn_away(
    send: Callable[[Any], Any], status: HTTPStatus, code: str, message: str
) -> None:
    told = failure(status, code, message).with_headers(
        ("connection", "close"), ("retry-after", "1")
    )
    headers = [(name.encode(), value.encode()) for name, value in told.headers]
    headers.append((b"content-length", str(len(told.body)).encode()))
    await send({"type": "http.response.start", "status": told.status, "headers": headers})
    await send({"type": "http.response.body", "body": told.body})


def _refusal(status: HTTPStatus, code: str, message: str) -> bytes:
    """A whole answer that no handler came to make."""
    body = failure(status, code, message).body
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


def _cancelled(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
