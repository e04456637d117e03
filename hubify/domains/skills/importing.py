"""Taking in skills that were published elsewhere, one version per call, with their history.

The rules are the product's ("Skills", "Import"): no version means 1.0.0; equal bytes again change
nothing, changed bytes take the next free PATCH; versions come in order of publication, whatever
their numbers; a name that somebody else holds becomes `<owner>-<slug>`.

Invariant: each version ends as imported, unchanged or refused, and the answer says which and why;
the bytes are kept as they are.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

from hubify.domains.arguments import OwnerName, VersionText, checked_owner
from hubify.domains.gateway import Finding, Gate, Severity, Verdict
from hubify.domains.skills.arguments import Category, Line, Summary
from hubify.domains.skills.channels import make_beta, make_stable, store
from hubify.domains.skills.errors import NameTaken, WrongState
from hubify.domains.skills.intake import (
    PLACEHOLDER,
    Examined,
    Files,
    category_name,
    decide,
    evolution_of,
    examine,
    profile_of,
    sent_files,
)
from hubify.domains.skills.lookup import (
    ADMIN,
    WRITE,
    belongs_to,
    may_read,
    require_version,
    version_numbered,
)
from hubify.domains.skills.rules import called, may_be_named, repaired_name
from hubify.domains.skills.tables import (
    Origin,
    Skill,
    SkillStatus,
    SkillVersion,
    VersionStatus,
    Visibility,
    skills,
)
from hubify.domains.skills.versions import (
    MAX_PARENTS,
    NewSkill,
    NewVersion,
    Profile,
    add_version,
    create_skill,
    described,
)
from hubify.evidence.gateway import Publisher
from hubify.formats.bundle import EMPTY
from hubify.formats.limits import MAX_FIELD
from hubify.formats.names import owned_name, slug_from
from hubify.formats.versions import FIRST, BadVersion, bump_patch, is_prerelease, read_version
from hubify.functions import InvalidInput, MutationCtx, RateClass, RowId, post

MAX_TRIES = 1_000
"""Numbers that are tried before a version of changed bytes is given up."""
MAX_TIME_MS = 253_402_300_800_000  # the year 10,000

Time = Annotated[int, msgspec.Meta(ge=0, le=MAX_TIME_MS)]
Description = Annotated[str, msgspec.Meta(max_length=1_024)]
Parents = Annotated[tuple[RowId, ...], msgspec.Meta(max_length=MAX_PARENTS)]
WrittenName = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_FIELD)]
Id = Annotated[str, msgspec.Meta(max_length=500)]


class ImportOutcome(StrEnum):
    """What became of one version."""

    IMPORTED = "imported"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class ImportedVersion(msgspec.Struct, frozen=True):
    """What became of one version, under which name and number, and what was found on the way."""

    outcome: ImportOutcome
    name: str
    version: str
    skill_id: RowId | None
    version_id: RowId | None
    decision_id: RowId | None
    findings: tuple[Finding, ...]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """One version as its source describes it; `holder` is the owner it shall belong to."""

    holder: str
    slug: str
    written_name: str
    author: str
    version: str
    display_name: str
    description: str
    category: str
    published_at: int | None
    parents: tuple[RowId, ...]
    change_summary: str
    source: str
    source_origin: str
    version_author: str
    visibility: Visibility


class Place(msgspec.Struct, frozen=True):
    """The name a version goes under, and the caller's skill that holds it already."""

    name: str
    skill: Skill | None
    notes: tuple[Finding, ...] = ()


@skills.mutation(
    scope=WRITE,
    rate=RateClass.IMPORT,
    rest=post("/v1/skills/import"),
    errors=(NameTaken, WrongState),
)
def import_version(
    ctx: MutationCtx,
    *,
    name: WrittenName,
    files: Files | None = None,
    version: VersionText = FIRST,
    author: Line = "",
    display_name: Line = "",
    description: Description = "",
    category: Category = "",
    published_at: Time | None = None,
    parents: Parents = (),
    change_summary: Summary = "",
    source: Id = "",
    source_origin: Line = "",
    version_author: Line = "",
    visibility: Visibility = Visibility.PUBLIC,
    owner: OwnerName | None = None,
) -> ImportedVersion:
    """Import one version of a skill from elsewhere; call it in order of publication.

    `name` is told as it is written there: two names that become one in the registry stay apart.
    `author` is who holds the name there, as the caller says; `source_origin` is the source's own
    word for how the version came about. A time in the future counts as now. Without files it
    becomes a placeholder that only has a description. `parents` are the ids that earlier imports
    answered. `visibility` is that of a new skill: one that is there keeps its own, but nothing that
    shall be hidden is added to a public one. With `owner`, for administrators, it is imported as
    that owner would do it. A refusal by the gateway is an answer, not an error, and has the
    findings that say why.
    """
    slug = slug_from(name)
    wish = Wish(
        holder=_owner_for(ctx, owner),
        slug=slug,
        written_name=repaired_name(slug, name),
        author=author,
        version=_read_number(version),
        display_name=display_name,
        description=description,
        category=category_name(category),
        published_at=None if published_at and published_at > ctx.now else published_at,
        parents=tuple(dict.fromkeys(parents)),
        change_summary=change_summary,
        source=source,
        source_origin=source_origin,
        version_author=version_author,
        visibility=visibility,
    )
    if not wish.slug:
        raise InvalidInput("name needs a Latin letter or a digit")
    if not files and not description:
        raise InvalidInput("send files, or at least a description for a placeholder")
    _refuse_unknown_parents(ctx, wish)
    place = _place(ctx, wish)
    examined = examine(sent_files(files, None), directory=wish.slug) if files else PLACEHOLDER
    digest = examined.bundle.digest if examined.bundle else ""
    known = _same_bytes(ctx, place.skill, wish, digest)
    if known is not None:
        return _answer(ImportOutcome.UNCHANGED, place, known.version, known)
    return _import(ctx, wish, place, examined)


