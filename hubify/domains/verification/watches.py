"""Taking runs of a stable version in, and raising or closing alerts.

Invariant: a watch takes each report in once, in the order in which they came; an open alert is of
the version that is stable.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from hubify.domains.skills import Skill, SkillStatus, require_version, version_standing
from hubify.domains.skills.channels import sequel
from hubify.domains.skills.standing import show_alert
from hubify.domains.skills.tables import KnownAlert
from hubify.domains.verification.tables import Alert, AlertStatus, Watch
from hubify.evidence.watching import (
    Finding,
    Limits,
    Seen,
    Trouble,
    Watching,
    look,
    see,
    watching_from,
)
from hubify.functions import MutationCtx, QueryCtx

MAX_OPEN = 100
"""Open alerts of a skill that are looked at; one version has some dozens at most."""
OVERTAKEN = "another version is stable"
DELETED = "the skill was deleted"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Watching).decode


class Watched(NamedTuple):
    """A skill's stable version, its watch, and the last report that this has taken in."""

    watch: Watch
    state: Watching


def known_watch(ctx: QueryCtx, skill: Skill) -> Watched | None:
    """The watch of a skill's stable version, if there is one yet."""
    if skill.stable_version is None:
        return None
    version = require_version(ctx, skill, skill.stable_version)
    kept = ctx.db.first(Watch.where(version_id=version.id))
    return Watched(kept, _decode(kept.state)) if kept else None


def watch_of(ctx: MutationCtx, skill: Skill, mark: tuple[int, str]) -> Watched | None:
    """The watch of a skill's stable version; a new one knows the runs up to `mark` as counted."""
    known = known_watch(ctx, skill)
    if known is not None or skill.stable_version is None:
        return known
    version = require_version(ctx, skill, skill.stable_version)
    counted = version_standing(ctx, version.id)
    runs = counted.runs if counted else 0
    state = watching_from(runs, 2 * counted.successes + counted.partials if counted else 0)
    fresh = Watch(
        skill_id=skill.id,
        version_id=version.id,
        version=version.version,
        since=ctx.now,
        mark=mark,
        state=_encode(state),
    )
    return Watched(ctx.db.insert(fresh), state)


def take_in(
    ctx: MutationCtx, skill: Skill, watched: Watched, runs: Iterable[Seen], mark: tuple[int, str]
) -> list[Alert]:
    """Take runs of the watched version in, up to a report; the alerts that they raise."""
    watch, state = watched
    for run in runs:
        see(state, run)
    found = look(state, limits_of(skill))
    ctx.db.replace(watch, mark=mark, state=_encode(state))
    raised = [ctx.db.insert(alert_of(ctx, watch, one)) for one in found]
    if raised:
        show_newest(ctx, skill)
    return raised


def reached(watched: Watched) -> tuple[int, str]:
    """Up to which report of its skill a watch has come."""
    return watched.watch.mark


def limits_of(skill: Skill) -> Limits:
    """What a version of the skill may do, by the skill's own settings."""
    chosen = skill.evolution
    return Limits(
        failures=1 - chosen.least_success if chosen.least_success else 0,
        same_error=chosen.same_error,
        platform_gap=chosen.platform_gap,
    )


def alert_of(ctx: MutationCtx, watch: Watch, found: Finding) -> Alert:
    """What was found, as it is kept."""
    return Alert(
        skill_id=watch.skill_id,
        version=watch.version,
        kind=found.trouble,
        status=AlertStatus.OPEN,
        message=message_of(watch.version, found),
        signature=found.about,
        runs=found.runs,
        wrong=found.wrong,
        raised_at=ctx.now,
    )


def message_of(version: str, found: Finding) -> str:
    """What was found, in one sentence; an error's own words are left out, being confidential."""
    of_runs = f"{found.wrong:g} of {found.runs} runs"
    match found.trouble:
        case Trouble.DECLINE:
            of_last = f"{found.wrong:g} of the last {found.runs} runs"
            return f"{version} fails more often than it did: {of_last}"
        case Trouble.FAILURES:
            return f"{version} fails more often than the skill allows: {of_runs}"
        case Trouble.ERRORS:
            return f"the same error ends {of_runs} of {version}, of several owners"
        case Trouble.PLATFORM:
            return f"{version} fails more often on {found.about} than elsewhere: {of_runs} there"


def open_alerts(ctx: QueryCtx, skill: Skill) -> list[Alert]:
    """What holds of a skill's stable version now, oldest first."""
    return ctx.db.take(Alert.where(skill_id=skill.id, status=AlertStatus.OPEN), limit=MAX_OPEN)


def close(ctx: MutationCtx, skill: Skill, alert: Alert, *, by: str, reason: str) -> Alert:
    """Say that an alert holds no more, and why."""
    told = {"closed_at": ctx.now, "closed_by": by, "reason": reason}
    closed = ctx.db.replace(alert, status=AlertStatus.CLOSED, **told)
    show_newest(ctx, skill)
    return closed


def watch_anew(ctx: MutationCtx, skill: Skill) -> None:
    """Forget what is known of a version: how it has done so far is what it is measured by."""
    known = known_watch(ctx, skill)
    if known is not None:
        ctx.db.delete(known.watch)


def show_newest(ctx: MutationCtx, skill: Skill) -> None:
    """Let the skill itself say what holds of it."""
    held = open_alerts(ctx, skill)
    show_alert(ctx, skill, known_alert(held[-1]) if held else None)


def known_alert(alert: Alert) -> KnownAlert:
    """An alert as the skill shows it."""
    return KnownAlert(
        alert_id=alert.id,
        version=alert.version,
        kind=str(alert.kind),
        message=alert.message,
        raised_at=alert.raised_at,
    )


@sequel
def close_with_version(ctx: MutationCtx, skill: Skill) -> None:
    """Alerts end with the version that they are of, in the commit that lets another be stable."""
    is_gone = skill.status is SkillStatus.DELETED
    for alert in list(_overtaken(ctx, skill, is_gone=is_gone)):
        close(ctx, skill, alert, by="hubify", reason=DELETED if is_gone else OVERTAKEN)


def _overtaken(ctx: MutationCtx, skill: Skill, *, is_gone: bool) -> Iterator[Alert]:
    for alert in open_alerts(ctx, skill):
        if is_gone or alert.version != skill.stable_version:
            yield alert
