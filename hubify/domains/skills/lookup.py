"""Finding skills and versions, and who may see or change them.

Invariant: every road from outside to a skill, or to what belongs to one, passes `may_read`; what
the caller may not see is refused with the words for what does not exist.
"""

from typing import Protocol, TypeVar

from hubify.domains.skills.errors import NothingStable, SkillNotFound, VersionNotFound
from hubify.domains.skills.tables import (
    Skill,
    SkillStanding,
    SkillStatus,
    SkillVersion,
    VersionStanding,
    Visibility,
)
from hubify.functions import Forbidden, NotFound, Principal, QueryCtx, RowId


class OfSkill(Protocol):
    """A row that belongs to a skill."""

    @property
    def skill_id(self) -> RowId:
        """The skill's id."""
        ...


S = TypeVar("S", bound=OfSkill)

READ, WRITE, ADMIN = "skills:read", "skills:write", "skills:admin"


def skill_named(ctx: QueryCtx, name: str) -> Skill | None:
    """The skill that holds a name, whoever asks; None also for one that was deleted."""
    skill = ctx.db.first(Skill.where(name=name))
    return None if skill is None or skill.status is SkillStatus.DELETED else skill


def readable(ctx: QueryCtx, name: str) -> Skill:
    """The skill of a name, for a caller who may see it.

    Raises:
        SkillNotFound: there is none, or not for this caller.

    """
    skill = skill_named(ctx, name)
    if skill is None or not may_read(ctx, skill):
        raise SkillNotFound(name)
    return skill


def may_read(ctx: QueryCtx, skill: Skill) -> bool:
    """Whether the caller may see a skill; of a past one, whether it may still see it now.

    Looks at who calls only when the skill is not public.
    """
    now = ctx.current(skill)
    return now is not None and _is_shown(ctx, now) and (now is skill or _is_shown(ctx, skill))


def _is_shown(ctx: QueryCtx, skill: Skill) -> bool:
    if skill.visibility is Visibility.PUBLIC:
        return True
    return sees_hidden_of(ctx.identity, skill.owner)


def sees_hidden_of(principal: Principal, owner: str) -> bool:
    """Whether a caller may see an owner's skills that are not public."""
    return principal.allows(READ) and acts_for(principal, owner)


def of_visible_skill(ctx: QueryCtx, row: S | None, missing: NotFound) -> tuple[S, Skill]:
    """A row of a skill that the caller may see, and the skill.

    Raises:
        NotFound: `missing`, when there is no such row, or not for this caller.

    """
    skill = ctx.db.get(Skill, row.skill_id) if row is not None else None
    if row is None or skill is None or not may_read(ctx, skill):
        raise missing
    return row, skill


def maintained(ctx: QueryCtx, name: str) -> Skill:
    """The skill of a name, for a caller who may change it.

    Raises:
        SkillNotFound: there is none, or the caller may not see it.
        Forbidden: it is another owner's.

    """
    skill = readable(ctx, name)
    require_maintainer(ctx, skill)
    return skill


def require_maintainer(ctx: QueryCtx, skill: Skill) -> None:
    """Refuse a caller who is neither the skill's owner nor an administrator of skills.

    Raises:
        Forbidden: saying whose it is.

    """
    if not belongs_to(skill, ctx.identity):
        raise Forbidden(f"'{skill.name}' belongs to {skill.owner}; fork it to change it")


def maintains(ctx: QueryCtx, skill: Skill) -> bool:
    """Whether the caller acts for a skill's owner; of a past one, then and now."""
    now = ctx.current(skill)
    return now is not None and all(belongs_to(one, ctx.identity) for one in (skill, now))


def belongs_to(skill: Skill, principal: Principal) -> bool:
    """Whether a caller acts for the skill's owner, or may administer all skills."""
    return acts_for(principal, skill.owner)


def acts_for(principal: Principal, owner: str) -> bool:
    """Whether a caller acts for an owner, or may administer all skills."""
    if not principal.is_known:
        return False
    return principal.owner == owner or principal.allows(ADMIN)


def version_numbered(ctx: QueryCtx, skill: Skill, version: str) -> SkillVersion | None:
    """One version of a skill, by its number; a leading `v` does not count."""
    return ctx.db.first(SkillVersion.where(skill_id=skill.id, version=version.removeprefix("v")))


def require_version(ctx: QueryCtx, skill: Skill, version: str) -> SkillVersion:
    """One version of a skill.

    Raises:
        VersionNotFound: it has no such version.

    """
    found = version_numbered(ctx, skill, version)
    if found is None:
        raise VersionNotFound(skill.name, version)
    return found


def stable_version(ctx: QueryCtx, skill: Skill) -> SkillVersion:
    """The version that everybody gets.

    Raises:
        NothingStable: the skill has none yet.

    """
    if skill.stable_version is None:
        raise NothingStable(f"'{skill.name}' has no stable version yet")
    return require_version(ctx, skill, skill.stable_version)


def standing_of(ctx: QueryCtx, skill: Skill) -> SkillStanding:
    """How a skill stands; every skill has this row from its first day."""
    found = ctx.db.first(SkillStanding.where(skill_id=skill.id))
    assert found is not None, "a skill is inserted together with its standing"
    return found


def version_standing(ctx: QueryCtx, version_id: RowId) -> VersionStanding | None:
    """How a version stands; None while nobody has reported on it."""
    return ctx.db.first(VersionStanding.where(version_id=version_id))
