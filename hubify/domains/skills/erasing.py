"""Taking a person out of skills: evidence under a pseudonym, published skills kept, others emptied.

What is public stays published, because others run it and its bytes are what its digest says; it
belongs to nobody then, and an administrator may give it to somebody. What only its owner could
see goes, and with it the files that no other version has.

Invariant: a version's confidence is the same before, after and in between: all rows of one owner
on one version change in one transaction.
"""

from hubify.domains.contents import doom, doomed, drop_doomed, seek_doomed, spare
from hubify.domains.skills.channels import end_canary, store
from hubify.domains.skills.exposures import IssuedTicket, TrialTickets
from hubify.domains.skills.lookup import version_standing
from hubify.domains.skills.tables import (
    ChannelMove,
    Descent,
    EvidenceCell,
    EvolutionDefaults,
    OwnerEvidence,
    Pin,
    Rollout,
    Skill,
    SkillReporter,
    SkillStanding,
    SkillStatus,
    SkillVersion,
    SpentTicket,
    Star,
    TicketKey,
    VersionStanding,
    VersionStatus,
    Visibility,
    skills,
)
from hubify.domains.skills.weighing import MAX_CELLS_OF_OWNER
from hubify.functions import MutationCtx, PageRequest, QueryCtx, RowId
from hubify.functions.erasing import Erasers, Subject

EMPTIED_AT_ONCE = 500
"""Versions that one call empties."""
SWEPT_AT_ONCE = 500
"""Versions whose files one job looks at."""

erasers = Erasers()
erasers.nobody(Descent, EvolutionDefaults, Rollout, TicketKey, TrialTickets)


@erasers.of(Skill)
def erase_skill(ctx: MutationCtx, row: Skill, subject: Subject) -> Skill:
    """A public skill stays published and belongs to nobody; another one is emptied."""
    if not subject.is_owner(row.owner):
        return row
    if row.visibility is Visibility.PUBLIC:
        return row.changed(owner=subject.alias(row.owner))
    skill = end_canary(ctx, row)
    return store(ctx, emptied(skill, subject)) if empty_versions(ctx, skill, subject) else skill


@erasers.of(SkillVersion)
def erase_version(_ctx: MutationCtx, row: SkillVersion, subject: Subject) -> SkillVersion:
    """A version stays as it was published, under its author's pseudonym."""
    author, agent = subject.pair(row.author, row.author_agent or "")
    return row.changed(author=author, author_agent=agent or None)


@erasers.of(ChannelMove)
def erase_move(_ctx: MutationCtx, row: ChannelMove, subject: Subject) -> ChannelMove:
    """That a channel moved stays; who asked goes, and the reason in that person's words."""
    if not subject.is_owner(row.asked_by):
        return row
    return row.changed(asked_by=subject.alias(row.asked_by), reason="")


@erasers.of(EvidenceCell)
def erase_cell(ctx: MutationCtx, row: EvidenceCell, subject: Subject) -> EvidenceCell:
    """All evidence of the owner on the version goes on under the pseudonym, at once."""
    if subject.is_owner(row.owner):
        rename_evidence(ctx, row.version_id, subject)
    return row.changed(owner=subject.named(row.owner))


@erasers.of(OwnerEvidence)
def erase_evidence(ctx: MutationCtx, row: OwnerEvidence, subject: Subject) -> OwnerEvidence:
    """As with its cells."""
    if subject.is_owner(row.owner):
        rename_evidence(ctx, row.version_id, subject)
    return row.changed(owner=subject.named(row.owner))


@erasers.of(VersionStanding)
def restart_weighing(_ctx: MutationCtx, row: VersionStanding, subject: Subject) -> VersionStanding:
    """A weighing that has just reached the owner begins anew."""
    weighing = row.weighing
    return row.changed(weighing=None) if weighing and subject.is_owner(weighing.reached) else row


@erasers.of(SkillStanding)
def erase_standing(_ctx: MutationCtx, row: SkillStanding, subject: Subject) -> SkillStanding:
    """A skill's standing follows its skill."""
    return row.changed(owner=subject.named(row.owner))


@erasers.of(SkillReporter)
def erase_reporter(_ctx: MutationCtx, row: SkillReporter, subject: Subject) -> SkillReporter:
    """Who has reported counts on, under a pseudonym."""
    owner, agent = subject.pair(row.owner, row.agent)
    return row.changed(owner=owner, agent=agent)


@erasers.of(SpentTicket)
def erase_ticket(_ctx: MutationCtx, row: SpentTicket, subject: Subject) -> SpentTicket:
    """A ticket stays spent."""
    return row.changed(owner=subject.named(row.owner))


