"""How far each version is trusted: reports folded in one by one, weighed anew as days pass.

Invariant: a standing equals the whole calculation over the version's evidence cells as of its
`as_of_day` (`confidence/1`, statistics.md 2); a report changes a bounded number of rows.
"""

from typing import NamedTuple

from hubify.domains.skills.lookup import standing_of, version_standing
from hubify.domains.skills.rules import counted_platform, platform_name, trend_of, with_run
from hubify.domains.skills.tables import (
    CELL_DAYS,
    DayTally,
    EvidenceCell,
    KnownAlert,
    OwnerEvidence,
    Skill,
    SkillReporter,
    SkillStanding,
    SkillVersion,
    VersionStanding,
    Weighing,
)
from hubify.domains.skills.weighing import as_cells, with_report
from hubify.evidence.confidence import (
    Added,
    Cell,
    Evidence,
    Standing,
    Tally,
    add_report,
    confidence_of,
    evidence_of,
    groups_of,
    tally_of,
)
from hubify.evidence.levels import Record, Sandbox, verification_level
from hubify.evidence.reports import Binding, Outcome
from hubify.functions import MutationCtx, QueryCtx, RowId, TooLarge

MAX_CELLS = 15_000
"""Evidence rows that one calculation of a whole record reads: within a function's limits."""
QUICK_CELLS = 500
"""Evidence rows up to which the first report of a day weighs the record itself."""


class Run(NamedTuple):
    """One reported run, as far as trust is concerned."""

    owner: str
    agent: str
    platform: str
    outcome: Outcome
    binding: Binding


class ForOwner(NamedTuple):
    """What a report changes beside its owner's own row."""

    before: Evidence
    added: Added
    weighing: Weighing | None
    is_new: bool


class Moved(NamedTuple):
    """A confidence before and after a report: the version's, and the skill's that shows it.

    And the version's evidence before it: of all owners, capped, and of the reporting one, uncapped.
    """

    version_before: float
    version_after: float
    skill_before: float
    skill_after: float
    told_before: Evidence
    told_by_owner: Evidence


def count_report(
    ctx: MutationCtx, skill: Skill, version: SkillVersion, *, run: Run, day: int
) -> Moved:
    """Fold one report into the record; `day` is its UTC day (days since 1970).

    Writes the evidence cell, the owner's evidence, the version's and the skill's standing; an
    agent's first report on the skill adds one row more.
    """
    before = _as_of(ctx, version, day)
    platform = counted_platform(platform_name(run.platform), before.platforms)
    report = Cell(run.owner, platform, day, tally_of(run.outcome, run.binding))
    _count_in_cell(ctx, version.id, report)
    for_owner = _count_for_owner(ctx, before, report)
    after = _with_report(before, for_owner, platform, run.outcome, now=ctx.now)
    ctx.db.replace(after)
    was = standing_of(ctx, skill)
    shown = after.confidence if skill.stable_version == version.version else was.confidence
    now = show(ctx, _with_run(ctx, was, run, day), shown, day)
    return Moved(
        before.confidence,
        after.confidence,
        was.confidence,
        now.confidence,
        told_before=before.by_owner,
        told_by_owner=for_owner.before,
    )


def weigh_anew(ctx: MutationCtx, standing: VersionStanding, day: int) -> VersionStanding:
    """Weigh a version's whole record as of a day, and store what comes out.

    Raises:
        TooLarge: the record has more rows than one function reads.

    """
    groups = groups_of(cells_of(ctx, standing.version_id), day)
    owners = OwnerEvidence.where(version_id=standing.version_id)
    for row in ctx.db.take(owners, limit=MAX_CELLS):
        ctx.db.replace(row, evidence=groups.owners.get(row.owner, Evidence()), coming_day=0)
    return ctx.db.replace(
        standing,
        as_of_day=day,
        platforms=groups.platforms,
        by_owner=groups.standing.by_owner,
        by_platform=groups.standing.by_platform,
        confidence=confidence_of(groups.standing),
        dormant=groups.standing.by_owner.weight == 0,
    )


def cells_of(ctx: QueryCtx, version_id: RowId) -> list[Cell]:
    """The record of a version, as the calculation takes it.

    Raises:
        TooLarge: it has more rows than one function reads.

    """
    rows = ctx.db.take(EvidenceCell.where(version_id=version_id), limit=MAX_CELLS + 1)
    if len(rows) > MAX_CELLS:
        raise TooLarge(f"the version's record has more than {MAX_CELLS} rows; export it instead")
    return as_cells(rows)


def show(ctx: MutationCtx, standing: SkillStanding, confidence: float, day: int) -> SkillStanding:
    """Store a skill's standing with this confidence, and what follows from it."""
    record = Record(
        runs=standing.executions,
        owners=standing.unique_owners,
        platforms=len(standing.platforms),
        confidence=confidence,
        sandbox=Sandbox.SKIPPED,
    )
    level = int(verification_level(record))
    skill = ctx.db.get(Skill, standing.skill_id) if level != standing.level else None
    if skill is not None:
        ctx.db.replace(skill, level=level)
    return ctx.db.replace(
        standing,
        confidence=confidence,
        rank=round(confidence),
        level=level,
        trend=trend_of(standing.recent, day),
    )


