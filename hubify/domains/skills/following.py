"""What a caller keeps for itself about skills: stars, and pins to a version.

Invariant: a star counts once per owner, however many of its agents give one; a pin never moves by
itself.
"""

from typing import TypeVar

import msgspec

from hubify.domains.arguments import AgentId, Reason, SkillName, VersionText
from hubify.domains.skills.errors import (
    NothingStable,
    SkillNotFound,
    VersionNotFound,
    WrongState,
)
from hubify.domains.skills.lookup import may_read, readable, standing_of
from hubify.domains.skills.reading import wanted_version
from hubify.domains.skills.resolving import acting_agent
from hubify.domains.skills.rules import is_published
from hubify.domains.skills.tables import Pin, Skill, Star, skills
from hubify.functions import Conflict, MutationCtx, Query, QueryCtx, Row, RowId, delete, get, post

R = TypeVar("R", bound=Row)

READ = "skills:read"
MAX_STARS, MAX_PINS = 1_000, 500
"""Stars and pins that an owner and its agents may have."""


class Starred(msgspec.Struct, frozen=True):
    """How many follow a skill after the call, and whether the caller is one of them."""

    name: str
    starred: bool
    stars: int


class Pinned(msgspec.Struct, frozen=True):
    """A pin: which version of which skill, for all of the owner's agents or for one, and why."""

    id: RowId
    name: str
    version: str
    agent_id: str | None
    reason: str
    pinned_at: int


@skills.mutation(scope=READ, rest=post("/v1/skills/{name}/star"), errors=(SkillNotFound,))
def star(ctx: MutationCtx, *, name: SkillName, agent_id: AgentId | None = None) -> Starred:
    """Follow a skill, as the caller's agent or as its owner; once more changes nothing.

    The stars of an owner's agents count as one.
    """
    skill = readable(ctx, name)
    agent = acting_agent(ctx.identity, agent_id)
    owner = ctx.identity.owner
    if ctx.db.first(Star.where(skill_id=skill.id, owner=owner, agent=agent)) is not None:
        return _count_stars(ctx, skill, 0, starred=True)
    _refuse_more(ctx, Star.where(owner=owner), MAX_STARS, "stars")
    first = not _has_star(ctx, skill)
    ctx.db.insert(Star(skill_id=skill.id, owner=owner, agent=agent, starred_at=ctx.now))
    return _count_stars(ctx, skill, int(first), starred=True)


@skills.mutation(scope=READ, rest=delete("/v1/skills/{name}/star"), errors=(SkillNotFound,))
def unstar(ctx: MutationCtx, *, name: SkillName, agent_id: AgentId | None = None) -> Starred:
    """Follow a skill no longer."""
    skill = readable(ctx, name)
    agent = acting_agent(ctx.identity, agent_id)
    given = ctx.db.first(Star.where(skill_id=skill.id, owner=ctx.identity.owner, agent=agent))
    if given is None:
        return _count_stars(ctx, skill, 0, starred=False)
    ctx.db.delete(given)
    return _count_stars(ctx, skill, 0 if _has_star(ctx, skill) else -1, starred=False)


@skills.query(scope=READ, rest=get("/v1/stars"))
def list_starred(ctx: QueryCtx, *, agent_id: AgentId | None = None) -> list[str]:
    """The names of all skills that the caller follows, the last one first; 1,000 at most."""
    agent = acting_agent(ctx.identity, agent_id)
    query = Star.where(owner=ctx.identity.owner, agent=agent).newest_first()
    found = (ctx.db.get(Skill, row.skill_id) for row in ctx.db.take(query, limit=MAX_STARS))
    return [skill.name for skill in found if skill is not None and may_read(ctx, skill)]


@skills.mutation(
    scope=READ,
    rest=post("/v1/skills/{name}/pin"),
    errors=(SkillNotFound, VersionNotFound, NothingStable, WrongState),
)
def pin(
    ctx: MutationCtx,
    *,
    name: SkillName,
    reason: Reason,
    version: VersionText | None = None,
    agent_id: AgentId | None = None,
) -> Pinned:
    """Stay with a version of a skill (the stable one unless named), whatever the channels do.

    For one agent, or for all agents of the caller's owner that have no pin of their own.
    """
    skill = readable(ctx, name)
    found = wanted_version(ctx, skill, version)
    if not is_published(found.status):
        raise WrongState(f"'{skill.name}@{found.version}' is a {found.status}: not to be run")
    fresh = Pin(
        skill_id=skill.id,
        owner=ctx.identity.owner,
        agent=acting_agent(ctx.identity, agent_id),
        version=found.version,
        reason=reason,
        pinned_at=ctx.now,
    )
    known = _own_pin(ctx, skill, fresh.agent)
    if known is not None:
        return _pinned(skill, ctx.db.replace(fresh.changed(id=known.id)))
    _refuse_more(ctx, Pin.where(owner=fresh.owner), MAX_PINS, "pins")
    return _pinned(skill, ctx.db.insert(fresh))


@skills.mutation(scope=READ, rest=delete("/v1/skills/{name}/pin"), errors=(SkillNotFound,))
def unpin(ctx: MutationCtx, *, name: SkillName, agent_id: AgentId | None = None) -> bool:
    """Follow the channels again; whether there was a pin."""
    skill = readable(ctx, name)
    known = _own_pin(ctx, skill, acting_agent(ctx.identity, agent_id))
    if known is None:
        return False
    ctx.db.delete(known)
    return True


@skills.query(scope=READ, rest=get("/v1/pins"))
def list_pins(ctx: QueryCtx) -> list[Pinned]:
    """Every pin of the caller's owner and its agents; 500 at most."""
    query = Pin.where(owner=ctx.identity.owner).order_by("agent")
    pairs = ((ctx.db.get(Skill, row.skill_id), row) for row in ctx.db.take(query, limit=MAX_PINS))
    return [
        _pinned(skill, row) for skill, row in pairs if skill is not None and may_read(ctx, skill)
    ]


def _has_star(ctx: MutationCtx, skill: Skill) -> bool:
    """Whether the caller's owner, or one of its agents, follows a skill."""
    return ctx.db.first(Star.where(skill_id=skill.id, owner=ctx.identity.owner)) is not None


def _refuse_more(ctx: MutationCtx, kept: Query[R], most: int, what: str) -> None:
    if len(ctx.db.take(kept, limit=most)) == most:
        raise Conflict(f"an owner and its agents have {most} {what} at most; take one back first")


def _own_pin(ctx: MutationCtx, skill: Skill, agent: str) -> Pin | None:
    return ctx.db.first(Pin.where(skill_id=skill.id, owner=ctx.identity.owner, agent=agent))


def _pinned(skill: Skill, row: Pin) -> Pinned:
    return Pinned(row.id, skill.name, row.version, row.agent or None, row.reason, row.pinned_at)


def _count_stars(ctx: MutationCtx, skill: Skill, change: int, *, starred: bool) -> Starred:
    standing = standing_of(ctx, skill)
    if change:
        standing = ctx.db.replace(standing, stars=standing.stars + change)
    return Starred(skill.name, starred, standing.stars)
