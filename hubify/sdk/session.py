"""The client's side of one live query over the sync protocol: texts in, results out.

Each socket begins with `opening()`; what comes in goes to `receive`. No I/O, no clock.

Invariant: a result is handed out once, in order, and only from transitions that follow one another;
after a new connection an unchanged result is not handed out again (convex-protocol.md, 0 and 2).
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from hubify.sdk.errors import UNAVAILABLE, VALIDATION_ERROR, HubifyError
from hubify.sdk.exchange import Kind, function_error
from hubify.values.errors import AppError
from hubify.values.values import Value
from hubify.wire import convex_json
from hubify.wire.styles import CONVEX, plain
from hubify.wire.sync_messages import (
    Add,
    Authenticate,
    AuthError,
    Connect,
    FatalError,
    ModifyQuerySet,
    QueryFailed,
    QueryRemoved,
    QueryUpdated,
    Transition,
    VersionState,
    decode_server_message,
)
from hubify.wire.timestamps import encode_ts

QUERY = 0
START = VersionState(0, 0, encode_ts(0))
FIRST_REASON = "InitialConnect"
encode_message = msgspec.json.Encoder().encode


class Result(NamedTuple):
    """A new result of the query."""

    value: Value


class Session:
    """One query, watched over one socket after another."""

    def __init__(
        self, session_id: str, key: str | None, path: str, arguments: Mapping[str, object]
    ) -> None:
        """`session_id`: a fresh UUID.

        Raises:
            HubifyError: an argument is not a value.

        """
        self._session_id = session_id
        self._key = key
        self._path = path
        try:
            self._arguments = [plain(dict(arguments), CONVEX)]
        except (AppError, TypeError, ValueError, OverflowError) as error:
            raise HubifyError(VALIDATION_ERROR, f"the arguments of {path}: {error}") from None
        self._connections = 0
        self._version = START
        self._journal: str | None = None
        self._shown: bytes | None = None

    @property
    def has_shown(self) -> bool:
        """Whether any result has been handed out."""
        return self._shown is not None

    def opening(self, reason: str = FIRST_REASON) -> list[str]:
        """What to send on a fresh socket; `reason`: why the last one ended."""
        seen = None if self._version == START else self._version.ts
        connect = Connect(self._session_id, self._connections, reason, max_observed_timestamp=seen)
        added = Add(QUERY, self._path, self._arguments, journal=self._journal)
        messages: list[object] = [connect]
        if self._key is not None:
            messages.append(Authenticate(0, "User", self._key))
        messages.append(ModifyQuerySet(0, 1, [added]))
        self._connections += 1
        self._version = START
        return [encode_message(message).decode() for message in messages]

    def receive(self, text: str | bytes) -> Result | None:
        """Take in one message; the new result, if it brings one.

        Raises:
            HubifyError: the query was refused, or the socket is of no use any more.

        """
        try:
            message = decode_server_message(text)
        except AppError as error:
            raise _broken(error.message) from None
        match message:
            case Transition():
                return self._transition(message)
            case AuthError():
                raise HubifyError("UNAUTHORIZED", message.error)
            case FatalError():
                raise HubifyError("PROTOCOL_VIOLATION", message.error)
            case _:
                return None

    def _transition(self, message: Transition) -> Result | None:
        if message.start_version != self._version:
            raise _broken("the server's transitions do not follow one another")
        self._version = message.end_version
        result = None
        for change in message.modifications:
            match change:
                case QueryUpdated():
                    result = self._updated(change)
                case QueryFailed():
                    raise _failure(change)
                case QueryRemoved():
                    raise _broken("the server dropped the query")
        return result

    def _updated(self, change: QueryUpdated) -> Result | None:
        self._journal = change.journal
        raw = bytes(change.value)
        if raw == self._shown:
            return None
        try:
            value = convex_json.decode(raw, "the result")
        except AppError as error:
            raise _broken(error.message) from None
        self._shown = raw
        return Result(value)


def _failure(change: QueryFailed) -> HubifyError:
    raw = bytes(change.error_data)
    try:
        data = convex_json.decode(raw, "the error") if raw else None
    except AppError as error:
        return _broken(error.message)
    return function_error(Kind.QUERY, change.error_message, data)


def _broken(reason: str) -> HubifyError:
    """The socket is of no use any more; another one may be."""
    return HubifyError(UNAVAILABLE, reason)
