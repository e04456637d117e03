"""Skills and versions as callers see them.

Invariant: a view shows a skill's name, its channels and its counted standing; never its files, so
that watching a skill costs little however long its text is.
"""

from typing import Any

import msgspec

from hubify.domains.skills.lookup import may_read, standing_of, version_numbered
from hubify.domains.skills.rules import shown_status, success_rate
from hubify.domains.skills.tables import (
    Change,
    EvolutionSettings,
    FileRef,
    KnownAlert,
    Origin,
    Skill,
    SkillStanding,
    SkillVersion,
    Trend,
    VersionStatus,
    Visibility,
)
from hubify.functions import QueryCtx, Row, RowId

VERIFIED_LEVEL = 2
"""From which verification level on a skill counts as verified (surface.md 5.2)."""


class SkillSummary(Row, frozen=True):
    """A skill in a list. `version` is the stable one, None while there is none.

    `confidence` is a whole number from 0 to 100, `success_rate` lies between 0 and 1 (a partial
    run is half a success), `last_executed` is in milliseconds since 1970. `alert` says when the
    stable version has broken, or does worse than it may.
    """

    name: str
    version: str | None
    display_name: str
    description: str
    category: str
    tags: tuple[str, ...]
    owner: str
    author: str
    status: str
    confidence: int
    executions: int
    success_rate: float
    unique_agents: int
    unique_platforms: int
    verification_level: int
    verified: bool
    trend: Trend
    last_executed: int | None
    stars: int
    updated_at: int
    alert: KnownAlert | None


class SkillDetails(SkillSummary, frozen=True):
    """One skill with all that is said of it; its files are read by `skills:getFiles`."""

    visibility: Visibility
    platforms: tuple[str, ...]
    license: str | None
    compatibility: str | None
    homepage: str | None
    repository: str | None
    origin: Origin
    fork_of: str | None
    canary_version: str | None
    beta_version: str | None
    latest_version: str
    versions: int
    version_id: RowId | None
    digest: str | None
    published_at: int | None
    has_scripts: bool
    has_references: bool
    has_assets: bool
    notice: str | None
    evolution: EvolutionSettings
    created_at: int


class VersionView(Row, frozen=True):
    """One version: its files by path and digest, where it came from, what it changed."""

    skill_id: RowId
    name: str
    version: str
    status: VersionStatus
    digest: str
    files: tuple[FileRef, ...]
    parents: tuple[RowId, ...]
    description: str
    change_summary: str
    changes: tuple[Change, ...]
    origin: Origin
    source: str
    source_origin: str
    author: str
    author_agent: str | None
    published_at: int
    decision_id: RowId | None


def skill_summary(skill: Skill, standing: SkillStanding) -> SkillSummary:
    """A skill as lists show it."""
    return SkillSummary(**_summary(skill, standing))


def skill_details(ctx: QueryCtx, skill: Skill) -> SkillDetails:
    """A skill with all that is said of it."""
    stable = version_numbered(ctx, skill, skill.stable_version) if skill.stable_version else None
    return SkillDetails(
        **_summary(skill, standing_of(ctx, skill)),
        visibility=skill.visibility,
        platforms=skill.platforms,
        license=skill.license,
        compatibility=skill.compatibility,
        homepage=skill.homepage,
        repository=skill.repository,
        origin=skill.origin,
        fork_of=_fork_of(ctx, skill),
        canary_version=skill.canary_version,
        beta_version=skill.beta_version,
        latest_version=skill.latest_version,
        versions=skill.versions,
        version_id=stable.id if stable else None,
        digest=stable.digest if stable else None,
        published_at=stable.published_at if stable else None,
        has_scripts=_has(stable, "scripts/"),
        has_references=_has(stable, "references/"),
        has_assets=_has(stable, "assets/"),
        notice=skill.notice,
        evolution=skill.evolution,
        created_at=skill.created_at,
    )


def version_view(skill: Skill, version: SkillVersion) -> VersionView:
    """A version as callers see it."""
    told = msgspec.structs.asdict(version)
    decision = told.pop("decision")
    return VersionView(**told, name=skill.name, decision_id=decision)


def _summary(skill: Skill, standing: SkillStanding) -> dict[str, Any]:
    return {
        "id": skill.id,
        "name": skill.name,
        "version": skill.stable_version,
        "display_name": skill.display_name,
        "description": skill.description,
        "category": skill.category,
        "tags": skill.tags,
        "owner": skill.owner,
        "author": skill.author,
        "status": shown_status(skill),
        "confidence": round(standing.confidence),
        "executions": standing.executions,
        "success_rate": success_rate(standing.executions, standing.halves),
        "unique_agents": standing.unique_agents,
        "unique_platforms": len(standing.platforms),
        "verification_level": standing.level,
        "verified": standing.level >= VERIFIED_LEVEL,
        "trend": standing.trend,
        "last_executed": standing.last_executed_at,
        "stars": standing.stars,
        "alert": standing.alert,
        "updated_at": skill.updated_at,
    }


def _fork_of(ctx: QueryCtx, skill: Skill) -> str | None:
    """The name of the skill it was forked from, for a caller who may see that."""
    source = ctx.db.get(Skill, skill.fork_of) if skill.fork_of else None
    return source.name if source is not None and may_read(ctx, source) else None


def _has(version: SkillVersion | None, folder: str) -> bool:
    return version is not None and any(file.path.startswith(folder) for file in version.files)
