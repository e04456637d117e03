"""From a group of suggestions to a drafted version that the gateway has let through.

Invariant: a draft is made from the stable version's own files, names in each change the
suggestions that asked for it, and is a version of status `draft` that nobody is given yet.
"""

from typing import NamedTuple

from hubify.domains.evolution.tables import (
    Evolution,
    EvolutionStatus,
    Improvement,
    ImprovementGroup,
)
from hubify.domains.gateway import Verdict
from hubify.domains.skills import Change, Origin, Skill, SkillVersion, VersionStatus, stable_version
from hubify.domains.skills.intake import Examined, decide, examine, refusal
from hubify.domains.skills.tables import Visibility
from hubify.domains.skills.versions import NewVersion, add_version, read_files
from hubify.evidence.drafting import Asked, Draft, NoDraft, Request, merge_draft
from hubify.formats.reader import SKILL_FILE
from hubify.functions import MutationCtx, QueryCtx

MAX_SUGGESTIONS = 200
"""Suggestions of one group that a draft is made from: the first ones."""
AUTHOR = "hubify"
TRIED = (EvolutionStatus.ROLLED_BACK, EvolutionStatus.REJECTED, EvolutionStatus.FAILED)


class Drafted(NamedTuple):
    """A draft as stored, and the digest that it is known again by."""

    version: SkillVersion
    digest: str


class Offered(NamedTuple):
    """A draft as the gateway is shown it, and the version it was made from."""

    baseline: SkillVersion
    examined: Examined
    draft: Draft


class Undrafted(NamedTuple):
    """Why there is no draft, and the digest of the one that was not accepted."""

    reason: str
    digest: str | None = None


def draft_version(ctx: MutationCtx, skill: Skill, group: ImprovementGroup) -> Drafted | Undrafted:
    """Draft the next version of a skill from a group, past the gateway."""
    if skill.stable_version is None:
        return Undrafted("the skill has no stable version to improve")
    baseline = stable_version(ctx, skill)
    files = dict(read_files(ctx, baseline))
    draft = merged_text(ctx, skill, group, files.get(SKILL_FILE))
    if isinstance(draft, NoDraft):
        return Undrafted(draft.reason)
    files[SKILL_FILE] = draft.text.encode()
    examined = examine(files.items())
    digest = examined.bundle.digest if examined.bundle else ""
    tried = tried_before(ctx, skill, digest)
    if tried is not None:
        return Undrafted(f"the same draft was {tried.status} as {tried.to_version}", digest)
    return checked(ctx, skill, Offered(baseline, examined, draft))


def merged_text(
    ctx: QueryCtx, skill: Skill, group: ImprovementGroup, skill_md: bytes | None
) -> Draft | NoDraft:
    """The new text of the skill's own file with what the group asks for, or why there is none."""
    if skill_md is None:
        return NoDraft(f"the stable version has no {SKILL_FILE}")
    try:
        text = skill_md.decode()
    except UnicodeDecodeError:
        return NoDraft(f"the {SKILL_FILE} of the stable version is not UTF-8")
    members = ctx.db.take(Improvement.where(group_id=group.id), limit=MAX_SUGGESTIONS)
    request = Request(tuple(Asked(member.id, member.text) for member in members))
    return merge_draft(text, skill.latest_version, [request])


def tried_before(ctx: QueryCtx, skill: Skill, digest: str) -> Evolution | None:
    """The attempt that came to nothing with exactly this draft, if there was one."""
    attempts = ctx.db.take(Evolution.where(skill_id=skill.id, digest=digest), limit=20)
    return next((attempt for attempt in attempts if attempt.status in TRIED), None)


def checked(ctx: MutationCtx, skill: Skill, offered: Offered) -> Drafted | Undrafted:
    """The draft as a version, if the gateway lets it through."""
    baseline, examined, draft = offered
    public = skill.visibility is Visibility.PUBLIC
    decision = decide(
        ctx, examined, skill=skill.name, version=draft.version, owner=skill.owner, public=public
    )
    digest = examined.bundle.digest if examined.bundle else ""
    if decision.verdict is Verdict.REFUSED or examined.bundle is None or not examined.document:
        return Undrafted(refusal(decision), digest)
    new = NewVersion(
        version=draft.version,
        bundle=examined.bundle,
        status=VersionStatus.DRAFT,
        description=examined.document.description,
        author=AUTHOR,
        origin=Origin.GENERATED,
        parents=(baseline.id,),
        change_summary=draft.summary,
        changes=tuple(
            Change(hunk.summary, SKILL_FILE, hunk.section, hunk.suggestions) for hunk in draft.hunks
        ),
        decision=decision.id,
    )
    return Drafted(add_version(ctx, skill, new).version, digest)
