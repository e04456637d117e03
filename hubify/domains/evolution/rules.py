"""What follows from the rows alone: whether a group may trigger, how a canary is judged and shown.

Invariant: pure; the same rows give the same answer, and every "not yet" says what is missing.
"""

from hubify.domains.evolution.tables import (
    Canary,
    Evolution,
    EvolutionStatus,
    GroupStatus,
    ImprovementGroup,
    ImprovementStatus,
)
from hubify.domains.skills import (
    CountBy,
    EvolutionSettings,
    Skill,
    SkillStanding,
    SkillVersion,
    VersionStatus,
    Visibility,
)
from hubify.domains.skills.tables import SkillStatus
from hubify.evidence.canary import AtHorizon, CanaryState, Settings, Stage, Verdict
from hubify.values.durations import MS_PER_HOUR

LONGEST_PATIENCE_MS = 24 * MS_PER_HOUR
SHORTEST_PATIENCE_MS = MS_PER_HOUR // 12
JUDGED_OWNERS = 300
"""Owners whose reports one canary counts: each makes every report of the trial dearer
(docs/decisions/0012-the-judge-looks-in-the-report.md)."""
DRAFTED = (EvolutionStatus.PENDING, EvolutionStatus.CANARY, EvolutionStatus.INCONCLUSIVE)
"""States of an open attempt whose draft has been made: one of a skill's at most is in these."""
OPEN_STATUSES = (EvolutionStatus.DRAFTING, *DRAFTED)
DELETED = "the skill was deleted"


def supporters_of(group: ImprovementGroup, settings: EvolutionSettings) -> int:
    """How many stand behind a group, counted as the skill counts them."""
    return group.owners if settings.count_by is CountBy.OWNER else group.agents


def not_evolving(skill: Skill) -> str | None:
    """Why nothing new of a skill is drafted or tried; None when it may be."""
    match skill.status:
        case SkillStatus.ACTIVE:
            return None
        case SkillStatus.DEPRECATED:
            return "the skill is deprecated"
        case SkillStatus.DELETED:
            return DELETED


def waits_for_person(skill: Skill, attempt: Evolution) -> bool:
    """Whether a drafted attempt waits for a maintainer's word before its trial."""
    return skill.evolution.manual_approval and attempt.decided_by is None


def needed_supporters(settings: EvolutionSettings, *, is_troubled: bool) -> int:
    """How many have to stand behind a group: half as many, where something is wrong anyway."""
    return -(-settings.min_reporters // 2) if is_troubled else settings.min_reporters


def missing_for_trigger(
    group: ImprovementGroup, skill: Skill, *, is_troubled: bool = False
) -> str | None:
    """Why an open group does not trigger, and what is missing; None when it may.

    `is_troubled`: an alert holds of the skill's stable version.
    """
    settings, obstacle = skill.evolution, not_evolving(skill)
    if obstacle is not None:
        return obstacle
    if not settings.enabled:
        return "evolution is switched off for this skill"
    count, unit = supporters_of(group, settings), str(settings.count_by)
    threshold = needed_supporters(settings, is_troubled=is_troubled)
    if count < threshold:
        seen = plural(group.agents, "agent")
        if settings.count_by is CountBy.OWNER:
            seen = f"{seen}, {plural(group.owners, 'owner')}"
        needed = threshold - count
        return f"{seen}: {needed} more {unit}{'s' if needed > 1 else ''} needed"
    if count <= group.tried_at:
        return f"{group.note or 'its draft came to nothing'}; one more {unit} needed to try again"
    return None


def plural(count: int, noun: str) -> str:
    """`1 agent`, `3 agents`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def improvement_status(group: ImprovementGroup | None) -> ImprovementStatus:
    """Where a suggestion stands, by its group; one that names no change stays pending."""
    if group is None:
        return ImprovementStatus.PENDING
    match group.status:
        case GroupStatus.OPEN | GroupStatus.MERGED:
            return ImprovementStatus.GROUPED if group.members > 1 else ImprovementStatus.PENDING
        case GroupStatus.DRAFTING | GroupStatus.CANARY:
            return ImprovementStatus.DRAFTING
        case GroupStatus.RESOLVED:
            return ImprovementStatus.RESOLVED
        case GroupStatus.REJECTED:
            return ImprovementStatus.REJECTED


def judge_settings(skill: Skill) -> Settings:
    """The judge's rules for a skill, with its own stages.

    Little traffic takes the last stage alone (statistics.md 1.6). Within one organisation nobody
    is left out and nobody is capped.
    """
    chosen = skill.evolution
    stages = tuple(
        Stage(share, round(hours * MS_PER_HOUR))
        for hours, share in zip(chosen.stage_hours, chosen.stage_shares, strict=True)
    )
    return Settings(
        stages=stages,
        low_traffic_stages=stages[-1:],
        at_horizon=(
            AtHorizon.PROMOTE_ON_NO_REGRESSION
            if chosen.promote_on_no_regression
            else AtHorizon.WAIT
        ),
        max_owners=JUDGED_OWNERS,
        trusted_owners=skill.visibility is not Visibility.PUBLIC,
    )


def runs_per_hour(skill: Skill, standing: SkillStanding, now: int) -> float:
    """Runs an hour since yesterday began, or since the skill was made, but at least one hour."""
    yesterday = now // (24 * MS_PER_HOUR) - 1
    runs = sum(count.runs for count in standing.recent if count.day >= yesterday)
    since = max(yesterday * 24 * MS_PER_HOUR, skill.created_at)
    return runs / max(1.0, (now - since) / MS_PER_HOUR)


def patience_ms(state: CanaryState) -> int:
    """How long a ticket has to come back before it counts as one that did not.

    A day, or a third of a shorter trial: when a promotion becomes possible, two thirds of the
    trial's time have been judged by their tickets. The same for both arms, so that a version whose
    agents take their time is not found silent unless they take more of it than this.
    """
    plan = sum(stage.length_ms for stage in state.stages)
    return min(LONGEST_PATIENCE_MS, max(SHORTEST_PATIENCE_MS, plan // 3))


def stage_end(state: CanaryState, started_at: int) -> int:
    """When the stage may end at the earliest (ms since 1970)."""
    return started_at + state.clock.started_ms + state.stages[state.clock.index].length_ms


def may_end_now(state: CanaryState) -> bool:
    """Whether the stage has just seen enough after its time was over, so that it ends at once."""
    clock = state.clock
    if clock.completed or clock.ready_ms is None or state.verdict is not Verdict.RUNNING:
        return False
    return state.now_ms >= clock.started_ms + state.stages[clock.index].length_ms


def marks(state: CanaryState) -> tuple[object, ...]:
    """What others act upon when it changes: verdict, stage, pause."""
    return state.verdict, state.clock.index, state.paused, state.missing_reports


def is_overtaken(canary: Canary, skill: Skill) -> bool:
    """Whether channels were moved by hand since, so that the trial compares nothing any more."""
    return skill.canary_version != canary.version or skill.stable_version != canary.baseline


def outdated(attempt: Evolution, skill: Skill, version: SkillVersion) -> str | None:
    """Why a draft is of no use any more, if so."""
    if skill.stable_version is None or skill.stable_version != attempt.from_version:
        return f"it was drafted from {attempt.from_version}, and {skill.stable_version} is stable"
    if skill.canary_version is not None:
        return f"{skill.canary_version} is on trial"
    if version.status is not VersionStatus.DRAFT:
        return f"{version.version} is {version.status}"
    return None
