"""What nobody's call looks at: requests that may be followed by now, and trials of the past.

A request is mostly followed by the report or the setting that completes it (surface.md 6.2); what
became due in any other way is found once a day. When somebody makes another version stable or
deletes the skill, its draft or trial compares nothing any more, and ends in the same commit.

Invariant: each job looks at a bounded number of rows.
"""

from hubify.domains.arguments import Cursor
from hubify.domains.evolution.attempts import skill_of
from hubify.domains.evolution.grouping import trigger_if_due
from hubify.domains.evolution.judging import judge_of
from hubify.domains.evolution.lifecycle import conclude, leave, start_canary
from hubify.domains.evolution.rules import DELETED, DRAFTED, is_overtaken, not_evolving
from hubify.domains.evolution.tables import (
    CanaryStatus,
    Evolution,
    EvolutionStatus,
    GroupStatus,
    ImprovementGroup,
    evolution,
)
from hubify.domains.evolution.views import canary_of
from hubify.domains.skills import Skill, SkillStatus
from hubify.domains.skills.channels import sequel
from hubify.evidence.canary import Verdict
from hubify.functions import MutationCtx, PageRequest, Query

SECONDS_PER_DAY = 86_400
SECONDS_PER_HOUR = 3_600
LOOKED_AT = 200
"""Rows in one state that one job looks at."""
ENDED_AT_ONCE = 100
"""Attempts of one state that a deleted skill's commit closes; further ones follow one by one."""


@evolution.cron(every_s=SECONDS_PER_DAY, offset_s=900)
@evolution.mutation(internal=True)
def follow_waiting(ctx: MutationCtx, *, cursor: Cursor | None = None) -> int:
    """Follow the open requests that lack nothing any more; how many these were."""
    waiting = ImprovementGroup.where(status=GroupStatus.OPEN).order_by("last_seen")
    page = ctx.paginate(waiting, PageRequest(num_items=LOOKED_AT, cursor=cursor))
    begun = sum(_follow(ctx, group) for group in page.page)
    if not page.is_done:
        ctx.schedule(follow_waiting, cursor=page.continue_cursor)
    return begun


@evolution.cron(every_s=SECONDS_PER_HOUR, offset_s=600)
@evolution.mutation(internal=True)
def leave_overtaken(ctx: MutationCtx) -> int:
    """End what should have ended, had no job failed for good; how many attempts these were."""
    found = [
        attempt
        for status in DRAFTED
        for attempt in ctx.db.take(Evolution.where(status=status), limit=LOOKED_AT)
    ]
    return sum(_leave(ctx, attempt) for attempt in found)


@sequel
def end_what_is_overtaken(ctx: MutationCtx, skill: Skill) -> None:
    """End the draft or trial that another stable version has overtaken, and all of a deleted skill.

    In the commit that did it, so that nobody is given a version of which nothing can come.
    """
    if not_evolving(skill) == DELETED:
        for attempt in ctx.db.take(
            _open(skill, EvolutionStatus.DRAFTING).newest_first(), limit=ENDED_AT_ONCE
        ):
            leave(ctx, attempt, skill)
    for status in DRAFTED:
        for attempt in ctx.db.take(_open(skill, status), limit=ENDED_AT_ONCE):
            _end(ctx, attempt, skill)


def _open(skill: Skill, status: EvolutionStatus) -> Query[Evolution]:
    return Evolution.where(skill_id=skill.id, status=status)


def _end(ctx: MutationCtx, attempt: Evolution, skill: Skill) -> None:
    canary = canary_of(ctx, attempt)
    if canary is not None:
        if canary.decided_at is None or canary.status is CanaryStatus.INCONCLUSIVE:
            conclude(ctx, canary_id=canary.id)
    elif not_evolving(skill):
        leave(ctx, attempt, skill)
    elif skill.stable_version != attempt.from_version:
        start_canary(ctx, evolution_id=attempt.id)


def _leave(ctx: MutationCtx, attempt: Evolution) -> bool:
    skill, canary = skill_of(ctx, attempt.skill_id), canary_of(ctx, attempt)
    if canary is not None:
        state = judge_of(ctx, canary.id)
        is_decided = state is not None and state.verdict is not Verdict.RUNNING
        is_left = is_overtaken(canary, skill) or (
            is_decided and canary.status is not CanaryStatus.INCONCLUSIVE
        )
        if is_left:
            ctx.schedule(conclude, canary_id=canary.id)
        return is_left
    is_left = skill.status is SkillStatus.DELETED or skill.stable_version != attempt.from_version
    if is_left:
        ctx.schedule(start_canary, evolution_id=attempt.id)
    return is_left


def _follow(ctx: MutationCtx, group: ImprovementGroup) -> bool:
    return trigger_if_due(ctx, skill_of(ctx, group.skill_id), group)
