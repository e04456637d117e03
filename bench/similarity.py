"""Measure the merging of suggestions on labelled ones: `python -m bench.similarity FILE [OPPOSED]`.

FILE holds JSON lines with skill, id, group and text; a group is `skill/key`, two of them joined by
`+`, or `vague`, `attack`, `none`. OPPOSED holds lines `skill: key ↔ key, key ↔ key`, with or
without a leading dash.

Pairs are scored within a skill: equal single groups are positive, no key in common is negative,
half shared ones and two of one special kind are left out.

Invariant: suggestions are grouped one by one in the order of the file, as a hub would do it.
"""

import itertools
import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from hubify.evidence.similarity import (
    Background,
    Group,
    Suggestion,
    analyse,
    group_to_join,
    score,
)
from hubify.evidence.suggestions import read_suggestion

SPECIAL = frozenset({"vague", "attack", "none"})


class Row(NamedTuple):
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
    """The labelled suggestions of a file."""
    lines = path.read_text("utf-8").splitlines()
    found = (json.loads(line) for line in lines if line.strip())
    return [Row(row["skill"], row["id"], row["group"], row["text"]) for row in found]


def read_opposed(path: Path) -> set[frozenset[str]]:
    """Pairs of groups that must never meet."""
    opposed: set[frozenset[str]] = set()
    for line in path.read_text("utf-8").splitlines():
        match = re.fullmatch(r"-?\s*([\w-]+):\s*(.*↔.*)", line.strip())
        if match:
            for pair in match.group(2).split(","):
                one, other = (f"{match.group(1)}/{key.strip()}" for key in pair.split("↔"))
                opposed.add(frozenset({one, other}))
    return opposed


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


def group_skill(rows: list[Row]) -> Skill:
    """Group a skill's suggestions one by one."""
    members: dict[str, list[Suggestion]] = {}
    held_by: dict[str, list[str]] = defaultdict(list)
    features: dict[str, list[Suggestion]] = {}
    started = time.perf_counter()
    for row in rows:
        reading = read_suggestion(row.text)
        features[row.id] = [analyse(request) for request in reading.requests]
        for suggestion in features[row.id]:
            groups = [Group(name, tuple(held)) for name, held in members.items()]
            found = group_to_join(suggestion, groups)
            name = found.group_id if found else f"g{len(members)}"
            members.setdefault(name, []).append(suggestion)
            held_by[row.id].append(name)
    seconds = time.perf_counter() - started
    background = Background.of(itertools.chain.from_iterable(members.values()))
    return Skill(
        {row.id: frozenset(held_by[row.id]) for row in rows},
        {row.id: features[row.id] or [analyse(row.text)] for row in rows},
        background,
        seconds,
        _special_triggers(rows, held_by),
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


def measure(rows: list[Row], opposed: set[frozenset[str]]) -> dict[str, float]:
    """All figures over a set of labelled suggestions."""
    pairs: list[Pair] = []
    cubes: list[tuple[float, float]] = []
    seconds = 0.0
    triggering = 0
    for skill_rows in by_skill(rows):
        skill = group_skill(skill_rows)
        pairs.extend(pairs_of(skill_rows, skill, opposed))
        cubes.extend(b_cubed(skill_rows, skill))
        seconds += skill.seconds
        triggering += skill.triggering
    merged = [pair for pair in pairs if pair.merged]
    hits = sum(pair.same for pair in merged)
    precision = sum(cube[0] for cube in cubes) / max(len(cubes), 1)
    recall = sum(cube[1] for cube in cubes) / max(len(cubes), 1)
    return {
        "precision": round(hits / max(len(merged), 1), 4),
        "recall": round(hits / max(sum(pair.same for pair in pairs), 1), 4),
        "average_precision": round(average_precision(pairs), 4),
        "bcubed_f1": round(2 * precision * recall / ((precision + recall) or 1), 4),
        "opposite_merges": sum(pair.merged and pair.opposed for pair in pairs),
        "special_triggers": triggering,
        "pairs": len(pairs),
        "ms_per_suggestion": round(1000 * seconds / max(len(rows), 1), 2),
    }


def by_skill(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows skill by skill, by name, each in the order of the file."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.skill].append(row)
    return [found[name] for name in sorted(found)]


def main(arguments: list[str]) -> None:
    """Print the figures of all skills, and of every second skill and the rest."""
    rows = read_rows(Path(arguments[0]))
    opposed = read_opposed(Path(arguments[1])) if len(arguments) > 1 else set[frozenset[str]]()
    skills = by_skill(rows)
    parts = {"all": skills, "even": skills[::2], "odd": skills[1::2]}
    for name, part in parts.items():
        figures = measure(list(itertools.chain.from_iterable(part)), opposed)
        print(json.dumps({"skills": name, **figures}))


if __name__ == "__main__":
    main(sys.argv[1:])
