"""One client's conversation: messages in, requests to the host and messages out. No I/O, no clock.

The network's side (`socket.py`, or a test) hands in texts with `receive`, tells of time-outs and of
what was sent, and calls `turn` soon after `on_ready` to collect what is to be sent, in order.

Invariant: each transition starts where the one before ended and is true at one timestamp that never
goes back; a response leaves before the transition that reflects it, and such a transition always
follows; nothing is computed for a client that has two transitions unsent (convex-protocol.md, 0
and 2).
"""

from collections.abc import Callable
from typing import NamedTuple, assert_never

from hubify.functions.backend import Call
from hubify.transports.sync.frames import Frames
from hubify.transports.sync.host import Host
from hubify.transports.sync.query_set import QuerySet
from hubify.transports.sync.requests import Request, Requests
from hubify.transports.sync.room import Room
from hubify.values import limits
from hubify.values.errors import AppError, Kind, Unauthenticated
from hubify.wire.calls import parse_arguments, read_path
from hubify.wire.clients import Client
from hubify.wire.server_texts import PING, ZERO, Version, auth_error, fatal_error
from hubify.wire.sync_messages import (
    Action,
    Add,
    Authenticate,
    ClientMessage,
    Connect,
    Event,
    ModifyQuerySet,
    Mutation,
    ProtocolViolation,
    Remove,
    decode_client_message,
)
from hubify.wire.timestamps import decode_ts

MAX_UNSENT = 2  # transitions
MAX_UNSENT_BYTES = 32 * 1024 * 1024  # of responses to a client that does not read them
MAX_PARTIAL_TURNS = 20  # after which a transition is finished in one go
MAX_WATCHED = 2 * limits.MAX_QUERIES_PER_SOCKET  # refused ones counted
ENOUGH_QUEUED = limits.MAX_QUEUED_MUTATIONS // 2  # reading stops here, so that none is refused

NORMAL, VIOLATION, INTERNAL, TRY_LATER = 1000, 1008, 1011, 1013


class Closing(NamedTuple):
    """How the socket is to be closed once everything has been sent (reason: at most 123 bytes)."""

    code: int
    reason: str


class Peer(NamedTuple):
    """Who is at the other end: which client library, at which address."""

    client: Client
    address: str


def always() -> bool:
    """Go on."""
    return True


