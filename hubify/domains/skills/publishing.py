"""Publishing: a skill's first version and those that follow, each past the gateway.

Invariant: equal bytes under a number that exists change nothing; other bytes never replace what a
number stands for. What the gateway refuses is not stored, but the decision is.
"""

from typing import NamedTuple

import msgspec

from hubify.domains.arguments import SkillName, VersionText
from hubify.domains.gateway import Decision, Finding, Verdict
from hubify.domains.skills.arguments import Category, Items, SkillMd, Summary
from hubify.domains.skills.channels import channels_of, make_beta, make_stable, store
from hubify.domains.skills.errors import (
    GatewayRefused,
    NameTaken,
    SkillNotFound,
    VersionExists,
    WrongState,
)
from hubify.domains.skills.intake import (
    Examined,
    Files,
    SkillFile,
    blocked,
    decide,
    evolution_of,
    examine,
    profile_of,
    refusal,
    sent_files,
)
from hubify.domains.skills.lookup import (
    WRITE,
    belongs_to,
    may_read,
    require_maintainer,
    version_numbered,
)
from hubify.domains.skills.numbering import (
    Offer,
    channel_for,
    number_fault,
    number_for,
    refuse_unheeded,
    tidied,
)
from hubify.domains.skills.rules import Bump, called, may_be_named, repaired_name
from hubify.domains.skills.scanning import is_large, look_ahead
from hubify.domains.skills.tables import (
    Channel,
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
    described,
    made_by,
)
from hubify.evidence.gateway import Publisher
from hubify.formats.bundle import Bundle
from hubify.formats.document import SkillDocument
from hubify.formats.names import slug_from
from hubify.functions import ActionCtx, MutationCtx, Principal, RowId, post
from hubify.functions.aside import aside


class Published(msgspec.Struct, frozen=True):
    """What became of a publish: `created` a new skill, `changed` anything at all.

    `channel` is the one that points to the version; None when none does any more.
    """

    skill_id: RowId
    name: str
    version: str
    version_id: RowId
    digest: str
    channel: Channel | None
    created: bool
    changed: bool
    decision_id: RowId | None
    findings: tuple[Finding, ...]


class Accepted(NamedTuple):
    """An offer that the gateway has let through."""

    name: str
    number: str
    offer: Offer
    bundle: Bundle
    document: SkillDocument
    decision: Decision


class Submitted(msgspec.Struct, frozen=True):
    """The outcome of a submission: what was published, or the decision that refused it."""

    published: Published | None
    decision: Decision | None


PUBLISH_ERRORS = (GatewayRefused, NameTaken, VersionExists, SkillNotFound, WrongState)


@skills.action(
    scope=WRITE,
    rest=(
        post("/v1/skills/publish", status=201, created_by="changed"),
        post("/v1/skills/{name}/versions", status=201, created_by="changed"),
    ),
    errors=PUBLISH_ERRORS,
    one_write=True,
)
async def publish(
    ctx: ActionCtx,
    *,
    files: Files | None = None,
    skill_md: SkillMd | None = None,
    name: SkillName | None = None,
    version: VersionText | None = None,
    bump: Bump | None = None,
    channel: Channel | None = None,
    visibility: Visibility | None = None,
    category: Category | None = None,
    tags: Items | None = None,
    change_summary: Summary = "",
) -> Published:
    """Publish a version of one of the caller's skills, or a new skill under a free name.

    The number is `version`, else the highest one raised by `bump`, else what SKILL.md says, else
    the next PATCH. A name in SKILL.md that had to be repaired adds nothing to a skill that is
    called otherwise: give `name` for that. Everything passes the gateway; a refusal names each
    fault with file and line, and the decision stays on record. The same bytes again change nothing.
    `category` and `tags` are told with a stable version; what a publish would not bring about is
    refused, not left out.
    """
    offer = Offer(
        name=name,
        version=version,
        bump=bump,
        channel=channel,
        visibility=visibility,
        category=category,
        tags=tags,
        change_summary=change_summary,
    )
    return await _submit(ctx, files, skill_md, offer)


