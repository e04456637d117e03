"""One attempt to evolve a skill, step by step: triggered, drafted, checked, tried, decided.

Each step is a job that begins with the commit of the step before it, with another job that gives
the attempt up if that one fails for good. A skill has one attempt under way at most; further ones
wait as `drafting` until it is closed.

Invariant: every attempt ends in exactly one of promoted, rolled back, rejected or failed, and its
group of suggestions moves in the same commit; what is open has a job, or waits for a person.
"""

import msgspec

from hubify.domains.evolution.attempts import (
    attempt_of,
    close,
    open_attempt,
    parts_of,
    release_group,
    resolve_group,
    skill_of,
)
from hubify.domains.evolution.drafting import Drafted, Undrafted, draft_version
from hubify.domains.evolution.explaining import sentence_of
from hubify.domains.evolution.judging import (
    Look,
    TrialRun,
    forget,
    judge_of,
    look_at_clock,
    look_at_run,
    overrule,
    remember,
)
from hubify.domains.evolution.looks import interval_of, note_look, runs_told
from hubify.domains.evolution.rules import (
    DELETED,
    DRAFTED,
    is_overtaken,
    judge_settings,
    not_evolving,
    outdated,
    runs_per_hour,
    stage_end,
    waits_for_person,
)
from hubify.domains.evolution.tables import (
    Canary,
    CanaryStatus,
    Evolution,
    EvolutionStatus,
    GroupStatus,
    ImprovementGroup,
    LookKind,
    TriggerType,
    evolution,
)
from hubify.domains.skills import (
    Skill,
    WrongState,
    begin_canary,
    end_canary,
    make_stable,
    require_version,
    rollout_of,
    set_share,
    standing_of,
    trial_secret,
    version_standing,
)
from hubify.domains.skills.tables import SkillStatus
from hubify.evidence.canary import CanaryState, Verdict, decision_of, start
from hubify.functions import AppError, MutationCtx, NotFound, RowId
from hubify.values.durations import MS_PER_HOUR

SECRET_BYTES = 32
DONE_WITHIN_MS = MS_PER_HOUR
"""A job that fails is tried again within minutes; a step that is not done after an hour is given
up, so that its group and the skill's other attempts do not wait for it for ever."""
SYSTEM = "hubify"
JUDGE = "judge"
BY_HAND = "it was made stable by hand"


def begin(
    ctx: MutationCtx,
    skill: Skill,
    group: ImprovementGroup,
    trigger: TriggerType,
    *,
    requested_by: str = SYSTEM,
) -> Evolution:
    """Mark a group as being drafted and schedule the draft, unless another attempt is under way."""
    busy = open_attempt(ctx, skill) is not None
    attempt = Evolution(
        skill_id=skill.id,
        group_id=group.id,
        trigger=trigger,
        status=EvolutionStatus.DRAFTING,
        from_version=skill.stable_version or "",
        created_at=ctx.now,
        requested_by=requested_by,
    )
    stored = ctx.db.insert(attempt)
    ctx.db.replace(group, status=GroupStatus.DRAFTING, note=None)
    if not busy:
        begin_draft(ctx, stored)
    return stored


def begin_draft(ctx: MutationCtx, attempt: Evolution) -> None:
    """Schedule an attempt's draft, and a look whether it has come about."""
    ctx.db.replace(attempt, begun_at=ctx.now)
    ctx.schedule(draft, evolution_id=attempt.id)
    ctx.schedule(abandon, after_ms=DONE_WITHIN_MS, evolution_id=attempt.id)


def begin_trial(ctx: MutationCtx, attempt: Evolution) -> None:
    """Schedule the trial of an attempt's draft, and a look whether it has begun."""
    ctx.schedule(start_canary, evolution_id=attempt.id)
    ctx.schedule(abandon, after_ms=DONE_WITHIN_MS, evolution_id=attempt.id)


