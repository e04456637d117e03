"""Putting skills and versions into the registry, and taking their files out again.

Invariant: a version's files are the bytes that were given, and never change; its number is free
within its skill and its parents are there before it. The gateway has decided before it comes here.
"""

import msgspec
from msgspec.structs import replace

from hubify.domains.contents import get_content, put_content
from hubify.domains.skills.errors import NameTaken, VersionExists
from hubify.domains.skills.lookup import ADMIN, version_numbered
from hubify.domains.skills.rules import listing_of
from hubify.domains.skills.tables import (
    INSTANCE,
    Change,
    Descent,
    EvolutionDefaults,
    EvolutionSettings,
    FileRef,
    Origin,
    Skill,
    SkillStanding,
    SkillStatus,
    SkillVersion,
    VersionStatus,
    Visibility,
)
from hubify.formats.bundle import Bundle
from hubify.formats.versions import highest
from hubify.functions import MutationCtx, Principal, QueryCtx, RowId

MAX_PARENTS = 20


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What an author says of a skill as a whole."""

    display_name: str
    description: str
    category: str = ""
    tags: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    license: str | None = None
    compatibility: str | None = None
    homepage: str | None = None
    repository: str | None = None


class NewSkill(msgspec.Struct, frozen=True, kw_only=True):
    """A skill to be created, still without a version."""

    name: str
    owner: str
    visibility: Visibility
    origin: Origin
    profile: Profile
    author: str = ""
    written_name: str = ""
    fork_of: RowId | None = None
    evolution: EvolutionSettings = EvolutionSettings()


class NewVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version to be added; `published_at` None means now."""

    version: str
    bundle: Bundle
    status: VersionStatus
    description: str
    author: str
    origin: Origin = Origin.HUMAN
    author_agent: str | None = None
    parents: tuple[RowId, ...] = ()
    change_summary: str = ""
    changes: tuple[Change, ...] = ()
    source: str = ""
    source_origin: str = ""
    published_at: int | None = None
    decision: RowId | None = None


class Added(msgspec.Struct, frozen=True):
    """A version as stored, with its skill as it is then."""

    skill: Skill
    version: SkillVersion


def made_by(caller: Principal) -> Origin:
    """How what a caller makes comes to be: an agent's work, or a person's."""
    return Origin.AGENT if caller.agent else Origin.HUMAN


def described(skill: Skill, profile: Profile) -> Skill:
    """A skill as its newest stable version describes it; what that leaves open stays."""
    told = msgspec.structs.asdict(profile)
    return skill.changed(**{name: value for name, value in told.items() if value})


def as_usual_here(ctx: QueryCtx, settings: EvolutionSettings) -> EvolutionSettings:
    """Settings of a new skill, with what the operator of the instance has set for all."""
    usual = ctx.db.first(EvolutionDefaults.where(name=INSTANCE))
    if usual is None:
        return settings
    return replace(settings, min_reporters=usual.min_reporters, count_by=usual.count_by)


def create_skill(ctx: MutationCtx, new: NewSkill) -> Skill:
    """Create a skill without a version, and the row that it stands in lists with.

    Raises:
        NameTaken: the name is held, perhaps by a skill that was deleted.

    """
    if ctx.db.first(Skill.where(name=new.name)) is not None:
        raise NameTaken(f"the name '{new.name}' is taken")
    profile = new.profile
    evolution = new.evolution if new.fork_of else as_usual_here(ctx, new.evolution)
    skill = Skill(
        name=new.name,
        owner=new.owner,
        visibility=new.visibility,
        listing=listing_of(new.visibility, SkillStatus.ACTIVE, None),
        display_name=profile.display_name or new.name,
        description=profile.description,
        category=profile.category,
        tags=profile.tags,
        platforms=profile.platforms,
        status=SkillStatus.ACTIVE,
        stable_version=None,
        canary_version=None,
        beta_version=None,
        fork_of=new.fork_of,
        origin=new.origin,
        evolution=evolution,
        created_at=ctx.now,
        updated_at=ctx.now,
        license=profile.license,
        compatibility=profile.compatibility,
        homepage=profile.homepage,
        repository=profile.repository,
        author=new.author,
        written_name=new.written_name,
    )
    stored = ctx.db.insert(skill)
    standing = SkillStanding(
        skill_id=stored.id, owner=stored.owner, listing=stored.listing, category=stored.category
    )
    ctx.db.insert(standing)
    return stored


def add_version(ctx: MutationCtx, skill: Skill, new: NewVersion) -> Added:
    """Store a version and its files; no channel moves yet.

    Raises:
        VersionExists: the skill has a version of that number.

    """
    assert len(new.parents) <= MAX_PARENTS, "parents are bounded where they come in"
    if version_numbered(ctx, skill, new.version) is not None:
        raise VersionExists(f"'{skill.name}@{new.version}' exists; choose a higher number")
    version = SkillVersion(
        skill_id=skill.id,
        version=new.version,
        digest=new.bundle.digest,
        files=_put_files(ctx, new.bundle),
        status=new.status,
        parents=new.parents,
        description=new.description,
        change_summary=new.change_summary,
        changes=new.changes,
        origin=new.origin,
        source=new.source,
        source_origin=new.source_origin,
        author=new.author,
        author_agent=new.author_agent,
        published_at=ctx.now if new.published_at is None else new.published_at,
        decision=new.decision,
    )
    stored = ctx.db.insert(version)
    _descend(ctx, skill, stored)
    latest = highest([new.version, *([skill.latest_version] if skill.latest_version else [])])
    changed = skill.changed(
        versions=skill.versions + 1, latest_version=latest or new.version, updated_at=ctx.now
    )
    return Added(ctx.db.replace(changed), stored)


def read_files(ctx: QueryCtx, version: SkillVersion) -> list[tuple[str, bytes]]:
    """The files of a version, as they were given, in byte order of their paths."""
    return [(file.path, get_content(ctx, file.digest)) for file in version.files]


def _put_files(ctx: MutationCtx, bundle: Bundle) -> tuple[FileRef, ...]:
    return tuple(
        FileRef(path, put_content(ctx, data), len(data)) for path, data in bundle.files.items()
    )


def _descend(ctx: MutationCtx, skill: Skill, child: SkillVersion) -> None:
    """Let parents know of a child, but for what an importer says of somebody else's skill."""
    for parent_id in dict.fromkeys(child.parents):
        parent = ctx.db.get(SkillVersion, parent_id)
        assert parent is not None, "parents are looked up where they come in"
        if child.origin is Origin.IMPORTED and not _is_known_of(ctx, skill, parent):
            continue
        edge = Descent(
            parent_id=parent.id,
            parent_skill=parent.skill_id,
            child_id=child.id,
            child_skill=child.skill_id,
        )
        ctx.db.insert(edge)


def _is_known_of(ctx: MutationCtx, skill: Skill, parent: SkillVersion) -> bool:
    """Whether an import's parent is of the same owner, or an administrator says so."""
    source = ctx.db.get(Skill, parent.skill_id)
    return source is None or source.owner == skill.owner or ctx.identity.allows(ADMIN)
