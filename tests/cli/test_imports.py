"""Importing skills: what is said of each version, and how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import FakeServer, Refusal, hubify

PATH = "skills:importVersion"
FINDING = {
    "gate": "content", "rule": "r", "severity": "high", "blocks": True, "path": "SKILL.md",
    "line": 7.0, "message": "It sends your keys away.", "fix": "Take that out.",
}  # fmt: skip


def answered(outcome: str, arguments: dict[str, Any], *findings: object) -> object:
    """What `skills:importVersion` answers."""
    return {
        "outcome": outcome,
        "name": arguments["name"],
        "version": arguments["version"],
        "skillId": None,
        "versionId": None if outcome == "refused" else f"v-{arguments['name']}",
        "decisionId": None,
        "findings": [*findings],
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three skills: sound, in need of repair, and unreadable."""
    texts = {
        "good": "---\nname: good\ndescription: Does good.\n---\nDo.",
        "late": "---\nname: late\ndescription: Late: and more\nversion: v1.1.0\n---\nDo.",
        "bad": "---\n- a\n- list\n---\nDo.",
    }
    for name, text in texts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "SKILL.md").write_text(text, encoding="utf-8")
    return tmp_path


def test_every_version_is_counted_once_and_refusals_say_why(folder: Path) -> None:
    server = FakeServer({PATH: lambda arguments: answered("imported", arguments)})
    finished = hubify("skills", "import", str(folder), server=server)
    lines = finished.out.splitlines()
    assert finished.status == 0
    assert lines[-1] == "imported 2, unchanged 0 (2 skills); repaired 1, refused 1"
    assert any(line.startswith("unreadable ") and line.endswith("/bad") for line in lines)
    assert "  SKILL.md:2: refused: It is not a map of fields. Write" in finished.out
    assert "  SKILL.md:4: repaired: The version 'v1.1.0' is read as 1.1.0." in lines
    assert [call.arguments["name"] for call in server.calls] == ["good", "late"]


def test_what_is_there_already_is_unchanged_and_not_told_again(folder: Path) -> None:
    server = FakeServer({PATH: lambda arguments: answered("unchanged", arguments)})
    finished = hubify("skills", "import", str(folder / "late"), server=server)
    assert finished.out == "imported 0, unchanged 1 (1 skill); repaired 0, refused 0\n"


def test_what_the_gateway_refuses_is_told_with_file_line_and_what_to_do(folder: Path) -> None:
    server = FakeServer({PATH: lambda arguments: answered("refused", arguments, FINDING)})
    finished = hubify("skills", "import", str(folder / "good"), server=server)
    assert finished.out.splitlines() == [
        "refused good@1.0.0 (good)",
        "  SKILL.md:7: refused: It sends your keys away. Take that out.",
        "imported 0, unchanged 0 (0 skills); repaired 0, refused 1",
    ]


def test_one_version_that_the_registry_will_not_take_does_not_end_the_import(folder: Path) -> None:
    def choose(arguments: dict[str, Any]) -> object:
        if arguments["name"] == "good":
            raise Refusal("CONFLICT", "the names 'good' and 'admin-good' are taken")
        return answered("imported", arguments)

    finished = hubify("skills", "import", str(folder), server=FakeServer({PATH: choose}))
    assert "  the names 'good' and 'admin-good' are taken" in finished.out
    assert finished.out.splitlines()[-1].startswith("imported 1, ")


def test_a_refusal_of_the_caller_ends_the_import_and_says_how_far_it_came(folder: Path) -> None:
    def choose(arguments: dict[str, Any]) -> object:
        if arguments["name"] == "late":
            raise Refusal("FORBIDDEN", "this key lacks the scope 'skills:write'")
        return answered("imported", arguments)

    finished = hubify("skills", "import", str(folder), server=FakeServer({PATH: choose}))
    assert finished.status == 1
    assert finished.err == (
        "hubify: FORBIDDEN: this key lacks the scope 'skills:write' "
        "(1 version imported, 0 unchanged before; run it again to go on)\n"
    )


@pytest.mark.parametrize(("flags", "status"), [([], 0), (["--strict"], 1)])
def test_a_refusal_is_a_failure_only_when_asked(
    folder: Path, flags: list[str], status: int
) -> None:
    server = FakeServer({PATH: lambda arguments: answered("imported", arguments)})
    assert hubify("skills", "import", str(folder), *flags, server=server).status == status


def test_a_summary_as_json_holds_every_outcome(folder: Path) -> None:
    server = FakeServer({PATH: lambda arguments: answered("imported", arguments)})
    finished = hubify("skills", "import", str(folder), "--json", server=server)
    summary = json.loads(finished.out)
    assert (summary["imported"], summary["repaired"], summary["refused"]) == (2, 1, 1)
    assert [each["state"] for each in summary["outcomes"]] == ["unreadable", "imported", "imported"]


def test_skills_may_become_another_owners(folder: Path) -> None:
    server = FakeServer({PATH: lambda arguments: answered("imported", arguments)})
    finished = hubify("skills", "import", str(folder / "good"), "--owner", "ann", server=server)
    assert finished.status == 0
    (call,) = server.calls
    assert (call.path, call.arguments["owner"], call.key) == (PATH, "ann", "hk_live_test")


