"""Which version each channel points to: trials begin and end, versions are promoted, rolled back.

Invariant: at most one version is `stable` and at most one on trial; a channel moves in the same
commit as the statuses and the skill's standing that follow from it. A pin is never touched.
"""

from collections.abc import Callable

from hubify.domains.skills.errors import WrongState
from hubify.domains.skills.lookup import require_version, standing_of, version_standing
from hubify.domains.skills.rules import listing_of
from hubify.domains.skills.standing import show
from hubify.domains.skills.tables import (
    Channel,
    ChannelMove,
    Rollout,
    Skill,
    SkillVersion,
    VersionStatus,
)
from hubify.functions import MutationCtx, QueryCtx

MAX_STAGES = 20

Sequel = Callable[[MutationCtx, Skill], None]
_sequels: list[Sequel] = []


def sequel(function: Sequel) -> Sequel:
    """Declare what a higher domain does in the very commit that overtakes what it has under way.

    It is called with the skill once another version has become stable, or once it is deleted.
    """
    _sequels.append(function)
    return function


def follow_up(ctx: MutationCtx, skill: Skill) -> Skill:
    """Let all that is overtaken come to its end; answers the skill as that leaves it."""
    for function in _sequels:
        function(ctx, skill)
    return ctx.db.get(Skill, skill.id) or skill


def make_stable(
    ctx: MutationCtx,
    skill: Skill,
    version: SkillVersion,
    *,
    former_status: VersionStatus = VersionStatus.SUPERSEDED,
    reason: str = "",
) -> Skill:
    """Let everybody get a version; the one they got till now takes `former_status`.

    A trial of this version ends with it, and so does one of another that ran against the former.

    Raises:
        WrongState: it has no files that could be run.

    """
    if version.status is VersionStatus.PLACEHOLDER:
        raise WrongState(f"'{skill.name}@{version.version}' is a placeholder without files")
    is_replaced = skill.stable_version not in (None, version.version)
    if is_replaced:
        former = require_version(ctx, skill, skill.stable_version or "")
        skill = _step_down(ctx, skill, former, former_status)
    ctx.db.replace(version, status=VersionStatus.STABLE)
    is_tried = skill.canary_version == version.version
    changed = skill.changed(
        stable_version=version.version,
        canary_version=None if is_tried else skill.canary_version,
        description=version.description,
        updated_at=ctx.now,
    )
    record_move(ctx, skill, changed, Channel.STABLE, reason=reason)
    stored = store(ctx, changed)
    shown = version_standing(ctx, version.id)
    show(ctx, standing_of(ctx, stored), shown.confidence if shown else 0.0, ctx.today)
    if is_replaced:
        stored = follow_up(ctx, stored)
    if is_tried:
        _drop_rollout(ctx, stored)
    return stored


def make_beta(ctx: MutationCtx, skill: Skill, version: SkillVersion, *, reason: str = "") -> Skill:
    """Let those who ask for the beta channel get a version.

    One that is stable or on trial stays that, and is the beta as well.

    Raises:
        WrongState: it has no files that could be run.

    """
    if version.status is VersionStatus.PLACEHOLDER:
        raise WrongState(f"'{skill.name}@{version.version}' is a placeholder without files")
    if skill.beta_version not in (None, version.version):
        former = require_version(ctx, skill, skill.beta_version or "")
        if former.status is VersionStatus.BETA:
            ctx.db.replace(former, status=VersionStatus.SUPERSEDED)
    if version.status not in (VersionStatus.STABLE, VersionStatus.CANARY):
        ctx.db.replace(version, status=VersionStatus.BETA)
    changed = skill.changed(beta_version=version.version, updated_at=ctx.now)
    record_move(ctx, skill, changed, Channel.BETA, reason=reason)
    return store(ctx, changed)


def begin_canary(
    ctx: MutationCtx,
    skill: Skill,
    version: SkillVersion,
    *,
    canary_id: str,
    share: float,
    secret: bytes,
) -> Skill:
    """Put a version on trial for a share of the tickets issued from now on.

    Raises:
        WrongState: another version is on trial, or there is no stable one to compare with.

    """
    if skill.canary_version is not None:
        raise WrongState(f"'{skill.name}@{skill.canary_version}' is on trial; end that first")
    if skill.stable_version is None:
        raise WrongState(f"'{skill.name}' has no stable version to compare with")
    ctx.db.replace(version, status=VersionStatus.CANARY)
    rollout = Rollout(
        skill_id=skill.id,
        canary_id=canary_id,
        version=version.version,
        stages=((ctx.now, share),),
        opt_in_only=skill.evolution.opt_in_only,
    )
    ctx.seal(ctx.db.insert(rollout), secret=secret)
    return store(ctx, skill.changed(canary_version=version.version, updated_at=ctx.now))


