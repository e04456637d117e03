"""Taking groups apart and joining them, by what reporters and maintainers say of them.

Invariant: after each step a group's counts are those of its members and of the endorsements that
say "same"; a group that lost its last member is `merged`, and stays on record.
"""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from hubify.domains.evolution.answers import PendingImprovement
from hubify.domains.evolution.errors import GroupClosed, GroupNotFound
from hubify.domains.evolution.grouping import MAX_WORDINGS, support, trigger_if_due
from hubify.domains.evolution.tables import (
    WRITE,
    GroupOpinion,
    GroupStatus,
    Improvement,
    ImprovementGroup,
    Opinion,
    Supporter,
    evolution,
)
from hubify.domains.evolution.views import LIVE_GROUPS, improvement_of
from hubify.domains.skills import Skill, of_visible_skill, require_maintainer
from hubify.functions import Conflict, InvalidInput, MutationCtx, QueryCtx, RowId, post

ImprovementIds = Annotated[tuple[RowId, ...], msgspec.Meta(min_length=1, max_length=200)]

MAX_MEMBERS = 1_000
"""Members of a group that can be moved; a larger one stays as it is."""


def group_with_skill(ctx: QueryCtx, group_id: str) -> tuple[ImprovementGroup, Skill]:
    """A group of a skill that the caller may see, and the skill.

    Raises:
        GroupNotFound: there is none of that id, or not for this caller.

    """
    group = ctx.db.get(ImprovementGroup, group_id)
    return of_visible_skill(ctx, group, GroupNotFound(group_id))


@evolution.mutation(
    scope=WRITE,
    rest=post("/v1/evolution/groups/{group_id}/split"),
    errors=(GroupNotFound, GroupClosed),
)
def split_group(
    ctx: MutationCtx, *, group_id: RowId, improvement_ids: ImprovementIds
) -> PendingImprovement:
    """Take suggestions out of a group into one of their own; answers the new group."""
    group, skill = own_open_group(ctx, group_id)
    chosen = [ctx.db.get(Improvement, one) for one in dict.fromkeys(improvement_ids)]
    inside = [one for one in chosen if one is not None and one.group_id == group.id]
    if len(inside) != len(chosen) or len(inside) >= group.members:
        raise InvalidInput("improvementIds must be members of the group, and not all of them")
    fresh = split_off(ctx, group, inside, grounds="a maintainer says it is different")
    return improvement_of(ctx, skill, fresh)


@evolution.mutation(
    scope=WRITE,
    rest=post("/v1/evolution/groups/{group_id}/merge"),
    errors=(GroupNotFound, GroupClosed),
)
def merge_groups(ctx: MutationCtx, *, group_id: RowId, into: RowId) -> PendingImprovement:
    """Bring all suggestions of one group into another of the same skill; answers that one."""
    group, skill = own_open_group(ctx, group_id)
    target, other = own_open_group(ctx, into)
    if other.id != skill.id or target.id == group.id:
        raise InvalidInput("into must be another group of the same skill")
    trigger_if_due(ctx, skill, merge_into(ctx, group, target))
    return improvement_of(ctx, skill, group_with_skill(ctx, into)[0])


def own_open_group(ctx: QueryCtx, group_id: str) -> tuple[ImprovementGroup, Skill]:
    """An open group of a skill that the caller maintains, with the skill."""
    group, skill = group_with_skill(ctx, group_id)
    require_maintainer(ctx, skill)
    return require_open(group), skill


def require_open(group: ImprovementGroup) -> ImprovementGroup:
    """A group that is open.

    Raises:
        GroupClosed: it is being drafted, on trial, or was decided.

    """
    if group.status is not GroupStatus.OPEN:
        raise GroupClosed(f"the group is {group.status}, not open")
    return group


def give_opinion(
    ctx: MutationCtx,
    group: ImprovementGroup,
    opinion: Opinion,
    *,
    owner: str,
    agent_id: str,
    own: Iterable[Improvement],
) -> ImprovementGroup:
    """Count an owner's last word on a group, and move its own suggestions accordingly.

    "Same" brings `own` suggestions into the group; without any it counts the owner behind it.
    "Different" takes those that stand in it out again, and an earlier "same" with them.

    Raises:
        GroupClosed: the group is no longer live.

    """
    if group.status not in LIVE_GROUPS:
        raise GroupClosed(f"the group is {group.status}; what it asks for is no longer open")
    said_otherwise = _remember(ctx, group, opinion, owner, agent_id)
    if opinion is Opinion.DIFFERENT:
        outside = [one for one in own if one.group_id == group.id]
        for improvement in outside:
            split_off(ctx, group, [improvement], grounds="its reporter says it is different")
        return recount(ctx, group) if outside or said_otherwise else group
    moved = [one for one in own if _move(ctx, one, group, "its reporter says it is the same")]
    if moved:
        return recount(ctx, group)
    if ctx.db.first(Supporter.where(group_id=group.id, owner=owner)) is not None:
        return group
    return support(ctx, group, owner, agent_id)


