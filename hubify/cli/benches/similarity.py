"""`hubify bench similarity`: the merging of suggestions, held against labelled ones.

Pairs are scored within a skill: equal single groups are positive, no key in common is negative,
half shared ones and two of one special kind are left out.

Invariant: suggestions are grouped one by one in the order of the file, as a hub would do it, from
their texts alone; the labels are read to score.
"""

import itertools
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from hubify.cli.options import told
from hubify.cli.world import Misuse, World
from hubify.evidence.similarity import (
    Background,
    Group,
    Suggestion,
    analyse,
    candidates,
    score,
)
from hubify.evidence.suggestions import read_suggestion

SPECIAL = frozenset({"vague", "attack", "none"})
SHOWN = 3  # candidates that a reporter is shown
GROUP = re.compile(r"[^\s,;|\"'\[\]{}<>=]+/[^\s,;|\"'\[\]{}<>=]+")
OF_A_SKILL = re.compile(r"-?\s*([\w-]+):\s*(.*↔.*)")


class SimilarityBench:
    """The command, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(
        self,
        file: Annotated[str, told("JSON lines with skill, id, group and text.", "FILE")],
        *,
        opposites: Annotated[
            str | None, told("Pairs of groups that must never meet, a pair on a line.", "PAIRS")
        ] = None,
    ) -> None:
        """Group labelled suggestions as the server would, and score every pair of one skill.

        A group is skill/key; several joined by + for a suggestion with several requests; or vague,
        attack, none. Prints precision and recall of what was merged without asking, the average
        precision of the score, B-cubed F1, merges across opposites (null without a file of them)
        and the time for one suggestion; first_three is how often the right group, where there was
        one already, was among the first three candidates.
        """
        rows = read_rows(Path(file))
        opposed = read_opposed(Path(opposites)) if opposites else None
        self._world.print_json(measure(rows, opposed))


class Row(msgspec.Struct, frozen=True):
    """One labelled suggestion."""

    skill: str
    id: str
    group: str
    text: str

    @property
    def keys(self) -> frozenset[str]:
        """The requests it makes."""
        return frozenset(self.group.split("+"))


class Pair(NamedTuple):
    """Two suggestions of one skill: what is true, what was found."""

    same: bool
    opposed: bool
    merged: bool
    score: float


def read_rows(path: Path) -> list[Row]:
    """The labelled suggestions of a file.

    Raises:
        Misuse: a line is not one; says which and why.

    """
    decoder, found = msgspec.json.Decoder(Row), list[Row]()
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found.append(decoder.decode(line))
        except msgspec.DecodeError as error:
            raise Misuse(f"'{path}' line {number}: {error}") from None
    return found


def read_opposed(path: Path) -> set[frozenset[str]]:
    """Pairs of groups that must never meet: two names on a line, however they are set apart.

    Also a JSON document of pairs, and `skill: key ↔ key, key ↔ key`.
    """
    text = path.read_text("utf-8")
    try:
        pairs = msgspec.json.decode(text, type=list[tuple[str, str]])
    except msgspec.DecodeError:
        pairs = [pair for line in text.splitlines() for pair in _pairs_on(line.strip())]
    return {frozenset(pair) for pair in pairs if len(set(pair)) > 1}


def _pairs_on(line: str) -> Iterable[tuple[str, str]]:
    if match := OF_A_SKILL.fullmatch(line):
        keys = [f"{match[1]}/{key.strip()}" for key in re.split("[↔,]", match[2])]
    else:
        keys = GROUP.findall(line)
    return zip(keys[::2], keys[1::2], strict=False)


def label(a: Row, b: Row) -> bool | None:
    """Whether two suggestions ask for the same; None for pairs that are left out."""
    if a.group == b.group:
        return None if a.group in SPECIAL or "+" in a.group else True
    return None if a.keys & b.keys else False


class Skill(NamedTuple):
    """What was found for one skill."""

    groups_of: dict[str, frozenset[str]]
    features: dict[str, list[Suggestion]]
    background: Background
    seconds: float
    triggering: int
    shown: list[bool]
    """For each suggestion whose group was there already: was it among the first candidates?"""


def group_skill(rows: list[Row]) -> Skill:
    """Group a skill's suggestions one by one."""
    members: dict[str, list[Suggestion]] = {}
    truths: dict[str, set[str]] = defaultdict(set)
    held_by: dict[str, list[str]] = defaultdict(list)
    features: dict[str, list[Suggestion]] = {}
    shown: list[bool] = []
    seconds = 0.0
    for row in rows:
        started = time.perf_counter()
        features[row.id] = [analyse(request) for request in read_suggestion(row.text).requests]
        offered: list[str] = []
        for suggestion in features[row.id]:
            groups = [Group(name, tuple(held)) for name, held in members.items()]
            found = candidates(suggestion, groups, SHOWN)
            offered += [candidate.group_id for candidate in found]
            joined = found[0].group_id if found and found[0].join else f"g{len(members)}"
            members.setdefault(joined, []).append(suggestion)
            held_by[row.id].append(joined)
        seconds += time.perf_counter() - started
        if row.keys <= set().union(*truths.values()):
            shown.append(any(truths[name] & row.keys for name in offered[:SHOWN]))
        if not row.keys & SPECIAL:
            for name in held_by[row.id]:
                truths[name] |= row.keys
    background = Background.of(itertools.chain.from_iterable(members.values()))
    return Skill(
        {row.id: frozenset(held_by[row.id]) for row in rows},
        {row.id: features[row.id] or [analyse(row.text)] for row in rows},
        background,
        seconds,
        _special_triggers(rows, held_by),
        shown,
    )


