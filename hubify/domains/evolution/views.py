"""What callers are shown of an evolution.

Invariant: answers are made from rows alone, and say why things stand as they do.
"""

import msgspec

from hubify.domains.evolution.answers import (
    CanaryBrief,
    CanaryView,
    EvolutionDetail,
    EvolutionView,
    Measured,
    Metrics,
    PendingEvolution,
    PendingImprovement,
    PendingImprovements,
    StageView,
    Status,
    Suggested,
    both_arms,
)
from hubify.domains.evolution.attempts import open_attempt
from hubify.domains.evolution.errors import EvolutionNotFound
from hubify.domains.evolution.judging import judge_of
from hubify.domains.evolution.looks import interval_of
from hubify.domains.evolution.naming import shown_decision, shown_supporter
from hubify.domains.evolution.rules import (
    MS_PER_HOUR,
    improvement_status,
    missing_for_trigger,
    supporters_of,
    waits_for_person,
)
from hubify.domains.evolution.tables import (
    Canary,
    CanaryStatus,
    Evolution,
    EvolutionStatus,
    GroupStatus,
    Improvement,
    ImprovementGroup,
    Supporter,
    TriggerType,
)
from hubify.domains.skills import Skill, of_visible_skill, tickets_of
from hubify.domains.verification import open_alerts
from hubify.evidence.canary import CanaryState, Decision, Verdict, decision_of
from hubify.functions import Query, QueryCtx

MAX_GROUPS = 200
MAX_SHOWN = 100
MAX_NAMED = 50
LIVE_GROUPS = (GroupStatus.OPEN, GroupStatus.DRAFTING, GroupStatus.CANARY)
TRIGGERS = {
    TriggerType.IMPROVEMENT_THRESHOLD: "enough agents ask for the same",
    TriggerType.MANUAL_REQUEST: "a maintainer asked for a new version",
    TriggerType.CONFIDENCE_DECLINE: "the stable version fails more often than it did",
    TriggerType.HIGH_FAILURE_RATE: "the stable version fails more often than the skill allows",
    TriggerType.ERROR_PATTERN: "runs of several owners end with the same error",
    TriggerType.PLATFORM_GAP: "runs on one platform fail more often than elsewhere",
}
SHOWN_STATUS = {
    EvolutionStatus.DRAFTING: "pending",
    EvolutionStatus.PENDING: "pending",
    EvolutionStatus.CANARY: "canary",
    EvolutionStatus.INCONCLUSIVE: "canary",
}


def status_of(ctx: QueryCtx, skill: Skill) -> Status:
    """Where a skill's evolution stands now."""
    attempt = open_attempt(ctx, skill, *reversed(SHOWN_STATUS))
    canary = canary_of(ctx, attempt) if attempt else None
    state = judge_of(ctx, canary.id) if canary else None
    status = SHOWN_STATUS[attempt.status] if attempt else "stable"
    if state is not None and state.verdict is Verdict.PROMOTE:
        status = "promoting"
    on_trial = canary is not None and state is not None
    return Status(
        skill_name=skill.name,
        current_version=skill.stable_version,
        status=status,
        pending_evolution=pending_of(ctx, skill, attempt) if attempt and not on_trial else None,
        canary=brief_of(canary, state) if canary and state else None,
        reason=reason_of(ctx, skill, attempt),
    )


def pending_of(ctx: QueryCtx, skill: Skill, attempt: Evolution) -> PendingEvolution:
    """An attempt that is not on trial yet, with what it waits for."""
    group = ctx.db.get(ImprovementGroup, attempt.group_id)
    return PendingEvolution(
        id=attempt.id,
        version=attempt.to_version,
        changes=attempt.changes,
        trigger=attempt.trigger,
        improvement_count=group.members if group else 0,
        threshold=skill.evolution.min_reporters,
        waits_for=waits_for(skill, attempt),
    )


def waits_for(skill: Skill, attempt: Evolution) -> str:
    """What an attempt that is not on trial yet waits for."""
    if attempt.status is EvolutionStatus.DRAFTING:
        return "its draft" if attempt.begun_at is not None else "another evolution to end"
    if waits_for_person(skill, attempt):
        return "a maintainer: evolution.accept or evolution.reject"
    return "its trial to begin"