@skills.action(
    scope=WRITE, rest=post("/v1/skills", status=201), errors=PUBLISH_ERRORS, one_write=True
)
async def create(
    ctx: ActionCtx,
    *,
    files: Files | None = None,
    skill_md: SkillMd | None = None,
    name: SkillName | None = None,
    version: VersionText | None = None,
    visibility: Visibility | None = None,
    category: Category | None = None,
    tags: Items | None = None,
    change_summary: Summary = "",
) -> Published:
    """Publish the first version of a new skill; as `publish`, but the name must be free."""
    offer = Offer(
        name=name,
        version=version,
        visibility=visibility,
        category=category,
        tags=tags,
        change_summary=change_summary,
        only_new=True,
    )
    return await _submit(ctx, files, skill_md, offer)


@skills.mutation(internal=True, scope=WRITE, errors=PUBLISH_ERRORS)
def submit(
    ctx: MutationCtx, *, files: list[SkillFile], skill_md: str | None, offer: Offer
) -> Submitted:
    """Have the gateway decide on an offer, and publish what it accepts.

    An error would undo the decision's row with everything else, so a refusal is an answer here.
    """
    offer = tidied(offer)
    examined = examine(sent_files(files, skill_md), directory=offer.name or "")
    name = offer.name or (examined.document.name if examined.document else "")
    skill = _own_skill(ctx, name, offer)
    written = _repaired(name, examined.document, offer)
    if skill is not None and written:
        _refuse_another_name(skill, written)
    bundle, document = examined.bundle, examined.document
    if bundle is None or document is None or not may_be_named(name):
        return Submitted(None, _refused(ctx, examined, name, offer))
    numbered = number_for(ctx, skill, offer, document, bundle.digest)
    if skill is not None:
        refuse_unheeded(skill, offer, numbered)
    if skill is not None and numbered.same is not None:
        return Submitted(_unchanged(skill, numbered.same), None)
    if skill is not None and (fault := number_fault(skill, numbered.version, offer)):
        examined = blocked(examined, "version-not-raised", fault, "Raise `version`, or give bump.")
    visibility = skill.visibility if skill else offer.visibility or Visibility.PUBLIC
    decision = decide(
        ctx,
        examined,
        skill=name,
        version=numbered.version,
        owner=ctx.identity.owner if skill is None else skill.owner,
        public=visibility is Visibility.PUBLIC,
        publisher=_publisher(ctx.identity),
    )
    if decision.verdict is Verdict.REFUSED:
        return Submitted(None, decision)
    accepted = Accepted(name, numbered.version, offer, bundle, document, decision)
    return Submitted(_publish(ctx, skill, accepted), None)


async def _submit(
    ctx: ActionCtx, files: list[SkillFile] | None, skill_md: str | None, offer: Offer
) -> Published:
    offered = sent_files(files, skill_md)
    if is_large(offered):
        await aside(look_ahead, offered)
    submitted: Submitted = await ctx.run(
        submit,
        files=[msgspec.to_builtins(file) for file in files or ()],
        skill_md=skill_md,
        offer=msgspec.to_builtins(offer),
    )
    if submitted.published is not None:
        return submitted.published
    assert submitted.decision is not None, "what is not published was refused"
    faults = [finding for finding in submitted.decision.findings if finding.blocks]
    raise GatewayRefused(
        refusal(submitted.decision),
        decisionId=submitted.decision.id,
        findings=[msgspec.to_builtins(fault) for fault in faults],
    )


def _own_skill(ctx: MutationCtx, name: str, offer: Offer) -> Skill | None:
    """The caller's skill of that name; None when the name is free."""
    held = ctx.db.first(Skill.where(name=name)) if name else None
    if held is None:
        return None
    taken = held.status is SkillStatus.DELETED or not may_read(ctx, held)
    if taken or (offer.only_new and not belongs_to(held, ctx.identity)):
        raise NameTaken(f"the name '{name}' is taken; choose another")
    if offer.only_new:
        raise NameTaken(f"you have a skill '{name}' already; publish a version of it instead")
    require_maintainer(ctx, held)
    return held


def _repaired(name: str, document: SkillDocument | None, offer: Offer) -> str:
    """What the name was made of, where the file alone says it and it had to be repaired."""
    if offer.name is not None or document is None:
        return ""
    return repaired_name(name, document.name_written)