@evolution.mutation(internal=True, errors=(NotFound, WrongState))
def draft(ctx: MutationCtx, *, evolution_id: RowId) -> None:
    """Draft the next version of a skill from a group's suggestions, and let the gateway see it.

    A draft that cannot be made, is refused or was tried before leaves the group open and says why.
    """
    attempt = ctx.db.get(Evolution, evolution_id)
    if attempt is None or attempt.status is not EvolutionStatus.DRAFTING:
        return
    skill, group = parts_of(ctx, attempt)
    if not_evolving(skill):
        leave(ctx, attempt, skill)
        return
    try:
        drafted = draft_version(ctx, skill, group)
    except AppError as refusal:
        drafted = Undrafted(refusal.message)
    if not isinstance(drafted, Drafted):
        give_up(ctx, attempt.changed(digest=drafted.digest), drafted.reason)
        return
    ready = ctx.db.replace(
        attempt,
        status=EvolutionStatus.PENDING,
        from_version=skill.stable_version or "",
        to_version=drafted.version.version,
        digest=drafted.digest,
        changes=drafted.version.changes,
    )
    if not skill.evolution.manual_approval:
        begin_trial(ctx, ready)


@evolution.mutation(internal=True, errors=(NotFound, WrongState))
def abandon(ctx: MutationCtx, *, evolution_id: RowId) -> None:
    """Give up an attempt whose job came to no end; its group may be tried again."""
    attempt = ctx.db.get(Evolution, evolution_id)
    if attempt is None:
        return
    if attempt.status is EvolutionStatus.DRAFTING:
        give_up(ctx, attempt, "the job that drafts it failed; system.listJobs says why")
    skill = skill_of(ctx, attempt.skill_id)
    if attempt.status is EvolutionStatus.PENDING and not waits_for_person(skill, attempt):
        give_up(ctx, attempt, "the job that begins its trial failed; system.listJobs says why")


@evolution.mutation(internal=True, errors=(NotFound, WrongState))
def start_canary(ctx: MutationCtx, *, evolution_id: RowId) -> None:
    """Put a drafted version on trial at the first stage's share of tickets."""
    attempt = ctx.db.get(Evolution, evolution_id)
    if attempt is None or attempt.status is not EvolutionStatus.PENDING:
        return
    skill, group = parts_of(ctx, attempt)
    version = require_version(ctx, skill, attempt.to_version or "")
    if not_evolving(skill):
        leave(ctx, attempt, skill)
        return
    obstacle = outdated(attempt, skill, version)
    if obstacle is not None:
        give_up(ctx, attempt, obstacle)
        return
    rules, traffic = judge_settings(skill), runs_per_hour(skill, standing_of(ctx, skill), ctx.now)
    state = start(rules, runs_per_hour=traffic)
    canary = ctx.db.insert(
        Canary(
            evolution_id=attempt.id,
            skill_id=skill.id,
            version=version.version,
            baseline=attempt.from_version,
            status=CanaryStatus.RUNNING,
            stage=0,
            share=state.share,
            started_at=ctx.now,
            stage_ends_at=stage_end(state, ctx.now),
            horizon_at=ctx.now + rules.horizon_ms,
            rules=msgspec.to_builtins(rules),
            runs_per_hour=traffic,
        )
    )
    remember(ctx, canary, state)
    begin_canary(
        ctx,
        skill,
        version,
        canary_id=canary.id,
        share=state.share,
        secret=ctx.secret_bytes(SECRET_BYTES),
    )
    ctx.db.replace(attempt, status=EvolutionStatus.CANARY, canary_id=canary.id)
    ctx.db.replace(group, status=GroupStatus.CANARY)
    ctx.schedule(check_canary, after_ms=canary.stage_ends_at - ctx.now, canary_id=canary.id)
    ctx.schedule(check_canary, after_ms=rules.horizon_ms, canary_id=canary.id)


def observe_run(ctx: MutationCtx, run: TrialRun) -> int:
    """Let the judge see one run, in the transaction of its report.

    Answers how many it has been told of; 0 when the trial is over.
    """
    look = look_at_run(ctx, run)
    if look is None:
        return 0
    if look.moved:
        follow(ctx, run.canary_id, look)
    return runs_told(look.state)


