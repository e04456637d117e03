"""The messages of Convex's sync protocol, in both directions, as records.

Invariant: what decodes is well-formed in every field that we use; fields that we do not know are
ignored and message types that we do not know are refused. The schema changes only together with
`SCHEMA_VERSION` (its digest stands in a test). Facts: convex-protocol.md, sections 2.1 and 2.2.
"""

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw

from hubify.values import limits
from hubify.values.errors import InvalidInput, TooLarge
from hubify.wire import convex_json
from hubify.wire.limits import (
    MAX_CUT_BYTES,
    MAX_ID,
    MAX_MENDED_BYTES,
    MAX_MESSAGE_BYTES,
    MAX_MODIFICATIONS,
    MAX_PATH,
    MAX_TOKEN,
)

# 1: the messages of npm convex 1.48.0 and PyPI convex 0.8.1.
SCHEMA_VERSION = 1
TOO_LONG = f"the message is over {MAX_MESSAGE_BYTES} bytes; send less at a time"

READABLE_LEVELS = 2 * limits.MAX_NESTING  # of a message: more than a call's arguments may have

Id = Annotated[int, Meta(ge=0, le=MAX_ID)]
Path = Annotated[str, Meta(max_length=MAX_PATH)]
SESSION_ID = r"\A[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z"
Ts = Annotated[str, Meta(max_length=16)]
if TYPE_CHECKING:
    Arguments = Any
else:
    # Left as text for `wire.calls.parse_arguments`: what is wrong with them is the error of the
    # call, not of the connection.
    Arguments = Raw


class ProtocolViolation(InvalidInput):
    """A message that no working client sends; it ends the connection."""

    code = "PROTOCOL_VIOLATION"


class MessageTooLarge(ProtocolViolation):
    """A message longer or deeper than can be taken in, and so nobody's in particular."""

    code = "PAYLOAD_TOO_LARGE"


class _Message(msgspec.Struct, frozen=True, tag=True, rename="camel", omit_defaults=True):
    pass


class Connect(_Message, frozen=True):
    """Always the first message of a socket."""

    session_id: Annotated[str, Meta(pattern=SESSION_ID)]
    connection_count: int = 0
    last_close_reason: str | None = None
    client_ts: float = 0
    max_observed_timestamp: Ts | None = None


class Authenticate(_Message, frozen=True):
    """Who calls from now on. `base_version` counts these messages on this socket."""

    base_version: Id
    token_type: Literal["User", "Admin", "None"]
    value: Annotated[str, Meta(max_length=MAX_TOKEN)] | None = None
    impersonating: Any = None
    acting_as: Any = None
    acting_as_too: Any = msgspec.field(default=None, name="acting_as")

    @property
    def acts_as_another(self) -> bool:
        """Whether an admin asks to be treated as some user."""
        others = (self.impersonating, self.acting_as, self.acting_as_too)
        return any(other is not None for other in others)


class Add(_Message, frozen=True):
    """Watch a query under an id that the client chose."""

    query_id: Id
    udf_path: Path
    args: Arguments
    journal: str | None = None
    component_path: str | None = None


class Remove(_Message, frozen=True):
    """Stop watching."""

    query_id: Id


class ModifyQuerySet(_Message, frozen=True):
    """Change what is watched, from one version of the set to the next."""

    base_version: Id
    new_version: Id
    modifications: Annotated[list[Add | Remove], Meta(max_length=MAX_MODIFICATIONS)]


class Mutation(_Message, frozen=True):
    """Call a mutation; the request id counts mutations and actions of a session together."""

    request_id: Id
    udf_path: Path
    args: Arguments
    component_path: str | None = None


class Action(_Message, frozen=True):
    """Call an action."""

    request_id: Id
    udf_path: Path
    args: Arguments
    component_path: str | None = None


class Event(_Message, frozen=True):
    """A client's telemetry, which we ignore."""


ClientMessage = Connect | Authenticate | ModifyQuerySet | Mutation | Action | Event


class VersionState(msgspec.Struct, frozen=True, rename="camel"):
    """How far a client has been told: its query set, its identity, a commit timestamp."""

    query_set: Id
    identity: Id
    ts: Ts


class QueryUpdated(_Message, frozen=True):
    """A query's new value."""

    query_id: Id
    value: Raw
    log_lines: list[str] = []
    journal: str | None = None


