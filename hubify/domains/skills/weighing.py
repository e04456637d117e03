"""A long record weighed for a new day in parts, in order of owner, while reports go on coming in.

Invariant: after every commit a `Weighing` holds exactly what the cells of the owners up to
`reached` weigh as of its day, whatever has been reported since they were read.
"""

from collections.abc import Sequence

from hubify.domains.skills.tables import (
    CELL_DAYS,
    EvidenceCell,
    OwnerEvidence,
    VersionStanding,
    Weighing,
)
from hubify.evidence.confidence import (
    PLATFORM_CAP,
    Cell,
    Evidence,
    Standing,
    Tally,
    add_report,
    confidence_of,
    counted,
    evidence_of,
    groups_of,
    total,
)
from hubify.functions import MutationCtx, RowId

MAX_CELLS_OF_OWNER = 15_000
"""Evidence rows of a single owner that one part reads; 25 platforms fill them in 49 years."""


def weigh_part(
    ctx: MutationCtx, standing: VersionStanding, *, day: int, rows: int
) -> VersionStanding:
    """Weigh about so many more evidence rows of a version; after the last ones it is as of `day`.

    A weighing that was begun for an earlier day is finished for that day first.
    """
    weighing = standing.weighing or Weighing(day=day)
    cells, is_last = next_cells(ctx, standing.version_id, weighing.reached, rows)
    groups = groups_of(as_cells(cells), weighing.day)
    for owner, evidence in groups.owners.items():
        keep_coming(ctx, standing, owner, evidence, weighing.day)
    platforms = dict(weighing.platforms)
    for platform, evidence in groups.platforms.items():
        platforms[platform] = platforms.get(platform, Evidence()).plus(evidence)
    by_owner = weighing.by_owner.plus(groups.standing.by_owner)
    if is_last:
        return ctx.db.replace(finished(standing, weighing.day, by_owner, platforms))
    reached = cells[-1].owner
    part = Weighing(weighing.day, reached=reached, by_owner=by_owner, platforms=platforms)
    return ctx.db.replace(standing, weighing=part)


def next_cells(
    ctx: MutationCtx, version_id: RowId, reached: str, rows: int
) -> tuple[list[EvidenceCell], bool]:
    """All the cells of the next few owners, and whether these are the last ones."""
    following = EvidenceCell.where(version_id=version_id).above(owner=reached)
    found = ctx.db.take(following, limit=rows + 1)
    if len(found) <= rows:
        return found, True
    last = found[-1].owner
    whole = [cell for cell in found if cell.owner != last]
    if not whole:
        own = EvidenceCell.where(version_id=version_id, owner=last)
        whole = ctx.db.take(own, limit=MAX_CELLS_OF_OWNER)
    return whole, False


def keep_coming(
    ctx: MutationCtx, standing: VersionStanding, owner: str, evidence: Evidence, day: int
) -> None:
    """Store what an owner's reports weigh as of the coming day, beside what they weigh now."""
    known = ctx.db.first(OwnerEvidence.where(version_id=standing.version_id, owner=owner))
    assert known is not None, "an owner's first report stores its evidence"
    now = known.as_of(standing.as_of_day)
    ctx.db.replace(known, evidence=now, coming=evidence, coming_day=day)


def finished(
    standing: VersionStanding, day: int, by_owner: Evidence, platforms: dict[str, Evidence]
) -> VersionStanding:
    """The standing as of the day that its whole record has been weighed for."""
    by_platform = total(counted(group, PLATFORM_CAP) for group in platforms.values())
    return standing.changed(
        as_of_day=day,
        platforms=platforms,
        by_owner=by_owner,
        by_platform=by_platform,
        confidence=confidence_of(Standing(day, by_owner, by_platform)),
        dormant=by_owner.weight == 0,
        weighing=None,
    )


def with_report(
    weighing: Weighing | None, known: OwnerEvidence, report: Cell
) -> tuple[Weighing | None, OwnerEvidence]:
    """A weighing and an owner's evidence with one report more, if the owner was reached already.

    One that is still ahead will be read with this report in its cells.
    """
    if weighing is None or report.owner > weighing.reached:
        return weighing, known
    added = add_report(
        Standing(weighing.day, weighing.by_owner),
        known.as_of(weighing.day),
        weighing.platforms.get(report.platform, Evidence()),
        evidence_of(report.tally, report.day, weighing.day),
    )
    platforms = weighing.platforms | {report.platform: added.platform}
    by_owner = added.standing.by_owner
    moved = Weighing(weighing.day, weighing.reached, by_owner=by_owner, platforms=platforms)
    return moved, known.changed(coming=added.owner, coming_day=weighing.day)


def as_cells(rows: Sequence[EvidenceCell]) -> list[Cell]:
    """Evidence rows as the calculation takes them: a cell a day."""
    return [
        Cell(row.owner, row.platform, row.month * CELL_DAYS + count.place, Tally(*count.tally))
        for row in rows
        for count in row.days
    ]
