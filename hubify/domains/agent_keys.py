"""Agents' own keys: which public keys an agent signs its reports with, and which it did before.

A second page of the module `agents`. An agent registers a public key with a proof that it holds the
private one; from then on reports that are signed with it are the agent's (`learning.report`). A
key that ends stays in the list, so that what it signed can still be told to be the agent's.

Invariant: a public key belongs to one agent for good; once revoked it signs nothing new and is
never registered again.
"""

from typing import Annotated

import msgspec

from hubify.domains.agents import EVERYTHING, AgentNotFound, known_agent, require_agent
from hubify.domains.arguments import AgentId, OwnerName, Reason
from hubify.functions import (
    Conflict,
    Domain,
    InvalidInput,
    MutationCtx,
    NotFound,
    QueryCtx,
    Row,
    RowId,
    delete,
    get,
    index,
    post,
    unique,
)
from hubify.functions.erasing import Erasers, Subject
from hubify.wire.signing import BadSignature, verify_key

agent_keys = Domain("agents")

MAX_ACTIVE = 5
"""Keys that an agent signs with at a time."""
MAX_KEPT = 100
"""Keys of an agent, with those that have ended."""

PublicKey = Annotated[str, msgspec.Meta(max_length=64)]
Proof = Annotated[str, msgspec.Meta(max_length=128)]
KeyName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


@agent_keys.table("agent_keys", unique("public_key"), index("owner", "agent_id"))
class AgentKey(Row, frozen=True):
    """A public key of one agent (32 bytes in base64url); times are ms since 1970."""

    public_key: str
    owner: str
    agent_id: str
    created_at: int
    name: str | None = None
    revoked_at: int | None = None
    revoked_because: str | None = None
    replaced_by: RowId | None = None


# Errors.


class KeyNotHeld(InvalidInput):
    """The proof does not show that the agent holds the private key."""


class KeyTaken(Conflict):
    """The public key is, or was, an agent's."""


class TooManyKeys(Conflict):
    """The agent has as many keys as an agent may have."""


class AgentKeyNotFound(NotFound):
    """The agent has no key of that id."""


class KeyEnded(Conflict):
    """The key was revoked before."""


# Functions.


@agent_keys.mutation(
    scope="agents:write",
    rest=post("/v1/agents/{agent_id}/keys", status=201),
    errors=(AgentNotFound, KeyNotHeld, KeyTaken, TooManyKeys),
)
def register_key(
    ctx: MutationCtx,
    *,
    agent_id: AgentId,
    public_key: PublicKey,
    proof: Proof,
    name: KeyName | None = None,
) -> AgentKey:
    """Let one of the caller's agents sign its reports with a key that it holds.

    `publicKey` is 32 bytes of Ed25519 in base64url. `proof` is its signature over the RFC 8785 form
    of `agent_id`, `owner`, `public_key` and `purpose` (`hubify agent key`). Five keys are good at a
    time.
    """
    require_agent(ctx.identity, agent_id)
    known_agent(ctx, ctx.identity.owner, agent_id)
    return _registered(ctx, agent_id, public_key, proof, name)


@agent_keys.query(
    scope="agents:read", rest=get("/v1/agents/{agent_id}/keys"), errors=(AgentNotFound,)
)
def list_keys(
    ctx: QueryCtx, *, agent_id: AgentId, owner: OwnerName | None = None
) -> list[AgentKey]:
    """An agent's keys, newest first, with those that have ended; another owner's with `*`."""
    whose = owner or ctx.identity.owner
    if whose != ctx.identity.owner:
        ctx.identity.require(EVERYTHING)
    require_agent(ctx.identity, agent_id)
    known_agent(ctx, whose, agent_id)
    return keys_of(ctx, whose, agent_id)


@agent_keys.mutation(
    scope="agents:write",
    rest=post("/v1/agents/{agent_id}/keys/{key_id}/rotate", status=201),
    errors=(AgentNotFound, AgentKeyNotFound, KeyEnded, KeyNotHeld, KeyTaken, TooManyKeys),
)
def rotate_key(
    ctx: MutationCtx,
    *,
    agent_id: AgentId,
    key_id: RowId,
    public_key: PublicKey,
    proof: Proof,
    name: KeyName | None = None,
) -> AgentKey:
    """Put a new key in a key's place: from now on the old one signs nothing new.

    To let reports that are under way come through, register the new key first and revoke the old
    one later.
    """
    old = _own_key(ctx, agent_id, key_id)
    ended = _ended(ctx, old, "replaced")
    new = _registered(ctx, agent_id, public_key, proof, name or old.name)
    ctx.db.replace(ended, replaced_by=new.id)
    return new