class QueryFailed(_Message, frozen=True):
    """A query's failure; it stays watched."""

    query_id: Id
    error_message: str
    log_lines: list[str] = []
    journal: str | None = None
    error_data: Raw = msgspec.field(default_factory=Raw)


class QueryRemoved(_Message, frozen=True):
    """A query is no longer watched."""

    query_id: Id


class Transition(_Message, frozen=True):
    """Everything that changed for one client between two versions, at one timestamp."""

    start_version: VersionState
    end_version: VersionState
    modifications: list[QueryUpdated | QueryFailed | QueryRemoved]


class TransitionChunk(_Message, frozen=True):
    """One part of a Transition's text."""

    chunk: str
    part_number: int
    total_parts: int
    transition_id: str


class MutationResponse(_Message, frozen=True):
    """A mutation's end; a failure's `result` is its message and its `ts` null."""

    request_id: Id
    success: bool
    result: Raw
    ts: Ts | None
    log_lines: list[str]
    error_data: Raw = msgspec.field(default_factory=Raw)


class ActionResponse(_Message, frozen=True):
    """An action's end."""

    request_id: Id
    success: bool
    result: Raw
    log_lines: list[str]
    error_data: Raw = msgspec.field(default_factory=Raw)


class AuthError(_Message, frozen=True):
    """The credential was refused, or has ended."""

    error: str
    base_version: Id
    auth_update_attempted: bool


class FatalError(_Message, frozen=True):
    """The client broke the protocol; it should not come back."""

    error: str


class Ping(_Message, frozen=True):
    """The server is alive."""


ServerMessage = (
    Transition | TransitionChunk | MutationResponse | ActionResponse | AuthError | FatalError | Ping
)

_client_messages = msgspec.json.Decoder[ClientMessage](ClientMessage)
_server_messages = msgspec.json.Decoder[ServerMessage](ServerMessage)


def decode_client_message(text: bytes | bytearray | str) -> ClientMessage:
    """Read one message of a client. `args` stay JSON text (`msgspec.Raw`).

    Raises:
        ProtocolViolation: not a message that a client may send; the message says why.

    """
    raw = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    if len(raw) > MAX_MESSAGE_BYTES:
        raise MessageTooLarge(TOO_LONG)
    try:
        return _decode_client_message(raw)
    except msgspec.ValidationError as error:
        raise ProtocolViolation(f"the message is not understood: {str(error)[:200]}") from None
    except (ValueError, RecursionError) as error:
        refusal = convex_json.parse_refusal(error, raw, "the message")
        too_large = isinstance(refusal, TooLarge)
        kind = MessageTooLarge if too_large else ProtocolViolation
        raise kind(refusal.message) from None


def _decode_client_message(raw: bytes | bytearray) -> ClientMessage:
    try:
        return _client_messages.decode(raw)
    except RecursionError as too_deep:
        return _decode_cut(raw, too_deep)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        if len(raw) > MAX_MENDED_BYTES or not convex_json.LONE_SURROGATE.search(raw):
            raise
    # Half an emoji, cut off by a client that counts UTF-16, is the error of the call that sends it:
    # as bytes it passes here, and is refused where the arguments are read.
    spelled_out = json.dumps(json.loads(raw), ensure_ascii=False)
    return _client_messages.decode(spelled_out.encode(errors="surrogatepass"))


def _decode_cut(raw: bytes | bytearray, too_deep: RecursionError) -> ClientMessage:
    """Read a message whose arguments are nested too deeply, which is the error of their call.

    Cut where the message can be read, they are still too deep where they are read.
    """
    if len(raw) > MAX_CUT_BYTES:
        raise too_deep
    try:
        return _client_messages.decode(convex_json.cut_to_depth(raw, READABLE_LEVELS))
    except msgspec.DecodeError:
        raise too_deep from None


def decode_server_message(text: bytes | bytearray | str) -> ServerMessage:
    """Read one message of the server, as a client does.

    Raises:
        ProtocolViolation: not a message that the server may send.

    """
    try:
        return _server_messages.decode(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolViolation(f"the server's message is not understood: {error}") from None


def schema() -> bytes:
    """The messages of both directions as a JSON schema, in a stable order."""
    _, components = msgspec.json.schema_components((ClientMessage, ServerMessage))
    return msgspec.json.encode(components, order="sorted")
