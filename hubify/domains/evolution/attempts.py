"""Attempts and the groups they serve: who waits, what a closed attempt leaves behind.

Invariant: when an attempt is closed its group is resolved, rejected or open again, and an open one
keeps the reason and the number of supporters that were not enough.
"""

import msgspec

from hubify.domains.agents import AgentStanding, credit, find_standing
from hubify.domains.evolution.rules import OPEN_STATUSES, supporters_of
from hubify.domains.evolution.tables import (
    Canary,
    Contribution,
    Credit,
    Evolution,
    EvolutionStatus,
    GroupStatus,
    Improvement,
    ImprovementGroup,
)
from hubify.domains.skills import Skill
from hubify.evidence.canary import Decision
from hubify.functions import MutationCtx, QueryCtx

MAX_CREDITED = 1_000
"""Members of one group whose agents are credited."""
MAX_DESCRIPTION = 300


def open_attempt(ctx: QueryCtx, skill: Skill, *statuses: EvolutionStatus) -> Evolution | None:
    """The skill's attempt in one of these states (default: any that is not closed)."""
    for status in statuses or OPEN_STATUSES:
        found = ctx.db.first(Evolution.where(skill_id=skill.id, status=status))
        if found is not None:
            return found
    return None


def skill_of(ctx: QueryCtx, skill_id: str) -> Skill:
    """The skill of an id that a row holds."""
    skill = ctx.db.get(Skill, skill_id)
    assert skill is not None, "a skill is never removed"
    return skill


def parts_of(ctx: QueryCtx, attempt: Evolution) -> tuple[Skill, ImprovementGroup]:
    """An attempt's skill and group."""
    group = ctx.db.get(ImprovementGroup, attempt.group_id)
    assert group is not None, "a group is never removed"
    return skill_of(ctx, attempt.skill_id), group


def attempt_of(ctx: QueryCtx, canary: Canary) -> Evolution:
    """The attempt that a canary belongs to."""
    attempt = ctx.db.get(Evolution, canary.evolution_id)
    assert attempt is not None, "an attempt is never removed"
    return attempt


def close(
    ctx: MutationCtx,
    attempt: Evolution,
    status: EvolutionStatus,
    *,
    decided_by: str,
    reason: str,
    decision: Decision | None = None,
) -> Evolution:
    """Store how an attempt ended (or that it waits for a person), with the judge's evidence."""
    evidence = attempt.evidence if decision is None else msgspec.to_builtins(decision)
    return ctx.db.replace(
        attempt,
        status=status,
        decided_at=ctx.now,
        decided_by=decided_by,
        reason=reason,
        evidence=evidence,
    )


def release_group(
    ctx: MutationCtx, skill: Skill, group: ImprovementGroup, note: str, *, was_tried: bool = True
) -> ImprovementGroup:
    """Open a group again after its draft came to nothing; one more supporter may try again.

    If it was not even tried, none is needed.
    """
    tried_at = supporters_of(group, skill.evolution) if was_tried else group.tried_at
    return ctx.db.replace(group, status=GroupStatus.OPEN, note=note, tried_at=tried_at)


def reject_group(ctx: MutationCtx, group: ImprovementGroup, reason: str) -> ImprovementGroup:
    """Close a group that the maintainers do not want."""
    for agent in contributors(ctx, group):
        credit(ctx, agent, accepted=False)
    return ctx.db.replace(group, status=GroupStatus.REJECTED, note=reason)


def resolve_group(ctx: MutationCtx, group: ImprovementGroup, version: str) -> ImprovementGroup:
    """Close a group that a promoted version answers, and credit those who asked for it.

    The parts of one version are equal and add up to 1. An agent's contribution figure rises with
    each part.
    """
    agents = contributors(ctx, group)
    for agent in agents:
        part = Credit(
            skill_id=group.skill_id,
            skill_version=version,
            agent=agent.agent,
            owner=agent.owner,
            agent_id=agent.agent_id,
            contribution_type=Contribution.IMPROVEMENT_SUGGESTION,
            description=group.text[:MAX_DESCRIPTION],
            weight=round(1 / len(agents), 4),
            credited_at=ctx.now,
        )
        ctx.db.insert(part)
        credit(ctx, agent, accepted=True)
    return ctx.db.replace(
        group, status=GroupStatus.RESOLVED, resolved_in_version=version, note=None
    )


def contributors(ctx: QueryCtx, group: ImprovementGroup) -> list[AgentStanding]:
    """The agents whose own suggestions are in a group, each once, in order of their first one."""
    members = ctx.db.take(Improvement.where(group_id=group.id), limit=MAX_CREDITED)
    names = dict.fromkeys((member.owner, member.agent_id) for member in members)
    return [found for name in names if (found := find_standing(ctx, *name)) is not None]
