"""A client that believes nothing: it checks each text against the rules of the protocol.

It drives a session through a network that can be slow: what the session hands over arrives only
when the client reads. Invariant: whatever `read` accepts, an official client accepts.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from hubify.transports.sync.frames import Frames
from hubify.transports.sync.host import Host
from hubify.transports.sync.room import Room
from hubify.transports.sync.session import Peer, Session
from hubify.wire.clients import Client
from hubify.wire.server_texts import ZERO, Version
from hubify.wire.sync_messages import (
    Action,
    ActionResponse,
    Add,
    Authenticate,
    AuthError,
    ClientMessage,
    Connect,
    FatalError,
    ModifyQuerySet,
    Mutation,
    MutationResponse,
    Ping,
    QueryFailed,
    QueryRemoved,
    QueryUpdated,
    Remove,
    ServerMessage,
    Transition,
    TransitionChunk,
    VersionState,
    decode_server_message,
)
from hubify.wire.timestamps import decode_ts

SESSION = "b5ea5505-1d2c-4f7a-9c37-0a1b2c3d4e5f"
MIB = 1024 * 1024
NPM = Client("npm", (1, 48, 0))
PYTHON = Client("python", (0, 8, 1))
Failure = tuple[str, Any]


def framed(text: bytes) -> bytes:
    """A text as the model network carries it."""
    return text + b"\n"


class ModelClient:
    """One client with one connection."""

    def __init__(
        self,
        host: Host,
        client: Client = NPM,
        *,
        frames: Frames | None = None,
        connect: bool = True,
        first_request: int = 0,
        room: Room | None = None,
    ) -> None:
        self.ready = 0
        self.wire: list[bytes] = []
        self.seen: list[ServerMessage] = []
        self.version = ZERO
        self.query_set = self.identity = 0
        self.watching: dict[int, Add] = {}
        self.results: dict[int, Any] = {}
        self.failures: dict[int, Failure] = {}
        self.request_id = first_request
        self.open_requests: set[int] = set()
        self.answers: dict[int, MutationResponse | ActionResponse] = {}
        self.unreflected: dict[int, int] = {}
        self.auth_error: AuthError | None = None
        self.fatal: str | None = None
        self.chunks: list[TransitionChunk] = []
        frames = Frames(framed) if frames is None else frames
        self.faults: list[Exception] = []
        self.session = Session(
            host, frames, Peer(client, "here"), self._on_ready, self.faults.append,
            room=room or Room(64 * MIB),
        )  # fmt: skip
        if connect:
            self.send(Connect(session_id=SESSION))

    # What the client does.

    def send(self, message: ClientMessage) -> None:
        self.session.receive(msgspec.json.encode(message))

    def modify(self, *modifications: Add | Remove) -> None:
        self.send(
            ModifyQuerySet(
                base_version=self.query_set,
                new_version=self.query_set + 1,
                modifications=list(modifications),
            )
        )
        self.query_set += 1
        for modification in modifications:
            if isinstance(modification, Add):
                self.watching[modification.query_id] = modification
            else:
                self.watching.pop(modification.query_id, None)

    def watch(self, query_id: int, path: str = "store:get", **arguments: object) -> None:
        self.modify(Add(query_id=query_id, udf_path=path, args=[arguments]))

    def authenticate(self, token: str | None) -> None:
        kind = "None" if token is None else "User"
        self.send(Authenticate(base_version=self.identity, token_type=kind, value=token))
        self.identity += 1

    def mutate(self, path: str = "store:set", **arguments: object) -> int:
        return self._request(Mutation, path, arguments)

    def act(self, path: str = "store:act", **arguments: object) -> int:
        return self._request(Action, path, arguments)

    # What the network does.

    def turn(self, may_go_on: Callable[[], bool] = lambda: True) -> None:
        """Let the session take its turn, if it asked for one; what it sends is under way."""
        if self.ready:
            self.ready = 0
            self.wire += self.session.turn(may_go_on)
            self.session.check()

    def read(self) -> list[ServerMessage]:
        """Read everything that is under way."""
        texts, self.wire = b"".join(self.wire), []
        self.session.sent()
        messages = [decode_server_message(text) for text in texts.splitlines()]
        for message in messages:
            self._take(message)
        self.session.check()
        return messages

    def settle(self) -> list[ServerMessage]:
        """Turn and read until the session has nothing more to say."""
        messages: list[ServerMessage] = []
        for _ in range(1000):
            if not (self.ready or self.wire):
                return messages
            self.turn()
            messages += self.read()
        message = "the session never comes to rest"
        raise AssertionError(message)

    # What the client checks.

    def _take(self, message: ServerMessage) -> None:
        between = bool(self.chunks) and not isinstance(message, TransitionChunk)
        assert not between, "something among the chunks"
        assert self.auth_error is None, "something after the last word"
        assert self.fatal is None, "something after the last word"
        self.seen.append(message)
        match message:
            case Transition():
                self._take_transition(message)
            case TransitionChunk():
                self._take_chunk(message)
            case MutationResponse() | ActionResponse():
                self._take_response(message)
            case AuthError():
                self.auth_error = message
            case FatalError():
                self.fatal = message.error
            case Ping():
                pass

    def _take_transition(self, message: Transition) -> None:
        start, end = version_of(message.start_version), version_of(message.end_version)
        assert start == self.version, "a transition that does not start where the last one ended"
        assert end.ts >= start.ts, "time went back"
        assert end.query_set >= start.query_set
        assert end.identity >= start.identity
        assert end.query_set <= self.query_set
        assert end.identity <= self.identity
        self.version = end
        for modification in message.modifications:
            self._take_result(modification)
        reflected = [each for each, ts in self.unreflected.items() if ts <= end.ts]
        for request_id in reflected:
            del self.unreflected[request_id]

    def _take_result(self, modification: QueryUpdated | QueryFailed | QueryRemoved) -> None:
        query_id = modification.query_id
        self.results.pop(query_id, None)
        self.failures.pop(query_id, None)
        if isinstance(modification, QueryUpdated):
            self.results[query_id] = msgspec.json.decode(modification.value)
        elif isinstance(modification, QueryFailed):
            data = msgspec.json.decode(modification.error_data)
            self.failures[query_id] = (modification.error_message, data)

    def _take_response(self, message: MutationResponse | ActionResponse) -> None:
        request_id = message.request_id
        assert request_id in self.open_requests, "an answer that nobody waits for"
        self.open_requests.discard(request_id)
        self.answers[request_id] = message
        if isinstance(message, MutationResponse):
            assert (message.ts is not None) == message.success
            self.unreflected[request_id] = 0 if message.ts is None else decode_ts(message.ts)

    def _take_chunk(self, chunk: TransitionChunk) -> None:
        assert chunk.part_number == len(self.chunks)
        self.chunks.append(chunk)
        if len(self.chunks) == chunk.total_parts:
            text = "".join(each.chunk for each in self.chunks)
            self.chunks = []
            self._take(decode_server_message(text))

    def _request(
        self, kind: type[Mutation | Action], path: str, arguments: dict[str, object]
    ) -> int:
        request_id = self.request_id
        self.request_id += 1
        self.open_requests.add(request_id)
        self.send(kind(request_id=request_id, udf_path=path, args=[arguments]))
        return request_id

    def _on_ready(self) -> None:
        assert not self.ready, "told twice that a turn is wanted"
        self.ready = 1


def version_of(state: VersionState) -> Version:
    """A version as a client keeps it."""
    return Version(state.query_set, state.identity, decode_ts(state.ts))


def transitions(messages: list[ServerMessage]) -> list[Transition]:
    """The transitions among some messages."""
    return [message for message in messages if isinstance(message, Transition)]


def told(messages: list[ServerMessage]) -> list[str]:
    """The types of some messages, in order."""
    return [type(message).__name__ for message in messages]
