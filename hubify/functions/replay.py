"""Mutations that arrive twice happen once.

A row per answered mutation is written by the mutation's own transaction: under (session, request)
for a socket's client, under (caller, key) for an `idempotencyKey`. A second arrival reads the row,
which joins its read set, and is answered from it.

Invariant: one key, one effect; the same key with another function or other arguments is `CONFLICT`.
Only successes are recorded, so a failed call may be tried again (protocol page, 2.5).
"""

import hashlib
from typing import Any

import msgspec

from hubify.core.schema import Table
from hubify.core.transaction import Transaction
from hubify.functions.spec import FunctionSpec
from hubify.values.errors import Conflict, InvalidInput
from hubify.values.rows import Row, index, unique

MS_PER_DAY = 86_400_000
KEPT_MS = 14 * MS_PER_DAY
MAX_KEY = 255


class Answered(Row, frozen=True):
    """What a mutation answered, under the key it was sent with."""

    key: str
    content: bytes
    answer: bytes
    expires_at: int


ANSWERED = Table("_answered", Answered, (unique("key"), index("expires_at")))


class ReplayKey(msgspec.Struct, frozen=True):
    """Under which key a call is remembered, and the digest that a second one must match."""

    key: str
    content: bytes
    kept_ms: int = KEPT_MS


def session_key(session_id: str, request_id: int, path: str) -> ReplayKey:
    """For a client that numbers its requests within a session."""
    return ReplayKey(f"s:{session_id}:{request_id}", path.encode())


def caller_key(owner: str, key: str, path: str, arguments: Any) -> ReplayKey:
    """For an `idempotencyKey` that a caller chose.

    Raises:
        InvalidInput: the key is empty or too long.

    """
    if not 1 <= len(key) <= MAX_KEY:
        message = f"idempotencyKey must be 1 to {MAX_KEY} characters"
        raise InvalidInput(message)
    encoded = msgspec.msgpack.encode((path, arguments), enc_hook=repr, order="deterministic")
    return ReplayKey(f"k:{owner}:{key}", hashlib.sha256(encoded).digest())


class Recorded(msgspec.Struct, frozen=True):
    """A value that was answered before."""

    value: Any


def find(transaction: Transaction, key: ReplayKey, spec: FunctionSpec) -> Recorded | None:
    """What was answered under this key, or None at first arrival.

    Raises:
        Conflict: the key was used for another call.

    """
    row = transaction.first(Answered.where(key=key.key))
    if row is None:
        return None
    if row.content != key.content:
        message = "this idempotency key was used for another call; choose a new one"
        raise Conflict(message)
    if spec.secret:
        message = "this call succeeded before; what it answered was shown once and is not kept"
        raise Conflict(message)
    return Recorded(msgspec.msgpack.decode(row.answer, type=spec.returns))


def record(
    transaction: Transaction, key: ReplayKey, spec: FunctionSpec, value: Any, now_ms: int
) -> None:
    """Remember an answer in the mutation's own transaction; of a secret one, that it was given."""
    answer = b"" if spec.secret else msgspec.msgpack.encode(value)
    transaction.insert(
        Answered(key=key.key, content=key.content, answer=answer, expires_at=now_ms + key.kept_ms)
    )
