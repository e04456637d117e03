"""What clients of the simulator ask for, at random and so that wishes often meet.

Invariant: names are few, so that the same rows are read and written from everywhere.
"""

from random import Random
from typing import Any

NAMES = [f"a{number}" for number in range(8)]
BRANCHES = ["north", "south", "west"]
MOTTOS = ["slow and steady", "steady growth", "bold moves", "slow food", "growth at any price"]


def random_mutation(random: Random) -> tuple[str, dict[str, Any]]:
    """One of the bank's mutations with arguments that often meet those of others."""
    source, target = random.choice(NAMES), random.choice(NAMES)
    amount = random.choice([1, 5, 20])
    branch, motto = random.choice(BRANCHES), random.choice(MOTTOS)
    return random.choice([
        ("bank:openAccount", {"name": source, "branch": branch, "balance": 50, "motto": motto}),
        ("bank:openAccount", {"name": source, "branch": branch, "balance": 70, "motto": motto}),
        ("bank:transfer", {"source": source, "target": target, "amount": amount}),
        ("bank:transfer", {"source": source, "target": target, "amount": amount}),
        ("bank:transfer", {"source": source, "target": target, "amount": amount}),
        (
            "bank:transferLater",
            {"source": source, "target": target, "amount": amount, "after_ms": 40},
        ),
        ("bank:send", {"again": random.random() < 0.5, "after_ms": random.choice([0, 2_000])}),
        ("bank:moveBranch", {"name": source, "branch": branch, "motto": motto}),
        ("bank:merge", {"source": source, "target": target}),
        ("bank:rich", {"branch": branch, "least": 40}),
    ])  # fmt: skip


def random_query(random: Random) -> tuple[str, dict[str, Any]]:
    """One of the bank's queries."""
    name, branch = random.choice(NAMES), random.choice(BRANCHES)
    return random.choice([
        ("bank:balance", {"name": name}),
        ("bank:mustHave", {"name": name}),
        ("bank:richest", {"branch": branch, "count": random.choice([1, 2, 5])}),
        ("bank:between", {"branch": branch, "low": 20, "high": random.choice([50, 80])}),
        ("bank:withMotto", {"text": random.choice(["slow", "steady growth", "gro", "bold"])}),
        ("bank:history", {"count": 2, "pages": random.choice([1, 3])}),
        ("bank:total", {"names": random.sample(NAMES, 3)}),
        ("bank:mine", {}),
        ("bank:listed", {
            "branch": branch, "richest_first": random.random() < 0.5,
            "pagination_opts": {"numItems": random.choice([1, 3]), "cursor": None},
        }),
    ])  # fmt: skip