def reason_of(ctx: QueryCtx, skill: Skill, attempt: Evolution | None) -> str:
    """Why the status is what it is, in one sentence."""
    if attempt is not None:
        return attempt.reason or f"{TRIGGERS[attempt.trigger]}, which is being followed"
    groups = groups_of(ctx, skill)
    if not groups:
        return "no improvements are pending"
    return lacking(ctx, skill, groups[0]) or "an evolution is about to begin"


def lacking(ctx: QueryCtx, skill: Skill, group: ImprovementGroup) -> str | None:
    """What an open group lacks to be followed, as things stand with its skill."""
    return missing_for_trigger(group, skill, is_troubled=bool(open_alerts(ctx, skill)))


def canary_of(ctx: QueryCtx, attempt: Evolution) -> Canary | None:
    """The trial of an attempt, if it has come to one."""
    return ctx.db.get(Canary, attempt.canary_id) if attempt.canary_id else None


def brief_of(canary: Canary, state: CanaryState) -> CanaryBrief:
    """A trial in one line."""
    decision = decision_of(state)
    shown = "pending" if decision.verdict is Verdict.RUNNING else str(decision.verdict)
    return CanaryBrief(
        version=canary.version,
        started_at=canary.started_at,
        stage=canary.stage + 1,
        traffic=percent_of(canary),
        baseline_success=decision.counted.stable.rate,
        canary_success=decision.counted.canary.rate,
        decision=shown,
    )


def percent_of(canary: Canary) -> float:
    """The share of tickets that a version on trial is given now, in percent.

    None while the trial is paused, or waits for a person.
    """
    return round(100 * canary.share, 2) if canary.status is CanaryStatus.RUNNING else 0.0


def canary_view(ctx: QueryCtx, skill: Skill) -> CanaryView:
    """The trial that a skill is in, or that nothing is on trial."""
    attempt = open_attempt(ctx, skill, EvolutionStatus.CANARY, EvolutionStatus.INCONCLUSIVE)
    canary = canary_of(ctx, attempt) if attempt else None
    state = judge_of(ctx, canary.id) if canary else None
    if canary is None or state is None:
        return CanaryView(active=False)
    decision = decision_of(state)
    counted = decision.counted
    return CanaryView(
        active=True,
        version=canary.version,
        baseline_version=canary.baseline,
        status=canary.status,
        stages=stages_of(state),
        current_stage=canary.stage + 1,
        metrics=Metrics(
            baseline=Measured(counted.stable.runs, counted.stable.rate),
            canary=Measured(counted.canary.runs, counted.canary.rate),
        ),
        tickets=both_arms(tickets_of(ctx, canary.id)),
        started_at=canary.started_at,
        estimated_completion=last_stage_end(canary, state),
        horizon_at=canary.horizon_at,
        interval=interval_of(ctx, canary),
        evidence=shown_decision(ctx, skill.id, decision),
    )


def stages_of(state: CanaryState) -> tuple[StageView, ...]:
    """Every stage of the plan; the present one has failed when the trial was rolled back in it."""
    present = state.clock.index
    failed = state.verdict is Verdict.ROLLBACK
    return tuple(
        StageView(
            stage=place + 1,
            traffic=round(100 * stage.share, 2),
            duration=stage.length_ms / MS_PER_HOUR,
            status=stage_status(place, present, completed=state.clock.completed, failed=failed),
        )
        for place, stage in enumerate(state.stages)
    )


def stage_status(place: int, present: int, *, completed: bool, failed: bool) -> str:
    """`pending`, `running`, `passed` or `failed`."""
    if place != present:
        return "passed" if place < present else "pending"
    if failed:
        return "failed"
    return "passed" if completed else "running"


def last_stage_end(canary: Canary, state: CanaryState) -> int:
    """When the last stage ends if no stage takes longer than it must (ms)."""
    ahead = sum(stage.length_ms for stage in state.stages[canary.stage + 1 :])
    return canary.stage_ends_at + ahead


