"""Taking a person out of reports: each one still counts, and says no more than how the run ended.

Invariant: what reports add up to is the same before and after.
"""

import msgspec

from hubify.domains.learning.tables import (
    Report,
    ReportedRun,
    ReportEndorsement,
    ReportFlag,
    ReportStream,
    SignedNonce,
    SkillDay,
)
from hubify.domains.skills.erasing import is_emptied
from hubify.functions import MutationCtx
from hubify.functions.erasing import Erasers, Subject

erasers = Erasers()
erasers.nobody(SignedNonce, SkillDay)


@erasers.of(Report)
def erase_report(ctx: MutationCtx, row: Report, subject: Subject) -> Report:
    """Outcome, platform, version, arm and time stay; names are pseudonyms, free texts go.

    A suggestion for a skill that stays is kept, as with the evolution it may have led to.
    """
    if not subject.covers(row.owner, row.agent_id):
        return row
    owner, agent_id = subject.pair(row.owner, row.agent_id)
    return row.changed(
        owner=owner,
        agent_id=agent_id,
        note=None,
        error_message=None,
        improvement=None if is_emptied(ctx, row.skill_id, subject) else row.improvement,
        tools_used=(),
        llm=None,
        context=None,
    )


@erasers.of(ReportEndorsement)
def erase_endorsement(
    _ctx: MutationCtx, row: ReportEndorsement, subject: Subject
) -> ReportEndorsement:
    """An endorsement counts on, under a pseudonym."""
    owner, agent_id = subject.pair(row.owner, row.agent_id)
    return row.changed(owner=owner, agent_id=agent_id)


@erasers.of(ReportedRun)
def erase_run(_ctx: MutationCtx, row: ReportedRun, subject: Subject) -> ReportedRun | None:
    """By which names of its own an agent told its runs apart goes: it reports no more."""
    return None if subject.covers(row.owner, row.agent_id) else row


@erasers.of(ReportStream)
def erase_stream(_ctx: MutationCtx, row: ReportStream, subject: Subject) -> ReportStream:
    """What is odd about reports stays told under the pseudonym; what they told is forgotten."""
    if not subject.is_owner(row.owner):
        return row
    stream = msgspec.structs.replace(row.stream, fingerprints=())
    return row.changed(owner=str(subject.named(row.owner)), stream=stream)


@erasers.of(ReportFlag)
def erase_flag(_ctx: MutationCtx, row: ReportFlag, subject: Subject) -> ReportFlag:
    """A flag stays, under the pseudonym."""
    return row.changed(owner=str(subject.named(row.owner)))
