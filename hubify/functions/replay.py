"""Mutations that arrive twice happen once.

A row per answered mutation is written by the mutation's own transaction: under (session, request)
for a socket's client, under (caller, key) for an `idempotencyKey`. A second arrival reads the row,
which joins its read set, and is answered from it.

Invariant: one key, one effect; the same key from another caller, with another function or other
arguments is `CONFLICT`, so nobody is told what somebody else was.
Only successes are recorded, so a failed call may be tried again (protocol page, 2.5).
"""

import hashlib
from typing import Any

import msgspec

from hubify.core.schema import Table, from_extension, to_extension
from hubify.core.transaction import Transaction
from hubify.functions.principal import Principal
from hubify.functions.spec import FunctionSpec
from hubify.values import limits
from hubify.values.durations import MS_PER_DAY
from hubify.values.errors import Conflict, InvalidInput
from hubify.values.rows import Row, index, unique

KEPT_MS = 14 * MS_PER_DAY
MAX_KEY = 255
MAX_KEPT_ANSWER = limits.MAX_DOCUMENT_BYTES - 4 * limits.KIB  # leaves room for the row's fields


class Answered(Row, frozen=True):
    """What a mutation answered, under the key it was sent with; empty when it is not kept.

    `owner` and `agent`: whom it answered, so that it can be erased with them.
    """

    key: str
    content: bytes
    answer: bytes
    expires_at: int
    owner: str = ""
    agent: str | None = None


ANSWERED = Table("_answered", Answered, (unique("key"), index("expires_at")))


class ReplayKey(msgspec.Struct, frozen=True):
    """Under which key a call is remembered, the digest that a second one must match, and whose."""

    key: str
    content: bytes
    owner: str = ""
    agent: str | None = None
    kept_ms: int = KEPT_MS


def session_key(
    session_id: str, request_id: int, principal: Principal, path: str, arguments: Any
) -> ReplayKey:
    """For a client that numbers its requests within a session, which it has named itself."""
    content = _digest((principal.owner, principal.agent, path, arguments))
    key = f"s:{session_id}:{request_id}"
    return ReplayKey(key, content, principal.owner, principal.agent)


def caller_key(
    principal: Principal, address: str, key: str, path: str, arguments: Any
) -> ReplayKey:
    """For an `idempotencyKey` that a caller chose; a stranger's counts for its address.

    Raises:
        InvalidInput: the key is empty or too long.

    """
    if not 1 <= len(key) <= MAX_KEY:
        message = f"idempotencyKey must be 1 to {MAX_KEY} characters"
        raise InvalidInput(message)
    caller = (principal.owner, principal.agent) if principal.is_known else ("", address)
    chosen = _digest((principal.is_known, *caller, key)).hex()
    content = _digest((path, arguments))
    return ReplayKey(f"k:{chosen}", content, principal.owner, principal.agent)


def _digest(value: Any) -> bytes:
    packed = msgspec.msgpack.encode(value, enc_hook=to_extension, order="deterministic")
    return hashlib.sha256(packed).digest()


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
    if not row.answer:
        message = "this call succeeded before; what it answered was shown once and is not kept"
        raise Conflict(message)
    answer = msgspec.msgpack.decode(row.answer, type=spec.returns, ext_hook=from_extension)
    return Recorded(answer)


def record(
    transaction: Transaction, key: ReplayKey, spec: FunctionSpec, value: Any, now_ms: int
) -> None:
    """Remember an answer in the mutation's own transaction.

    Of a secret one, and of one too large for a row, only that it was given.
    """
    answer = b"" if spec.secret else msgspec.msgpack.encode(value, enc_hook=to_extension)
    if len(answer) > MAX_KEPT_ANSWER:
        answer = b""
    answered = Answered(
        key=key.key,
        content=key.content,
        answer=answer,
        expires_at=now_ms + key.kept_ms,
        owner=key.owner,
        agent=key.agent,
    )
    transaction.insert(answered)
