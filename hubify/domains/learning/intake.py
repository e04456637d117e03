"""What comes in with a report, checked and made fit to keep: which version, which agent, what text.

Invariant: nothing that looks like a secret passes from here into a row, and a report is bound to
the version and the arm of its ticket.
"""

from typing import Any, NamedTuple, cast

from hubify.domains.agents import AgentStanding
from hubify.domains.arguments import check_object
from hubify.domains.evolution import TrialRun
from hubify.domains.learning.tables import Report
from hubify.domains.skills import (
    Run,
    Skill,
    SkillNotFound,
    SkillVersion,
    TicketRefused,
    VersionNotFound,
    VersionStatus,
    belongs_to,
    may_read,
    require_version,
    rollout_of,
    running_agent,
    skill_named,
    spend_ticket,
    stable_version,
)
from hubify.domains.skills.rules import is_published
from hubify.evidence.redaction import redact
from hubify.evidence.reports import Arm
from hubify.evidence.tickets import Ticket
from hubify.functions import InvalidInput, MutationCtx, QueryCtx, RowId


class Told(NamedTuple):
    """What a report says beside how the run ended, fit to be kept."""

    duration_ms: float | None
    note: str | None
    error_message: str | None
    improvement: str | None
    tools_used: tuple[str | dict[str, Any], ...]
    llm: str | None
    context: dict[str, Any] | None
    is_regression: bool
    signed_with: RowId | None


class Filed(NamedTuple):
    """A report with all that it is about, ready to take effect."""

    skill: Skill
    version: SkillVersion
    run: Run
    told: Told
    spent: Ticket | None


class Reporter(NamedTuple):
    """Who reports: an owner, and the agent that acts for it."""

    owner: str
    agent_id: str


def reporter_of(ctx: QueryCtx, agent_id: str | None) -> Reporter:
    """The caller's agent: the one its key names, else the one it names, else one named as itself.

    Raises:
        Forbidden: the key names another agent.
        InvalidInput: the id looks like a secret.

    """
    principal = ctx.identity
    refuse_secret(agent_id, "agentId")
    return Reporter(principal.owner, running_agent(principal, agent_id))


def refuse_secret(name: str | None, argument: str) -> None:
    """Refuse what looks like a secret where it would be kept as a name of something.

    Raises:
        InvalidInput: it does.

    """
    if name is not None and redact(name).labels:
        message = f"{argument} looks like a secret; choose another name"
        raise InvalidInput(message)


def reported_skill(ctx: QueryCtx, name: str, version: str | None) -> Skill:
    """The skill a report is about; the refusal names the version too where one was given.

    Raises:
        SkillNotFound, VersionNotFound: there is none, or not for this caller.

    """
    skill = skill_named(ctx, name)
    if skill is not None and may_read(ctx, skill):
        return skill
    raise SkillNotFound(name) if version is None else VersionNotFound(name, version)


def spent_ticket(
    ctx: MutationCtx, skill: Skill, ticket: str | None, reporter: Reporter
) -> Ticket | None:
    """The ticket of a report, used up by it; None where it has none.

    Raises:
        TicketRefused: it does not stand for this run.

    """
    if not ticket:
        return None
    return spend_ticket(ctx, skill, ticket, owner=reporter.owner, agent=reporter.agent_id)


def reported_version(
    ctx: QueryCtx, skill: Skill, version: str | None, ticket: Ticket | None
) -> SkillVersion:
    """The version a report is about: the one it names, its ticket's, or the stable one.

    Raises:
        VersionNotFound: the skill has no such version, or it is a draft, or has no files and is
            somebody else's: only who imports a record knows of runs of such a one.
        NothingStable: none was named and none is stable.
        TicketRefused: it names another version than its ticket.

    """
    if ticket is not None and (version or ticket.version).removeprefix("v") != ticket.version:
        raise TicketRefused(f"the ticket is for version {ticket.version}, not {version}")
    number = ticket.version if ticket else version
    found = stable_version(ctx, skill) if number is None else require_version(ctx, skill, number)
    is_known = found.status is VersionStatus.PLACEHOLDER and belongs_to(skill, ctx.identity)
    if not (is_known or is_published(found.status)):
        raise VersionNotFound(skill.name, found.version)
    return found


def trial_run(ctx: QueryCtx, filed: Filed) -> TrialRun | None:
    """What the judge of a trial is shown of the run; None outside a trial.

    A run without a ticket is shown where it is of either version that the trial compares.
    """
    skill, version, run, told, ticket = filed
    if ticket is not None:
        trial = (ticket.canary, ticket.arm, ticket.share) if ticket.canary else None
    elif version.version in (skill.stable_version, skill.canary_version):
        rollout = rollout_of(ctx, skill) if skill.canary_version else None
        arm = Arm.CANARY if version.version == skill.canary_version else Arm.STABLE
        trial = (rollout.canary_id, arm, 0.0) if rollout else None
    else:
        trial = None
    if trial is None:
        return None
    return TrialRun(
        *trial,
        owner=run.owner,
        platform=run.platform,
        outcome=run.outcome,
        is_regression=told.is_regression,
        ticketed=ticket is not None,
    )


def report_row(filed: Filed, agent: AgentStanding, trial: TrialRun | None, now: int) -> Report:
    """A report as it is kept for ever."""
    version, run, spent = filed.version, filed.run, filed.spent
    return Report(
        skill_id=version.skill_id,
        version_id=version.id,
        skill_version=version.version,
        agent=agent.agent,
        agent_id=agent.agent_id,
        owner=agent.owner,
        platform=run.platform,
        outcome=run.outcome,
        binding=run.binding,
        created_at=now,
        serial=spent.serial if spent else None,
        canary_id=trial.canary_id if trial else None,
        arm=trial.arm if trial else None,
        share=trial.share if trial and trial.ticketed else None,
        **filed.told._asdict(),
    )


def kept_text(text: str | None) -> str | None:
    """A text with known secrets taken out; None for an empty one."""
    return redact(text).text if text and text.strip() else None


def kept_object(value: dict[str, Any] | None, name: str) -> dict[str, Any] | None:
    """A free-form object, bounded, with known secrets taken out of its texts.

    Raises:
        InvalidInput: it is too large or too deep.

    """
    if not value:
        return None
    check_object(value, name)
    return cast("dict[str, Any]", redacted(value))


def kept_tools(tools: list[str | dict[str, Any]] | None) -> tuple[str | dict[str, Any], ...]:
    """The tools of a run: names, or objects, with known secrets taken out."""
    return tuple(
        redact(tool).text if isinstance(tool, str) else kept_object(tool, "tools_used") or {}
        for tool in tools or ()
    )


def redacted(value: object) -> object:
    """A value with known secrets taken out of every text in it, the names of fields too."""
    if isinstance(value, str):
        return redact(value).text
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return {redact(name).text: redacted(item) for name, item in fields.items()}
    if isinstance(value, list):
        return [redacted(item) for item in cast("list[object]", value)]
    return value