class Session:
    """The server's side of one socket."""

    def __init__(
        self,
        host: Host,
        frames: Frames,
        peer: Peer,
        on_ready: Callable[[], None],
        on_fault: Callable[[Exception], None],
        *,
        room: Room,
    ) -> None:
        """Begin before Connect, as an anonymous caller.

        `on_ready` is called when there is something to do in the next `turn`; `on_fault` hears of a
        fault of the host's in a call, which fails that call alone. `room` is what the arguments of
        the live queries of all sessions share.
        """
        self.closing: Closing | None = None
        self.connected = False
        self._host = host
        self._frames = frames
        self._client, self._address = peer
        self._on_ready = on_ready
        self._principal = host.authenticate("None", "", self._address)
        self._refusal: AppError | None = None
        self._unwatch: Callable[[], None] | None = None
        self._queries = QuerySet(host, self._address, self._schedule, on_fault, room)
        self._requests = Requests(host, self._respond, on_fault)
        self._told = ZERO
        self._reconnected = False
        self._received_set = 0
        self._received_identity = 0
        self._owed_ts = 0
        self._scheduled = False
        self._ready = False
        self._outbox: list[bytes] = []
        self._last_word = b""
        self._unsent = 0
        self._unsent_bytes = 0
        self._partial_turns = 0

    # What the network tells.

    @property
    def accepts(self) -> bool:
        """Whether another message may be handed in; if not, one that waits must end first."""
        return self._requests.queued < ENOUGH_QUEUED

    @property
    def mutating(self) -> int | None:
        """The request id of the mutation that runs now, to notice when one takes too long."""
        return self._requests.mutating

    def receive(self, text: bytes | bytearray | str) -> None:
        """Take one message of the client."""
        if self.closing is not None:
            return
        try:
            self._handle(decode_client_message(text))
        except ProtocolViolation as violation:
            told = f"{violation.code}: {violation.message}"
            self._close(Closing(VIOLATION, violation.code), fatal_error(told))

    def turn(self, may_go_on: Callable[[], bool] = always) -> list[bytes]:
        """What to send now, in this order: responses, then perhaps one transition.

        `may_go_on` is asked between queries; a transition that it interrupts comes in a later turn.
        """
        self._ready = False
        self._requests.pump()
        texts = self._take_outbox()
        if self._scheduled and self._unsent < MAX_UNSENT and self.closing is None:
            texts += self._transition(may_go_on)
        if self.closing is not None and self._last_word:
            texts.append(self._last_word)
            self._last_word = b""
        if self._scheduled and self._unsent < MAX_UNSENT:
            self._want_turn()
        return texts

    def sent(self) -> None:
        """The network has taken everything that was handed to it."""
        self._unsent = self._unsent_bytes = 0
        if self._scheduled:
            self._want_turn()

    def keep_alive(self) -> bytes:
        """A message for a client that has heard nothing for a while; empty before Connect."""
        return self._frames.wrap(PING) if self.connected and self.closing is None else b""

    def try_again(self) -> None:
        """Some seconds have passed: ask again what was refused for a passing reason."""
        if self.closing is None and self._queries.try_again():
            self._schedule()

    def identity_ended(self, error: AppError) -> None:
        """The credential was revoked or has expired."""
        if self.closing is not None:
            return
        if self._client.loops_on_auth_error:
            self._become(refusal=error)
        else:
            text = auth_error(error.message, self._received_identity, attempted=False)
            self._close(Closing(NORMAL, error.code), text)

    def connect_overdue(self) -> None:
        """No Connect came in time."""
        self._close(Closing(VIOLATION, "ConnectTimeout"))

    def mutation_overdue(self) -> None:
        """A mutation takes too long; on the next connection it is found, or run again."""
        self._close(Closing(TRY_LATER, "SystemTimeoutError"))

    def overloaded(self, reason: str) -> None:
        """The client sends or leaves unread more than fits; it may come back."""
        self._close(Closing(TRY_LATER, reason))

    def failed(self) -> None:
        """Something broke on our side outside of any call; the client may come back."""
        self._close(Closing(INTERNAL, "InternalServerError"))

    def end(self) -> None:
        """The connection is gone."""
        if self.closing is None:
            self.closing = Closing(NORMAL, "")
        self._release()
        self._outbox.clear()

    def check(self) -> None:
        """Assert what always holds between turns."""
        self._queries.check()
        self._requests.check()
        assert self._told.query_set <= self._received_set
        assert self._told.identity <= self._received_identity
        assert 0 <= self._unsent <= MAX_UNSENT
        if self.closing is not None:
            assert len(self._queries) == 0, "a closing session holds queries"
            return
        idle = self._requests.mutating is None and self._requests.queued == 0
        assert idle or self._requests.mutating is not None or self._ready, "mutations are stuck"
        if not self._scheduled:
            assert self._queries.settled, "stale queries are forgotten"
            assert self._told[:2] == (self._received_set, self._received_identity)
            assert self._told.ts >= self._owed_ts, "a mutation was never reflected"
        elif self._unsent < MAX_UNSENT:
            assert self._ready, "a due transition is forgotten"

    # What the client tells.

    def _handle(self, message: ClientMessage) -> None:
        if self.connected == isinstance(message, Connect):
            raise ProtocolViolation("Connect must be the first message, and come once")
        match message:
            case Connect():
                self._connect(message)
            case Authenticate():
                self._authenticate(message)
            case ModifyQuerySet():
                self._modify(message)
            case Mutation():
                self._request(message, self._requests.mutate)
            case Action():
                self._request(message, self._requests.act)
            case Event():
                pass
            case _:
                assert_never(message)

    def _connect(self, message: Connect) -> None:
        observed = message.max_observed_timestamp
        try:
            is_ahead = observed is not None and decode_ts(observed) > self._host.head()
        except AppError as error:
            raise ProtocolViolation(error.message) from None
        if is_ahead:
            self._close(
                Closing(INTERNAL, "InternalServerError: the client is ahead of this server")
            )
            return
        self.connected = True
        self._reconnected = message.connection_count > 0
        self._requests.begin(message.session_id)
        self._send(PING)  # wakes clients that otherwise wait for a delayed acknowledgement

    def _authenticate(self, message: Authenticate) -> None:
        if message.base_version != self._received_identity:
            raise ProtocolViolation("BaseVersionMismatch: this identity is not the last one sent")
        self._stop_watching()
        try:
            if message.acts_as_another:
                raise Unauthenticated("acting as another user is not offered; use that user's key")
            value = message.value or ""
            principal = self._host.authenticate(message.token_type, value, self._address)
        except AppError as error:
            self._refuse_identity(error)
            return
        self._received_identity += 1
        self._principal = principal
        self._become(refusal=None)
        if value:
            self._unwatch = self._host.watch_identity(principal, value, self.identity_ended)

    def _refuse_identity(self, error: AppError) -> None:
        match error.kind:
            case Kind.UNAVAILABLE:
                self.overloaded("TooManyConcurrentRequests")
            case Kind.RATE_LIMITED if not self._client.loops_on_auth_error:
                self.overloaded("TooManyConcurrentRequests")
            case Kind.INTERNAL:
                self.failed()
            case _ if self._client.loops_on_auth_error:
                self._received_identity += 1
                self._become(refusal=error)
            case _:
                text = auth_error(error.message, self._received_identity, attempted=True)
                self._close(Closing(NORMAL, error.code), text)

    def _become(self, *, refusal: AppError | None) -> None:
        """Ask everything anew: for the present principal, or to tell all of it why it may not."""
        self._refusal = refusal
        self._queries.ask_anew()
        self._schedule()

    def _modify(self, message: ModifyQuerySet) -> None:
        if message.base_version != self._received_set:
            raise ProtocolViolation("BaseVersionMismatch: this query set is not the last one sent")
        if message.new_version != message.base_version + 1:
            raise ProtocolViolation("the version of the query set should count up by one")
        comes_back = self._reconnected and message.base_version == 0
        for modification in message.modifications:
            match modification:
                case Add():
                    self._queries.add(modification, charged=not comes_back)
                case Remove():
                    self._queries.remove(modification.query_id)
                case _:
                    assert_never(modification)
        self._received_set = message.new_version
        self._schedule()
        if len(self._queries) > MAX_WATCHED:
            self.overloaded("TooManyQueries")

    def _request(self, message: Mutation | Action, start: Callable[[Request], None]) -> None:
        if self._requests.is_new(message.request_id):
            start(Request(message.request_id, self._call(message)))

    def _call(self, message: Mutation | Action) -> Call | AppError:
        if self._refusal is not None:
            return self._refusal
        try:
            path = read_path(message.udf_path, message.component_path)
            return Call(path, parse_arguments(message.args), self._principal, self._address)
        except AppError as error:
            return error

    # What is told to the client.

    def _respond(self, text: bytes, ts: int) -> None:
        if self.closing is not None:
            return
        self._owed_ts = max(self._owed_ts, ts)
        self._send(text)
        self._schedule()
        self._unsent_bytes += len(text)
        if self._unsent_bytes > MAX_UNSENT_BYTES:
            self.overloaded("TooManyUnreadResponses")

    def _transition(self, may_go_on: Callable[[], bool]) -> list[bytes]:
        self._partial_turns += 1
        in_one_go = self._partial_turns > MAX_PARTIAL_TURNS
        ts = self._host.head()
        self._queries.run_due(self._principal, self._refusal, always if in_one_go else may_go_on)
        assert ts == self._host.head(), "the head moved during a turn"
        if not self._queries.settled:
            return []
        assert ts >= max(self._told.ts, self._owed_ts), "the head is behind what was told"
        end = Version(self._received_set, self._received_identity, ts)
        digests, modifications = self._queries.take_news()
        in_chunks = self._client.joins_chunks
        text = self._frames.transition(self._told, end, digests, modifications, in_chunks=in_chunks)
        self._told = end
        self._scheduled = False
        self._partial_turns = 0
        self._unsent += 1
        return [text]

    def _send(self, text: bytes) -> None:
        self._outbox.append(self._frames.wrap(text))
        self._want_turn()

    def _take_outbox(self) -> list[bytes]:
        texts, self._outbox = self._outbox, []
        return texts

    def _schedule(self) -> None:
        self._scheduled = True
        if self._unsent < MAX_UNSENT:
            self._want_turn()

    def _want_turn(self) -> None:
        if not self._ready:
            self._ready = True
            self._on_ready()

    # Its end.

    def _close(self, closing: Closing, last_word: bytes = b"") -> None:
        if self.closing is not None:
            return
        self.closing = closing
        self._last_word = self._frames.wrap(last_word) if last_word else b""
        self._release()
        self._want_turn()

    def _release(self) -> None:
        self._scheduled = False
        self._stop_watching()
        self._queries.end()
        self._requests.end()

    def _stop_watching(self) -> None:
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None
