"""Who reported on a skill: by name for callers with `learning:read`, else by a label.

That a skill is trusted, and why it evolves, is for everybody to check who may see it; who ran it is
not. A label stands for one owner, or one agent, on one skill: they can be counted and told apart.

Invariant: without the scope no answer holds the name of an owner or agent that reported.
"""

from typing import NamedTuple

from hubify.functions import QueryCtx, RowId

NAMES = "learning:read"
"""The scope of those who may know who reported."""


class Reporter(NamedTuple):
    """An owner and its agent, or the labels that stand for them."""

    owner: str
    agent_id: str


def may_name(ctx: QueryCtx) -> bool:
    """Whether the caller may know who reported."""
    return ctx.identity.allows(NAMES)


def shown_reporter(
    ctx: QueryCtx, skill_id: RowId, owner: str, agent_id: str, *, own: bool = False
) -> Reporter:
    """A reporter as the caller may see it; by name when it is the caller's `own` anyway."""
    if own or may_name(ctx):
        return Reporter(owner, agent_id)
    label = f"agent-{ctx.label('agent', skill_id, owner, agent_id)}"
    return Reporter(owner_label(ctx, skill_id, owner), label)


def shown_owner(ctx: QueryCtx, skill_id: RowId, owner: str) -> str:
    """An owner that reported, as the caller may see it."""
    return owner if may_name(ctx) else owner_label(ctx, skill_id, owner)


def owner_label(ctx: QueryCtx, skill_id: RowId, owner: str) -> str:
    """What stands for an owner among those who reported on a skill."""
    return f"owner-{ctx.label('owner', skill_id, owner)}"