def _special_triggers(rows: list[Row], held_by: dict[str, list[str]]) -> int:
    """Groups of three or more suggestions that nothing but special kinds fill."""
    kinds: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        for name in held_by[row.id]:
            kinds[name].append(row.group in SPECIAL)
    return sum(len(found) >= 3 and all(found) for found in kinds.values())


def pairs_of(rows: list[Row], skill: Skill, opposed: set[frozenset[str]]) -> Iterator[Pair]:
    """Every scored pair of one skill."""
    for a, b in itertools.combinations(rows, 2):
        same = label(a, b)
        if same is None:
            continue
        likeness = max(
            score(one, other, skill.background)
            for one in skill.features[a.id]
            for other in skill.features[b.id]
        )
        if not skill.groups_of[a.id] or not skill.groups_of[b.id]:
            likeness = 0.0
        meets = any(frozenset(keys) in opposed for keys in itertools.product(a.keys, b.keys))
        merged = bool(skill.groups_of[a.id] & skill.groups_of[b.id])
        yield Pair(same, meets, merged, likeness)


def average_precision(pairs: list[Pair]) -> float:
    """Mean of the precision at each positive, over pairs ranked by score; ties share a rank."""
    positives = sum(pair.same for pair in pairs)
    ranked = sorted(pairs, key=lambda pair: -pair.score)
    seen = hits = 0
    total = 0.0
    for _, tied in itertools.groupby(ranked, key=lambda pair: pair.score):
        batch = list(tied)
        found = sum(pair.same for pair in batch)
        seen += len(batch)
        hits += found
        total += found * hits / seen
    return total / max(positives, 1)


def b_cubed(rows: list[Row], skill: Skill) -> list[tuple[float, float]]:
    """Precision and recall of each single-request suggestion's group."""
    single = [row for row in rows if row.group not in SPECIAL and "+" not in row.group]
    found: list[tuple[float, float]] = []
    for row in single:
        own = skill.groups_of[row.id]
        together = [other for other in single if other is row or skill.groups_of[other.id] & own]
        alike = [other for other in single if other.group == row.group]
        right = sum(other.group == row.group for other in together)
        found.append((right / len(together), right / len(alike)))
    return found


def measure(rows: list[Row], opposed: set[frozenset[str]] | None) -> dict[str, float | None]:
    """All figures over a set of labelled suggestions."""
    pairs: list[Pair] = []
    cubes: list[tuple[float, float]] = []
    skills = [(found, group_skill(found)) for found in by_skill(rows)]
    for skill_rows, skill in skills:
        pairs.extend(pairs_of(skill_rows, skill, opposed or set()))
        cubes.extend(b_cubed(skill_rows, skill))
    merged = [pair for pair in pairs if pair.merged]
    hits = sum(pair.same for pair in merged)
    shown = [hit for _, skill in skills for hit in skill.shown]
    precision, recall = (_mean(cube[side] for cube in cubes) for side in (0, 1))
    opposite = sum(pair.merged and pair.opposed for pair in pairs)
    return {
        "precision": round(hits / max(len(merged), 1), 4),
        "recall": round(hits / max(sum(pair.same for pair in pairs), 1), 4),
        "average_precision": round(average_precision(pairs), 4),
        "bcubed_f1": round(2 * precision * recall / ((precision + recall) or 1), 4),
        "opposite_merges": None if opposed is None else opposite,
        "ms_per_suggestion": round(
            1000 * sum(skill.seconds for _, skill in skills) / max(len(rows), 1), 2
        ),
        "first_three": round(_mean(float(hit) for hit in shown), 4),
        "special_triggers": sum(skill.triggering for _, skill in skills),
        "pairs": len(pairs),
    }


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / max(len(found), 1)


def by_skill(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows skill by skill, by name, each in the order of the file."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.skill].append(row)
    return [found[name] for name in sorted(found)]
