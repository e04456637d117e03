"""Which group of one skill a new suggestion belongs to.

Invariant: a suggestion joins a group only when one member is confirmed as the same request, the
members on the whole are alike, no member stands against it, and it takes a side wherever the group
has one; so a group never holds opposites that the conflict rules can see. Every answer carries its
reason, since merges can be taken back.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from hubify.evidence.similarity.features import Suggestion
from hubify.evidence.similarity.scoring import (
    CONFLICT_FACTOR,
    Background,
    Verdict,
    Weighed,
    same_weighed,
    weigh,
)

MAX_SUGGESTIONS: Final = 1_000  # of one skill that are looked at, the newest groups last
MAX_COMPARED: Final = 30  # suggestions that are compared in full
MAX_MEMBERS: Final = 50  # of one group that may object
LEAST_MEAN: Final = 0.4  # likeness to the members on average


class Group(msgspec.Struct, frozen=True):
    """Suggestions of one skill that were found to ask for the same."""

    id: str
    members: tuple[Suggestion, ...]


class Candidate(msgspec.Struct, frozen=True):
    """A group that may ask for the same; `join` says that it may be joined without asking.

    `conflict` says that a member stands against the suggestion.
    """

    group_id: str
    score: float
    join: bool
    reason: str
    conflict: bool = False


def candidates(
    suggestion: Suggestion,
    groups: Sequence[Group],
    limit: int,
    background: Background | None = None,
) -> list[Candidate]:
    """The groups most like a suggestion, best first, at most `limit`.

    `background` counts the terms of the skill's suggestions; without one it is counted here. Groups
    below the threshold are listed too (`join` false): their reporter may confirm them.
    """
    if background is None:
        background = Background.of(member for group in groups for member in group.members)
    new = weigh(suggestion, background)
    near = {group.id: group for group in _nearest(new, groups)}
    found = [_judge(new, group, background) for group in near.values()]
    found.sort(key=lambda candidate: (not candidate.join, -candidate.score, candidate.group_id))
    if found and found[0].join and _is_disputed(found, near, background):
        found = [_unsure(candidate) for candidate in found]
        found.sort(key=lambda candidate: (-candidate.score, candidate.group_id))
    return found[:limit]


def group_to_join(
    suggestion: Suggestion, groups: Sequence[Group], background: Background | None = None
) -> Candidate | None:
    """The one group to join without asking, or None: then the suggestion begins a new group."""
    best = candidates(suggestion, groups, 1, background)
    return best[0] if best and best[0].join else None


def _is_disputed(
    found: Sequence[Candidate], near: Mapping[str, Group], background: Background
) -> bool:
    """Whether the best group stands against another that the suggestion does not stand against.

    Who fits both sides of a dispute has been misread by at least one of the comparisons.
    """
    joined = near[found[0].group_id]
    rivals = [
        near[other.group_id]
        for other in found[1:]
        if not other.conflict and other.score >= LIKE_A_RIVAL
    ]
    return any(_stand_against(joined, rival, background) for rival in rivals[:MAX_RIVALS])


def _stand_against(one: Group, other: Group, background: Background) -> bool:
    ours = [weigh(member, background) for member in one.members[-MAX_SPEAKERS:]]
    theirs = [weigh(member, background) for member in other.members[-MAX_SPEAKERS:]]
    verdicts = (same_weighed(a, b) for a in ours for b in theirs)
    return any(
        verdict.conflict and verdict.score >= LIKE_AN_OPPONENT * CONFLICT_FACTOR
        for verdict in verdicts
    )


LIKE_A_RIVAL: Final = 0.2  # likeness from which a suggestion may belong to a group as well
LIKE_AN_OPPONENT: Final = 0.3  # likeness, but for their conflict, of two who speak of one matter
MAX_RIVALS: Final = 5
MAX_SPEAKERS: Final = 6  # members of each side, the newest, that are held against one another


def _unsure(candidate: Candidate) -> Candidate:
    if not candidate.join:
        return candidate
    reason = "fits both sides of a dispute"
    return Candidate(candidate.group_id, candidate.score, join=False, reason=reason)


def _nearest(new: Weighed, groups: Sequence[Group]) -> list[Group]:
    """Groups whose members share the most weight with a suggestion, by a cheap count."""
    counted = 0
    shares: dict[str, tuple[float, Group]] = {}
    for group in reversed(groups):
        share = 0.0
        for member in group.members[-MAX_MEMBERS:]:
            if shared := new.suggestion.keys & member.keys:
                share = max(share, sum(map(new.weights.__getitem__, shared)))
            counted += 1
        if share > 0:
            shares[group.id] = (share, group)
        if counted >= MAX_SUGGESTIONS:
            break
    ranked = sorted(shares.values(), key=lambda pair: (-pair[0], pair[1].id))
    return list(_within_budget(group for _, group in ranked))


def _within_budget(groups: Iterable[Group]) -> Iterable[Group]:
    compared = 0
    for group in groups:
        if compared >= MAX_COMPARED:
            return
        compared += min(len(group.members), MAX_MEMBERS)
        yield group


def _judge(new: Weighed, group: Group, background: Background) -> Candidate:
    verdicts = [
        same_weighed(new, weigh(member, background)) for member in group.members[-MAX_MEMBERS:]
    ]
    best = max(verdicts, key=lambda verdict: (verdict.same, verdict.score))
    against = next((verdict for verdict in verdicts if verdict.conflict), None)
    if against:
        return Candidate(group.id, against.score, join=False, reason=against.reason, conflict=True)
    mean = sum(verdict.score for verdict in verdicts) / len(verdicts)
    if best.same and mean < LEAST_MEAN:
        return Candidate(group.id, best.score, join=False, reason="alike to one member only")
    return Candidate(group.id, best.score, join=best.same, reason=_reason(best, verdicts))


def _reason(best: Verdict, verdicts: list[Verdict]) -> str:
    agreeing = sum(verdict.same for verdict in verdicts)
    if not best.same:
        return best.reason
    return f"{best.reason}; {agreeing} of {len(verdicts)} members agree, none objects"