def set_share(ctx: MutationCtx, skill: Skill, share: float) -> None:
    """Let a trial's next tickets fall to it with another share; 0 pauses it.

    Raises:
        WrongState: no version is on trial.

    """
    rollout = rollout_of(ctx, skill)
    if rollout is None:
        raise WrongState(f"no version of '{skill.name}' is on trial")
    stages = (*rollout.stages[-(MAX_STAGES - 1) :], (ctx.now, share))
    ctx.db.replace(rollout, stages=stages)


def end_canary(
    ctx: MutationCtx, skill: Skill, *, status: VersionStatus = VersionStatus.ROLLED_BACK
) -> Skill:
    """End a trial without promoting; the version takes the status. Without a trial, nothing."""
    if skill.canary_version is None:
        return skill
    skill = _step_down(ctx, skill, require_version(ctx, skill, skill.canary_version), status)
    _drop_rollout(ctx, skill)
    return store(ctx, skill.changed(canary_version=None, updated_at=ctx.now))


def _step_down(
    ctx: MutationCtx, skill: Skill, version: SkillVersion, status: VersionStatus
) -> Skill:
    """Let a version be stable, or on trial, no longer; answers the skill, not yet stored.

    One that is the beta as well goes on as that, unless it is rolled back: that ends the channel.
    """
    if skill.beta_version != version.version:
        ctx.db.replace(version, status=status)
        return skill
    if status is not VersionStatus.ROLLED_BACK:
        ctx.db.replace(version, status=VersionStatus.BETA)
        return skill
    ctx.db.replace(version, status=status)
    ended = skill.changed(beta_version=None)
    record_move(ctx, skill, ended, Channel.BETA, reason="rolled back")
    return ended


def record_move(
    ctx: MutationCtx, before: Skill, after: Skill, channel: Channel, *, reason: str
) -> None:
    """Keep that a channel moved, who asked for it, and why; nothing when it has not."""
    if pointed(before, channel) == pointed(after, channel):
        return
    move = ChannelMove(
        skill_id=after.id,
        channel=channel,
        before=pointed(before, channel),
        after=pointed(after, channel),
        reason=reason,
        asked_by=ctx.identity.owner,
        moved_at=ctx.now,
    )
    ctx.db.insert(move)


def pointed(skill: Skill, channel: Channel) -> str | None:
    """The version that a channel of a skill points to."""
    match channel:
        case Channel.STABLE:
            return skill.stable_version
        case Channel.CANARY:
            return skill.canary_version
        case Channel.BETA:
            return skill.beta_version


def channels_of(skill: Skill, version: str) -> list[Channel]:
    """The channels of a skill that point to a version, `stable` first."""
    order = (Channel.STABLE, Channel.CANARY, Channel.BETA)
    return [channel for channel in order if pointed(skill, channel) == version]


def trial_secret(ctx: QueryCtx, rollout: Rollout) -> bytes | None:
    """What keys a trial's coins; None when it was given up with a lost key."""
    return ctx.unseal(rollout, "secret")


def rollout_of(ctx: QueryCtx, skill: Skill) -> Rollout | None:
    """The trial a skill is in."""
    return ctx.db.first(Rollout.where(skill_id=skill.id))


def store(ctx: MutationCtx, skill: Skill) -> Skill:
    """Store a changed skill, with its place in lists and its standing's copy of that."""
    listing = listing_of(skill.visibility, skill.status, skill.stable_version)
    standing = standing_of(ctx, skill)
    stored = ctx.db.replace(skill.changed(listing=listing, level=standing.level))
    copy = standing.changed(owner=stored.owner, listing=listing, category=stored.category)
    if copy != standing:
        ctx.db.replace(copy)
    return stored


def _drop_rollout(ctx: MutationCtx, skill: Skill) -> None:
    rollout = rollout_of(ctx, skill)
    if rollout is not None:
        ctx.db.delete(rollout)
