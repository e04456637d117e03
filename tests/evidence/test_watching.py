"""A version in use: a break is found, and what goes wrong too often; chance and one owner not."""

import random

from hubify.evidence.reports import Outcome
from hubify.evidence.watching import (
    MAX_ERRORS,
    Finding,
    Limits,
    Seen,
    Trouble,
    Watching,
    look,
    missing_baseline,
    see,
    watching_from,
)

LIMITS = Limits(failures=0.4, same_error=0.1, platform_gap=0.2)


def run(
    state: Watching, success: float, runs: int, *, seed: int = 1, owners: int = 10,
    platform: str = "claude", error: str | None = None,
) -> list[Finding]:  # fmt: skip
    chance = random.Random(seed)
    found: list[Finding] = []
    for _ in range(runs):
        outcome = Outcome.SUCCESS if chance.random() < success else Outcome.FAIL
        owner = f"o{chance.randrange(owners)}"
        see(state, Seen(owner, platform, outcome, error))
        found += look(state, LIMITS)
    return found


def test_a_version_that_goes_on_as_before_is_left_alone() -> None:
    state = watching_from(0, 0)
    assert run(state, 0.9, 1_500) == []


def test_a_version_that_breaks_is_found_once() -> None:
    state = watching_from(0, 0)
    run(state, 0.9, 220)
    found = run(state, 0.6, 200, seed=2)
    assert [one.trouble for one in found if one.trouble is Trouble.DECLINE] == [Trouble.DECLINE]


def test_a_short_record_says_how_much_is_missing() -> None:
    state = watching_from(0, 0)
    run(state, 0.9, 31)
    assert missing_baseline(state) == 19
    run(state, 0.9, 19)
    assert missing_baseline(state) == 0
    assert missing_baseline(watching_from(60, 100)) == 0


def test_failures_beyond_the_skills_own_bound_are_found() -> None:
    found = run(watching_from(0, 0), 0.2, 200)
    assert Trouble.FAILURES in {one.trouble for one in found}


def test_the_same_error_of_several_owners_is_found_and_of_one_not() -> None:
    alone, several = watching_from(0, 0), watching_from(0, 0)
    for state, owners in ((alone, 1), (several, 10)):
        run(state, 0.7, 300, owners=owners, error="timeout after <n> s")
    assert "error_pattern:timeout after <n> s" in several.found
    assert alone.found == []


def test_a_platform_that_does_much_worse_is_found_by_its_name() -> None:
    state = watching_from(0, 0)
    run(state, 0.95, 400, platform="claude")
    found = run(state, 0.3, 120, seed=3, platform="cursor")
    assert ("platform_gap", "cursor") in {(str(one.trouble), one.about) for one in found}


def test_what_is_remembered_is_bounded() -> None:
    state = watching_from(0, 0)
    for number in range(500):
        error = f"fault {chr(97 + number % 26)}{chr(97 + number // 26)}"
        see(state, Seen(f"o{number}", f"p{number}", Outcome.FAIL, error))
    assert len(state.by_owner) <= 201
    assert len({name for each in state.by_owner.values() for name in each}) <= 25
    assert len(state.errors) <= MAX_ERRORS
    assert len(state.recent) == 50
