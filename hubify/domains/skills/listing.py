"""Lists of skills and search: what is there, in an order that a person would accept.

Invariant: what others than its owner list comes from an index of public skills, so that no page and
no cursor tells that a hidden one is there. A list of all skills is shared by all who watch it; who
calls matters only where an owner's skills are asked for, or a hidden one is found.
"""

import math
from enum import StrEnum

import msgspec

from hubify.domains.arguments import OwnerName
from hubify.domains.skills.arguments import Category, Confidence, SearchLimit, SearchText
from hubify.domains.skills.intake import category_name
from hubify.domains.skills.lookup import may_read, sees_hidden_of, standing_of
from hubify.domains.skills.tables import Listing, Skill, SkillStanding, SkillStatus, skills
from hubify.domains.skills.views import VERIFIED_LEVEL, SkillSummary, skill_summary
from hubify.formats.names import slug_from
from hubify.functions import Page, PageRequest, Query, QueryCtx, RateClass, get, is_held, search

MAX_RANKED = 500
"""Of the rows that match the words best, how many are ranked by their standing too."""
MAX_OWN = 500
"""Of a caller's own skills that are not public, how many of the newest a search looks through."""
SHELVES = ((Listing.LISTED,), (Listing.DEPRECATED,))
"""Where search looks for everybody; what is not public uses up nothing there."""
NAMED = 3.0
"""How much more the skill counts whose name is exactly what was asked for."""
DEPRECATED = 0.3
"""How much of its score a deprecated skill keeps."""


class Sort(StrEnum):
    """The order of a list."""

    CONFIDENCE = "confidence"
    NEWEST = "newest"
    NAME = "name"


class ListedStatus(StrEnum):
    """Which skills of a list are wanted."""

    ACTIVE = "active"
    DEPRECATED = "deprecated"


HEADINGS = {ListedStatus.ACTIVE: Listing.LISTED, ListedStatus.DEPRECATED: Listing.DEPRECATED}


class SkillHit(SkillSummary, frozen=True):
    """A skill that a search found, and its score: only the order of scores means something."""

    score: float


@skills.query(name="list", public=True, rest=get("/v1/skills"))
def list_skills(
    ctx: QueryCtx,
    *,
    category: Category | None = None,
    status: ListedStatus = ListedStatus.ACTIVE,
    owner: OwnerName | None = None,
    sort: Sort = Sort.CONFIDENCE,
    pagination_opts: PageRequest | None = None,
) -> Page[SkillSummary]:
    """Skills by confidence (highest first), by age (newest first) or by name.

    Public ones that can be run, or all of an owner's own. With an owner a page may hold fewer than
    it asks for; the next one goes on behind it.
    """
    request = pagination_opts or PageRequest()
    wanted = None if category is None else category_name(category)
    if owner is None:
        equal: dict[str, object] = {"listing": HEADINGS[status]}
        if wanted is not None:
            equal["category"] = wanted
    elif sees_hidden_of(ctx.identity, owner):
        equal = {"owner": owner}
    else:
        equal = {"owner": owner, "listing": HEADINGS[status]}
    page = _by_confidence(ctx, equal, request) if sort is Sort.CONFIDENCE else None
    page = page or _by_field(ctx, equal, sort, request)
    kept = [skill for skill in page.page if _is_wanted(ctx, skill, wanted, status)]
    return page.of([skill_summary(skill, standing_of(ctx, skill)) for skill in kept])


