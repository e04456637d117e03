"""All that is being asked for, made and tried, over all skills, in one answer.

Invariant: it changes with requests, stages and decisions, never with a report, so that a page may
watch it beside a busy hub; each list is bounded, the newest first.
"""

import msgspec

from hubify.domains.evolution.tables import (
    Canary,
    CanaryStatus,
    Evolution,
    EvolutionStatus,
    GroupStatus,
    ImprovementGroup,
    TriggerType,
    evolution,
)
from hubify.domains.evolution.views import lacking, percent_of, waits_for
from hubify.domains.skills import Skill, may_read
from hubify.domains.skills.tables import SkillStatus
from hubify.functions import QueryCtx, RowId, get

MAX_ATTEMPTS = 200
"""Attempts in one state that are shown."""
MAX_REQUESTS = 50
ON_TRIAL = (EvolutionStatus.CANARY, EvolutionStatus.INCONCLUSIVE)
IN_MAKING = (EvolutionStatus.DRAFTING, EvolutionStatus.PENDING)


class TrialBrief(msgspec.Struct, frozen=True):
    """A version on trial: which share of the tickets (percent) it gets, and until when."""

    evolution_id: RowId
    skill_name: str
    version: str
    baseline_version: str
    status: CanaryStatus
    stage: int
    traffic: float
    started_at: int
    stage_ends_at: int
    horizon_at: int


class DraftBrief(msgspec.Struct, frozen=True):
    """A version that is being made, or waits for its trial."""

    evolution_id: RowId
    skill_name: str
    version: str | None
    trigger: TriggerType
    waits_for: str
    since: int


class RequestBrief(msgspec.Struct, frozen=True):
    """A request that is still open, and what it lacks to be followed."""

    group_id: RowId
    skill_name: str
    suggestion: str
    agent_count: int
    owner_count: int
    missing: str | None
    last_seen: int


class Overview(msgspec.Struct, frozen=True):
    """What is on trial, in the making and asked for, of the skills that the caller may see."""

    trials: tuple[TrialBrief, ...]
    drafts: tuple[DraftBrief, ...]
    requests: tuple[RequestBrief, ...]


@evolution.query(name="overview", public=True, rest=get("/v1/evolution"))
def get_overview(ctx: QueryCtx) -> Overview:
    """What is on trial, in the making and asked for of all skills, the newest first."""
    trials = (trial_of(ctx, *found) for found in open_attempts(ctx, ON_TRIAL))
    return Overview(
        trials=tuple(trial for trial in trials if trial is not None),
        drafts=tuple(draft_of(*found) for found in open_attempts(ctx, IN_MAKING)),
        requests=open_requests(ctx),
    )


def open_attempts(
    ctx: QueryCtx, statuses: tuple[EvolutionStatus, ...]
) -> list[tuple[Skill, Evolution]]:
    """The attempts in some states, with their skills."""
    rows = [
        row
        for status in statuses
        for row in ctx.db.take(Evolution.where(status=status).newest_first(), limit=MAX_ATTEMPTS)
    ]
    return [(skill, row) for row in rows if (skill := visible(ctx, row.skill_id)) is not None]


def open_requests(ctx: QueryCtx) -> tuple[RequestBrief, ...]:
    """The open requests that were joined last."""
    query = ImprovementGroup.where(status=GroupStatus.OPEN).order_by("last_seen").newest_first()
    rows = ctx.db.take(query, limit=MAX_REQUESTS)
    found = ((visible(ctx, row.skill_id), row) for row in rows)
    return tuple(request_of(ctx, skill, row) for skill, row in found if skill is not None)


def visible(ctx: QueryCtx, skill_id: RowId) -> Skill | None:
    """A skill that the caller may see and that is still there."""
    skill = ctx.db.get(Skill, skill_id)
    if skill is None or skill.status is SkillStatus.DELETED or not may_read(ctx, skill):
        return None
    return skill


def trial_of(ctx: QueryCtx, skill: Skill, attempt: Evolution) -> TrialBrief | None:
    """A trial in one line."""
    canary = ctx.db.get(Canary, attempt.canary_id or "")
    if canary is None:
        return None
    return TrialBrief(
        evolution_id=attempt.id,
        skill_name=skill.name,
        version=canary.version,
        baseline_version=canary.baseline,
        status=canary.status,
        stage=canary.stage + 1,
        traffic=percent_of(canary),
        started_at=canary.started_at,
        stage_ends_at=canary.stage_ends_at,
        horizon_at=canary.horizon_at,
    )


def draft_of(skill: Skill, attempt: Evolution) -> DraftBrief:
    """A version in the making, in one line."""
    return DraftBrief(
        evolution_id=attempt.id,
        skill_name=skill.name,
        version=attempt.to_version,
        trigger=attempt.trigger,
        waits_for=waits_for(skill, attempt),
        since=attempt.created_at,
    )


def request_of(ctx: QueryCtx, skill: Skill, group: ImprovementGroup) -> RequestBrief:
    """An open request, in one line."""
    return RequestBrief(
        group_id=group.id,
        skill_name=skill.name,
        suggestion=group.text,
        agent_count=group.agents,
        owner_count=group.owners,
        missing=lacking(ctx, skill, group),
        last_seen=group.last_seen,
    )
