"""A skill's evolution as callers see it, and what its maintainers may do about it.

Invariant: everybody who may see a skill may see why it evolves; only its maintainers decide.
"""

from typing import Annotated, NamedTuple

import msgspec

from hubify.domains.agents import find_or_create
from hubify.domains.arguments import Reason, SkillName, VersionText
from hubify.domains.evolution.answers import (
    CanaryView,
    Credits,
    EvolutionDetail,
    EvolutionView,
    History,
    PendingImprovements,
    Status,
)
from hubify.domains.evolution.attempts import (
    close,
    parts_of,
    reject_group,
    release_group,
)
from hubify.domains.evolution.errors import (
    EvolutionNotFound,
    GroupClosed,
    GroupNotFound,
    NothingPending,
    NothingToDraft,
)
from hubify.domains.evolution.grouping import Suggestion, ask
from hubify.domains.evolution.judging import take_back_pause
from hubify.domains.evolution.lifecycle import (
    begin,
    begin_trial,
    begin_waiting,
    end_by_hand,
    move_on,
)
from hubify.domains.evolution.looks import note_look
from hubify.domains.evolution.naming import shown_credit
from hubify.domains.evolution.regrouping import group_with_skill, require_open
from hubify.domains.evolution.rules import not_evolving
from hubify.domains.evolution.tables import (
    WRITE,
    Canary,
    CanaryStatus,
    Credit,
    Evolution,
    EvolutionStatus,
    GroupStatus,
    ImprovementGroup,
    LookKind,
    TriggerType,
    evolution,
)
from hubify.domains.evolution.views import (
    canary_of,
    canary_view,
    evolution_detail,
    evolution_view,
    groups_of,
    pending_improvements,
    status_of,
    visible_evolution,
)
from hubify.domains.skills import (
    Skill,
    SkillNotFound,
    WrongState,
    acting_agent,
    maintained,
    platform_name,
    readable,
)
from hubify.evidence.canary import Verdict
from hubify.evidence.redaction import redact
from hubify.functions import InvalidInput, MutationCtx, QueryCtx, RowId, get, post

MAX_HISTORY = 100
MAX_WAITING = 200
"""Attempts in one state that a named one is looked for among: the oldest."""
Limit = Annotated[int, msgspec.Meta(ge=1, le=MAX_HISTORY)]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


class Named(NamedTuple):
    """What a maintainer says of the attempt that is meant; what is left out fits every one."""

    version: str | None = None
    evolution_id: str | None = None
    group_id: str | None = None

    def means(self, attempt: Evolution) -> bool:
        """Whether this may be the attempt."""
        told = (attempt.to_version, attempt.id, attempt.group_id)
        return all(wanted in (None, known) for wanted, known in zip(self, told, strict=True))


@evolution.query(
    public=True, rest=get("/v1/evolution/{skill_name}/status"), errors=(SkillNotFound,)
)
def get_status(ctx: QueryCtx, *, skill_name: SkillName) -> Status:
    """Where a skill's evolution stands: `stable`, `pending`, `canary` or `promoting`, and why."""
    return status_of(ctx, readable(ctx, skill_name))


@evolution.query(
    public=True, rest=get("/v1/evolution/{skill_name}/history"), errors=(SkillNotFound,)
)
def get_history(ctx: QueryCtx, *, skill_name: SkillName, limit: Limit = 10) -> History:
    """A skill's evolutions, newest first: what changed, what set it off, how it ended and why."""
    skill = readable(ctx, skill_name)
    query = Evolution.where(skill_id=skill.id).order_by("created_at").newest_first()
    return History(tuple(evolution_view(row) for row in ctx.db.take(query, limit=limit)))


@evolution.query(
    name="get",
    public=True,
    rest=get("/v1/evolutions/{evolution_id}"),
    errors=(EvolutionNotFound,),
)
def get_evolution(ctx: QueryCtx, *, evolution_id: RowId) -> EvolutionDetail:
    """One evolution with all that it rests on: who suggested what, and the judge's evidence."""
    return evolution_detail(ctx, visible_evolution(ctx, evolution_id))


@evolution.query(
    public=True, rest=get("/v1/evolution/{skill_name}/canary"), errors=(SkillNotFound,)
)
def get_canary_status(ctx: QueryCtx, *, skill_name: SkillName) -> CanaryView:
    """The trial that a skill is in: its stages, both arms' runs, and all that the judge says."""
    return canary_view(ctx, readable(ctx, skill_name))


