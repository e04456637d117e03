"""How a skill evolves: what its maintainers may set, and what follows from a change.

Invariant: settings change here only, so that a group of suggestions which new ones let through is
followed in the same commit.
"""

from typing import Annotated

import msgspec

from hubify.domains.arguments import SkillName
from hubify.domains.evolution.attempts import open_attempt
from hubify.domains.evolution.grouping import trigger_if_due
from hubify.domains.evolution.lifecycle import begin_trial
from hubify.domains.evolution.tables import WRITE, EvolutionStatus, evolution
from hubify.domains.evolution.views import groups_of
from hubify.domains.skills import EvolutionSettings, SkillNotFound, maintained, readable
from hubify.domains.skills.channels import store
from hubify.domains.skills.lookup import ADMIN
from hubify.domains.skills.tables import INSTANCE, CountBy, EvolutionDefaults
from hubify.domains.skills.versions import as_usual_here
from hubify.functions import InvalidInput, MutationCtx, QueryCtx, get, patch

Reporters = Annotated[int, msgspec.Meta(ge=1, le=100)]
StageHour = Annotated[float, msgspec.Meta(gt=0, le=24 * 90)]
Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]
StageShare = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Stages = msgspec.Meta(min_length=1, max_length=10)
StageHours = Annotated[tuple[StageHour, ...], Stages]
StageShares = Annotated[tuple[StageShare, ...], Stages]


class Defaults(msgspec.Struct, frozen=True):
    """What holds for a new skill, unless its own file or maintainer says otherwise."""

    min_reporters: int
    count_by: CountBy


@evolution.query(
    public=True, rest=get("/v1/evolution/{skill_name}/settings"), errors=(SkillNotFound,)
)
def get_settings(ctx: QueryCtx, *, skill_name: SkillName) -> EvolutionSettings:
    """How a skill evolves: its threshold, its stages, and whether a person has to agree."""
    return readable(ctx, skill_name).evolution


@evolution.mutation(
    scope=WRITE, rest=patch("/v1/evolution/{skill_name}/settings"), errors=(SkillNotFound,)
)
def update_settings(
    ctx: MutationCtx,
    *,
    skill_name: SkillName,
    enabled: bool | None = None,
    min_reporters: Reporters | None = None,
    count_by: CountBy | None = None,
    manual_approval: bool | None = None,
    stage_hours: StageHours | None = None,
    stage_shares: StageShares | None = None,
    opt_in_only: bool | None = None,
    promote_on_no_regression: bool | None = None,
    least_success: Share | None = None,
    same_error: Share | None = None,
    platform_gap: Share | None = None,
) -> EvolutionSettings:
    """Change how a skill evolves; what is left out stays. A running trial keeps its rules.

    A group that the new settings let through sets an evolution off at once, and a draft that need
    not wait for a person any more goes on trial.
    """
    skill = maintained(ctx, skill_name)
    told = {
        "enabled": enabled,
        "min_reporters": min_reporters,
        "count_by": count_by,
        "manual_approval": manual_approval,
        "stage_hours": stage_hours,
        "stage_shares": stage_shares,
        "opt_in_only": opt_in_only,
        "promote_on_no_regression": promote_on_no_regression,
        "least_success": least_success,
        "same_error": same_error,
        "platform_gap": platform_gap,
    }
    changes = {name: value for name, value in told.items() if value is not None}
    settings = checked(msgspec.structs.replace(skill.evolution, **changes))
    stored = store(ctx, skill.changed(evolution=settings, updated_at=ctx.now))
    drafted = open_attempt(ctx, stored, EvolutionStatus.PENDING)
    if drafted is not None and skill.evolution.manual_approval and not settings.manual_approval:
        begin_trial(ctx, drafted)
    for group in groups_of(ctx, stored):
        trigger_if_due(ctx, stored, group)
    return stored.evolution


@evolution.query(public=True, rest=get("/v1/evolution/defaults"))
def get_defaults(ctx: QueryCtx) -> Defaults:
    """How a new skill evolves on this instance, until its maintainers say otherwise."""
    settings = as_usual_here(ctx, EvolutionSettings())
    return Defaults(settings.min_reporters, settings.count_by)


@evolution.mutation(scope=ADMIN, rest=patch("/v1/evolution/defaults"))
def set_defaults(
    ctx: MutationCtx, *, min_reporters: Reporters | None = None, count_by: CountBy | None = None
) -> Defaults:
    """Set how skills that are made from now on evolve; what is left out stays.

    Where strangers may get keys, `countBy` should be `owner`: agents cost nothing to make.
    """
    usual = get_defaults(ctx)
    chosen = Defaults(
        usual.min_reporters if min_reporters is None else min_reporters,
        usual.count_by if count_by is None else count_by,
    )
    known = ctx.db.first(EvolutionDefaults.where(name=INSTANCE))
    told = EvolutionDefaults(INSTANCE, chosen.min_reporters, chosen.count_by)
    if known is None:
        ctx.db.insert(told)
    else:
        ctx.db.replace(told.changed(id=known.id))
    return chosen


def checked(settings: EvolutionSettings) -> EvolutionSettings:
    """Settings whose stages fit together.

    Raises:
        InvalidInput: saying what does not.

    """
    hours, shares = settings.stage_hours, settings.stage_shares
    if len(hours) != len(shares):
        raise InvalidInput("evolution needs as many stageHours as stageShares")
    if list(shares) != sorted(shares):
        raise InvalidInput("evolution.stageShares must not fall from stage to stage")
    return settings
