"""What a crowd says, weighing each voice by how it agrees with the others (statistics 3).

The gated empirical-Bayes rule: workers get different weights only when their agreement with the
others varies far more than chance would make it; else every vote counts alike. One round, no
iteration towards a fixed point, so nothing can run away.

Invariant: with the gate shut the weighted answer is the plurality's, exactly; shares of a tie are
exact fractions of one.
"""

from collections import Counter
from collections.abc import Hashable, Mapping
from math import log, sqrt
from typing import Final, Generic, NamedTuple, TypeVar

Task = TypeVar("Task", bound=Hashable)
Worker = TypeVar("Worker", bound=Hashable)

Votes = Mapping[Worker, str]
"""One task: each worker's answer."""

Z_TO_OPEN: Final = 3.0
LEAST_PRIOR: Final = 2.0  # answers that the crowd's own rate counts for, at least
LEAST_VARIANCE: Final = 1e-9
MOST_WEIGHT: Final = 9.0


class Agreement(NamedTuple):
    """How often a worker said what the others said."""

    agreed: float  # a tie among the others counts as a share of it
    answers: int


class Consensus(NamedTuple, Generic[Task, Worker]):
    """The answers with their shares, and what stood behind them."""

    answers: dict[Task, dict[str, float]]  # shares sum to 1; several only in a tie
    weights: dict[Worker, float]  # all 1 when the gate is shut
    dispersion: float  # z of the agreement beyond chance
    gate_open: bool


def consensus(tasks: Mapping[Task, Votes[Worker]]) -> Consensus[Task, Worker]:
    """The answer to each task, by weighted votes where workers are shown to differ."""
    classes = len({answer for votes in tasks.values() for answer in votes.values()})
    agreements = agreements_of(tasks)
    dispersion = dispersion_of(agreements)
    opened = dispersion > Z_TO_OPEN and classes > 1
    weights = weights_of(agreements, classes) if opened else dict.fromkeys(agreements, 1.0)
    answers = {task: leaders(votes, weights) for task, votes in tasks.items()}
    return Consensus(answers, weights, dispersion, opened)


def plurality(tasks: Mapping[Task, Votes[Worker]]) -> dict[Task, dict[str, float]]:
    """The answer to each task by plain counting."""
    alike = {worker: 1.0 for votes in tasks.values() for worker in votes}
    return {task: leaders(votes, alike) for task, votes in tasks.items()}


def leaders(votes: Votes[Worker], weights: Mapping[Worker, float]) -> dict[str, float]:
    """The answers with the most weight, each with its share of a tie; nobody's vote, no answer.

    Where nobody who answered carries weight, votes count alike.
    """
    sums: dict[str, float] = {}
    for worker, answer in votes.items():
        sums[answer] = sums.get(answer, 0.0) + weights[worker]
    if not any(sums.values()):
        sums = dict(Counter(votes.values()))
    most = max(sums.values(), default=0)
    ahead = [answer for answer, weight in sums.items() if weight >= most - 1e-12]
    return dict.fromkeys(ahead, 1 / len(ahead)) if ahead else {}


def agreements_of(tasks: Mapping[Task, Votes[Worker]]) -> dict[Worker, Agreement]:
    """Each worker's agreement with the plurality of the others, task by task."""
    agreed: dict[Worker, float] = {}
    answers: Counter[Worker] = Counter()
    for votes in tasks.values():
        counts = Counter(votes.values())
        for worker, answer in votes.items():
            agreed.setdefault(worker, 0.0)
            if len(votes) > 1:
                agreed[worker] += _agrees(answer, counts)
                answers[worker] += 1
    return {worker: Agreement(sum_, answers[worker]) for worker, sum_ in agreed.items()}


def _agrees(answer: str, counts: Counter[str]) -> float:
    """1 when the others' plurality is this answer, a share of 1 in a tie, else 0."""
    own = counts[answer] - 1
    others = [count for each, count in counts.items() if each != answer]
    best = max([own, *others])
    return 0.0 if own < best else 1 / (1 + others.count(best))


def dispersion_of(agreements: Mapping[Worker, Agreement]) -> float:
    """Z of the spread of agreement rates beyond what one common rate would give; 0 for too few."""
    judged = [each for each in agreements.values() if each.answers]
    rate = _common_rate(judged)
    freedom = len(judged) - 1
    if freedom < 1 or not 0 < rate < 1:
        return 0.0
    spread = rate * (1 - rate)
    chi = sum((each.agreed - each.answers * rate) ** 2 / (each.answers * spread) for each in judged)
    return (chi - freedom) / sqrt(2 * freedom)


def weights_of(agreements: Mapping[Worker, Agreement], classes: int) -> dict[Worker, float]:
    """Log-odds of each worker's accuracy, shrunk towards the crowd's, between 0 and 9."""
    judged = [each for each in agreements.values() if each.answers]
    rate = _common_rate(judged)
    prior = _prior_answers(judged, rate)
    return {
        worker: _log_odds((rate * prior + each.agreed) / (prior + each.answers), classes)
        for worker, each in agreements.items()
    }


def _common_rate(judged: list[Agreement]) -> float:
    answers = sum(each.answers for each in judged)
    return sum(each.agreed for each in judged) / answers if answers else 0.0


def _prior_answers(judged: list[Agreement], rate: float) -> float:
    """How many answers the common rate counts for: many when workers differ little."""
    chance = sum(each.answers for each in judged) * rate * (1 - rate)
    squares = sum((each.agreed - each.answers * rate) ** 2 for each in judged)
    pairs = sum(each.answers**2 - each.answers for each in judged)
    variance = max(LEAST_VARIANCE, (squares - chance) / pairs) if pairs else LEAST_VARIANCE
    return max(LEAST_PRIOR, rate * (1 - rate) / variance - 1)


def _log_odds(accuracy: float, classes: int) -> float:
    if accuracy >= 1:
        return MOST_WEIGHT
    if accuracy <= 0:
        return 0.0
    return min(max(log(accuracy * (classes - 1) / (1 - accuracy)), 0.0), MOST_WEIGHT)
