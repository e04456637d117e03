"""Suggestions become requests, and similar requests become one group with more behind it.

Automatic joining has to be right, not complete: where the texts alone do not prove that two ask
for the same, the reporters are asked, and say "same" or "different".

Invariant: a group's counts are those of its `Supporter` rows, each agent once; every joining can be
taken back, since members keep their own words and why they stand where they stand.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from hubify.domains.agents import AgentStanding
from hubify.domains.evolution.lifecycle import begin
from hubify.domains.evolution.rules import missing_for_trigger
from hubify.domains.evolution.tables import (
    GroupStatus,
    Improvement,
    ImprovementGroup,
    Supporter,
    TriggerType,
)
from hubify.domains.evolution.views import LIVE_GROUPS, groups_of, live
from hubify.domains.skills import Skill
from hubify.domains.verification import open_alerts
from hubify.evidence.similarity.analysis import Suggestion as Features
from hubify.evidence.similarity.analysis import analyse
from hubify.evidence.similarity.grouping import Candidate, Group, candidates
from hubify.evidence.suggestions import read_suggestion
from hubify.functions import MutationCtx, RowId

MAX_COMPARED = 200
"""Groups of a skill in one state that a suggestion is compared with: those joined last."""
MAX_WORDINGS = 30
"""Members of a group, the newest, whose words a suggestion is compared with."""
MAX_ANALYSED = 300
"""Wordings that one suggestion is compared with; each is analysed once per process."""
MAX_SIMILAR = 5
MAX_FOLLOWED = 5
"""Most wanted requests that are looked at when something is found of a skill."""
SIMILAR_FROM = 0.25
"""Score from which a group is shown to the reporter, far below where it is joined unasked."""


class Suggestion(NamedTuple):
    """What an agent suggests with a report; secrets have been taken out of the text."""

    text: str
    agent: AgentStanding
    platform: str
    report_id: RowId


class Request(NamedTuple):
    """One request of a suggestion, and what kind of suggestion it is."""

    text: str
    kind: str


class SimilarImprovement(msgspec.Struct, frozen=True):
    """A request that others made already, for the reporter to say "same" or "different" of.

    `joined`: the suggestion was counted with it. `count` is of suggestions, `score` up to 1.
    """

    group_id: RowId
    suggestion: str
    count: int
    score: float
    joined: bool


class Proposed(msgspec.Struct, frozen=True):
    """What became of a suggestion."""

    triggered: bool
    similar: tuple[SimilarImprovement, ...]


def propose(ctx: MutationCtx, skill: Skill, suggestion: Suggestion) -> Proposed:
    """Store a suggestion, group what it asks for, and set an evolution off if that was the last.

    What names no change (vague, praise, an attack) is stored and joins nothing.
    """
    reading = read_suggestion(suggestion.text)
    if not reading.requests:
        _store(ctx, skill, suggestion, Request(reading.text, reading.kind), grounds=reading.reason)
        return Proposed(triggered=False, similar=())
    triggered = False
    similar: dict[RowId, SimilarImprovement] = {}
    for text in reading.requests:
        request = Request(text, reading.kind)
        groups = live_groups(ctx, skill)
        found = candidates(features_of(text), compared(groups), MAX_SIMILAR)
        group, grounds = _joined(ctx, skill, request, groups, found)
        _store(ctx, skill, suggestion, request, group, grounds=grounds)
        group = support(ctx, group, suggestion.agent.owner, suggestion.agent.agent_id, text=text)
        triggered = trigger_if_due(ctx, skill, group) or triggered
        for one in _shown(found, [group, *groups]):
            similar.setdefault(one.group_id, one)
    return Proposed(triggered, tuple(similar.values())[:MAX_SIMILAR])


def ask(ctx: MutationCtx, skill: Skill, suggestion: Suggestion) -> ImprovementGroup | str:
    """Store what a maintainer asks for, as one group; why it cannot be followed, if it cannot.

    What others ask for already is joined, so that they have their part in what comes of it.
    """
    reading = read_suggestion(suggestion.text)
    if not reading.requests:
        return reading.reason
    text = reading.requests[0]
    open_groups = [one for one in live_groups(ctx, skill) if one.status is GroupStatus.OPEN]
    found = candidates(features_of(text), compared(open_groups), 1)
    group, grounds = _joined(ctx, skill, Request(text, reading.kind), open_groups, found)
    for text in reading.requests:
        _store(ctx, skill, suggestion, Request(text, reading.kind), group, grounds=grounds)
        agent = suggestion.agent
        group = support(ctx, group, agent.owner, agent.agent_id, text=text)
    return group


def live_groups(ctx: MutationCtx, skill: Skill) -> list[ImprovementGroup]:
    """The groups that a new suggestion may join."""
    return [
        group
        for status in LIVE_GROUPS
        for group in ctx.db.take(live(skill, status), limit=MAX_COMPARED)
    ]


def compared(groups: Sequence[ImprovementGroup]) -> list[Group]:
    """Groups as the comparison takes them, the ones that were joined last first."""
    left = MAX_ANALYSED
    taken: list[Group] = []
    for group in groups:
        wordings = group.wordings[-left:]
        taken.append(Group(group.id, tuple(features_of(text) for text in wordings)))
        left -= len(wordings)
        if left <= 0:
            break
    return taken


@lru_cache(maxsize=4_096)
def features_of(text: str) -> Features:
    """What a suggestion says, as the comparison takes it; it depends on the text alone."""
    return analyse(text)


def support(
    ctx: MutationCtx,
    group: ImprovementGroup,
    owner: str,
    agent_id: str,
    *,
    text: str | None = None,
) -> ImprovementGroup:
    """Count an agent behind a group, once, with one more suggestion or with its word only."""
    where = Supporter.where(group_id=group.id, owner=owner, agent_id=agent_id)
    agents = owners = 0
    if ctx.db.first(where) is None:
        agents = 1
        owners = 0 if ctx.db.first(Supporter.where(group_id=group.id, owner=owner)) else 1
        ctx.db.insert(Supporter(group_id=group.id, owner=owner, agent_id=agent_id))
    wordings = () if text is None else (text,)
    return ctx.db.replace(
        group,
        wordings=(*group.wordings, *wordings)[-MAX_WORDINGS:],
        members=group.members + len(wordings),
        agents=group.agents + agents,
        owners=group.owners + owners,
        last_seen=ctx.now,
    )


def trigger_if_due(ctx: MutationCtx, skill: Skill, group: ImprovementGroup) -> bool:
    """Set an evolution off if nothing is missing any more; whether this did it."""
    if group.status is not GroupStatus.OPEN:
        return False
    cause = TriggerType.IMPROVEMENT_THRESHOLD
    if missing_for_trigger(group, skill):
        troubles = open_alerts(ctx, skill)
        if not troubles or missing_for_trigger(group, skill, is_troubled=True):
            return False
        cause = TriggerType(troubles[-1].kind)
    begin(ctx, skill, group, cause)
    return True


def follow_trouble(ctx: MutationCtx, skill: Skill) -> bool:
    """Follow the most wanted request of a skill of which something was found, if enough ask for it.

    While too few do, the next suggestion or endorsement that makes them enough is followed.
    """
    return any(trigger_if_due(ctx, skill, group) for group in groups_of(ctx, skill)[:MAX_FOLLOWED])


def _joined(
    ctx: MutationCtx,
    skill: Skill,
    request: Request,
    groups: Sequence[ImprovementGroup],
    found: Sequence[Candidate],
) -> tuple[ImprovementGroup, str]:
    """The group a request belongs to, and why: one that asks for the same, or one of its own."""
    if found and found[0].join:
        chosen = next(group for group in groups if group.id == found[0].group_id)
        return chosen, found[0].reason
    fresh = ImprovementGroup(
        skill_id=skill.id,
        text=request.text,
        wordings=(),
        status=GroupStatus.OPEN,
        first_seen=ctx.now,
        last_seen=ctx.now,
    )
    return ctx.db.insert(fresh), "the first to ask for it"


def _store(
    ctx: MutationCtx,
    skill: Skill,
    suggestion: Suggestion,
    request: Request,
    group: ImprovementGroup | None = None,
    *,
    grounds: str,
) -> None:
    agent = suggestion.agent
    improvement = Improvement(
        skill_id=skill.id,
        report_id=suggestion.report_id,
        owner=agent.owner,
        agent_id=agent.agent_id,
        agent=agent.agent,
        platform=suggestion.platform,
        text=request.text,
        kind=request.kind,
        created_at=ctx.now,
        group_id=group.id if group else None,
        grounds=grounds,
    )
    ctx.db.insert(improvement)


def _shown(
    found: Sequence[Candidate], groups: Sequence[ImprovementGroup]
) -> list[SimilarImprovement]:
    """The groups that resemble a request; the joined one stands first in `groups`, as it is now."""
    known: dict[str, ImprovementGroup] = {group.id: group for group in reversed(groups)}
    return [
        SimilarImprovement(
            group_id=known[one.group_id].id,
            suggestion=known[one.group_id].text,
            count=known[one.group_id].members,
            score=round(one.score, 4),
            joined=one.group_id == groups[0].id,
        )
        for one in found
        if one.join or one.score >= SIMILAR_FROM
    ]