def _import(ctx: MutationCtx, wish: Wish, place: Place, examined: Examined) -> ImportedVersion:
    _refuse_to_show(place.skill, wish)
    number = _free_number(ctx, place.skill, wish.version)
    notes = place.notes if number == wish.version else (*place.notes, _bumped(wish, number))
    owner = place.skill.owner if place.skill else wish.holder
    decision = decide(
        ctx,
        msgspec.structs.replace(examined, findings=(*notes, *examined.findings)),
        skill=place.name,
        version=number,
        owner=owner,
        public=(place.skill or wish).visibility is Visibility.PUBLIC,
        publisher=Publisher(
            authenticated=True, origin="imported", imported_from=wish.source or wish.author
        ),
    )
    if decision.verdict is Verdict.REFUSED:
        refused = _answer(ImportOutcome.REFUSED, place, number, None)
        return msgspec.structs.replace(refused, decision_id=decision.id, findings=decision.findings)
    skill = place.skill or create_skill(ctx, _new_skill(owner, place.name, wish, examined))
    new = _new_version(number, wish, examined, decision.id)
    added = add_version(ctx, skill, new)
    _point(ctx, added.skill, added.version, _profile(wish, examined))
    answer = _answer(ImportOutcome.IMPORTED, place, number, added.version)
    return msgspec.structs.replace(answer, findings=decision.findings)


def _owner_for(ctx: MutationCtx, owner: str | None) -> str:
    """The owner that a version is imported for.

    Raises:
        Forbidden: another owner than the caller's, who is no administrator.

    """
    if owner is None or owner == ctx.identity.owner:
        return ctx.identity.owner
    ctx.identity.require(ADMIN)
    return checked_owner(owner)


def _place(ctx: MutationCtx, wish: Wish) -> Place:
    """The name that a version goes under: its own, or a longer one where another holds that.

    Raises:
        NameTaken: all of them are held by somebody else.

    """
    held = ctx.db.first(Skill.where(name=wish.slug))
    if may_be_named(wish.slug) and (held is None or _is_same(ctx, held, wish)):
        return Place(wish.slug, held)
    names = _longer_names(ctx, wish)
    for name in names:
        other = ctx.db.first(Skill.where(name=name))
        if other is None or _is_same(ctx, other, wish):
            return Place(name, other, (_renamed(wish, name),))
    taken = " and ".join(f"'{name}'" for name in (wish.slug, *names))
    raise NameTaken(f"the names {taken} are taken")


def _longer_names(ctx: MutationCtx, wish: Wish) -> list[str]:
    """`<owner>-<slug>`: an author's name goes before it on an administrator's word alone."""
    if ctx.identity.allows(ADMIN):
        return [owned_name(wish.author or wish.holder, wish.slug)]
    names = [owned_name(wish.holder, wish.slug)]
    if wish.author:
        names.append(owned_name(wish.holder, f"{wish.author}-{wish.slug}"))
    return names


def _is_same(ctx: MutationCtx, held: Skill, wish: Wish) -> bool:
    """Whether a skill of the registry is the one that is being imported."""
    if held.status is SkillStatus.DELETED or held.author != wish.author:
        return False
    if not _is_called_so(held, wish):
        return False
    if wish.holder != ctx.identity.owner:
        return held.owner == wish.holder
    return belongs_to(held, ctx.identity)


def _is_called_so(held: Skill, wish: Wish) -> bool:
    """Whether a skill was made of the name that is wished for, or is named itself."""
    if wish.written_name:
        return wish.written_name == called(held)
    return wish.slug == held.name or not held.written_name