@evolution.query(
    public=True, rest=get("/v1/evolution/{skill_name}/improvements"), errors=(SkillNotFound,)
)
def get_pending_improvements(ctx: QueryCtx, *, skill_name: SkillName) -> PendingImprovements:
    """What agents ask of a skill, the most wanted first, and what each request still lacks."""
    return pending_improvements(ctx, readable(ctx, skill_name))


@evolution.query(
    public=True, rest=get("/v1/evolution/{skill_name}/credits"), errors=(SkillNotFound,)
)
def get_credits(ctx: QueryCtx, *, skill_name: SkillName, limit: Limit = MAX_HISTORY) -> Credits:
    """Who is credited for which promoted version of a skill, the latest first."""
    skill = readable(ctx, skill_name)
    query = Credit.where(skill_id=skill.id).newest_first()
    found = ctx.db.take(query, limit=limit)
    return Credits(tuple(shown_credit(ctx, credit) for credit in found))


@evolution.mutation(
    scope=WRITE,
    rest=post("/v1/evolution/{skill_name}/trigger"),
    errors=(SkillNotFound, GroupNotFound, NothingToDraft, GroupClosed),
)
def trigger(
    ctx: MutationCtx,
    *,
    skill_name: SkillName,
    group_id: RowId | None = None,
    improvement: Words | None = None,
) -> EvolutionView:
    """Evolve a skill now, from one group of suggestions or the most wanted, whatever it lacks.

    With `improvement`, from the maintainer's own words: they are kept as a suggestion is.
    """
    skill = maintained(ctx, skill_name)
    if reason := not_evolving(skill):
        raise NothingToDraft(f"'{skill.name}' is not evolved: {reason}")
    if improvement is None:
        group = chosen_group(ctx, skill, group_id)
    elif group_id is None:
        group = own_request(ctx, skill, improvement)
    else:
        raise InvalidInput("give groupId or improvement, not both")
    by = ctx.identity.owner
    return evolution_view(begin(ctx, skill, group, TriggerType.MANUAL_REQUEST, requested_by=by))


@evolution.mutation(
    scope=WRITE,
    rest=post("/v1/evolution/{skill_name}/accept"),
    errors=(SkillNotFound, NothingPending),
)
def accept(
    ctx: MutationCtx,
    *,
    skill_name: SkillName,
    version: VersionText | None = None,
    evolution_id: RowId | None = None,
    group_id: RowId | None = None,
) -> EvolutionView:
    """Let a drafted version go on trial, where the skill's evolution needs a person's word."""
    skill = maintained(ctx, skill_name)
    named = Named(version, evolution_id, group_id)
    attempt = the_attempt(ctx, skill, named, EvolutionStatus.PENDING)
    begin_trial(ctx, attempt)
    return evolution_view(ctx.db.replace(attempt, decided_by=ctx.identity.owner))


@evolution.mutation(
    scope=WRITE,
    rest=post("/v1/evolution/{skill_name}/reject"),
    errors=(SkillNotFound, NothingPending),
)
def reject(
    ctx: MutationCtx,
    *,
    skill_name: SkillName,
    reason: Reason,
    version: VersionText | None = None,
    evolution_id: RowId | None = None,
    group_id: RowId | None = None,
    keep_improvements: bool = False,
) -> EvolutionView:
    """Refuse a draft before its trial, made or still to be made, and the request behind it.

    Which one, `version`, `evolutionId` or `groupId` says; else the one that is furthest, and of
    those that wait the first. With `keepImprovements` the request stays open: another draft of it
    may be tried.
    """
    skill = maintained(ctx, skill_name)
    named = Named(version, evolution_id, group_id)
    attempt = the_attempt(ctx, skill, named, EvolutionStatus.PENDING, EvolutionStatus.DRAFTING)
    _skill, group = parts_of(ctx, attempt)
    if keep_improvements:
        release_group(ctx, skill, group, f"its draft was rejected: {reason}")
    else:
        reject_group(ctx, group, reason)
    by = ctx.identity.owner
    closed = close(ctx, attempt, EvolutionStatus.REJECTED, decided_by=by, reason=reason)
    begin_waiting(ctx, skill)
    return evolution_view(closed)


@evolution.mutation(
    scope=WRITE,
    rest=post("/v1/evolution/{skill_name}/promote"),
    errors=(SkillNotFound, NothingPending, WrongState),
)
def promote(
    ctx: MutationCtx,
    *,
    skill_name: SkillName,
    version: VersionText | None = None,
    evolution_id: RowId | None = None,
    group_id: RowId | None = None,
    reason: Reason | None = None,
) -> EvolutionView:
    """Make the version on trial stable now, by a maintainer's word instead of the judge's."""
    named = Named(version, evolution_id, group_id)
    return decide_by_hand(ctx, skill_name, named, Verdict.PROMOTE, reason)


