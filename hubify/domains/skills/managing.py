"""What an owner does with a skill: describe, deprecate, fork, delete, move its channels back.

Invariant: a name is never given up, so that nobody can take it over; a version that somebody may
have pinned stays readable for as long as its skill is.
"""

from hubify.domains import gateway
from hubify.domains.arguments import (
    OwnerName,
    Reason,
    SkillName,
    VersionText,
    checked_owner,
    in_one_line,
)
from hubify.domains.skills.arguments import Category, Description, Items, Line, Summary
from hubify.domains.skills.channels import end_canary, follow_up, make_beta, make_stable, store
from hubify.domains.skills.errors import (
    NameTaken,
    NothingStable,
    SkillNotFound,
    VersionNotFound,
    WrongState,
)
from hubify.domains.skills.intake import category_name, tag_names
from hubify.domains.skills.lookup import ADMIN, WRITE, maintained, readable, require_version
from hubify.domains.skills.reading import wanted_version
from hubify.domains.skills.rules import is_published, may_be_named
from hubify.domains.skills.tables import (
    Channel,
    ChannelMove,
    Skill,
    SkillStatus,
    SkillVersion,
    VersionStatus,
    Visibility,
    skills,
)
from hubify.domains.skills.versions import (
    NewSkill,
    NewVersion,
    Profile,
    add_version,
    create_skill,
    made_by,
    read_files,
)
from hubify.domains.skills.views import SkillDetails, skill_details
from hubify.formats.bundle import gather
from hubify.formats.names import owned_name, slug_from
from hubify.functions import (
    InvalidInput,
    MutationCtx,
    Page,
    PageRequest,
    QueryCtx,
    RowId,
    delete,
    get,
    patch,
    post,
)

MAX_MOVES = 100
"""Steps of a channel that a rollback looks back over."""
UNUSABLE = (VersionStatus.ROLLED_BACK, VersionStatus.DEPRECATED, VersionStatus.PLACEHOLDER)
PROFILE_FIELDS = frozenset(Profile.__struct_fields__)


@skills.mutation(scope=WRITE, rest=patch("/v1/skills/{name}"), errors=(SkillNotFound,))
def update(
    ctx: MutationCtx,
    *,
    name: SkillName,
    display_name: Line | None = None,
    description: Description | None = None,
    category: Category | None = None,
    tags: Items | None = None,
    platforms: Items | None = None,
    license: Line | None = None,  # noqa: A002 - the field's name
    compatibility: Line | None = None,
    homepage: Line | None = None,
    repository: Line | None = None,
    visibility: Visibility | None = None,
) -> SkillDetails:
    """Change what is said of a skill, or who may see it; what is left out stays.

    Its versions are not touched: their files say what they said, and the next one that becomes
    stable describes the skill anew. How it evolves is changed by `evolution.updateSettings`.
    """
    skill = maintained(ctx, name)
    told = {
        "display_name": None if display_name is None else in_one_line(display_name),
        "description": description,
        "category": None if category is None else category_name(category),
        "tags": None if tags is None else tag_names(tags),
        "platforms": platforms,
        "license": license,
        "compatibility": compatibility,
        "homepage": homepage,
        "repository": repository,
        "visibility": visibility,
    }
    changes = {field: value for field, value in told.items() if value is not None}
    stored = store(ctx, skill.changed(**changes, updated_at=ctx.now))
    if visibility not in (None, skill.visibility):
        settle_decisions(ctx, stored, former=stored.owner)
    return skill_details(ctx, stored)


@skills.mutation(
    scope=WRITE, rest=post("/v1/skills/{name}/deprecate"), errors=(SkillNotFound, VersionNotFound)
)
def deprecate(
    ctx: MutationCtx, *, name: SkillName, notice: Summary = "", version: VersionText | None = None
) -> SkillDetails:
    """Say that a skill, or one of its versions, should not be used any more, and what to use.

    It stays readable and can still be run; lists leave a deprecated skill out.
    """
    skill = maintained(ctx, name)
    if version is None:
        changed = skill.changed(
            status=SkillStatus.DEPRECATED, notice=notice or None, updated_at=ctx.now
        )
        return skill_details(ctx, store(ctx, changed))
    found = require_version(ctx, skill, version)
    _refuse_pointed(skill, found)
    ctx.db.replace(found, status=VersionStatus.DEPRECATED)
    return skill_details(ctx, skill)


