"""Days pass: standings without new reports are weighed anew, so that old evidence fades.

Invariant: within a day of midnight UTC every standing with evidence is as of the new day; each
job reads a bounded number of evidence rows, however long a record is, and hands on the rest.
"""

from hubify.domains.skills.lookup import standing_of
from hubify.domains.skills.standing import show
from hubify.domains.skills.tables import Skill, SkillStatus, SkillVersion, VersionStanding, skills
from hubify.domains.skills.weighing import weigh_part
from hubify.functions import MutationCtx

WEIGHED = 10
"""Versions that one job weighs, at most."""
WEIGHED_ROWS = 2_000
"""Evidence rows that one job weighs; each owner among them is one more row, read and written."""


@skills.cron(every_s=3600, offset_s=60)
@skills.mutation(internal=True)
def fade(ctx: MutationCtx) -> int:
    """Weigh a few of the versions anew that are not yet as of today; how many were finished."""
    stale = VersionStanding.where(dormant=False).at_most(as_of_day=ctx.today - 1)
    found = ctx.db.take(stale, limit=WEIGHED)
    share = WEIGHED_ROWS // max(1, len(found))
    parts = [weigh_part(ctx, standing, day=ctx.today, rows=share) for standing in found]
    for standing in parts:
        if standing.weighing is None:
            _show(ctx, standing)
    finished = sum(standing.as_of_day == ctx.today for standing in parts)
    if finished < len(found) or len(found) == WEIGHED:
        ctx.schedule(fade)
    return finished


def _show(ctx: MutationCtx, standing: VersionStanding) -> None:
    """Let a skill stand as its stable version does."""
    version = ctx.db.get(SkillVersion, standing.version_id)
    skill = ctx.db.get(Skill, standing.skill_id)
    assert version is not None, "versions are never deleted"
    assert skill is not None, "skills are never deleted"
    if skill.stable_version == version.version and skill.status is not SkillStatus.DELETED:
        show(ctx, standing_of(ctx, skill), standing.confidence, ctx.today)
