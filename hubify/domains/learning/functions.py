"""What reports add up to, and what others say of them.

Invariant: what a report's author told in confidence (`note`, `error`) is answered to that owner
and to the skill's maintainers only; who reported, with what, to nobody without `learning:read`.
"""

from typing import Annotated, Any

import msgspec

from hubify.domains.arguments import AgentId, Cursor, SkillName
from hubify.domains.evolution import (
    GroupClosed,
    GroupNotFound,
    Improvement,
    Opinion,
    give_opinion,
    group_with_skill,
    groups_of,
    trigger_if_due,
)
from hubify.domains.learning.errors import OwnReport, ReportNotFound
from hubify.domains.learning.intake import reporter_of
from hubify.domains.learning.reporting import newest_day
from hubify.domains.learning.rules import PlatformSpan, Span, span_of, total_of
from hubify.domains.learning.tables import (
    EndorsementType,
    Report,
    ReportEndorsement,
    SkillDay,
    learning,
)
from hubify.domains.skills import (
    Skill,
    SkillNotFound,
    maintains,
    of_visible_skill,
    readable,
    standing_of,
)
from hubify.domains.skills.reporters import NAMES, may_name, shown_reporter
from hubify.domains.skills.rules import success_rate
from hubify.domains.skills.tables import Trend
from hubify.evidence.reports import Arm, Binding, Outcome
from hubify.functions import (
    MutationCtx,
    PageRequest,
    Principal,
    QueryCtx,
    Row,
    RowId,
    get,
    post,
)

REPORT = "learning:report"
MAX_LOGS = 100
MAX_ENDORSEMENTS = 300
MAX_REQUESTS = 4
TOP_IMPROVEMENTS = 5
WEEK, MONTH = 7, 30
TREND_WORDS = {Trend.IMPROVING: "up", Trend.STABLE: "stable", Trend.DECLINING: "down"}
OUTCOME_WORDS = {Outcome.SUCCESS: "success", Outcome.PARTIAL: "partial", Outcome.FAIL: "failure"}

Limit = Annotated[int, msgspec.Meta(ge=1, le=MAX_LOGS)]


class TopImprovement(msgspec.Struct, frozen=True):
    """A request that agents make of a skill, and how many suggestions make it."""

    suggestion: str
    count: int
    group_id: RowId


class Stats(msgspec.Struct, frozen=True):
    """How a skill has been doing; rates lie between 0 and 1, a partial run counts as half.

    `trend_percentage` is the change of the success rate from the seven days before to the last
    seven, in points of a hundred; `trend` says whether it is more than chance would make.
    """

    skill_name: str
    total_executions: int
    success_rate: float
    last_7_days: Span
    last_30_days: Span
    trend: str
    trend_percentage: float
    agent_count: int
    platform_breakdown: dict[str, PlatformSpan]
    top_improvements: tuple[TopImprovement, ...]


class Endorsements(msgspec.Struct, frozen=True):
    """How many owners have endorsed a report, by kind."""

    helpful: int = 0
    accurate: int = 0
    insightful: int = 0


class Log(Row, frozen=True):
    """A report as others see it; `note` and `error` for its owner and the maintainers only.

    Without the scope `learning:read` a label stands for its owner and its agent, and which tools
    and model it used, and which of the agent's keys signed it, is left out. `result` and `outcome`
    say the same in the words of two pages (`fail` and `failure`).
    """

    skill_name: str
    skill_version: str
    agent_id: str
    owner: str
    platform: str
    result: Outcome
    outcome: str
    binding: Binding
    signed_with: RowId | None
    is_canary: bool
    is_regression: bool
    timestamp: int
    duration_ms: float | None
    improvement: str | None
    tools_used: tuple[str | dict[str, Any], ...]
    llm: str | None
    note: str | None
    error: str | None
    context: dict[str, Any] | None
    endorsements: Endorsements


class Logs(msgspec.Struct, frozen=True):
    """A page of a skill's reports, newest first."""

    logs: list[Log]
    is_done: bool
    continue_cursor: str