@erasers.of(IssuedTicket)
def erase_issued(_ctx: MutationCtx, row: IssuedTicket, subject: Subject) -> IssuedTicket:
    """That a ticket was handed out stays."""
    return row.changed(owner=subject.named(row.owner))


@erasers.of(Star)
def erase_star(_ctx: MutationCtx, row: Star, subject: Subject) -> Star:
    """A star counts on, under a pseudonym."""
    owner, agent = subject.pair(row.owner, row.agent)
    return row.changed(owner=owner, agent=agent)


@erasers.of(Pin)
def erase_pin(_ctx: MutationCtx, row: Pin, subject: Subject) -> Pin | None:
    """A pin serves its owner alone, and goes."""
    return None if subject.covers(row.owner, row.agent) else row


def is_emptied(ctx: QueryCtx, skill_id: RowId, subject: Subject) -> bool:
    """Whether a skill is one of the subject's that goes with it, or has gone."""
    skill = ctx.db.get(Skill, skill_id)
    if skill is None or skill.visibility is Visibility.PUBLIC:
        return False
    return subject.was_owner(skill.owner)


def rename_evidence(ctx: MutationCtx, version_id: RowId, subject: Subject) -> None:
    """Put all evidence of the owner on a version under the pseudonym.

    A weighing under way goes in order of owner, so it begins anew.
    """
    owner, alias = subject.owner, subject.alias(subject.owner)
    cells = EvidenceCell.where(version_id=version_id, owner=owner)
    for cell in ctx.db.take(cells, limit=MAX_CELLS_OF_OWNER):
        ctx.db.replace(cell, owner=alias)
    evidence = ctx.db.first(OwnerEvidence.where(version_id=version_id, owner=owner))
    if evidence is not None:
        ctx.db.replace(evidence, owner=alias)
    standing = version_standing(ctx, version_id)
    if standing is not None and standing.weighing is not None:
        ctx.db.replace(standing, weighing=None)


def empty_versions(ctx: MutationCtx, skill: Skill, subject: Subject) -> bool:
    """Take the files out of some of a skill's versions; whether none is left to empty."""
    found = ctx.db.take(SkillVersion.where(skill_id=skill.id), limit=skill.versions + 1)
    full = [version for version in found if _emptied_version(version, subject) != version]
    for version in full[:EMPTIED_AT_ONCE]:
        for file in version.files:
            doom(ctx, file.digest)
        ctx.db.replace(_emptied_version(version, subject))
    return len(full) <= EMPTIED_AT_ONCE


def emptied(skill: Skill, subject: Subject) -> Skill:
    """What is left of a skill that was its owner's alone: that there was one."""
    return skill.changed(
        name=subject.alias(skill.name),
        owner=subject.alias(skill.owner),
        visibility=Visibility.PRIVATE,
        status=SkillStatus.DELETED,
        display_name="",
        description="",
        category="",
        tags=(),
        platforms=(),
        stable_version=None,
        beta_version=None,
        license=None,
        compatibility=None,
        homepage=None,
        repository=None,
        author="",
        written_name="",
        notice=None,
    )


def _emptied_version(version: SkillVersion, subject: Subject) -> SkillVersion:
    author, agent = subject.pair(version.author, version.author_agent or "")
    return version.changed(
        digest="",
        files=(),
        status=VersionStatus.PLACEHOLDER,
        description="",
        change_summary="",
        changes=(),
        source="",
        source_origin="",
        author=author,
        author_agent=agent or None,
    )


# Files that only emptied versions had.


def begin_sweep(ctx: MutationCtx) -> bool:
    """Let doomed contents go that no version has; whether there are any left."""
    if doomed(ctx, sought=False) and seek_doomed(ctx):
        ctx.schedule(sweep_contents)
    return bool(doomed(ctx, sought=True) or doomed(ctx, sought=False))


@skills.mutation(internal=True)
def sweep_contents(ctx: MutationCtx, *, cursor: str | None = None) -> None:
    """Spare the sought contents that some version has, page by page; drop the rest at the end."""
    sought = {row.digest for row in doomed(ctx, sought=True)}
    request = PageRequest(num_items=SWEPT_AT_ONCE, cursor=cursor)
    page = ctx.paginate(SkillVersion.where().order_by("skill_id"), request)
    for digest in sought & {file.digest for version in page.page for file in version.files}:
        spare(ctx, digest)
    if page.is_done:
        ctx.schedule(drop_doomed)
    else:
        ctx.schedule(sweep_contents, cursor=page.continue_cursor)
