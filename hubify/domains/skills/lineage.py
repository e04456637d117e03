"""Where a skill comes from and what came from it: versions as a graph with all their parents.

Invariant: an edge is shown only between versions that the caller may see; the walk is bounded, and
says so when it stops early.
"""

from collections import deque
from typing import Annotated

import msgspec

from hubify.domains.arguments import SkillName
from hubify.domains.skills.errors import SkillNotFound
from hubify.domains.skills.lookup import may_read, readable
from hubify.domains.skills.tables import (
    Descent,
    Origin,
    Skill,
    SkillStatus,
    SkillVersion,
    VersionStatus,
    skills,
)
from hubify.functions import PageRequest, QueryCtx, RowId, get

MAX_NODES = 1_000
MAX_EDGES = 200
"""Children of one version that are followed."""
MAX_WALKED = 10_000
"""Rows that one walk reads, whoever has attached them."""
MIN_BYTES_LEFT = 6 * 1024 * 1024
"""What a walk leaves of the bytes that one function may read."""
READ_AT_ONCE = 100
MAX_FORKS = 200

Depth = Annotated[int, msgspec.Meta(ge=0, le=50)]


class LineageNode(msgspec.Struct, frozen=True):
    """One version in the graph; `source` says where it was imported from."""

    version_id: RowId
    name: str
    version: str
    status: VersionStatus
    origin: Origin
    source: str
    change_summary: str
    published_at: int


class LineageEdge(msgspec.Struct, frozen=True):
    """One version was made from another; `fork` when they belong to different skills."""

    parent_id: RowId
    child_id: RowId
    fork: bool


class Lineage(msgspec.Struct, frozen=True):
    """The versions of a skill and those they stand in descent with, oldest first.

    `truncated`: there is more than was walked; ask again from another skill, or deeper.
    """

    name: str
    fork_of: str | None
    forks: tuple[str, ...]
    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]
    truncated: bool


class Walk:
    """The versions found so far, with how far each lies from the skill that was asked for."""

    def __init__(self, ctx: QueryCtx, depth: int) -> None:
        self._ctx = ctx
        self._depth = depth
        self._left = MAX_WALKED
        self._skills: dict[RowId, Skill | None] = {}
        self._pending: deque[tuple[SkillVersion, int]] = deque()
        self.found: dict[RowId, SkillVersion] = {}
        self.edges: dict[tuple[RowId, RowId], LineageEdge] = {}
        self.truncated = False

    def begin(self, skill: Skill) -> None:
        """Take the versions of the skill itself in."""
        own = SkillVersion.where(skill_id=skill.id)
        cursor: str | None = None
        while self._may_read(READ_AT_ONCE):
            page = self._ctx.db.page(own, PageRequest(READ_AT_ONCE, cursor))
            for version in page.page:
                self._reach(version, 0)
            if page.is_done:
                return
            cursor = page.continue_cursor

    def run(self) -> None:
        """Follow parents and children until the depth or the bound is reached."""
        while self._pending and self._may_read(1):
            version, distance = self._pending.popleft()
            children = Descent.where(parent_id=version.id)
            down = self._ctx.db.take(children, limit=MAX_EDGES)
            self.truncated |= len(down) == MAX_EDGES
            self._left -= len(down)
            for edge in down:
                self._follow(edge.child_id, distance, version, is_parent=False)
            for parent_id in version.parents:
                self._follow(parent_id, distance, version, is_parent=True)

    def skill_of(self, version: SkillVersion) -> Skill | None:
        """The skill of a version, None when the caller may not see it."""
        if version.skill_id not in self._skills:
            self._skills[version.skill_id] = self._visible(version.skill_id)
        return self._skills[version.skill_id]

    def _visible(self, skill_id: RowId) -> Skill | None:
        skill = self._ctx.db.get(Skill, skill_id)
        if skill is None or skill.status is SkillStatus.DELETED:
            return None
        return skill if may_read(self._ctx, skill) else None

    def _follow(
        self, other_id: RowId, distance: int, here: SkillVersion, *, is_parent: bool
    ) -> None:
        if other_id not in self.found and not self._may_read(2):
            return
        other = self.found.get(other_id) or self._ctx.db.get(SkillVersion, other_id)
        if other is None or self.skill_of(other) is None:
            return
        if other.id not in self.found and not self._reach(other, distance + 1):
            return
        parent, child = (other, here) if is_parent else (here, other)
        fork = parent.skill_id != child.skill_id
        self.edges[parent.id, child.id] = LineageEdge(parent.id, child.id, fork)

    def _may_read(self, rows: int) -> bool:
        """Whether the walk may read some more rows; it says so when not."""
        if self._left < rows or self._ctx.db.bytes_left < MIN_BYTES_LEFT:
            self.truncated = True
            return False
        self._left -= rows
        return True

    def _reach(self, version: SkillVersion, distance: int) -> bool:
        if distance > self._depth or len(self.found) >= MAX_NODES:
            self.truncated = True
            return False
        self.found[version.id] = version
        self._pending.append((version, distance))
        return True


@skills.query(public=True, rest=get("/v1/skills/{name}/lineage"), errors=(SkillNotFound,))
def lineage(ctx: QueryCtx, *, name: SkillName, depth: Depth = 10) -> Lineage:
    """A skill's versions with their parents and children, through forks, in both directions.

    `depth` is how many steps beyond the skill's own versions are followed.
    """
    skill = readable(ctx, name)
    walk = Walk(ctx, depth)
    walk.begin(skill)
    walk.run()
    source = ctx.db.get(Skill, skill.fork_of) if skill.fork_of else None
    return Lineage(
        name=skill.name,
        fork_of=source.name if source is not None and may_read(ctx, source) else None,
        forks=_forks(ctx, skill),
        nodes=tuple(_node(walk, walk.found[found]) for found in sorted(walk.found)),
        edges=tuple(walk.edges[pair] for pair in sorted(walk.edges)),
        truncated=walk.truncated,
    )


def _forks(ctx: QueryCtx, skill: Skill) -> tuple[str, ...]:
    found = ctx.db.take(Skill.where(fork_of=skill.id), limit=MAX_FORKS)
    active = [fork for fork in found if fork.status is not SkillStatus.DELETED]
    return tuple(fork.name for fork in active if may_read(ctx, fork))


def _node(walk: Walk, version: SkillVersion) -> LineageNode:
    skill = walk.skill_of(version)
    assert skill is not None, "only versions of visible skills are found"
    return LineageNode(
        version_id=version.id,
        name=skill.name,
        version=version.version,
        status=version.status,
        origin=version.origin,
        source=version.source,
        change_summary=version.change_summary,
        published_at=version.published_at,
    )
