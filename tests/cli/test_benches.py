"""`hubify bench`: files and streams of one's own against the code that the server runs."""

import json
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from hubify.cli.benches.error_rates import ROWS
from hubify.cli.benches.similarity import Row, group_skill, read_opposed
from hubify.evidence.canary import RunReport, Settings, replay
from hubify.evidence.canary.settings import HOUR_MS
from hubify.evidence.canary.streams import Truth, stream
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


def as_line(report: RunReport) -> str:
    return json.dumps(
        {
            "t": report.at_ms / 1000,
            "arm": report.arm,
            "share": report.share,
            "owner": report.owner,
            "platform": report.platform,
            "success": report.outcome.halves / 2,
            "ticketed": report.ticketed,
        }
    )


def judged(source: str) -> list[dict[str, Any]]:
    finished = hubify("bench", "canary-judge", source=source)
    assert finished.status == 0, finished.err
    return [json.loads(line) for line in finished.out.splitlines()]


@pytest.mark.parametrize("effect", [0.0, -0.1])
def test_a_stream_is_judged_as_its_replay_is(effect: float) -> None:
    until_ms = 72 * HOUR_MS
    reports = [
        report for report in stream(Random(1), Truth(effect=effect)) if report.at_ms < until_ms
    ]
    *told, last = judged("\n".join(map(as_line, reports)))
    decision = replay(reports, Settings(), until_ms=until_ms, with_interval=True)
    assert last == {
        "decision": decision.decision.verdict,
        "interval": json.loads(msgspec.json.encode(decision.interval)),
        "evidence": json.loads(msgspec.json.encode(decision.decision)),
    }
    stages = [line["t"] for line in told if line["event"] == "stage"]
    assert stages == [86_400, 172_800, 259_200][: len(stages)]
    assert told[-1]["t"] == (decision.decision.decided_ms or 0) / 1000


def test_what_is_open_at_the_end_is_inconclusive() -> None:
    assert judged("")[-1]["decision"] == "inconclusive"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "line 2"),
        ('{"t": 1, "arm": "blue", "owner": "a", "success": 1}', "Invalid enum value 'blue'"),
        ('{"t": 1, "arm": "canary", "owner": "a", "success": 0.3}', "success is 0, 0.5 or 1"),
        ('{"t": 0.5, "arm": "canary", "owner": "a", "success": 1}', "t runs backwards"),
        ('{"t": 2, "arm": "canary", "owner": "a", "success": 1, "share": 1}', "share lies between"),
    ],
)
def test_a_line_that_is_no_report_is_refused_by_its_number(line: str, why: str) -> None:
    good = '{"t": 1, "arm": "stable", "owner": "a", "success": true}'
    finished = hubify("bench", "canary-judge", source=f"{good}\n{line}\n")
    assert finished.status == 2
    assert "line 2" in finished.err
    assert why in finished.err


@pytest.mark.slow
def test_the_table_of_error_rates_is_the_same_for_the_same_seed() -> None:
    command = ["bench", "canary", "--streams", "2", "--processes", "1", "--json"]
    one, other = hubify(*command), hubify(*command)
    assert one.out == other.out
    rows = json.loads(one.out)
    assert [row["truth"] for row in rows] == [row.name for row in ROWS]
    assert all(row["streams"] == 2 for row in rows)


LABELLED = [
    ("s", "s/up", "Raise the retry limit to 5 attempts"),
    ("s", "s/up", "Please raise the retry limit to 5 attempts"),
    ("s", "s/down", "Lower the retry limit to 2 attempts"),
    ("s", "none", "Works great, nothing to change."),
    ("t", "t/log", "Log the request id of each failed call"),
]


def write_labelled(path: Path) -> str:
    rows = [
        json.dumps({"skill": skill, "id": f"i{number}", "agent": "a", "group": group, "text": text})
        for number, (skill, group, text) in enumerate(LABELLED)
    ]
    path.write_text("\n".join(rows), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "opposites",
    ["s/up,s/down", "s/up\ts/down\n", '[["s/up", "s/down"]]', "s: up ↔ down", '["s/up","s/down"]'],
)
def test_similarity_prints_the_figures_of_what_was_merged(tmp_path: Path, opposites: str) -> None:
    file, pairs = write_labelled(tmp_path / "labelled.jsonl"), tmp_path / "pairs"
    pairs.write_text(opposites, encoding="utf-8")
    assert read_opposed(pairs) == {frozenset({"s/up", "s/down"})}
    finished = hubify("bench", "similarity", file, "--opposites", str(pairs))
    assert finished.status == 0, finished.err
    told = json.loads(finished.out)
    assert (told["precision"], told["recall"], told["opposite_merges"]) == (1, 1, 0)
    assert (told["pairs"], told["first_three"], told["special_triggers"]) == (6, 1, 0)
    assert {"average_precision", "bcubed_f1", "ms_per_suggestion"} <= set(told)


def test_without_opposites_their_merges_are_not_counted(tmp_path: Path) -> None:
    finished = hubify("bench", "similarity", write_labelled(tmp_path / "labelled.jsonl"))
    assert json.loads(finished.out)["opposite_merges"] is None


def test_labels_decide_nothing_but_the_score() -> None:
    rows = [Row(skill, str(n), group, text) for n, (skill, group, text) in enumerate(LABELLED[:4])]
    renamed = [Row(row.skill, row.id, "s/other", row.text) for row in rows]
    assert group_skill(rows).groups_of == group_skill(renamed).groups_of