def _same_bytes(
    ctx: MutationCtx, skill: Skill | None, wish: Wish, digest: str
) -> SkillVersion | None:
    """The version that holds these bytes already, under its number or the one it was given."""
    if skill is None:
        return None
    numbered = version_numbered(ctx, skill, wish.version)
    if numbered is None or numbered.digest == digest:
        return numbered
    return ctx.db.first(SkillVersion.where(skill_id=skill.id, digest=digest))


def _free_number(ctx: MutationCtx, skill: Skill | None, wished: str) -> str:
    number = wished
    for _ in range(MAX_TRIES):
        if skill is None or version_numbered(ctx, skill, number) is None:
            return number
        number = bump_patch(number)
    raise InvalidInput(f"no free number after {wished} in {MAX_TRIES} tries")


def _point(ctx: MutationCtx, skill: Skill, version: SkillVersion, profile: Profile) -> None:
    """Let the channel that fits point to a version, if it is the last one published."""
    if version.status is VersionStatus.PLACEHOLDER:
        return
    channel = skill.beta_version if is_prerelease(version.version) else skill.stable_version
    current = require_version(ctx, skill, channel) if channel else None
    if current is not None and current.published_at > version.published_at:
        ctx.db.replace(version, status=VersionStatus.SUPERSEDED)
    elif is_prerelease(version.version):
        make_beta(ctx, skill, version, reason="imported")
    else:
        make_stable(ctx, store(ctx, described(skill, profile)), version, reason="imported")


def _new_skill(owner: str, name: str, wish: Wish, examined: Examined) -> NewSkill:
    return NewSkill(
        name=name,
        owner=owner,
        visibility=wish.visibility,
        origin=Origin.IMPORTED,
        profile=_profile(wish, examined),
        author=wish.author,
        written_name=wish.written_name,
        evolution=evolution_of(examined.document),
    )


def _new_version(number: str, wish: Wish, examined: Examined, decision: RowId) -> NewVersion:
    is_empty = examined.document is None
    return NewVersion(
        version=number,
        bundle=examined.bundle or EMPTY,
        status=VersionStatus.PLACEHOLDER if is_empty else VersionStatus.DRAFT,
        description=_profile(wish, examined).description,
        author=wish.version_author or wish.author,
        origin=Origin.IMPORTED,
        source_origin=wish.source_origin,
        parents=wish.parents,
        change_summary=wish.change_summary,
        source=wish.source,
        published_at=wish.published_at,
        decision=decision,
    )


def _profile(wish: Wish, examined: Examined) -> Profile:
    """What the files say of the skill, filled up with what the source says."""
    if examined.document is None:
        return Profile(
            display_name=wish.display_name or wish.slug,
            description=wish.description,
            category=wish.category,
        )
    read = profile_of(examined.document)
    return msgspec.structs.replace(
        read,
        display_name=wish.display_name or read.display_name,
        category=wish.category or read.category,
    )


def _read_number(version: str) -> str:
    try:
        return read_version(version)
    except BadVersion as error:
        raise InvalidInput(f"version: {error}") from None


def _refuse_unknown_parents(ctx: MutationCtx, wish: Wish) -> None:
    for parent_id in wish.parents:
        parent = ctx.db.get(SkillVersion, parent_id)
        skill = ctx.db.get(Skill, parent.skill_id) if parent else None
        if skill is None or not may_read(ctx, skill):
            raise InvalidInput(f"parents: no version has the id '{parent_id[:40]}'")


def _refuse_to_show(skill: Skill | None, wish: Wish) -> None:
    is_public = skill is not None and skill.visibility is Visibility.PUBLIC
    if skill is not None and is_public and wish.visibility is not Visibility.PUBLIC:
        message = f"'{skill.name}' is public, so a version of it cannot be {wish.visibility}"
        raise WrongState(f"{message}; import it under another name, or use skills.update first")


def _answer(
    outcome: ImportOutcome, place: Place, number: str, version: SkillVersion | None
) -> ImportedVersion:
    return ImportedVersion(
        outcome=outcome,
        name=place.name,
        version=number,
        skill_id=version.skill_id if version else None,
        version_id=version.id if version else None,
        decision_id=version.decision if version else None,
        findings=place.notes,
    )


def _renamed(wish: Wish, name: str) -> Finding:
    said = f"The name '{wish.slug}'"
    if wish.written_name:
        said = f"The name '{wish.written_name[:80]}' becomes '{wish.slug}', which"
    return _note("name-taken", f"{said} is taken; imported as '{name}'.")


def _bumped(wish: Wish, number: str) -> Finding:
    message = f"{wish.version} has other bytes already; numbered {number}."
    return _note("version-bumped", message)


def _note(rule: str, message: str) -> Finding:
    return Finding(
        gate=Gate.SCHEMA,
        rule=rule,
        severity=Severity.LOW,
        blocks=False,
        path="",
        line=0,
        message=message,
    )