def split_off(
    ctx: MutationCtx, group: ImprovementGroup, improvements: list[Improvement], *, grounds: str
) -> ImprovementGroup:
    """Make a group of its own of some members; answers the new one."""
    first = improvements[0]
    fresh = ImprovementGroup(
        skill_id=group.skill_id,
        text=first.text,
        wordings=(),
        status=GroupStatus.OPEN,
        first_seen=first.created_at,
        last_seen=ctx.now,
    )
    stored = ctx.db.insert(fresh)
    for improvement in improvements:
        ctx.db.replace(improvement, group_id=stored.id, grounds=grounds)
    recount(ctx, group)
    return recount(ctx, stored)


def merge_into(
    ctx: MutationCtx, group: ImprovementGroup, target: ImprovementGroup
) -> ImprovementGroup:
    """Bring all members of one group, and who endorsed it, into another; the first is `merged`."""
    for improvement in members_of(ctx, group):
        ctx.db.replace(improvement, group_id=target.id, grounds="a maintainer says it is the same")
    for said in ctx.db.take(GroupOpinion.where(group_id=group.id), limit=MAX_MEMBERS):
        known = ctx.db.first(GroupOpinion.where(group_id=target.id, owner=said.owner))
        if known is None:
            ctx.db.replace(said, group_id=target.id)
    recount(ctx, group, merged_into=target)
    return recount(ctx, target)


def recount(
    ctx: MutationCtx, group: ImprovementGroup, *, merged_into: ImprovementGroup | None = None
) -> ImprovementGroup:
    """Make a group's supporters and counts those of its members and endorsements."""
    members = members_of(ctx, group)
    behind = {(one.owner, one.agent_id) for one in members}
    owners = {owner for owner, _agent in behind}
    for said in ctx.db.take(GroupOpinion.where(group_id=group.id), limit=MAX_MEMBERS):
        if said.opinion is Opinion.SAME and said.owner not in owners:
            behind.add((said.owner, said.agent_id))
    for one in ctx.db.take(Supporter.where(group_id=group.id), limit=2 * MAX_MEMBERS):
        if (one.owner, one.agent_id) in behind:
            behind.remove((one.owner, one.agent_id))
        else:
            ctx.db.delete(one)
    for owner, agent_id in sorted(behind):
        ctx.db.insert(Supporter(group_id=group.id, owner=owner, agent_id=agent_id))
    kept = ctx.db.take(Supporter.where(group_id=group.id), limit=2 * MAX_MEMBERS)
    gone = not members and group.status is GroupStatus.OPEN
    heir = merged_into.id if merged_into and gone else group.merged_into
    return ctx.db.replace(
        group,
        wordings=tuple(one.text for one in members[-MAX_WORDINGS:]),
        members=len(members),
        agents=len(kept),
        owners=len({one.owner for one in kept}),
        status=GroupStatus.MERGED if gone else group.status,
        merged_into=heir,
    )


def members_of(ctx: QueryCtx, group: ImprovementGroup) -> list[Improvement]:
    """The suggestions in a group.

    Raises:
        Conflict: there are more than can be moved.

    """
    members = ctx.db.take(Improvement.where(group_id=group.id), limit=MAX_MEMBERS + 1)
    if len(members) > MAX_MEMBERS:
        raise Conflict(f"a group of more than {MAX_MEMBERS} suggestions cannot be taken apart")
    return members


def _move(
    ctx: MutationCtx, improvement: Improvement, target: ImprovementGroup, grounds: str
) -> bool:
    """Bring a suggestion into a group, if the one it stands in is open; whether it was moved."""
    former = ctx.db.get(ImprovementGroup, improvement.group_id or "")
    if former is None or former.id == target.id or former.status is not GroupStatus.OPEN:
        return False
    ctx.db.replace(improvement, group_id=target.id, grounds=grounds)
    recount(ctx, former, merged_into=target)
    return True


def _remember(
    ctx: MutationCtx, group: ImprovementGroup, opinion: Opinion, owner: str, agent_id: str
) -> bool:
    """Keep an owner's last word; whether it said the opposite before."""
    known = ctx.db.first(GroupOpinion.where(group_id=group.id, owner=owner))
    if known is None:
        said = GroupOpinion(
            group_id=group.id, owner=owner, agent_id=agent_id, opinion=opinion, said_at=ctx.now
        )
        ctx.db.insert(said)
        return False
    if known.opinion is opinion:
        return False
    ctx.db.replace(known, opinion=opinion, agent_id=agent_id, said_at=ctx.now)
    return True