@agent_keys.mutation(
    scope="agents:write",
    rest=delete("/v1/agents/{agent_id}/keys/{key_id}"),
    errors=(AgentNotFound, AgentKeyNotFound, KeyEnded),
)
def revoke_key(
    ctx: MutationCtx, *, agent_id: AgentId, key_id: RowId, reason: Reason | None = None
) -> AgentKey:
    """End a key: what it signed stays the agent's, and it signs nothing new."""
    return _ended(ctx, _own_key(ctx, agent_id, key_id), reason)


def keys_of(ctx: QueryCtx, owner: str, agent_id: str) -> list[AgentKey]:
    """All keys of an owner's agent, newest first."""
    kept = AgentKey.where(owner=owner, agent_id=agent_id).newest_first()
    return ctx.db.take(kept, limit=MAX_KEPT)


def key_to_sign_with(ctx: QueryCtx, public_key: str, *, owner: str, agent_id: str) -> AgentKey:
    """The key behind what an agent has just signed.

    Raises:
        InvalidInput: it is not this agent's, or was revoked.

    """
    key = ctx.db.first(AgentKey.where(public_key=public_key))
    if key is None or (key.owner, key.agent_id) != (owner, agent_id):
        message = f"public_key is no key of agent '{agent_id}'; register it with agents.registerKey"
        raise InvalidInput(message)
    if key.revoked_at is not None:
        message = f"public_key was revoked and signs nothing new for agent '{agent_id}'"
        raise InvalidInput(message)
    return key


def _own_key(ctx: MutationCtx, agent_id: str, key_id: str) -> AgentKey:
    require_agent(ctx.identity, agent_id)
    owner = ctx.identity.owner
    known_agent(ctx, owner, agent_id)
    key = ctx.db.get(AgentKey, key_id)
    if key is None or (key.owner, key.agent_id) != (owner, agent_id):
        message = f"agent '{agent_id}' has no key of that id; agents.listKeys lists them"
        raise AgentKeyNotFound(message)
    return key


def _registered(
    ctx: MutationCtx, agent_id: str, public_key: str, proof: str, name: str | None
) -> AgentKey:
    owner = ctx.identity.owner
    try:
        verify_key(public_key, proof, owner=owner, agent_id=agent_id)
    except BadSignature as error:
        raise KeyNotHeld(str(error)) from None
    if ctx.db.first(AgentKey.where(public_key=public_key)) is not None:
        raise KeyTaken("this public key is, or was, an agent's; make a new one")
    kept = keys_of(ctx, owner, agent_id)
    if len(kept) == MAX_KEPT or sum(key.revoked_at is None for key in kept) >= MAX_ACTIVE:
        raise TooManyKeys(
            f"an agent has {MAX_ACTIVE} keys at a time and {MAX_KEPT} in all; revoke one, or go on "
            "as another agent"
        )
    fresh = AgentKey(public_key, owner, agent_id, created_at=ctx.now, name=name)
    return ctx.db.insert(fresh)


def _ended(ctx: MutationCtx, key: AgentKey, reason: str | None) -> AgentKey:
    if key.revoked_at is not None:
        raise KeyEnded("this key was revoked before")
    return ctx.db.replace(key, revoked_at=ctx.now, revoked_because=reason)


# Erasing.

erasers = Erasers()


@erasers.of(AgentKey)
def erase_key(_ctx: MutationCtx, row: AgentKey, subject: Subject) -> AgentKey:
    """That an agent had a key is kept, and which reports it signed; the key itself goes."""
    if not subject.covers(row.owner, row.agent_id):
        return row
    owner, agent_id = subject.pair(row.owner, row.agent_id)
    return row.changed(
        public_key=subject.alias(row.public_key),
        owner=owner,
        agent_id=agent_id,
        name=None,
        revoked_because=None,
    )