@evolution.mutation(internal=True, errors=(NotFound, WrongState))
def check_canary(ctx: MutationCtx, *, canary_id: RowId) -> None:
    """At a stage's end and at the horizon: let the judge see the time."""
    canary, look = ctx.db.get(Canary, canary_id), look_at_clock(ctx, canary_id)
    if canary is not None and look is not None:
        note_look(ctx, canary, look.state, LookKind.CLOCK)
        follow(ctx, canary_id, look)


def follow(ctx: MutationCtx, canary_id: str, look: Look) -> None:
    """Do what the judge's last look asks for: the next stage, a pause, or the end."""
    canary = ctx.db.get(Canary, canary_id)
    if canary is None or canary.status not in (CanaryStatus.RUNNING, CanaryStatus.PAUSED):
        return
    skill = skill_of(ctx, canary.skill_id)
    if look.state.verdict is not Verdict.RUNNING or is_overtaken(canary, skill):
        ctx.schedule(conclude, canary_id=canary.id)
    elif look.moved:
        move_on(ctx, skill, canary, look.state)


def move_on(ctx: MutationCtx, skill: Skill, canary: Canary, state: CanaryState) -> None:
    """Let the trial's rows follow the judge into the next stage, into a pause or out of it."""
    moved = canary.changed(
        status=CanaryStatus.PAUSED if state.paused else CanaryStatus.RUNNING,
        stage=state.clock.index,
        share=state.share,
        stage_ends_at=stage_end(state, canary.started_at),
    )
    if moved == canary:
        return
    ctx.db.replace(moved)
    set_share(ctx, skill, 0.0 if state.paused else state.share)
    if moved.stage != canary.stage:
        wait = max(0, moved.stage_ends_at - ctx.now)
        ctx.schedule(check_canary, after_ms=wait, canary_id=canary.id)


@evolution.mutation(internal=True, errors=(NotFound, WrongState))
def conclude(ctx: MutationCtx, *, canary_id: RowId) -> None:
    """Carry out a canary's verdict: promote, roll back, or wait for a person."""
    canary = ctx.db.get(Canary, canary_id)
    state = judge_of(ctx, canary_id)
    if canary is None or state is None:
        return
    skill = skill_of(ctx, canary.skill_id)
    if skill.status is SkillStatus.DELETED:
        end_by_hand(ctx, canary, Verdict.ROLLBACK, decided_by=SYSTEM, reason=DELETED)
    elif skill.stable_version == canary.version:
        end_by_hand(ctx, canary, Verdict.PROMOTE, decided_by=SYSTEM, reason=BY_HAND)
    elif is_overtaken(canary, skill):
        reason = f"{skill.stable_version} became stable while it ran against {canary.baseline}"
        end_by_hand(ctx, canary, Verdict.ROLLBACK, decided_by=SYSTEM, reason=reason)
    elif canary.status is CanaryStatus.INCONCLUSIVE:
        return
    elif state.verdict is Verdict.INCONCLUSIVE:
        wait_for_person(ctx, canary, state)
    elif state.verdict is not Verdict.RUNNING:
        decide(ctx, canary, state, decided_by=JUDGE, reason=None)


def end_by_hand(
    ctx: MutationCtx, canary: Canary, verdict: Verdict, *, decided_by: str, reason: str | None
) -> Evolution:
    """Promote or roll back by somebody's word, at once; the judge's evidence is kept with it.

    Raises:
        WrongState: it cannot be promoted over another version than it ran against.

    """
    skill = skill_of(ctx, canary.skill_id)
    is_stable = skill.stable_version == canary.version
    if verdict is Verdict.PROMOTE and not is_stable and is_overtaken(canary, skill):
        message = f"{canary.version} ran against {canary.baseline}, which is not stable any more"
        raise WrongState(message)
    state = overrule(ctx, canary.id, verdict)
    note_look(ctx, canary, state, LookKind.ENDED, verdict=verdict)
    return decide(ctx, canary, state, decided_by=decided_by, reason=reason)


