"""`hubify bench reputation`: how much weighing by reputation gains over plain counting.

Invariant: the truth is read after the answers are decided.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from hubify.cli.options import told
from hubify.cli.world import Misuse, World

Answers = dict[str, dict[str, str]]
"""By task: each worker's answer; the last counts where a worker gave several."""


class ReputationBench:
    """The command, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(
        self,
        answers: Annotated[str, told("CSV with the columns task, worker, answer.", "ANSWERS")],
        truth: Annotated[str, told("CSV with the columns task, truth.", "TRUTH")],
    ) -> None:
        """Score crowd answers with known truth: the plurality's accuracy, and ours.

        A tie counts as a share: one of two answers ahead is half right. Tasks without a truth are
        used to weigh the workers and not scored.
        """
        from hubify.evidence.consensus import consensus, plurality

        given = read_answers(Path(answers))
        found, counted = consensus(given), plurality(given)
        right = {task: row["truth"] for row in _rows(Path(truth), "task", "truth")
                 for task in [row["task"]]}  # fmt: skip
        self._world.print_json(
            {
                "majority": accuracy(counted, right),
                "ours": accuracy(found.answers, right),
                "tasks": len(right.keys() & given.keys()),
                "workers": len(found.weights),
                "dispersion": round(found.dispersion, 2),
                "weighted": found.gate_open,
            }
        )


def read_answers(path: Path) -> Answers:
    """Who answered what.

    Raises:
        Misuse: a column is missing.

    """
    found: Answers = {}
    for row in _rows(path, "task", "worker", "answer"):
        found.setdefault(row["task"], {})[row["worker"]] = row["answer"]
    return found


def accuracy(answers: Mapping[str, Mapping[str, float]], truth: Mapping[str, str]) -> float:
    """The mean share of the truth over the tasks that have one and were answered."""
    scored = [task for task in truth if task in answers]
    shares = (answers[task].get(truth[task], 0.0) for task in scored)
    return round(sum(shares) / len(scored), 6) if scored else 0.0


def _rows(path: Path, *columns: str) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise Misuse(f"'{path}' has no column {', '.join(missing)} (its first line names them)")
        return [row for row in reader if all(row[name] is not None for name in columns)]
