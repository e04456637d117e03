"""Flags on reports: what is odd about an owner's reports on a version, for everybody to see.

A second page of the module `verification`. The rules are those of `hubify/evidence/flags.py`.

Invariant: whatever a rule meets is stored with its evidence in the commit of the report that met
it; a flag is never taken back, and never changes what a report weighs.
"""

from typing import Annotated, Final

import msgspec

from hubify.domains.arguments import SkillName
from hubify.domains.learning.intake import Filed
from hubify.domains.learning.tables import ReportFlag, ReportStream
from hubify.domains.skills import Skill, SkillNotFound, may_read, readable
from hubify.domains.skills.reporters import shown_owner
from hubify.domains.skills.standing import Moved
from hubify.evidence.confidence import OWNER_CAP, UNITS_PER_RUN, counted
from hubify.evidence.flags import (
    BURST,
    LEAST_OTHERS,
    FlagKind,
    Hit,
    Seen,
    Stream,
    fingerprint_of,
    observed,
)
from hubify.evidence.reports import Outcome
from hubify.functions import Domain, MutationCtx, QueryCtx, RowId, get

report_flags = Domain("verification")

MAX_FLAGS: Final = 100
EXAMPLES: Final = 5
"""Reports that a flag names: the last ones that met its rule."""

Limit = Annotated[int, msgspec.Meta(ge=1, le=MAX_FLAGS)]


class Flag(msgspec.Struct, frozen=True):
    """Something odd about an owner's reports on a version, and the evidence of it.

    `reports` met the rule between `since` and `last` (ms since 1970); `examples` are the last of
    them. `measure` is, of a burst, the most reports that it was ahead of one a minute; of
    duplicates, how many there were; of a stream too perfect, the most bits of surprise.
    """

    kind: FlagKind
    owner: str
    skill_name: str
    skill_version: str
    since: int
    last: int
    reports: int
    measure: float
    says: str
    examples: tuple[RowId, ...]


class Flags(msgspec.Struct, frozen=True):
    """Flags, the newest first; `complete` is false where there are more than were asked for."""

    flags: tuple[Flag, ...]
    complete: bool


@report_flags.query(public=True, rest=get("/v1/skills/{skill_name}/flags"), errors=(SkillNotFound,))
def get_flags(ctx: QueryCtx, *, skill_name: SkillName, limit: Limit = MAX_FLAGS) -> Flags:
    """What is odd about the reports on a skill: bursts, duplicates, streams too perfect.

    Without the scope `learning:read` a label stands for each owner. A flag weighs nothing: how much
    one owner's reports may move is bounded for all alike.
    """
    skill = readable(ctx, skill_name)
    rows = ctx.db.take(ReportFlag.where(skill_id=skill.id).newest_first(), limit=limit + 1)
    shown = tuple(_flag(skill, row, shown_owner(ctx, skill.id, row.owner)) for row in rows[:limit])
    return Flags(shown, complete=len(rows) <= limit)


@report_flags.query(scope="learning:report", rest=get("/v1/flags"))
def list_own_flags(ctx: QueryCtx, *, limit: Limit = MAX_FLAGS) -> Flags:
    """What is odd about the caller's own reports, on all skills."""
    owner = ctx.identity.owner
    rows = ctx.db.take(ReportFlag.where(owner=owner).newest_first(), limit=limit + 1)
    found = ((ctx.db.get(Skill, row.skill_id), row) for row in rows[:limit])
    shown = tuple(
        _flag(skill, row, owner) for skill, row in found if skill and may_read(ctx, skill)
    )
    return Flags(shown, complete=len(rows) <= limit)


def watch(ctx: MutationCtx, filed: Filed, report_id: RowId, moved: Moved) -> tuple[FlagKind, ...]:
    """Take a report into its owner's stream on the version; the rules that it met.

    Costs one row, and one for each rule met.
    """
    version, run = filed.version, filed.run
    known = ctx.db.first(ReportStream.where(version_id=version.id, owner=run.owner))
    seen = Seen(
        at_ms=ctx.now,
        fingerprint=_fingerprint(filed),
        succeeded=run.outcome is Outcome.SUCCESS,
        others_failing=_others_failing(moved),
    )
    stream, hits = observed(known.stream if known else Stream(), seen)
    if known is not None:
        ctx.db.replace(known, stream=stream)
    else:
        ctx.db.insert(ReportStream(version_id=version.id, owner=run.owner, stream=stream))
    for hit in hits:
        _raise(ctx, filed, report_id, hit)
    return tuple(hit.kind for hit in hits)


def _raise(ctx: MutationCtx, filed: Filed, report_id: RowId, hit: Hit) -> None:
    version, owner = filed.version, filed.run.owner
    where = ReportFlag.where(version_id=version.id, owner=owner, kind=hit.kind)
    known = ctx.db.first(where)
    if known is None:
        fresh = ReportFlag(
            skill_id=version.skill_id,
            version_id=version.id,
            skill_version=version.version,
            owner=owner,
            kind=hit.kind,
            since=ctx.now,
            last=ctx.now,
            reports=1,
            measure=hit.measure,
            examples=(report_id,),
        )
        ctx.db.insert(fresh)
        return
    ctx.db.replace(
        known,
        last=ctx.now,
        reports=known.reports + 1,
        measure=max(known.measure, hit.measure),
        examples=(*known.examples, report_id)[-EXAMPLES:],
    )


def _fingerprint(filed: Filed) -> int | None:
    run, told = filed.run, filed.told
    texts = (told.note, told.error_message, told.improvement)
    same = (run.platform, str(run.outcome), *texts, told.duration_ms, told.tools_used, told.llm)
    return fingerprint_of((*same, told.context), texts, told.duration_ms)


def _others_failing(moved: Moved) -> float | None:
    """The share of other owners' runs that failed before the report; None while they are few."""
    others = moved.told_before.minus(counted(moved.told_by_owner, OWNER_CAP))
    if others.weight < LEAST_OTHERS * UNITS_PER_RUN:
        return None
    return others.failure / others.weight


def _flag(skill: Skill, row: ReportFlag, owner: str) -> Flag:
    return Flag(
        kind=row.kind,
        owner=owner,
        skill_name=skill.name,
        skill_version=row.skill_version,
        since=row.since,
        last=row.last,
        reports=row.reports,
        measure=row.measure,
        says=_sentence(row),
        examples=row.examples,
    )


def _sentence(row: ReportFlag) -> str:
    match row.kind:
        case FlagKind.BURST:
            return (
                f"{row.reports} reports came when the owner was more than {BURST} ahead of one a "
                f"minute, {row.measure:.0f} at most"
            )
        case FlagKind.DUPLICATES:
            return f"{row.measure:.0f} reports said the very same as one shortly before"
        case FlagKind.TOO_PERFECT:
            return (
                "if at least half as many of the owner's runs failed as of the others', so few "
                f"failures would be seen once in 2^{row.measure:.0f} times"
            )
