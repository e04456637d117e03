"""Days pass: standings without new reports are weighed anew, so that old evidence fades.

Invariant: within a day of midnight UTC every standing with evidence is as of the new day; each
job weighs a bounded number of versions and hands on the rest.
"""

from hubify.domains.skills.lookup import standing_of
from hubify.domains.skills.standing import show, weigh_anew
from hubify.domains.skills.tables import Skill, SkillStatus, SkillVersion, VersionStanding, skills
from hubify.functions import MutationCtx, TooLarge

WEIGHED = 10
"""Versions that one job weighs, at most."""
WEIGHED_RUNS = 5_000
"""Runs in their records after which a job hands on the rest."""


@skills.cron(every_s=3600, offset_s=60)
@skills.mutation(internal=True)
def fade(ctx: MutationCtx) -> int:
    """Weigh a few of the versions anew that are not yet as of today; how many it was."""
    stale = VersionStanding.where(dormant=False).at_most(as_of_day=ctx.today - 1)
    found = ctx.db.take(stale, limit=WEIGHED)
    runs = weighed = 0
    for standing in found:
        if weighed and runs + standing.runs > WEIGHED_RUNS:
            break
        _fade_one(ctx, standing)
        runs += standing.runs
        weighed += 1
    if weighed and (weighed < len(found) or len(found) == WEIGHED):
        ctx.schedule(fade)
    return weighed


def _fade_one(ctx: MutationCtx, standing: VersionStanding) -> None:
    try:
        weighed = weigh_anew(ctx, standing, ctx.today)
    except TooLarge:
        # Its number stays as of an earlier day, and says so; the others must not wait for it.
        ctx.db.replace(standing, dormant=True)
        return
    version = ctx.db.get(SkillVersion, standing.version_id)
    skill = ctx.db.get(Skill, standing.skill_id)
    assert version is not None, "versions are never deleted"
    assert skill is not None, "skills are never deleted"
    if skill.stable_version == version.version and skill.status is not SkillStatus.DELETED:
        show(ctx, standing_of(ctx, skill), weighed.confidence, ctx.today)