def show_alert(ctx: MutationCtx, skill: Skill, alert: KnownAlert | None) -> None:
    """Let a skill say what was found of its stable version, or that nothing holds any more."""
    standing = standing_of(ctx, skill)
    if standing.alert != alert:
        ctx.db.replace(standing, alert=alert)


def _as_of(ctx: MutationCtx, version: SkillVersion, day: int) -> VersionStanding:
    """The version's standing to add a report to; weighed as of the day while that is quick.

    A long record is left to the daily cron. Until then the standing is as of the day before, for
    which a report of today counts in full: the same number as the whole calculation for that day.
    """
    standing = version_standing(ctx, version.id)
    if standing is None:
        fresh = VersionStanding(version_id=version.id, skill_id=version.skill_id, as_of_day=day)
        return ctx.db.insert(fresh)
    if standing.as_of_day >= day or standing.weighing or not _is_short(ctx, version.id):
        return standing
    return weigh_anew(ctx, standing, day)


def _is_short(ctx: MutationCtx, version_id: RowId) -> bool:
    cells = EvidenceCell.where(version_id=version_id)
    return len(ctx.db.take(cells, limit=QUICK_CELLS + 1)) <= QUICK_CELLS


def _count_in_cell(ctx: MutationCtx, version_id: RowId, cell: Cell) -> None:
    """Add a cell's tally to the record."""
    month, place = divmod(cell.day, CELL_DAYS)
    empty = EvidenceCell(
        version_id=version_id, owner=cell.owner, platform=cell.platform, month=month, days=()
    )
    known = ctx.db.first(
        EvidenceCell.where(
            version_id=version_id, owner=cell.owner, platform=cell.platform, month=month
        )
    )
    days = {count.place: count.tally for count in (known or empty).days}
    days[place] = _counts(Tally(*days.get(place, ())) + cell.tally)
    counted = tuple(DayTally(at, days[at]) for at in sorted(days))
    if known is None:
        ctx.db.insert(empty.changed(days=counted))
    else:
        ctx.db.replace(known, days=counted)


def _counts(tally: Tally) -> tuple[int, int, int, int, int, int]:
    return (
        tally.successes,
        tally.partials,
        tally.failures,
        tally.plain_successes,
        tally.plain_partials,
        tally.plain_failures,
    )


def _count_for_owner(ctx: MutationCtx, standing: VersionStanding, report: Cell) -> ForOwner:
    """Add a report to its owner's evidence, as of the standing's day and of the coming one."""
    where = OwnerEvidence.where(version_id=standing.version_id, owner=report.owner)
    known = ctx.db.first(where)
    owner = known or OwnerEvidence(
        version_id=standing.version_id, owner=report.owner, evidence=Evidence()
    )
    weighing, coming = with_report(standing.weighing, owner, report)
    before = owner.as_of(standing.as_of_day)
    added = add_report(
        Standing(standing.as_of_day, standing.by_owner, standing.by_platform),
        before,
        standing.platforms.get(report.platform, Evidence()),
        evidence_of(report.tally, report.day, standing.as_of_day),
    )
    counted = coming.weighing_as_of(standing.as_of_day, added.owner)
    if known is None:
        ctx.db.insert(counted)
    else:
        ctx.db.replace(counted)
    return ForOwner(before, added, weighing, known is None)


def _with_report(
    before: VersionStanding, owner: ForOwner, platform: str, outcome: Outcome, *, now: int
) -> VersionStanding:
    added = owner.added
    return before.changed(
        runs=before.runs + 1,
        successes=before.successes + (outcome is Outcome.SUCCESS),
        partials=before.partials + (outcome is Outcome.PARTIAL),
        failures=before.failures + (outcome is Outcome.FAIL),
        owners=before.owners + owner.is_new,
        platforms=before.platforms | {platform: added.platform},
        by_owner=added.standing.by_owner,
        by_platform=added.standing.by_platform,
        confidence=confidence_of(added.standing),
        last_run_at=now,
        dormant=False,
        weighing=owner.weighing,
    )


def _with_run(ctx: MutationCtx, standing: SkillStanding, run: Run, day: int) -> SkillStanding:
    """The skill's counts with one more run in them, not yet stored."""
    new_agent, new_owner = _meet(ctx, standing.skill_id, run.owner, run.agent)
    platform = counted_platform(platform_name(run.platform), standing.platforms)
    return standing.changed(
        executions=standing.executions + 1,
        halves=standing.halves + run.outcome.halves,
        unique_agents=standing.unique_agents + new_agent,
        unique_owners=standing.unique_owners + new_owner,
        platforms=tuple(sorted({*standing.platforms, platform})),
        recent=with_run(standing.recent, day, run.outcome.halves),
        last_executed_at=ctx.now,
    )


def _meet(ctx: MutationCtx, skill_id: RowId, owner: str, agent: str) -> tuple[bool, bool]:
    """Keep in mind who reports; whether this agent, and whether this owner, is new to the skill."""
    known = ctx.db.first(SkillReporter.where(skill_id=skill_id, owner=owner, agent=agent))
    if known is not None and known.counted:
        return False, False
    of_owner = ctx.db.take(SkillReporter.where(skill_id=skill_id, owner=owner), limit=2)
    if known is None:
        met = SkillReporter(skill_id=skill_id, owner=owner, agent=agent, counted=True)
        ctx.db.insert(met)
    else:
        ctx.db.replace(known, counted=True)
    return True, not any(row.counted for row in of_owner)
