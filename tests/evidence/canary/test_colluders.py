"""`survives_colluders`, by brute force over all sets of owners on small streams."""

import random
from itertools import combinations
from math import log

import pytest

from hubify.evidence.canary import RunReport, Settings, Stage, Verdict, observe, start
from hubify.evidence.canary.betting import WAGERS, Wealth
from hubify.evidence.canary.colluders import survives_colluders
from hubify.evidence.canary.state import CanaryState
from hubify.evidence.reports import Arm, Outcome

SETTINGS = Settings(stages=(Stage(0.5, 150),), stage_reports=1, stage_owners=1)


def decided(seed: int) -> CanaryState:
    """A small canary fed until the judge decides, with owners of very different experience."""
    chance = random.Random(seed)
    worse = chance.random() < 0.5
    owners = chance.randint(3, 9)
    losses = [chance.uniform(0.2, 1.0) if worse else -0.3 for _ in range(owners)]
    state = start(SETTINGS)
    for at in range(2_000):
        canary = chance.random() < 0.5
        owner = chance.randrange(owners)
        failure = chance.random() < (0.3 + losses[owner] if canary else 0.3)
        report = RunReport(
            at_ms=at,
            arm=Arm.CANARY if canary else Arm.STABLE,
            share=0.5,
            owner=str(owner),
            platform="cursor",
            outcome=Outcome.FAIL if failure else Outcome.SUCCESS,
        )
        if observe(state, report) is not Verdict.RUNNING:
            break
    return state


def undone_by(wealth: Wealth, level: float, size: int) -> bool:
    """Whether leaving out some set of so many owners takes the wealth below the level."""
    owners = range(len(wealth.parts[0]))
    return any(wealth.without(out).log_e() < level for out in combinations(owners, size))


@pytest.mark.parametrize("seed", range(60))
def test_no_k_owners_undo_a_decision_and_some_k_plus_one_do(seed: int) -> None:
    state = decided(seed)
    assert state.verdict is not Verdict.RUNNING
    promoted = state.verdict is Verdict.PROMOTE
    wealth = state.not_worse if promoted else state.worse
    level = log(20) if promoted else log(50)
    survived = survives_colluders(wealth, level)
    assert survived >= state.dropped
    assert not any(undone_by(wealth, level, size) for size in range(survived + 1))
    assert undone_by(wealth, level, survived + 1)


@pytest.mark.parametrize("seed", range(60))
def test_the_count_is_exact_even_where_wagers_disagree_about_owners(seed: int) -> None:
    chance = random.Random(seed)
    owners = chance.randint(3, 8)
    parts = [[chance.randint(-500_000, 1_500_000) for _ in range(owners)] for _ in WAGERS]
    parts[0][0] += 3_000_000
    wealth = Wealth(parts=parts, totals=[sum(part) for part in parts])
    survived = survives_colluders(wealth, 1.0)
    assert not any(undone_by(wealth, 1.0, size) for size in range(survived + 1))
    assert undone_by(wealth, 1.0, survived + 1)