@skills.mutation(scope=WRITE, rest=post("/v1/skills/{name}/restore"), errors=(SkillNotFound,))
def restore(ctx: MutationCtx, *, name: SkillName) -> SkillDetails:
    """Take a skill's deprecation back."""
    skill = maintained(ctx, name)
    changed = skill.changed(status=SkillStatus.ACTIVE, notice=None, updated_at=ctx.now)
    return skill_details(ctx, store(ctx, changed))


@skills.mutation(
    name="delete", scope=WRITE, rest=delete("/v1/skills/{name}"), errors=(SkillNotFound,)
)
def delete_skill(ctx: MutationCtx, *, name: SkillName) -> bool:
    """Take a skill out of the registry for everybody, for good; `deprecate` can be taken back.

    Its name stays taken and its record is kept, but nobody can read it or bring it back.
    """
    skill = maintained(ctx, name)
    changed = skill.changed(
        status=SkillStatus.DELETED, visibility=Visibility.PRIVATE, updated_at=ctx.now
    )
    stored = end_canary(ctx, follow_up(ctx, store(ctx, changed)))
    settle_decisions(ctx, stored, former=stored.owner)
    return True


@skills.mutation(
    scope=WRITE,
    rest=post("/v1/skills/{name}/fork", status=201),
    errors=(SkillNotFound, VersionNotFound, NothingStable, NameTaken, WrongState),
)
def fork(
    ctx: MutationCtx,
    *,
    name: SkillName,
    new_name: SkillName | None = None,
    version: VersionText | None = None,
    visibility: Visibility = Visibility.PUBLIC,
) -> SkillDetails:
    """Make a skill of the caller's own from a version of another one; the lineage keeps both.

    Without a `new_name` it is called `<owner>-<name>`. The files and the number are the source's,
    which the gateway has let through already.
    """
    source = readable(ctx, name)
    parent = wanted_version(ctx, source, version)
    _refuse_unpublished(source, parent)
    owner = ctx.identity.owner
    chosen = new_name or owned_name(owner, source.name)
    if not may_be_named(chosen):
        raise InvalidInput("newName must be lower case letters, digits and single hyphens")
    created = create_skill(
        ctx,
        NewSkill(
            name=chosen,
            owner=owner,
            visibility=visibility,
            origin=made_by(ctx.identity),
            profile=_profile_of(source),
            fork_of=source.id,
            evolution=source.evolution,
        ),
    )
    added = add_version(ctx, created, _forked(ctx, parent))
    return skill_details(ctx, make_stable(ctx, added.skill, added.version, reason="forked"))


@skills.mutation(
    scope=WRITE,
    rest=post("/v1/skills/{name}/rollback"),
    errors=(SkillNotFound, VersionNotFound, NothingStable, WrongState),
)
def rollback(
    ctx: MutationCtx, *, name: SkillName, reason: Reason, version: VersionText | None = None
) -> SkillDetails:
    """Let everybody get the version before the stable one again, or an earlier one that is named.

    The version that was stable is marked as rolled back. Pins stay where they are. What was never
    stable is nothing to go back to: `skills.setChannel` or `evolution.promote` makes it stable.
    """
    skill = maintained(ctx, name)
    target = require_version(ctx, skill, version) if version else former_stable(ctx, skill)
    return skill_details(ctx, roll_back(ctx, skill, target, reason=reason))


@skills.mutation(
    scope=WRITE,
    rest=post("/v1/skills/{name}/channels"),
    errors=(SkillNotFound, VersionNotFound, WrongState),
)
def set_channel(
    ctx: MutationCtx,
    *,
    name: SkillName,
    channel: Channel,
    version: VersionText,
    reason: Summary = "",
) -> SkillDetails:
    """Point `stable` or `beta` to a version; a canary is begun and ended by the evolution."""
    skill = maintained(ctx, name)
    found = require_version(ctx, skill, version)
    if channel is Channel.CANARY:
        raise WrongState("a canary is begun and ended by the skill's evolution")
    _refuse_unpublished(skill, found)
    move = make_stable if channel is Channel.STABLE else make_beta
    return skill_details(ctx, move(ctx, skill, found, reason=reason))


@skills.query(public=True, rest=get("/v1/skills/{name}/channels"), errors=(SkillNotFound,))
def list_moves(
    ctx: QueryCtx, *, name: SkillName, pagination_opts: PageRequest | None = None
) -> Page[ChannelMove]:
    """The steps of a skill's channels, the last one first: from where, to where, and why."""
    skill = readable(ctx, name)
    query = ChannelMove.where(skill_id=skill.id).newest_first()
    return ctx.paginate(query, pagination_opts or PageRequest())