@skills.query(name="search", public=True, rest=get("/v1/skills/search"), rate=RateClass.SEARCH)
def search_skills(
    ctx: QueryCtx,
    *,
    query: SearchText,
    category: Category | None = None,
    min_confidence: Confidence | None = None,
    verified: bool = False,
    limit: SearchLimit = 20,
) -> list[SkillHit]:
    """Skills that hold the words asked for, best first.

    Words of the name count double, rare words more than common ones; of two that match alike the
    better trusted one comes first. Of a word that thousands hold, the best verified and newest are
    looked at. `min_confidence` is 0 to 1 or 0 to 100; `verified` asks for level 2 or more.
    """
    wanted = None if category is None else category_name(category)
    floor = confidence_floor(min_confidence)
    slug = slug_from(query)
    found = search(
        ctx.db,
        Skill,
        query,
        title=_title,
        keep=lambda skill: _is_found(ctx, skill, wanted),
        shelves=SHELVES,
        also=[*_named(ctx, slug), *_own_hidden(ctx, query)],
    )
    hits: list[tuple[float, Skill, SkillStanding]] = []
    for score, skill in found[:MAX_RANKED]:
        standing = standing_of(ctx, skill)
        if standing.confidence < floor or (verified and standing.level < VERIFIED_LEVEL):
            continue
        hits.append((ranked(score, skill, standing, slug), skill, standing))
    hits.sort(key=lambda hit: (-hit[0], hit[1].name))
    return [_hit(*best) for best in hits[:limit]]


def _hit(score: float, skill: Skill, standing: SkillStanding) -> SkillHit:
    return SkillHit(**msgspec.structs.asdict(skill_summary(skill, standing)), score=score)


def confidence_floor(asked: float | None) -> float:
    """The least confidence on the scale to 100; what is asked as 0 to 1 is a share of it."""
    if asked is None:
        return 0.0
    return 100 * asked if asked <= 1 else asked


def ranked(score: float, skill: Skill, standing: SkillStanding, slug: str) -> float:
    """A match's score with the skill's standing: trust at most doubles it, use adds a little.

    `slug`: what was asked for, as a skill of that name would be named.
    """
    trust = 1 + standing.confidence / 100
    use = 1 + 0.05 * math.log10(1 + standing.executions) + 0.05 * math.log10(1 + standing.stars)
    exact = NAMED if slug == skill.name else 1.0
    faded = DEPRECATED if skill.status is SkillStatus.DEPRECATED else 1.0
    return round(score * trust * use * exact * faded, 4)


def _by_confidence(ctx: QueryCtx, equal: dict[str, object], request: PageRequest) -> Page[Skill]:
    query = SkillStanding.where(**equal).order_by("rank").newest_first()
    page = ctx.paginate(query, request)
    found = [ctx.db.get(Skill, standing.skill_id) for standing in page.page]
    return page.of([skill for skill in found if skill is not None])


def _by_field(
    ctx: QueryCtx, equal: dict[str, object], sort: Sort, request: PageRequest
) -> Page[Skill]:
    query: Query[Skill] = Skill.where(**equal)
    ordered = query.order_by("name") if sort is Sort.NAME else query.newest_first()
    return ctx.paginate(ordered, request)


def _is_wanted(ctx: QueryCtx, skill: Skill, category: str | None, status: ListedStatus) -> bool:
    if skill.status is not SkillStatus(status.value) or category not in (None, skill.category):
        return False
    return may_read(ctx, skill)


def _named(ctx: QueryCtx, slug: str) -> list[Skill]:
    """The skill whose name was asked for, which no crowd of others hides."""
    return ctx.db.take(Skill.where(name=slug), limit=1)


def _own_hidden(ctx: QueryCtx, text: str) -> list[Skill]:
    """The caller's own skills that are not public; who calls matters only if some hidden one fits.

    An administrator finds its own so, and each of others' by its name.
    """
    if not is_held(ctx.db, Skill, text, within=(Listing.HIDDEN,)):
        return []
    if not sees_hidden_of(ctx.identity, ctx.identity.owner):
        return []
    own = Skill.where(owner=ctx.identity.owner, listing=Listing.HIDDEN)
    return ctx.db.take(own.newest_first(), limit=MAX_OWN)


def _is_found(ctx: QueryCtx, skill: Skill, category: str | None) -> bool:
    if skill.status is SkillStatus.DELETED or category not in (None, skill.category):
        return False
    return skill.stable_version is not None and may_read(ctx, skill)


def _title(skill: Skill) -> str:
    return f"{skill.name} {skill.display_name}"
