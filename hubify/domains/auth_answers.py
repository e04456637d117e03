"""What the functions of keys and sessions answer, apart from the tables and rules behind it.

Invariant: a secret is in an answer only where it was just made.
"""

from enum import StrEnum
from typing import Any

import msgspec

from hubify.functions import RowId
from hubify.functions.principal import CallerKind


class Standing(StrEnum):
    """Whether a key or session may still be used."""

    ACTIVE = "active"
    REVOKED = "revoked"
    EXPIRED = "expired"


class NewToken(msgspec.Struct, frozen=True):
    """A fresh key; `token` is shown here and never again."""

    token: str
    token_id: RowId
    name: str
    scopes: list[str]
    expires_at: int | None
    owner: str
    agent: str | None


class TokenInfo(msgspec.Struct, frozen=True):
    """A key as lists show it, without its secret."""

    id: RowId
    name: str
    prefix: str
    owner: str
    agent: str | None
    scopes: list[str]
    status: Standing
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    use_count: int
    minted_by: str | None


class TokenList(msgspec.Struct, frozen=True):
    """A page of an owner's keys, and where the next one begins."""

    tokens: list[TokenInfo]
    is_done: bool
    continue_cursor: str


class NewSession(msgspec.Struct, frozen=True):
    """A fresh session; `expires_at` in milliseconds since 1970."""

    token: str
    session_id: RowId
    expires_at: int


class SessionState(msgspec.Struct, frozen=True):
    """Whether a session's token is good, and whose it is."""

    valid: bool
    agent_id: str | None = None
    expires_at: int | None = None
    metadata: dict[str, Any] | None = None


class Caller(msgspec.Struct, frozen=True):
    """Who calls; `expires_at` (ms since 1970) is when the credential ends, None: not by itself."""

    kind: CallerKind
    owner: str | None
    agent: str | None
    scopes: list[str]
    expires_at: int | None