@skills.mutation(scope=ADMIN, rest=post("/v1/skills/{name}/transfer"), errors=(SkillNotFound,))
def transfer(ctx: MutationCtx, *, name: SkillName, owner: OwnerName) -> SkillDetails:
    """Give a skill to another owner; for administrators, so that no gift is unwanted.

    What the gateway has decided on it goes with it, and the appeals.
    """
    skill = maintained(ctx, name)
    heir = checked_owner(owner)
    stored = store(ctx, skill.changed(owner=heir, updated_at=ctx.now))
    settle_decisions(ctx, stored, former=skill.owner)
    return skill_details(ctx, stored)


def settle_decisions(ctx: MutationCtx, skill: Skill, *, former: str) -> None:
    """Let the gateway's decisions follow a skill to its owner and visibility; in jobs if many."""
    public = skill.visibility is Visibility.PUBLIC
    if not gateway.entrust(ctx, skill=skill.name, former=former, owner=skill.owner, public=public):
        ctx.schedule(settle_decisions_on, skill_id=skill.id, former=former)


@skills.mutation(internal=True)
def settle_decisions_on(ctx: MutationCtx, *, skill_id: RowId, former: str) -> None:
    """Go on where `settle_decisions` stopped, with the skill as it is by now."""
    skill = ctx.db.get(Skill, skill_id)
    if skill is not None:
        settle_decisions(ctx, skill, former=former)


def roll_back(ctx: MutationCtx, skill: Skill, target: SkillVersion, *, reason: str) -> Skill:
    """Let everybody get an earlier version again; the stable one is marked as rolled back.

    Raises:
        WrongState: that version is the stable one, or never was, or has no files.

    """
    if target.version == skill.stable_version:
        raise WrongState(f"'{skill.name}@{target.version}' is the stable version already")
    if not has_been_stable(ctx, skill, target):
        is_tried = target.version == skill.canary_version
        way = "it is on trial; use evolution.promote" if is_tried else "use skills.setChannel"
        message = (
            f"'{skill.name}@{target.version}' was never stable, so it cannot be rolled back to"
        )
        raise WrongState(f"{message}; {way} to make it stable")
    return make_stable(ctx, skill, target, former_status=VersionStatus.ROLLED_BACK, reason=reason)


def has_been_stable(ctx: QueryCtx, skill: Skill, version: SkillVersion) -> bool:
    """Whether everybody got a version at some time, however long ago."""
    moves = ChannelMove.where(skill_id=skill.id, channel=Channel.STABLE, after=version.version)
    return ctx.db.first(moves) is not None


def former_stable(ctx: QueryCtx, skill: Skill) -> SkillVersion:
    """The version that was stable before, leaving out those that were rolled back themselves.

    Raises:
        NothingStable: there was none.

    """
    moves = ChannelMove.where(skill_id=skill.id).newest_first()
    for move in ctx.db.take(moves, limit=MAX_MOVES):
        if move.channel is not Channel.STABLE or move.before in (None, skill.stable_version):
            continue
        found = require_version(ctx, skill, move.before or "")
        if found.status not in UNUSABLE:
            return found
    raise NothingStable(f"'{skill.name}' has no earlier stable version to go back to")


def _refuse_unpublished(skill: Skill, version: SkillVersion) -> None:
    """Refuse what has no files, and a draft: it waits for its trial or for its maintainer."""
    if not is_published(version.status):
        message = f"'{skill.name}@{version.version}' is a {version.status}: not to be run"
        raise WrongState(message)


def _refuse_pointed(skill: Skill, version: SkillVersion) -> None:
    pointed = (skill.stable_version, skill.canary_version, skill.beta_version)
    if version.version in pointed:
        message = f"a channel of '{skill.name}' points to {version.version}; move that first"
        raise WrongState(message)


def _profile_of(skill: Skill) -> Profile:
    """How a fork begins: as its source is described, but not called by the source's name."""
    told = {name: getattr(skill, name) for name in PROFILE_FIELDS}
    if slug_from(skill.display_name) == skill.name:
        told["display_name"] = ""
    return Profile(**told)


def _forked(ctx: MutationCtx, parent: SkillVersion) -> NewVersion:
    bundle = gather(read_files(ctx, parent)).bundle
    assert bundle is not None, "what was published once is a bundle"
    return NewVersion(
        version=parent.version,
        bundle=bundle,
        status=VersionStatus.DRAFT,
        description=parent.description,
        author=ctx.identity.owner,
        author_agent=ctx.identity.agent,
        origin=made_by(ctx.identity),
        parents=(parent.id,),
        change_summary=f"Forked at {parent.version}.",
        decision=parent.decision,
    )