@evolution.mutation(
    scope=WRITE,
    rest=post("/v1/evolution/{skill_name}/rollback"),
    errors=(SkillNotFound, NothingPending, WrongState),
)
def rollback(
    ctx: MutationCtx,
    *,
    skill_name: SkillName,
    version: VersionText | None = None,
    evolution_id: RowId | None = None,
    group_id: RowId | None = None,
    reason: Reason | None = None,
) -> EvolutionView:
    """End a trial in favour of the stable version; the suggestions go back, with the reason.

    For a version that is stable already, use `skills.rollback`.
    """
    named = Named(version, evolution_id, group_id)
    return decide_by_hand(ctx, skill_name, named, Verdict.ROLLBACK, reason)


def decide_by_hand(
    ctx: MutationCtx, skill_name: str, named: Named, verdict: Verdict, reason: str | None
) -> EvolutionView:
    """End the trial that a maintainer names by the verdict that it gives."""
    canary = the_canary(ctx, maintained(ctx, skill_name), named)
    by = ctx.identity.owner
    return evolution_view(end_by_hand(ctx, canary, verdict, decided_by=by, reason=reason))


@evolution.mutation(
    scope=WRITE,
    rest=post("/v1/evolution/{skill_name}/resume"),
    errors=(SkillNotFound, NothingPending, WrongState),
)
def resume(ctx: MutationCtx, *, skill_name: SkillName) -> CanaryView:
    """Let a trial go on that two owners' call of a regression has paused."""
    skill = maintained(ctx, skill_name)
    canary = the_canary(ctx, skill, Named())
    if canary.status is not CanaryStatus.PAUSED:
        raise NothingPending(f"the trial of {canary.version} is {canary.status}, not paused")
    state = take_back_pause(ctx, canary.id)
    note_look(ctx, canary, state, LookKind.RESUMED)
    move_on(ctx, skill, canary, state)
    return canary_view(ctx, skill)


def chosen_group(ctx: QueryCtx, skill: Skill, group_id: str | None) -> ImprovementGroup:
    """The open group to draft from: the one named, or the one with most supporters.

    Raises:
        GroupNotFound, GroupClosed, NothingToDraft: there is none.

    """
    if group_id is not None:
        group, owner = group_with_skill(ctx, group_id)
        if owner.id != skill.id:
            raise GroupNotFound(group_id)
        return require_open(group)
    for group in groups_of(ctx, skill):
        if group.status is GroupStatus.OPEN:
            return group
    raise NothingToDraft(f"nobody has suggested an improvement of '{skill.name}' that is open")


def own_request(ctx: MutationCtx, skill: Skill, words: str) -> ImprovementGroup:
    """The group that a maintainer's own words make, or join.

    Raises:
        NothingToDraft: they name no change that could be drafted.

    """
    owner = ctx.identity.owner
    name = acting_agent(ctx.identity, None) or owner
    platform = platform_name(None)
    agent = find_or_create(ctx, owner, name, platform)
    asked = ask(ctx, skill, Suggestion(redact(words).text, agent, platform, RowId("")))
    if isinstance(asked, str):
        raise NothingToDraft(f"the improvement names no change to make: {asked}")
    return asked


def the_attempt(ctx: QueryCtx, skill: Skill, named: Named, *statuses: EvolutionStatus) -> Evolution:
    """The skill's attempt in one of these states, the first of those that are meant.

    Raises:
        NothingPending: there is none.

    """
    for status in statuses:
        found = ctx.db.take(Evolution.where(skill_id=skill.id, status=status), limit=MAX_WAITING)
        for attempt in found:
            if named.means(attempt):
                return attempt
    wanted = f"{named.version} " if named.version else ""
    states = " or ".join(statuses)
    which = " of that id" if named.evolution_id or named.group_id else ""
    raise NothingPending(f"'{skill.name}' has no evolution {wanted}that is {states}{which}")


def the_canary(ctx: QueryCtx, skill: Skill, named: Named) -> Canary:
    """The trial that the judge or a person has still to decide.

    Raises:
        NothingPending: there is none.

    """
    waiting = (EvolutionStatus.CANARY, EvolutionStatus.INCONCLUSIVE)
    canary = canary_of(ctx, the_attempt(ctx, skill, named, *waiting))
    assert canary is not None, "an attempt on trial has its canary"
    return canary
