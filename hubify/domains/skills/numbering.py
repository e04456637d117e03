"""Which number and which channel a version gets that is to be published.

Invariant: a number stands for the same bytes for ever; what goes to the stable channel is above
what stands there.
"""

import msgspec

from hubify.domains.skills.channels import channels_of
from hubify.domains.skills.errors import VersionExists, WrongState
from hubify.domains.skills.intake import category_name, tag_names
from hubify.domains.skills.lookup import version_numbered
from hubify.domains.skills.rules import Bump, raised
from hubify.domains.skills.tables import Channel, Skill, SkillVersion, Visibility
from hubify.formats.document import SkillDocument
from hubify.formats.versions import FIRST, BadVersion, compare, is_prerelease, read_version
from hubify.functions import InvalidInput, MutationCtx


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller wishes for a version it publishes; None leaves it to the files."""

    name: str | None = None
    version: str | None = None
    bump: Bump | None = None
    channel: Channel | None = None
    visibility: Visibility | None = None
    category: str | None = None
    tags: tuple[str, ...] | None = None
    change_summary: str = ""
    only_new: bool = False


def tidied(offer: Offer) -> Offer:
    """An offer whose category and tags are spelled as they are kept."""
    return msgspec.structs.replace(
        offer,
        category=None if offer.category is None else category_name(offer.category),
        tags=None if offer.tags is None else tag_names(offer.tags),
    )


class Numbered(msgspec.Struct, frozen=True):
    """The number a version shall have, and the version that has these bytes under it already."""

    version: str
    same: SkillVersion | None = None


def number_for(
    ctx: MutationCtx, skill: Skill | None, offer: Offer, document: SkillDocument, digest: str
) -> Numbered:
    """The number of a version to be published.

    Raises:
        VersionExists: the number asked for stands for other bytes.
        InvalidInput: it is not a version.

    """
    written = document.version if document.version_written else None
    asked = _asked_version(offer) or (None if offer.bump else written)
    if skill is None or not skill.latest_version:
        return Numbered(asked or FIRST)
    if asked is None:
        return _next_number(ctx, skill, offer.bump or Bump.PATCH, digest)
    known = version_numbered(ctx, skill, asked)
    if known is None:
        return Numbered(asked)
    if known.digest != digest:
        raise VersionExists(f"'{skill.name}@{asked}' has other files; raise it, or give bump")
    return Numbered(asked, known)


def number_fault(skill: Skill, version: str, offer: Offer) -> str | None:
    """Why a number will not do for the stable channel; None when it will."""
    if channel_for(offer, version) is not Channel.STABLE or skill.stable_version is None:
        return None
    if compare(version, skill.stable_version) > 0:
        return None
    return f"The version {version} is not above the stable {skill.stable_version}."


def refuse_unheeded(skill: Skill, offer: Offer, numbered: Numbered) -> None:
    """Refuse what is wished of a skill that is there, and that publishing would not bring about.

    Raises:
        WrongState: saying which function does.

    """
    if offer.visibility not in (None, skill.visibility):
        message = f"'{skill.name}' is {skill.visibility}; change that first with skills.update"
        raise WrongState(message)
    pointing = channels_of(skill, numbered.version)
    if numbered.same is not None and offer.channel and offer.channel not in pointing:
        message = f"'{skill.name}@{numbered.version}' has these bytes and is not {offer.channel}"
        raise WrongState(f"{message}; move that channel with skills.setChannel")
    if numbered.same is None and channel_for(offer, numbered.version) is Channel.STABLE:
        return
    for field, wish in {"category": offer.category, "tags": offer.tags}.items():
        if wish is not None and wish != getattr(skill, field):
            message = f"{field} is told with a new stable version; use skills.update for it"
            raise WrongState(message)


def channel_for(offer: Offer, version: str) -> Channel:
    """The channel a version is published to: the one asked for, else by its number.

    Raises:
        InvalidInput: a canary was asked for.

    """
    if offer.channel is Channel.CANARY:
        raise InvalidInput("a canary is begun by the skill's evolution; publish as stable or beta")
    return offer.channel or (Channel.BETA if is_prerelease(version) else Channel.STABLE)


def _asked_version(offer: Offer) -> str | None:
    if offer.version is None:
        return None
    try:
        return read_version(offer.version)
    except BadVersion as error:
        raise InvalidInput(f"version: {error}") from None


def _next_number(ctx: MutationCtx, skill: Skill, bump: Bump, digest: str) -> Numbered:
    latest = version_numbered(ctx, skill, skill.latest_version)
    if latest is not None and latest.digest == digest:
        return Numbered(latest.version, latest)
    return Numbered(raised(skill.latest_version, bump))