class ImprovementStanding(msgspec.Struct, frozen=True):
    """Where a group stands after an endorsement, and whether that set an evolution off."""

    group_id: RowId
    suggestion: str
    count: int
    agent_count: int
    owner_count: int
    evolution_triggered: bool


@learning.query(public=True, rest=get("/v1/learning/{skill_name}/stats"), errors=(SkillNotFound,))
def get_stats(ctx: QueryCtx, *, skill_name: SkillName) -> Stats:
    """How a skill has been doing: in all, of late, by platform, and what agents ask of it most."""
    skill = readable(ctx, skill_name)
    standing, today = standing_of(ctx, skill), ctx.today
    newest = newest_day(ctx, skill, today)
    now, week_ago = total_of(newest), total_of(newest_day(ctx, skill, today - WEEK))
    week = span_of(now, week_ago)
    before = span_of(week_ago, total_of(newest_day(ctx, skill, today - 2 * WEEK)))
    compared = week.executions and before.executions
    change = 100 * (week.success_rate - before.success_rate) if compared else 0.0
    return Stats(
        skill_name=skill.name,
        total_executions=now[0],
        success_rate=success_rate(*now),
        last_7_days=week,
        last_30_days=span_of(now, total_of(newest_day(ctx, skill, today - MONTH))),
        trend=TREND_WORDS[standing.trend],
        trend_percentage=round(change, 2),
        agent_count=standing.unique_agents,
        platform_breakdown=platforms_of(newest),
        top_improvements=top_improvements(ctx, skill),
    )


@learning.query(public=True, rest=get("/v1/learning/{skill_name}/logs"), errors=(SkillNotFound,))
def get_logs(
    ctx: QueryCtx, *, skill_name: SkillName, limit: Limit = 20, cursor: Cursor | None = None
) -> Logs:
    """A skill's reports, newest first; pass `continueCursor` as `cursor` for those before."""
    skill = readable(ctx, skill_name)
    query = Report.where(skill_id=skill.id).order_by("created_at").newest_first()
    page = ctx.paginate(query, PageRequest(num_items=limit, cursor=cursor))
    logs = [log_of(ctx, skill, report) for report in page.page]
    return Logs(logs, page.is_done, page.continue_cursor)


@learning.query(public=True, rest=get("/v1/learning/reports/{report_id}"), errors=(ReportNotFound,))
def get_report(ctx: QueryCtx, *, report_id: RowId) -> Log:
    """One report, as this caller may see it."""
    report, skill = visible_report(ctx, report_id)
    return log_of(ctx, skill, report)


@learning.mutation(
    scope="learning:report",
    rest=post("/v1/learning/reports/{report_id}/endorse"),
    errors=(ReportNotFound, OwnReport),
)
def endorse_report(
    ctx: MutationCtx,
    *,
    report_id: RowId,
    type: EndorsementType,  # noqa: A002 - the page's name
    agent_id: AgentId | None = None,
) -> Endorsements:
    """Say that another's report is helpful, accurate or insightful; each counts once per owner."""
    report, _skill = visible_report(ctx, report_id)
    endorser = reporter_of(ctx, agent_id)
    if report.owner == endorser.owner:
        raise OwnReport("a report is endorsed by other owners than its own")
    where = ReportEndorsement.where(report_id=report.id, owner=endorser.owner, type=type)
    if ctx.db.first(where) is None:
        said = ReportEndorsement(
            report_id=report.id,
            owner=endorser.owner,
            agent_id=endorser.agent_id,
            type=type,
            created_at=ctx.now,
        )
        ctx.db.insert(said)
    return endorsements_of(ctx, report)