def groups_of(ctx: QueryCtx, skill: Skill) -> list[ImprovementGroup]:
    """A skill's live groups, the one with most supporters first."""
    groups = [
        group
        for status in LIVE_GROUPS
        for group in ctx.db.take(live(skill, status), limit=MAX_GROUPS)
    ]
    return sorted(groups, key=lambda one: (-supporters_of(one, skill.evolution), one.id))


def live(skill: Skill, status: GroupStatus) -> Query[ImprovementGroup]:
    """A skill's groups in one state, the ones that were joined last first."""
    query = ImprovementGroup.where(skill_id=skill.id, status=status)
    return query.order_by("last_seen").newest_first()


def pending_improvements(ctx: QueryCtx, skill: Skill) -> PendingImprovements:
    """A skill's open requests, each with who stands behind it and what it lacks."""
    groups = groups_of(ctx, skill)
    settings = skill.evolution
    waiting = [supporters_of(one, settings) for one in groups if one.status is GroupStatus.OPEN]
    return PendingImprovements(
        improvements=tuple(improvement_of(ctx, skill, group) for group in groups[:MAX_SHOWN]),
        threshold=settings.min_reporters,
        current_count=max(waiting, default=0),
    )


def improvement_of(ctx: QueryCtx, skill: Skill, group: ImprovementGroup) -> PendingImprovement:
    """One group as the page shows it."""
    supporters = ctx.db.take(Supporter.where(group_id=group.id), limit=MAX_NAMED)
    is_open = group.status is GroupStatus.OPEN
    return PendingImprovement(
        group_id=group.id,
        suggestion=group.text,
        count=group.members,
        agents=tuple(shown_supporter(ctx, skill.id, one).agent_id for one in supporters),
        agent_count=group.agents,
        owner_count=group.owners,
        first_seen=group.first_seen,
        last_seen=group.last_seen,
        status=improvement_status(group),
        missing=lacking(ctx, skill, group) if is_open else None,
    )


def visible_evolution(ctx: QueryCtx, evolution_id: str) -> Evolution:
    """An evolution of a skill that the caller may see.

    Raises:
        EvolutionNotFound: there is none of that id, or not for this caller.

    """
    row = ctx.db.get(Evolution, evolution_id)
    return of_visible_skill(ctx, row, EvolutionNotFound(evolution_id))[0]


def evolution_view(row: Evolution) -> EvolutionView:
    """One evolution as history shows it; its time is that of the decision once there is one."""
    return EvolutionView(
        id=row.id,
        from_version=row.from_version,
        to_version=row.to_version,
        trigger=row.trigger,
        changes=row.changes,
        confidence_before=row.confidence_before,
        confidence_after=row.confidence_after,
        timestamp=row.decided_at or row.created_at,
        status=row.status,
        reason=row.reason,
        requested_by=row.requested_by,
        decided_by=row.decided_by,
        group_id=row.group_id,
    )


def evolution_detail(ctx: QueryCtx, row: Evolution) -> EvolutionDetail:
    """One evolution with who asked for it and what the judge saw."""
    group = ctx.db.get(ImprovementGroup, row.group_id)
    members = ctx.db.take(Improvement.where(group_id=row.group_id), limit=MAX_GROUPS)
    decision = msgspec.convert(row.evidence, Decision) if row.evidence else None
    return EvolutionDetail(
        evolution=evolution_view(row),
        suggestions=tuple(suggested(ctx, one, group) for one in members),
        evidence=shown_decision(ctx, row.skill_id, decision) if decision else None,
        secret=row.secret,
    )


def suggested(ctx: QueryCtx, one: Improvement, group: ImprovementGroup | None) -> Suggested:
    """A suggestion as history shows it, with what has become of its group."""
    owner, agent_id = shown_supporter(ctx, one.skill_id, one)
    return Suggested(
        id=one.id,
        suggestion=one.text,
        agent_id=agent_id,
        owner=owner,
        platform=one.platform,
        grounds=one.grounds,
        timestamp=one.created_at,
        status=improvement_status(group),
        resolved_in_version=group.resolved_in_version if group else None,
    )
