"""Once a day, a look at every open request: what may be followed by now, is (surface.md 6.2).

A request is mostly followed by the report or the setting that completes it; this finds what became
due in any other way. Invariant: each job looks at a bounded number of requests, and hands on the
rest.
"""

from typing import Annotated

import msgspec

from hubify.domains.evolution.grouping import trigger_if_due
from hubify.domains.evolution.tables import GroupStatus, ImprovementGroup, evolution
from hubify.domains.skills import Skill
from hubify.functions import MutationCtx, PageRequest

SECONDS_PER_DAY = 86_400
LOOKED_AT = 200
"""Requests that one job looks at."""

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


def _follow(ctx: MutationCtx, group: ImprovementGroup) -> bool:
    skill = ctx.db.get(Skill, group.skill_id)
    assert skill is not None, "a skill is never removed"
    return trigger_if_due(ctx, skill, group)