@learning.mutation(
    scope="learning:report",
    rest=post("/v1/learning/improvements/{group_id}/endorse"),
    also={"type": "opinion", "verdict": "opinion", "log_id": "report_id"},
    errors=(GroupNotFound, GroupClosed, ReportNotFound),
)
def endorse_improvement(
    ctx: MutationCtx,
    *,
    group_id: RowId,
    opinion: Opinion = Opinion.SAME,
    report_id: RowId | None = None,
    agent_id: AgentId | None = None,
) -> ImprovementStanding:
    """Say whether a group of suggestions asks for the same as you do; counts once per owner.

    With `reportId`, a report of your own, its suggestion joins the group or leaves it. "Same" may
    be what an evolution lacked: then `evolutionTriggered` is true.
    """
    group, skill = group_with_skill(ctx, group_id)
    endorser = reporter_of(ctx, agent_id)
    own = own_improvements(ctx, report_id, endorser.owner)
    told = give_opinion(
        ctx, group, opinion, owner=endorser.owner, agent_id=endorser.agent_id, own=own
    )
    return ImprovementStanding(
        group_id=told.id,
        suggestion=told.text,
        count=told.members,
        agent_count=told.agents,
        owner_count=told.owners,
        evolution_triggered=trigger_if_due(ctx, skill, told),
    )


def visible_report(ctx: QueryCtx, report_id: str) -> tuple[Report, Skill]:
    """A report on a skill that the caller may see, and the skill.

    Raises:
        ReportNotFound: there is none of that id, or not for this caller.

    """
    report = ctx.db.get(Report, report_id)
    return of_visible_skill(ctx, report, ReportNotFound(report_id))


def own_improvements(ctx: QueryCtx, report_id: str | None, owner: str) -> list[Improvement]:
    """The suggestions of one of an owner's reports.

    Raises:
        ReportNotFound: it is no report of this owner's.

    """
    if report_id is None:
        return []
    report = ctx.db.get(Report, report_id)
    if report is None or report.owner != owner:
        raise ReportNotFound(report_id)
    return ctx.db.take(Improvement.where(report_id=report.id), limit=MAX_REQUESTS)


def platforms_of(newest: SkillDay | None) -> dict[str, PlatformSpan]:
    """All runs by platform."""
    totals = newest.platforms if newest else {}
    return {
        name: PlatformSpan(runs, success_rate(runs, halves))
        for name, (runs, halves) in totals.items()
    }


def top_improvements(ctx: QueryCtx, skill: Skill) -> tuple[TopImprovement, ...]:
    """What agents ask of a skill most."""
    groups = groups_of(ctx, skill)[:TOP_IMPROVEMENTS]
    return tuple(TopImprovement(group.text, group.members, group.id) for group in groups)


def log_of(ctx: QueryCtx, skill: Skill, report: Report) -> Log:
    """A report as this caller may see it."""
    own = is_own(ctx.identity, report)
    named = own or may_name(ctx)
    trusted = own or (may_name(ctx) and maintains(ctx, skill))
    reporter = shown_reporter(ctx, skill.id, report.owner, report.agent_id, own=own)
    return Log(
        id=report.id,
        skill_name=skill.name,
        skill_version=report.skill_version,
        agent_id=reporter.agent_id,
        owner=reporter.owner,
        platform=report.platform,
        result=report.outcome,
        outcome=OUTCOME_WORDS[report.outcome],
        binding=report.binding,
        signed_with=report.signed_with if named else None,
        is_canary=report.arm is Arm.CANARY,
        is_regression=report.is_regression,
        timestamp=report.created_at,
        duration_ms=report.duration_ms,
        improvement=report.improvement,
        tools_used=report.tools_used if named else (),
        llm=report.llm if named else None,
        note=report.note if trusted else None,
        error=report.error_message if trusted else None,
        context=report.context if trusted else None,
        endorsements=endorsements_of(ctx, report),
    )


def is_own(caller: Principal, report: Report) -> bool:
    """Whether a report is of the caller's owner, and the key is one to report or read reports."""
    speaks = caller.allows(REPORT) or caller.allows(NAMES)
    return caller.is_known and caller.owner == report.owner and speaks


def endorsements_of(ctx: QueryCtx, report: Report) -> Endorsements:
    """How many owners have endorsed a report, by kind; counted up to a bound."""
    said = ctx.db.take(ReportEndorsement.where(report_id=report.id), limit=MAX_ENDORSEMENTS)
    counts = {kind: sum(one.type is kind for one in said) for kind in EndorsementType}
    return Endorsements(
        helpful=counts[EndorsementType.HELPFUL],
        accurate=counts[EndorsementType.ACCURATE],
        insightful=counts[EndorsementType.INSIGHTFUL],
    )
