"""What nobody's call looks at: requests that may be followed by now, and trials of the past.

A request is mostly followed by the report or the setting that completes it (surface.md 6.2); what
became due in any other way is found once a day. When somebody moves a channel by hand, a draft or a
trial may compare nothing any more; that is found within the hour.

Invariant: each job looks at a bounded number of rows.
"""

from typing import Annotated

import msgspec

from hubify.domains.evolution.attempts import skill_of
from hubify.domains.evolution.grouping import trigger_if_due
from hubify.domains.evolution.lifecycle import conclude, start_canary
from hubify.domains.evolution.rules import is_overtaken
from hubify.domains.evolution.tables import (
    Canary,
    Evolution,
    EvolutionStatus,
    GroupStatus,
    ImprovementGroup,
    evolution,
)
from hubify.domains.skills.tables import SkillStatus
from hubify.functions import MutationCtx, PageRequest

SECONDS_PER_DAY = 86_400
SECONDS_PER_HOUR = 3_600
LOOKED_AT = 200
"""Rows in one state that one job looks at."""

Cursor = Annotated[str, msgspec.Meta(max_length=4_000)]


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
    """End the attempts that another version has overtaken; how many these were."""
    drafts = ctx.db.take(Evolution.where(status=EvolutionStatus.PENDING), limit=LOOKED_AT)
    trials = [
        attempt
        for status in (EvolutionStatus.CANARY, EvolutionStatus.INCONCLUSIVE)
        for attempt in ctx.db.take(Evolution.where(status=status), limit=LOOKED_AT)
    ]
    left = sum(_leave_draft(ctx, attempt) for attempt in drafts)
    return left + sum(_leave_trial(ctx, attempt) for attempt in trials)


def _leave_draft(ctx: MutationCtx, attempt: Evolution) -> bool:
    skill = skill_of(ctx, attempt.skill_id)
    is_left = skill.status is SkillStatus.DELETED or skill.stable_version != attempt.from_version
    if is_left:
        ctx.schedule(start_canary, evolution_id=attempt.id)
    return is_left


def _leave_trial(ctx: MutationCtx, attempt: Evolution) -> bool:
    canary = ctx.db.get(Canary, attempt.canary_id or "")
    is_left = canary is not None and is_overtaken(canary, skill_of(ctx, attempt.skill_id))
    if is_left:
        ctx.schedule(conclude, canary_id=attempt.canary_id)
    return is_left


def _follow(ctx: MutationCtx, group: ImprovementGroup) -> bool:
    return trigger_if_due(ctx, skill_of(ctx, group.skill_id), group)
