"""One WebSocket: bytes to frames, frames to a session, and the session's texts to bytes.

The handshake and the parsing of frames are the `websockets` library's sans-I/O protocol. What we
send is unmasked and never compressed, so a frame is built once and its bytes go to many sockets.

Invariant: memory per socket is bounded. Nothing is read while what was read waits; nothing but
responses is sent to a client that does not read, and too many of those end the connection.
"""

import asyncio
import logging
import socket as sockets
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, cast

from websockets.exceptions import InvalidMessage, PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

from hubify.transports.sync.endpoint import SyncEndpoint
from hubify.transports.sync.frames import text_frame
from hubify.transports.sync.handshake import NO_SOCKET_HERE, WebSocket, client_of, fault_of
from hubify.transports.sync.session import Closing, Peer, Session
from hubify.wire.addresses import caller_address
from hubify.wire.limits import MAX_MESSAGE_BYTES
from hubify.wire.server_texts import fatal_error
from hubify.wire.sync_messages import TOO_LONG, MessageTooLarge

SLICE_BYTES = 16 * 1024  # taken in at a time, so that one socket's flood is everyone's small delay
UNSENT_LOW_WATER = 128 * 1024  # bytes that the kernel may keep beyond what is in flight
ALLOWED_UNFINISHED = 64 * 1024  # of one message, however much others hold
ALLOWED_UNSENT = 1024 * 1024  # to one client, however much others leave unread

CONNECT_BEATS = 4  # until Connect must have come
QUIET_BEATS = 3  # without output until a client is told that the server lives
SILENT_BEATS = 24  # without a sign of life until a client is given up
OVERDUE_BEATS = 12  # of one mutation
CLOSING_BEATS = 2  # until a closing socket is cut

BINARY_REFUSED = Closing(1003, "TextExpected")
RESTARTING = Closing(1001, "ServerRestart")
PING_FRAME = b"\x89\x00"

log = logging.getLogger("hubify.sync")
quiet_log = logging.getLogger("hubify.sync.websocket")
quiet_log.setLevel(logging.WARNING)


def log_fault(fault: Exception) -> None:
    """Keep a fault that was met in a call."""
    log.error("fault in a call over a sync socket", exc_info=fault)


class ServerState(Protocol):
    """Where uvicorn keeps track of what it has to shut down."""

    connections: set[Any]


def protocol_of(endpoint: SyncEndpoint) -> Callable[..., "SyncSocket"]:
    """What makes a socket's protocol, for uvicorn: `Config(app, ws=protocol_of(endpoint))`."""

    def protocol(*, server_state: ServerState, **_others: object) -> SyncSocket:
        return SyncSocket(endpoint, server_state.connections)

    return protocol