def _refuse_another_name(skill: Skill, written: str) -> None:
    """Refuse a name that is only in the registry's spelling that of a skill.

    Raises:
        NameTaken: saying whose skill it would be, and how to name that itself.

    """
    if written != called(skill):
        message = f"'{written[:80]}' would become '{skill.name}', which is '{called(skill)[:80]}'"
        way = f"give name='{skill.name}' to add a version to that, or another name"
        raise NameTaken(f"{message} of {skill.owner}; {way}")


def _refused(ctx: MutationCtx, examined: Examined, name: str, offer: Offer) -> Decision:
    if examined.document is not None:
        fault = f"{name[:100]!r} cannot be a name in the registry."
        fix = "Use lower case letters, digits and single hyphens, at most 64; no reserved word."
        examined = blocked(examined, "name-not-a-slug", fault, fix)
    public = offer.visibility in (None, Visibility.PUBLIC)
    owner = ctx.identity.owner
    return decide(ctx, examined, skill=name[:200], version="", owner=owner, public=public)


def _unchanged(skill: Skill, version: SkillVersion) -> Published:
    return Published(
        skill_id=skill.id,
        name=skill.name,
        version=version.version,
        version_id=version.id,
        digest=version.digest,
        channel=next(iter(channels_of(skill, version.version)), None),
        created=False,
        changed=False,
        decision_id=version.decision,
        findings=(),
    )


def _publish(ctx: MutationCtx, skill: Skill | None, accepted: Accepted) -> Published:
    held = skill or create_skill(ctx, _new_skill(ctx.identity, accepted))
    added = add_version(ctx, held, _new_version(ctx, held, accepted))
    channel = channel_for(accepted.offer, accepted.number)
    if channel is Channel.STABLE:
        stored = store(ctx, described(added.skill, _profile(accepted)))
        make_stable(ctx, stored, added.version, reason="published")
    else:
        make_beta(ctx, added.skill, added.version, reason="published")
    return Published(
        skill_id=held.id,
        name=held.name,
        version=accepted.number,
        version_id=added.version.id,
        digest=added.version.digest,
        channel=channel,
        created=skill is None,
        changed=True,
        decision_id=accepted.decision.id,
        findings=accepted.decision.findings,
    )


def _publisher(caller: Principal) -> Publisher:
    """What is known of a caller; an agent that a key names has its owner's word."""
    is_agent = caller.agent is not None
    return Publisher(
        authenticated=caller.is_known,
        agent=is_agent,
        registered_agent=is_agent,
        origin="agent" if is_agent else "human",
    )


def _profile(accepted: Accepted) -> Profile:
    """What the files say of the skill, and above that what the call says."""
    read, offer = profile_of(accepted.document), accepted.offer
    return msgspec.structs.replace(
        read,
        display_name="" if _is_of_another_name(accepted, read) else read.display_name,
        category=read.category if offer.category is None else offer.category,
        tags=read.tags if offer.tags is None else offer.tags,
    )


def _is_of_another_name(accepted: Accepted, read: Profile) -> bool:
    """Whether the name to show follows from a name in the file that the skill does not have."""
    written = accepted.document.name
    return written != accepted.name and slug_from(read.display_name) == written


def _new_skill(caller: Principal, accepted: Accepted) -> NewSkill:
    return NewSkill(
        name=accepted.name,
        owner=caller.owner,
        visibility=accepted.offer.visibility or Visibility.PUBLIC,
        origin=made_by(caller),
        profile=_profile(accepted),
        written_name=_repaired(accepted.name, accepted.document, accepted.offer),
        evolution=evolution_of(accepted.document),
    )


def _new_version(ctx: MutationCtx, skill: Skill, accepted: Accepted) -> NewVersion:
    stable = skill.stable_version
    parent = version_numbered(ctx, skill, stable) if stable else None
    return NewVersion(
        version=accepted.number,
        bundle=accepted.bundle,
        status=VersionStatus.DRAFT,
        description=accepted.document.description,
        author=ctx.identity.owner,
        author_agent=ctx.identity.agent,
        origin=made_by(ctx.identity),
        parents=(parent.id,) if parent else (),
        change_summary=accepted.offer.change_summary,
        decision=accepted.decision.id,
    )
