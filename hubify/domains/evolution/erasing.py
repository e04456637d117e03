"""Taking a person out of evolutions: suggestions, votes and trials go on under a pseudonym.

What was suggested for a public skill is kept, because versions were made from it and say so; what
was suggested for a skill that goes with its owner goes too.

Invariant: a group's counts stay as they are, and are those of its rows in between: all rows of one
owner in one group change in one transaction.
"""

import msgspec

from hubify.domains.evolution.tables import (
    Canary,
    CanaryInterval,
    CanaryLook,
    Credit,
    Evolution,
    GroupOpinion,
    Improvement,
    ImprovementGroup,
    JudgeState,
    SkillProposal,
    Supporter,
)
from hubify.domains.skills.erasing import is_emptied
from hubify.functions import MutationCtx, RowId
from hubify.functions.erasing import Erasers, Subject

RENAMED_AT_ONCE = 2_000
"""Rows of one owner in one group that change together."""
EMPTIED_ATTEMPTS = 500
"""Attempts of a skill that goes whose texts go with it: the newest."""

erasers = Erasers()
erasers.nobody(Canary, CanaryInterval, ImprovementGroup)


@erasers.of(Improvement)
def erase_improvement(ctx: MutationCtx, row: Improvement, subject: Subject) -> Improvement:
    """A suggestion stays in its group, under a pseudonym."""
    if not subject.covers(row.owner, row.agent_id):
        return row
    goes = is_emptied(ctx, row.skill_id, subject)
    if row.group_id is not None:
        rename_in_group(ctx, row.group_id, subject)
        if goes:
            empty_group(ctx, row.group_id)
    current = ctx.db.get(Improvement, row.id) or row
    owner, agent_id = subject.pair(current.owner, current.agent_id)
    return current.changed(owner=owner, agent_id=agent_id, text="" if goes else current.text)


@erasers.of(Supporter)
def erase_supporter(ctx: MutationCtx, row: Supporter, subject: Subject) -> Supporter:
    """Support counts on, under a pseudonym."""
    if subject.covers(row.owner, row.agent_id):
        rename_in_group(ctx, row.group_id, subject)
    return ctx.db.get(Supporter, row.id) or row


@erasers.of(GroupOpinion)
def erase_opinion(ctx: MutationCtx, row: GroupOpinion, subject: Subject) -> GroupOpinion:
    """So does what an owner said of a group."""
    if subject.covers(row.owner, row.agent_id):
        rename_in_group(ctx, row.group_id, subject)
    return ctx.db.get(GroupOpinion, row.id) or row


@erasers.of(Evolution)
def erase_attempt(_ctx: MutationCtx, row: Evolution, subject: Subject) -> Evolution:
    """An attempt stays with its evidence; who asked for it or decided it is a pseudonym."""
    return row.changed(
        requested_by=subject.named(row.requested_by),
        decided_by=subject.named(row.decided_by),
        reason="" if row.reason and subject.is_owner(row.decided_by) else row.reason,
        evidence=subject.within(row.evidence),
    )


@erasers.of(JudgeState)
def erase_in_judge(_ctx: MutationCtx, row: JudgeState, subject: Subject) -> JudgeState:
    """What the judge of a trial remembers of an owner goes on under its pseudonym."""
    state = msgspec.msgpack.decode(row.state)
    renamed = subject.within(state)
    return row if renamed == state else row.changed(state=msgspec.msgpack.encode(renamed))


@erasers.of(CanaryLook)
def erase_in_look(_ctx: MutationCtx, row: CanaryLook, subject: Subject) -> CanaryLook:
    """So does what the judge was told of an owner's tickets."""
    told = (msgspec.structs.replace(one, owner=subject.named(one.owner)) for one in row.tickets)
    return row.changed(tickets=tuple(told))


@erasers.of(Credit)
def erase_credit(_ctx: MutationCtx, row: Credit, subject: Subject) -> Credit:
    """A part in a version stays, under a pseudonym."""
    owner, agent_id = subject.pair(row.owner, row.agent_id)
    return row.changed(owner=owner, agent_id=agent_id)


@erasers.of(SkillProposal)
def erase_proposal(_ctx: MutationCtx, row: SkillProposal, subject: Subject) -> SkillProposal:
    """A wish for a skill stays for others to answer; whose it was and where it was seen goes."""
    decided = row.changed(decided_by=subject.named(row.decided_by))
    if not subject.covers(row.owner, row.author_agent_id):
        return decided
    owner, agent = subject.pair(row.owner, row.author_agent_id or "")
    return decided.changed(owner=owner, author_agent_id=agent or None, source_id="")


def rename_in_group(ctx: MutationCtx, group_id: RowId, subject: Subject) -> None:
    """Put all that the subject did in a group under its pseudonyms."""
    limit = RENAMED_AT_ONCE
    behind = [
        *ctx.db.take(Supporter.where(group_id=group_id, owner=subject.owner), limit=limit),
        *ctx.db.take(GroupOpinion.where(group_id=group_id, owner=subject.owner), limit=limit),
        *ctx.db.take(Improvement.where(group_id=group_id), limit=limit),
    ]
    for row in behind:
        owner, agent_id = subject.pair(row.owner, row.agent_id)
        if (owner, agent_id) != (row.owner, row.agent_id):
            ctx.db.replace(row, owner=owner, agent_id=agent_id)


def empty_group(ctx: MutationCtx, group_id: RowId) -> None:
    """Take the texts out of a group of a skill that goes, and out of what was tried of it."""
    group = ctx.db.get(ImprovementGroup, group_id)
    if group is None or not group.text:
        return
    ctx.db.replace(group, text="", wordings=(), note=None)
    attempts = Evolution.where(skill_id=group.skill_id).order_by("created_at").newest_first()
    for attempt in ctx.db.take(attempts, limit=EMPTIED_ATTEMPTS):
        ctx.db.replace(attempt, changes=(), reason=None, digest=None)
