"""`hubify bench`: files and streams of one's own against the code that the server runs."""

import json
from pathlib import Path

from tests.cli.terminal import hubify


def test_reputation_prints_both_accuracies(tmp_path: Path) -> None:
    answers, truth = tmp_path / "answers.csv", tmp_path / "truth.csv"
    lines = [
        f"t{task},w{worker},{'cat' if worker % 3 else 'dog'}"
        for task in range(10)
        for worker in range(4)
    ]
    answers.write_text("\n".join(["task,worker,answer", *lines]), encoding="utf-8")
    truth.write_text("task,truth\nt1,cat\nt2,dog\nt99,dog\n", encoding="utf-8")
    finished = hubify("bench", "reputation", str(answers), str(truth))
    assert finished.status == 0, finished.err
    told = json.loads(finished.out)
    assert (told["majority"], told["tasks"], told["workers"]) == (0.5, 2, 4)
    assert set(told) == {"majority", "ours", "tasks", "workers", "dispersion", "weighted"}


def test_a_file_without_its_columns_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text("task,worker\n1,2\n", encoding="utf-8")
    finished = hubify("bench", "reputation", str(file), str(file))
    assert finished.status == 2
    assert "has no column answer" in finished.err