def test_new_skills_may_be_private(folder: Path) -> None:
    server = FakeServer({PATH: lambda arguments: answered("imported", arguments)})
    hubify("skills", "import", str(folder / "good"), "--visibility", "private", server=server)
    assert server.calls[0].arguments["visibility"] == "private"


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    finished = hubify("skills", "import", str(tmp_path / "no"))
    assert finished.status == 1
    assert finished.err.startswith("hubify: NOT_FOUND: there is no file or folder")


def test_on_a_terminal_it_says_how_far_it_is(folder: Path) -> None:
    for number in range(20):
        (folder / f"s{number}").mkdir()
        text = f"---\nname: s{number}\ndescription: D.\n---\nDo."
        (folder / f"s{number}" / "SKILL.md").write_text(text, encoding="utf-8")
    server = FakeServer({PATH: lambda arguments: answered("imported", arguments)})
    finished = hubify("skills", "import", str(folder), server=server, terminal=True)
    assert "\r10 versions …" in finished.err
    assert "\r20 versions …" in finished.err


def test_an_interrupted_import_says_how_far_it_came(folder: Path) -> None:
    def interrupt(arguments: dict[str, Any]) -> object:
        if arguments["name"] == "late":
            raise KeyboardInterrupt
        return answered("imported", arguments)

    finished = hubify("skills", "import", str(folder), server=FakeServer({PATH: interrupt}))
    assert (finished.status, finished.out) == (130, "")
    assert (
        finished.err
        == "interrupted: 1 version imported, 0 unchanged before; run it again to go on\n"
    )


REPORT, PROPOSE = "learning:report", "evolution:proposeSkill"
ROW = {
    "skill_id": "tidy__v0", "name": "tidy", "description": "Tidies.", "lineage_origin": "imported",
    "lineage_created_at": "2026-03-16T01:00:00", "files": {},
}  # fmt: skip
TASK = {
    "id": 1, "task_id": "t", "timestamp": "2026-03-16T02:00:00", "task_completed": True,
    "execution_note": "Done.", "tool_issues": [],
    "judgments": [
        {"skill_id": "tidy__v0", "skill_applied": True, "note": "It helped."},
        {"skill_id": "gone__v0", "skill_applied": True, "note": "It helped."},
        {"skill_id": "idle__v0", "skill_applied": False, "note": "Not needed."},
    ],
    "suggestions": [
        {"type": "fix", "target_skills": ["tidy__v0"], "direction": "Sort imports too."},
        {"type": "captured", "target_skills": [], "direction": "A skill that sorts."},
    ],
}  # fmt: skip


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """An OpenSpace record: one skill and one analysed task."""
    (tmp_path / "skills.jsonl").write_text(json.dumps(ROW), encoding="utf-8")
    (tmp_path / "analyses.jsonl").write_text(json.dumps(TASK), encoding="utf-8")
    return tmp_path


def with_reports(*, repeated: bool = False) -> FakeServer:
    """A server that takes skills, reports and proposals in."""
    return FakeServer({
        PATH: lambda arguments: answered("imported", arguments),
        REPORT: {"repeated": repeated},
        PROPOSE: {},
    })  # fmt: skip


def test_reports_are_taken_in_only_when_asked(record: Path) -> None:
    server = with_reports()
    hubify("skills", "import", str(record), server=server)
    assert {call.path for call in server.calls} == {PATH}


def test_what_agents_made_of_the_skills_is_reported_and_counted(record: Path) -> None:
    server = with_reports()
    finished = hubify("skills", "import", str(record), "--reports", server=server)
    assert [call.path for call in server.calls] == [PATH, REPORT, PROPOSE]
    assert server.calls[1].arguments["improvement"] == "Sort imports too."
    assert finished.out.splitlines()[-4:] == [
        "refused gone__v0 of t#1: The skill 'gone__v0' is not in the registry.",
        "reported 1 run, unchanged 0 (1 suggestion); 1 proposal for new skills; refused 1",
        "left out 1 judgment: The agent did not follow the skill, and asks nothing of it.",
        "imported 1, unchanged 0 (1 skill); repaired 0, refused 0",
    ]


def test_reports_that_are_there_are_unchanged(record: Path) -> None:
    server = with_reports(repeated=True)
    finished = hubify("skills", "import", str(record), "--reports", "--json", server=server)
    told = json.loads(finished.out)["told"]
    assert (told["reported"], told["unchanged"], told["refused"]) == (0, 1, 1)
    assert [outcome["state"] for outcome in told["outcomes"]] == [
        "unchanged", "refused", "left_out", "proposed",
    ]  # fmt: skip


def test_a_refused_report_is_a_failure_when_asked(record: Path) -> None:
    argv = ("skills", "import", str(record), "--reports", "--strict")
    assert hubify(*argv, server=with_reports()).status == 1


def test_an_import_that_brought_nothing_is_a_failure(tmp_path: Path) -> None:
    finished = hubify("skills", "import", str(tmp_path))
    assert finished.status == 1
    assert "There is no SKILL.md here, nor in the folders below." in finished.out


def test_names_are_told_as_they_are_written(tmp_path: Path) -> None:
    for name in ("C#", "C++"):
        (tmp_path / name).mkdir()
        text = f"---\nname: {name}\ndescription: Write it.\n---\nDo."
        (tmp_path / name / "SKILL.md").write_text(text, encoding="utf-8")
    server = FakeServer({PATH: lambda arguments: answered("imported", arguments)})
    finished = hubify("skills", "import", str(tmp_path), server=server)
    assert [call.arguments["name"] for call in server.calls] == ["C#", "C++"]
    assert finished.out.splitlines()[-1].startswith("imported 2, unchanged 0 (2 skills)")