def wait_for_person(ctx: MutationCtx, canary: Canary, state: CanaryState) -> None:
    """Neither side is proved: no new ticket falls to the canary until a maintainer decides."""
    attempt = attempt_of(ctx, canary)
    skill, _group = parts_of(ctx, attempt)
    decision = decision_of(state)
    set_share(ctx, skill, 0.0)
    ctx.db.replace(canary, status=CanaryStatus.INCONCLUSIVE, decided_at=ctx.now)
    close(
        ctx,
        attempt,
        EvolutionStatus.INCONCLUSIVE,
        decided_by=JUDGE,
        reason=sentence_of(decision, canary, interval_of(ctx, canary)),
        decision=decision,
    )


def decide(
    ctx: MutationCtx, canary: Canary, state: CanaryState, *, decided_by: str, reason: str | None
) -> Evolution:
    """Everything that follows from a promotion or a rollback, in one transaction."""
    attempt = attempt_of(ctx, canary)
    skill, group = parts_of(ctx, attempt)
    decision = decision_of(state)
    told = reason or sentence_of(decision, canary, interval_of(ctx, canary))
    rollout = rollout_of(ctx, skill)
    secret = trial_secret(ctx, rollout) if rollout else None
    revealed = attempt.changed(
        secret=secret.hex() if secret else None,
        confidence_before=confidence_of(ctx, skill, canary.baseline),
        confidence_after=confidence_of(ctx, skill, canary.version),
    )
    is_promoted = state.verdict is Verdict.PROMOTE
    status = EvolutionStatus.PROMOTED if is_promoted else EvolutionStatus.ROLLED_BACK
    ctx.db.replace(canary, status=CanaryStatus(status.value), decided_at=ctx.now)
    if is_promoted:
        if skill.stable_version != canary.version:
            version = require_version(ctx, skill, canary.version)
            make_stable(ctx, skill, version, reason=f"evolution: {told}")
        resolve_group(ctx, group, canary.version)
    else:
        if skill.canary_version == canary.version:
            end_canary(ctx, skill)
        release_group(ctx, skill, group, f"version {canary.version} was rolled back: {told}")
    forget(ctx, canary.id)
    closed = close(ctx, revealed, status, decided_by=decided_by, reason=told, decision=decision)
    begin_waiting(ctx, skill)
    return closed


def give_up(ctx: MutationCtx, attempt: Evolution, reason: str) -> None:
    """Close an attempt that did not come to a trial; its group stays open and says why."""
    skill, group = parts_of(ctx, attempt)
    release_group(ctx, skill, group, reason)
    close(ctx, attempt, EvolutionStatus.FAILED, decided_by=SYSTEM, reason=reason)
    begin_waiting(ctx, skill)


def leave(ctx: MutationCtx, attempt: Evolution, skill: Skill) -> None:
    """Close the attempt of a skill that is not evolved, without a mark against its group."""
    _skill, group = parts_of(ctx, attempt)
    reason = not_evolving(skill) or ""
    release_group(ctx, skill, group, reason, was_tried=False)
    close(ctx, attempt, EvolutionStatus.FAILED, decided_by=SYSTEM, reason=reason)
    begin_waiting(ctx, skill)


def begin_waiting(ctx: MutationCtx, skill: Skill) -> None:
    """Let the attempt that has waited longest begin, unless another one is under way."""
    following = open_attempt(ctx, skill, EvolutionStatus.DRAFTING)
    if following is None or following.begun_at is not None:
        return
    if open_attempt(ctx, skill, *DRAFTED) is None:
        begin_draft(ctx, following)


def confidence_of(ctx: MutationCtx, skill: Skill, version: str) -> float:
    """The confidence of one version of a skill now."""
    standing = version_standing(ctx, require_version(ctx, skill, version).id)
    return standing.confidence if standing else 0.0
