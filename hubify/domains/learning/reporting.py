"""Reporting a run, and what reports add up to.

Invariant: everything that follows from a report happens in its own transaction, or not at all.
"""

from typing import Any

import msgspec

from hubify.domains.agents import Platform, count_report, find_or_create
from hubify.domains.arguments import AgentId, SkillName, VersionText
from hubify.domains.evolution import (
    Proposed,
    SimilarImprovement,
    Suggestion,
    observe_run,
    propose,
)
from hubify.domains.learning.effects import is_due, weigh_effect
from hubify.domains.learning.errors import RunTold
from hubify.domains.learning.flags import watch
from hubify.domains.learning.intake import (
    Filed,
    Reporter,
    Told,
    kept_object,
    kept_text,
    kept_tools,
    refuse_secret,
    report_row,
    reported_skill,
    reported_version,
    reporter_of,
    spent_ticket,
    trial_run,
)
from hubify.domains.learning.rules import (
    DurationMs,
    ErrorText,
    ImprovementText,
    ModelName,
    Note,
    RunId,
    TicketText,
    Tools,
    counted_day,
    found_the_same,
)
from hubify.domains.learning.signed import (
    Nonce,
    PublicKeyText,
    Signature,
    SignatureText,
    SignedAt,
    check_time,
    keep_nonce,
    report_signed_so,
    signature_of,
)
from hubify.domains.learning.tables import (
    Report,
    ReportedOutcome,
    ReportedRun,
    SkillDay,
    learning,
)
from hubify.domains.learning.watching import note_reported
from hubify.domains.skills import (
    NothingStable,
    Run,
    Skill,
    SkillNotFound,
    TicketRefused,
    VersionNotFound,
)
from hubify.domains.skills import count_report as count_for_skill
from hubify.domains.skills.rules import platform_name
from hubify.evidence.flags import FlagKind
from hubify.evidence.reports import Binding, Outcome
from hubify.evidence.tickets import Ticket
from hubify.functions import MutationCtx, QueryCtx, RowId, post
from hubify.functions.route import Case, Dialect

REPORT_PAGE = Dialect(
    "learning-report",
    Case.CAMEL,
    enveloped=True,
    codes={"UNAUTHORIZED": "AUTH_REQUIRED", "NOT_FOUND": "SKILL_NOT_FOUND"},
    messages={"UNAUTHORIZED": "Valid API key required"},
)
"""`POST /v1/learning/report` as its own page has it (seed 004): camelCase in an envelope, and codes
of its own."""

NOTHING_PROPOSED = Proposed(triggered=False, similar=())


class Reported(msgspec.Struct, frozen=True):
    """What a report did. `log_id` and `report_id` are the same id in the words of two pages.

    `repeated`: its run, or this very signed report, was told of before; this is that report, and
    nothing was done. `flags`: what is odd about the owner's reports on the version, with this one
    (`verification.getFlags`).
    """

    log_id: RowId
    report_id: RowId
    skill_id: RowId
    skill_confidence_change: float
    evolution_triggered: bool
    similar_improvements: tuple[SimilarImprovement, ...]
    repeated: bool = False
    flags: tuple[FlagKind, ...] = ()


@learning.mutation(
    scope="learning:report",
    rest=post(
        "/v1/learning/report",
        REPORT_PAGE,
        spell={"outcome": "result", "error": "error_message"},
        require=("skill_version", "agent_id", "platform"),
    ),
    also={"result": "outcome", "error_message": "error", "version": "skill_version"},
    errors=(SkillNotFound, VersionNotFound, NothingStable, TicketRefused, RunTold),
)
def report(
    ctx: MutationCtx,
    *,
    skill_name: SkillName,
    outcome: ReportedOutcome,
    skill_version: VersionText | None = None,
    agent_id: AgentId | None = None,
    platform: Platform | None = None,
    duration_ms: DurationMs | None = None,
    note: Note | None = None,
    improvement: ImprovementText | None = None,
    error: ErrorText | None = None,
    tools_used: Tools | None = None,
    llm: ModelName | None = None,
    context: dict[str, Any] | None = None,
    is_regression: bool = False,
    ticket: TicketText | None = None,
    run_id: RunId | None = None,
    signature: SignatureText | None = None,
    public_key: PublicKeyText | None = None,
    signed_at: SignedAt | None = None,
    nonce: Nonce | None = None,
) -> Reported:
    """Tell how one run of a skill went, and perhaps what would make the skill better.

    Without a version it is about the one the ticket is for, or the stable one; without an agent,
    from the caller's own. A ticket (from `skills.resolve`) gives the report its full weight, and
    counts once. `runId` is the agent's own name for the run of the skill: a second report of it
    changes nothing. `evolutionTriggered` is true on exactly the report that sets an evolution off.

    A signed report has full weight too, and comes with `signature`, `public_key`, `signed_at` and
    `nonce`: Ed25519 by a key of the agent's (`agents.registerKey`) over the RFC 8785 form of all
    that is sent but `signature` and an idempotency key. The very same one again changes nothing.
    """
    reporter = reporter_of(ctx, agent_id)
    signed = signature_of(ctx, reporter, signature, public_key, signed_at, nonce)
    skill = reported_skill(ctx, skill_name, skill_version)
    if (known := known_report(ctx, reporter, skill, run_id, signed)) is not None:
        return repeated(known, Outcome(outcome.value))
    spent = spent_ticket(ctx, skill, ticket, reporter)
    check_time(ctx, signed, spent)
    told = Told(
        duration_ms=duration_ms,
        note=kept_text(note),
        error_message=kept_text(error),
        improvement=kept_text(improvement),
        tools_used=kept_tools(tools_used),
        llm=kept_text(llm),
        context=kept_object(context, "context"),
        is_regression=is_regression,
        signed_with=signed.key.id if signed else None,
    )
    kept_platform = platform_name(kept_text(platform))
    run = Run(*reporter, kept_platform, Outcome(outcome.value), binding_of(spent, signed))
    version = reported_version(ctx, skill, skill_version, spent)
    reported = take_in(ctx, Filed(skill, version, run, told, spent))
    if run_id is not None:
        ctx.db.insert(ReportedRun(*reporter, skill.id, run_id, reported.report_id))
    keep_nonce(ctx, signed, reported.report_id)
    return reported


