"""`python -m bench.grouping FILE`: group real suggestions that nobody labelled, for reading.

A line of FILE is a run with `suggestions`, each with a `direction` (its text) and `target_skills`
(empty when it names none). Suggestions are grouped skill by skill in the order of the file, those
without a skill among themselves, as the server would.

Invariant: every suggestion is in what is printed, alone or in a group, with the reason it joined.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec

from hubify.evidence.similarity import Group, Suggestion, analyse, candidates
from hubify.evidence.suggestions import read_suggestion


class Advice(msgspec.Struct, frozen=True):
    """One suggestion of a run."""

    direction: str
    target_skills: tuple[str, ...] = ()


class Run(msgspec.Struct, frozen=True):
    """What an agent left behind after a task."""

    suggestions: tuple[Advice, ...] = ()


class Member(msgspec.Struct, frozen=True):
    """A request in its group; `reason` is empty for the one that began it."""

    text: str
    reason: str


def skills_of(runs: list[Run]) -> dict[str, list[str]]:
    """The texts of each skill, versions of one skill together; "" has those that name none."""
    found: dict[str, list[str]] = defaultdict(list)
    for run in runs:
        for advice in run.suggestions:
            for name in advice.target_skills or ("",):
                found[name.split("__")[0]].append(advice.direction)
    return found


def grouped(texts: list[str]) -> Iterator[list[Member]]:
    """The groups of one skill's suggestions."""
    features: dict[str, list[Suggestion]] = {}
    members: dict[str, list[Member]] = defaultdict(list)
    for request in (part for text in texts for part in read_suggestion(text).requests):
        suggestion = analyse(request)
        groups = [Group(name, tuple(held)) for name, held in features.items()]
        best = candidates(suggestion, groups, 1)
        joins = bool(best) and best[0].join
        name = best[0].group_id if joins else f"g{len(features)}"
        features.setdefault(name, []).append(suggestion)
        members[name].append(Member(request, best[0].reason if joins else ""))
    yield from members.values()


def main(file: str) -> None:
    """Print each group of two or more, then how many suggestions and groups there are."""
    decoder = msgspec.json.Decoder(Run)
    runs = [decoder.decode(line) for line in Path(file).read_text("utf-8").splitlines() if line]
    total = groups = 0
    for skill, texts in sorted(skills_of(runs).items()):
        for members in grouped(texts):
            total += len(members)
            groups += 1
            if len(members) > 1:
                shown = {"skill": skill, "members": members}
                sys.stdout.write(msgspec.json.format(msgspec.json.encode(shown)).decode() + "\n")
    sys.stdout.write(f"{total} requests in {groups} groups\n")


if __name__ == "__main__":
    main(sys.argv[1])
