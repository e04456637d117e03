"""What has been found of skills in use, for everybody who depends on them.

Invariant: everybody who may see a skill may see what was found of it; the words of an error, which
its reporters told in confidence, its maintainers only.
"""

from typing import Annotated

import msgspec

from hubify.domains.arguments import Reason, SkillName
from hubify.domains.skills import (
    Skill,
    SkillNotFound,
    maintains,
    may_read,
    of_visible_skill,
    readable,
    require_maintainer,
)
from hubify.domains.skills.tables import SkillStatus
from hubify.domains.verification.tables import Alert, AlertStatus, verification
from hubify.domains.verification.watches import (
    close,
    known_watch,
    limits_of,
    open_alerts,
    watch_anew,
)
from hubify.evidence.alerts import ALARM_AT
from hubify.evidence.watching import Limits, Trouble, missing_baseline
from hubify.functions import Conflict, MutationCtx, NotFound, QueryCtx, Row, RowId, get, post

MAX_ALERTS = 100
Limit = Annotated[int, msgspec.Meta(ge=1, le=MAX_ALERTS)]


class AlertNotFound(NotFound):
    """No alert has that id, or not for this caller."""

    def __init__(self, alert_id: str) -> None:
        super().__init__(f"Alert '{alert_id[:40]}' not found")


class AlertClosed(Conflict):
    """The alert holds no more."""


class AlertView(Row, frozen=True):
    """Something that was found of a skill's version, and whether it still holds.

    `wrong` of the `runs` it is about went wrong (a partial success counts half). `platform` is the
    one that a `platform_gap` is about; `error` is what an `error_pattern` has in common, for the
    skill's maintainers.
    """

    skill_name: str
    version: str
    kind: Trouble
    status: AlertStatus
    message: str
    runs: int
    wrong: float
    platform: str | None
    error: str | None
    raised_at: int
    closed_at: int | None
    closed_by: str | None
    reason: str | None


class Alerts(msgspec.Struct, frozen=True):
    """What was found, the newest first."""

    alerts: tuple[AlertView, ...]


class WatchView(msgspec.Struct, frozen=True):
    """How a skill's stable version is watched, and how far it is from an alert.

    `runs` were counted, `missing_runs` more are needed before a break can be told from chance; a
    break is one when `level` reaches `alarm_at`. `limits` are shares; 0 is not looked for.
    """

    skill_name: str
    version: str | None
    says: str
    runs: int
    missing_runs: int
    level: float
    alarm_at: float
    limits: Limits
    alerts: tuple[AlertView, ...]


@verification.query(public=True, rest=get("/v1/alerts"), errors=(SkillNotFound,))
def list_alerts(
    ctx: QueryCtx,
    *,
    skill_name: SkillName | None = None,
    status: AlertStatus = AlertStatus.OPEN,
    limit: Limit = MAX_ALERTS,
) -> Alerts:
    """What was found of one skill, or of all that the caller may see, the newest first.

    Subscribe to it to hear of a skill that breaks.
    """
    if skill_name is not None:
        skill = readable(ctx, skill_name)
        query = Alert.where(skill_id=skill.id, status=status).newest_first()
        return Alerts(tuple(view_of(ctx, skill, one) for one in ctx.db.take(query, limit=limit)))
    rows = ctx.db.take(Alert.where(status=status).newest_first(), limit=limit)
    found = ((shown_skill(ctx, row), row) for row in rows)
    return Alerts(tuple(view_of(ctx, skill, row) for skill, row in found if skill is not None))


@verification.query(public=True, rest=get("/v1/skills/{skill_name}/watch"), errors=(SkillNotFound,))
def get_watch(ctx: QueryCtx, *, skill_name: SkillName) -> WatchView:
    """How a skill's stable version is watched: what is known, what is missing, what was found."""
    skill = readable(ctx, skill_name)
    known = known_watch(ctx, skill)
    state = known.state if known else None
    missing = missing_baseline(state) if state else 0
    detector = state.detector if state else None
    return WatchView(
        skill_name=skill.name,
        version=skill.stable_version,
        says=says(skill, runs=state.runs if state else 0, missing=missing),
        runs=state.runs if state else 0,
        missing_runs=missing,
        level=round(detector.level, 2) if detector else 0.0,
        alarm_at=ALARM_AT,
        limits=limits_of(skill),
        alerts=tuple(view_of(ctx, skill, one) for one in open_alerts(ctx, skill)),
    )


@verification.mutation(
    scope="skills:write",
    rest=post("/v1/alerts/{alert_id}/close"),
    errors=(AlertNotFound, AlertClosed),
)
def close_alert(ctx: MutationCtx, *, alert_id: RowId, reason: Reason) -> AlertView:
    """Say that an alert holds no more, as the skill's maintainer.

    The version is watched anew: how it has done so far is what it is measured by from then on.
    """
    alert, skill = of_visible_skill(ctx, ctx.db.get(Alert, alert_id), AlertNotFound(alert_id))
    require_maintainer(ctx, skill)
    if alert.status is AlertStatus.CLOSED:
        raise AlertClosed("the alert has been closed already")
    closed = close(ctx, skill, alert, by=ctx.identity.owner, reason=reason)
    watch_anew(ctx, skill)
    return view_of(ctx, skill, closed)


def says(skill: Skill, *, runs: int, missing: int) -> str:
    """How far a watch has come, in one sentence."""
    if skill.stable_version is None:
        return "no version is stable yet, so there is nothing to watch"
    if runs == 0:
        return f"no runs of {skill.stable_version} have been taken in yet: no break can be noticed"
    if missing:
        return (
            f"{runs} runs of {skill.stable_version}: {missing} more before a break can be noticed"
        )
    return f"{runs} runs of {skill.stable_version} are known; a break is noticed"


def shown_skill(ctx: QueryCtx, alert: Alert) -> Skill | None:
    """The skill of an alert, if it is there and the caller may see it."""
    skill = ctx.db.get(Skill, alert.skill_id)
    if skill is None or skill.status is SkillStatus.DELETED or not may_read(ctx, skill):
        return None
    return skill


def view_of(ctx: QueryCtx, skill: Skill, alert: Alert) -> AlertView:
    """An alert as the caller may see it."""
    is_error = alert.kind is Trouble.ERRORS
    return AlertView(
        id=alert.id,
        skill_name=skill.name,
        version=alert.version,
        kind=alert.kind,
        status=alert.status,
        message=alert.message,
        runs=alert.runs,
        wrong=alert.wrong,
        platform=alert.signature if alert.kind is Trouble.PLATFORM else None,
        error=alert.signature if is_error and maintains(ctx, skill) else None,
        raised_at=alert.raised_at,
        closed_at=alert.closed_at,
        closed_by=alert.closed_by,
        reason=alert.reason,
    )
