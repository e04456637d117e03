"""Stable runs are watched: about once a minute each skill's new reports are taken in together.

A report only notes that its skill has some. Which ones follows from the watch's mark, so that a
note that is lost in a crash costs nothing but time: the next report brings them all along.

Invariant: a report is taken in once; one call reads a bounded number of reports.
"""

import msgspec

from hubify.domains.evolution import follow_trouble
from hubify.domains.learning.tables import Report, learning
from hubify.domains.skills import Skill, SkillStatus
from hubify.domains.verification import Watched, reached, take_in, watch_of
from hubify.evidence.error_signatures import signature_of
from hubify.evidence.reports import Outcome
from hubify.evidence.watching import Seen
from hubify.functions import MutationCtx, PageRequest, QueryCtx, RowId

PART = 500
"""Reports of one skill that one call takes in."""
CHUNK = 20
CHUNK_BYTES = 6 * 1024 * 1024
"""What so many reports take at most, each with as much text and as many tools as may be told."""
AT_ONCE = 10
"""Skills that one call looks after; the others follow in calls of their own."""
NOTHING_YET = (0, "")


class Reported(msgspec.Struct, frozen=True):
    """A skill that has been reported on."""

    skill_id: RowId


def note_reported(ctx: MutationCtx, skill: Skill) -> None:
    """Note that a skill has a new report, at no cost to it."""
    ctx.note(watch_runs, skill.id, {"skill_id": skill.id})


@learning.mutation(internal=True)
def watch_runs(ctx: MutationCtx, *, items: list[Reported]) -> None:
    """Take in the new reports of some skills, and follow what is found of them."""
    now, later = items[:AT_ONCE], items[AT_ONCE:]
    more = [
        item
        for item in now
        if ctx.db.bytes_left < CHUNK_BYTES or not is_watched(ctx, item.skill_id)
    ]
    for rest in (more, later):
        if rest:
            ctx.schedule(watch_runs, items=[{"skill_id": item.skill_id} for item in rest])


def is_watched(ctx: MutationCtx, skill_id: RowId) -> bool:
    """Take in a part of a skill's new reports; whether that was all of them."""
    skill = ctx.db.get(Skill, skill_id)
    if skill is None or skill.status is SkillStatus.DELETED:
        return True
    watched = watch_of(ctx, skill, newest_report(ctx, skill))
    if watched is None:
        return True
    reports, is_all = new_reports(ctx, skill, watched)
    if not reports:
        return True
    last = reports[-1]
    version_id = watched.watch.version_id
    runs = (seen(report) for report in reports if report.version_id == version_id)
    if take_in(ctx, skill, watched, runs, (last.created_at, last.id)):
        follow_trouble(ctx, skill)
    return is_all


def newest_report(ctx: QueryCtx, skill: Skill) -> tuple[int, str]:
    """The time and id of a skill's last report."""
    query = Report.where(skill_id=skill.id).order_by("created_at").newest_first()
    report = ctx.db.first(query)
    return (report.created_at, report.id) if report else NOTHING_YET


def new_reports(ctx: QueryCtx, skill: Skill, watched: Watched) -> tuple[list[Report], bool]:
    """Reports that a watch has not taken in, oldest first, and whether these are all."""
    mark, cursor = reached(watched), None
    query = Report.where(skill_id=skill.id).at_least(created_at=mark[0])
    found: list[Report] = []
    for _ in range(PART // CHUNK):
        if ctx.db.bytes_left < CHUNK_BYTES:
            break
        page = ctx.db.page(query, PageRequest(num_items=CHUNK, cursor=cursor))
        found += [one for one in page.page if (one.created_at, one.id) > mark]
        if page.is_done:
            return found, True
        cursor = page.continue_cursor
    return found, False


def seen(report: Report) -> Seen:
    """A report as watching takes it."""
    failed = report.outcome is not Outcome.SUCCESS
    error = signature_of(report.error_message or "") if failed else None
    return Seen(report.owner, report.platform, report.outcome, error)