def binding_of(spent: Ticket | None, signed: Signature | None) -> Binding:
    """What binds a report to its run; a ticket tells more than a signature does."""
    if spent is not None:
        return Binding.TICKETED
    return Binding.PLAIN if signed is None else Binding.SIGNED


def known_report(
    ctx: MutationCtx,
    reporter: Reporter,
    skill: Skill,
    run_id: str | None,
    signed: Signature | None,
) -> Report | None:
    """The report that told of the same run, or came with the same signature, before.

    Raises:
        InvalidInput: the run's name looks like a secret.
        SignatureRefused: the signature's nonce was used for another report.

    """
    refuse_secret(run_id, "runId")
    signed_before = report_signed_so(ctx, signed) if signed else None
    run = run_named(ctx, reporter, skill, run_id) if run_id else None
    known = run.report_id if run else signed_before
    return ctx.db.get(Report, known) if known else None


def run_named(
    ctx: MutationCtx, reporter: Reporter, skill: Skill, run_id: str
) -> ReportedRun | None:
    """The run of a skill that this agent has told of by this name."""
    owner, agent_id = reporter
    return ctx.db.first(
        ReportedRun.where(owner=owner, agent_id=agent_id, skill_id=skill.id, run_id=run_id)
    )


def repeated(known: Report, outcome: Outcome) -> Reported:
    """The answer to a second report of the same.

    Raises:
        RunTold: it tells of another end.

    """
    if outcome is not known.outcome:
        message = (
            f"this run was reported before, as {known.id}, and ended as '{known.outcome.value}'; "
            "give each run an id of its own"
        )
        raise RunTold(message)
    return Reported(
        log_id=known.id,
        report_id=known.id,
        skill_id=known.skill_id,
        skill_confidence_change=0.0,
        evolution_triggered=False,
        similar_improvements=(),
        repeated=True,
    )


def take_in(ctx: MutationCtx, filed: Filed) -> Reported:
    """Let all that follows from a report happen: row, agent, standings, trial, suggestion."""
    skill, version, run, told, _spent = filed
    agent = find_or_create(ctx, run.owner, run.agent, run.platform)
    trial = trial_run(ctx, filed)
    stored = ctx.db.insert(report_row(filed, agent, trial, ctx.now))
    moved = count_for_skill(ctx, skill, version, run=run, day=ctx.today)
    agreed = found_the_same(run.outcome, moved.told_before, moved.told_by_owner)
    count_report(ctx, agent, run.outcome, run.platform, agreed=agreed)
    count_day(ctx, skill, run)
    flags = watch(ctx, filed, stored.id, moved)
    note_reported(ctx, skill)
    if trial is not None and is_due(observe_run(ctx, trial)):
        ctx.schedule(weigh_effect, canary_id=trial.canary_id)
    proposed = NOTHING_PROPOSED
    if told.improvement is not None:
        suggestion = Suggestion(told.improvement, agent, run.platform, stored.id)
        proposed = propose(ctx, skill, suggestion)
    return Reported(
        log_id=stored.id,
        report_id=stored.id,
        skill_id=skill.id,
        skill_confidence_change=round(moved.skill_after - moved.skill_before, 2),
        evolution_triggered=proposed.triggered,
        similar_improvements=proposed.similar,
        flags=flags,
    )


def count_day(ctx: MutationCtx, skill: Skill, run: Run) -> None:
    """Count a run into its skill's running total of today; costs one row."""
    newest = newest_day(ctx, skill, ctx.today)
    fields = counted_day(newest, ctx.today, run.platform, run.outcome.halves)
    if newest is not None and newest.day == ctx.today:
        ctx.db.replace(newest, **fields)
    else:
        ctx.db.insert(SkillDay(skill_id=skill.id, **fields))


def newest_day(ctx: QueryCtx, skill: Skill, day: int) -> SkillDay | None:
    """A skill's running total as it stood at the end of a day."""
    query = SkillDay.where(skill_id=skill.id).at_most(day=day).newest_first()
    return ctx.db.first(query)
