"""Read the invented suggestions of this folder (`NAMES`).

Invariant: nothing here was taken from anybody's records; the texts are inert data.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

NAMES = ("suggestions.txt", "held_out.txt", "unseen.txt")
FILES = tuple(Path(__file__).parent / name for name in NAMES)
SPECIAL = frozenset({"vague", "none", "attack"})


class Own(NamedTuple):
    """One invented suggestion; `group` is skill/key, joined by `+` when it asks for two things."""

    skill: str
    group: str
    text: str


def own_suggestions() -> list[Own]:
    """All invented suggestions, in order."""
    return list(_read(_lines()))


def own_opposites() -> set[frozenset[str]]:
    """Pairs of groups that must never meet."""
    found: set[frozenset[str]] = set()
    skill = ""
    for line in _lines():
        if line.startswith("## "):
            skill = line[3:]
        elif line.startswith("! "):
            found.add(frozenset(f"{skill}/{key}" for key in line[2:].split()))
    return found


def _lines() -> list[str]:
    return [line for file in FILES for line in file.read_text("utf-8").splitlines()]


def _read(lines: list[str]) -> Iterator[Own]:
    skill = group = ""
    for line in lines:
        if line.startswith("## "):
            skill = line[3:]
        elif line.startswith("= "):
            keys = line[2:].split("+")
            group = keys[0] if keys[0] in SPECIAL else "+".join(f"{skill}/{key}" for key in keys)
        elif line and not line.startswith(("#", "!")):
            yield Own(skill, group, line)