class SyncSocket(asyncio.Protocol):
    """The I/O of one client's connection."""

    def __init__(self, endpoint: SyncEndpoint, connections: set[Any] | None = None) -> None:
        """`connections`: where uvicorn keeps track of what to shut down."""
        self.waits_for_turn = False
        self._endpoint = endpoint
        self._connections = connections
        self._transport = cast("asyncio.Transport", None)
        self._websocket = WebSocket(max_size=MAX_MESSAGE_BYTES, logger=quiet_log)
        self._session: Session | None = None
        self._address: str | None = None
        self._arrived = b""
        self._fragments = bytearray()
        self._unfinished = 0
        self._is_open = True
        self._close_sent = False
        self._lingers = False
        self._read_paused = False
        self._write_paused = False
        self._beats = 0
        self._quiet_beats = 0
        self._silent_beats = 0
        self._unsent_bytes = 0
        self._counted_unsent = 0
        self._mutation: int | None = None
        self._mutation_beats = 0

    # What the network tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection, or one that uvicorn hands over at its upgrade."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=0)
        connection = transport.get_extra_info("socket")
        if connection is not None:
            with suppress(OSError, AttributeError):
                connection.setsockopt(
                    sockets.IPPROTO_TCP, sockets.TCP_NOTSENT_LOWAT, UNSENT_LOW_WATER
                )
        self._endpoint.opened(self)
        if self._connections is not None:
            self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        if self._lingers or self._transport.is_closing():
            return
        self._silent_beats = 0
        was_waiting = bool(self._arrived) or self._read_paused
        self._arrived += data
        if not was_waiting:
            self._guarded(self._take_in)

    def eof_received(self) -> None:
        """The client will send no more."""
        with suppress(EOFError):
            self._websocket.receive_eof()
        self._transport.close()

    def pause_writing(self) -> None:
        """Something that we sent could not be handed to the network at once."""
        self._write_paused = True
        self._count_unsent()

    def resume_writing(self) -> None:
        """The network has taken all that we sent."""
        self._write_paused = False
        self._count_unsent()
        if self._session is not None:
            self._session.sent()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Nothing more can come or go."""
        self._is_open = self._write_paused = False
        self._hold(0)
        self._count_unsent()
        self._arrived = b""
        self._fragments = bytearray()
        self._endpoint.closed(self, self._address)
        if self._connections is not None:
            self._connections.discard(self)
        if self._session is not None:
            self._guarded(self._session.end)

    # What the endpoint tells.

    def take_turn(self) -> None:
        """Send what the session has to say, then take in more of what has arrived."""
        self._guarded(self._speak)
        if self._arrived or self._read_paused:
            self._guarded(self._take_in)

    def beat(self) -> None:
        """Some five seconds have passed."""
        self._guarded(self._beat)

    def shutdown(self) -> None:
        """The server stops: ask the client to come back. Uvicorn calls it too."""
        self._guarded(lambda: self._send_close(RESTARTING))

    # Reading.

    def _take_in(self) -> None:
        """Take one slice of what has arrived; while more waits, the network is not read."""
        if self._transport.is_closing():
            return
        if self._arrived and self._accepts():
            data, self._arrived = self._arrived[:SLICE_BYTES], self._arrived[SLICE_BYTES:]
            self._parse(data)
        accepts = self._accepts()
        self._pause_reading(bool(self._arrived) or not accepts)
        if self._arrived and accepts:
            self._endpoint.turns.add(self)

    def _accepts(self) -> bool:
        return self._session is None or self._session.accepts

    def _parse(self, data: bytes) -> None:
        self._websocket.receive_data(data)
        events = self._websocket.events_received()
        if isinstance(self._websocket.parser_exc, PayloadTooBig) and not self._close_sent:
            # Without a word a client would send the same message again on its next connection.
            told = f"{MessageTooLarge.code}: {TOO_LONG}"
            self._write(text_frame(fatal_error(told)))
        if isinstance(self._websocket.handshake_exc, InvalidMessage):
            self._refuse_unread(self._websocket.handshake_exc)
        for event in events:
            if isinstance(event, Request):
                self._open(event)
            elif isinstance(event, Frame):
                self._take_frame(event)
        self._flush()
        self._hold(len(self._fragments) if events else self._unfinished + len(data))

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.TEXT or frame.opcode is Opcode.CONT:
            self._take_text(bytes(frame.data), is_last=frame.fin)
        elif frame.opcode is Opcode.BINARY:
            self._send_close(BINARY_REFUSED)

    def _take_text(self, data: bytes, *, is_last: bool) -> None:
        if self._fragments or not is_last:
            self._fragments += data
        if is_last and self._session is not None and not self._close_sent:
            whole, self._fragments = self._fragments or data, bytearray()
            self._session.receive(whole)

    def _hold(self, unfinished: int) -> None:
        """Count the bytes that this socket holds of a message which is not complete."""
        fits = self._endpoint.unfinished.take(unfinished - self._unfinished)
        self._unfinished = unfinished
        if not fits and unfinished > ALLOWED_UNFINISHED:
            self._send_close(Closing(1013, "TooManyConcurrentRequests"))
            self._transport.close()  # without waiting for an answer, behind more of the same

    def _pause_reading(self, pause: bool) -> None:  # noqa: FBT001 - the state itself
        if pause == self._read_paused or self._transport.is_closing():
            return
        self._read_paused = pause
        if pause:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _open(self, request: Request) -> None:
        """Answer the handshake, and begin the session if it is one for us."""
        endpoint = self._endpoint
        client = client_of(request)
        peer = self._transport.get_extra_info("peername")
        address = caller_address(
            str(peer[0]) if peer else "",
            request.headers.get_all("X-Forwarded-For"),
            endpoint.settings.trusted_proxies,
        )
        if client is None:
            response = self._websocket.refuse(NO_SOCKET_HERE)
        elif refusal := endpoint.refusal(address):
            response = self._websocket.refuse(refusal)
        else:
            response = self._websocket.accept(request)
            if self._websocket.handshake_exc is None:
                self._begin(Peer(client, address))
        self._websocket.send_response(response)

    def _refuse_unread(self, error: InvalidMessage) -> None:
        """Answer a handshake that could not be read as HTTP."""
        if not self._transport.is_closing():
            self._transport.write(self._websocket.refuse(fault_of(error)).serialize())

    def _begin(self, peer: Peer) -> None:
        self._endpoint.admitted(peer.address)
        self._address = peer.address
        endpoint = self._endpoint
        self._session = Session(
            endpoint.host, endpoint.frames, peer, self._on_ready, log_fault, room=endpoint.watched
        )

    # Writing.

    def _on_ready(self) -> None:
        self._endpoint.turns.add(self)

    def _speak(self) -> None:
        session = self._session
        if session is None or self._close_sent or self._transport.is_closing():
            return
        texts = session.turn(self._endpoint.turns.may_go_on)
        if texts:
            self._write(texts[0] if len(texts) == 1 else b"".join(texts))
        if self._transport.is_closing():
            return
        if session.closing is not None:
            self._send_close(session.closing)
        elif not self._write_paused:
            session.sent()

    def _write(self, data: bytes) -> None:
        self._quiet_beats = 0
        self._transport.write(data)
        if self._write_paused:
            self._count_unsent()

    def _count_unsent(self) -> None:
        """Count what the client has not read; too much of all, and those with much are cut off."""
        unsent = self._transport.get_write_buffer_size() if self._write_paused else 0
        change, self._counted_unsent = unsent - self._counted_unsent, unsent
        if not self._endpoint.unsent.take(change) and unsent > ALLOWED_UNSENT:
            self._transport.abort()

    def _flush(self) -> None:
        """Send what the WebSocket protocol itself has to say."""
        for data in self._websocket.data_to_send():
            if not data:
                self._beats = 0
                self._finish()
            elif not (self._write_paused and self._websocket.state is State.OPEN):
                self._transport.write(data)  # else a pong, which a client that does not read loses

    def _finish(self) -> None:
        """End the connection, but not before a client that is still sending could hear why.

        Were it closed with bytes unread, the network would tell the client to forget what we said.
        """
        if not isinstance(self._websocket.parser_exc, PayloadTooBig):
            self._transport.close()
        elif not self._lingers:
            self._lingers = self._close_sent = True
            self._arrived = b""
            self._transport.write_eof()

    def _send_close(self, closing: Closing) -> None:
        if self._close_sent or not self._is_open:
            return
        self._close_sent = True
        self._beats = 0
        if self._session is not None:
            self._session.end()
        if self._websocket.state is State.OPEN:
            self._websocket.send_close(closing.code, closing.reason)
            self._flush()
        elif self._websocket.state is State.CONNECTING:
            self._transport.close()

    # Time.

    def _beat(self) -> None:
        self._beats += 1
        self._quiet_beats += 1
        session = self._session
        if self._close_sent or self._transport.is_closing():
            if self._beats >= CLOSING_BEATS:
                self._transport.abort()
        elif session is None:
            if self._beats >= CONNECT_BEATS:
                self._transport.abort()
        elif not session.connected and self._beats >= CONNECT_BEATS:
            session.connect_overdue()
        elif self._is_lost():
            self._transport.abort()
        else:
            self._watch_mutation(session)
            session.try_again()
            self._show_life(session)

    def _is_lost(self) -> bool:
        """Whether the client has given no sign of life for long; taking bytes in is one."""
        unsent = self._transport.get_write_buffer_size()
        progressed = unsent < self._unsent_bytes
        self._unsent_bytes = unsent
        if progressed or self._read_paused:
            self._silent_beats = 0
        self._silent_beats += 1
        return self._silent_beats > SILENT_BEATS

    def _watch_mutation(self, session: Session) -> None:
        running = session.mutating
        same = running is not None and running == self._mutation
        self._mutation = running
        self._mutation_beats = self._mutation_beats + 1 if same else 0
        if self._mutation_beats >= OVERDUE_BEATS:
            session.mutation_overdue()

    def _show_life(self, session: Session) -> None:
        if self._write_paused:
            return
        if self._quiet_beats >= QUIET_BEATS and (text := session.keep_alive()):
            self._write(text)
        else:
            self._transport.write(PING_FRAME)

    # Faults.

    def _guarded(self, step: Callable[[], None]) -> None:
        """Do a step; a fault of ours ends this connection, and no other."""
        try:
            step()
        except Exception:
            log.exception("a sync socket failed")
            if self._session is not None:
                self._session.failed()
                self._send_close(Closing(1011, "InternalServerError"))
            else:
                self._transport.abort()
