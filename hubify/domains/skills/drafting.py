"""Versions that nobody published by hand: what an evolution drafts passes the same gateway.

Invariant: a draft gets a number and files like any version, and no channel points to it until the
evolution begins a trial or promotes it.
"""

import msgspec

from hubify.domains.gateway import Decision, Verdict
from hubify.domains.skills.intake import decide, examine
from hubify.domains.skills.rules import Bump, raised
from hubify.domains.skills.tables import (
    Change,
    Origin,
    Skill,
    SkillVersion,
    VersionStatus,
    Visibility,
)
from hubify.domains.skills.versions import NewVersion, add_version
from hubify.functions import MutationCtx


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A version as a drafter made it: its files, what they change, and on whose word."""

    files: tuple[tuple[str, bytes], ...]
    bump: Bump
    parents: tuple[SkillVersion, ...]
    change_summary: str
    changes: tuple[Change, ...]
    author: str
    author_agent: str | None = None
    origin: Origin = Origin.GENERATED


class Drafted(msgspec.Struct, frozen=True):
    """What the gateway said of a draft; the version is None when it was refused."""

    decision: Decision
    skill: Skill
    version: SkillVersion | None


def draft_version(ctx: MutationCtx, skill: Skill, draft: Draft) -> Drafted:
    """Have the gateway decide on a draft, and store it as a version on which nothing points yet.

    The number is the highest so far, raised; a refused draft uses none up.
    """
    examined = examine(draft.files, directory=skill.name)
    number = raised(skill.latest_version, draft.bump)
    decision = decide(
        ctx,
        examined,
        skill=skill.name,
        version=number,
        owner=skill.owner,
        public=skill.visibility is Visibility.PUBLIC,
    )
    if decision.verdict is Verdict.REFUSED or examined.bundle is None or examined.document is None:
        return Drafted(decision, skill, None)
    new = NewVersion(
        version=number,
        bundle=examined.bundle,
        status=VersionStatus.DRAFT,
        description=examined.document.description,
        author=draft.author,
        author_agent=draft.author_agent,
        origin=draft.origin,
        parents=tuple(parent.id for parent in draft.parents),
        change_summary=draft.change_summary,
        changes=draft.changes,
        decision=decision.id,
    )
    added = add_version(ctx, skill, new)
    return Drafted(decision, added.skill, added.version)
