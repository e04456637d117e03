"""What analysed tasks tell a registry: which runs, with which outcome, and which proposals."""

from typing import Any

import pytest

from hubify.formats.findings import refused
from hubify.formats.openspace import Analysis, Judgment, Suggestion
from hubify.formats.records import Unreadable
from hubify.formats.task_reports import (
    PROPOSE,
    REPORT,
    Numbered,
    TaskOutcome,
    TaskState,
    Teller,
    proposal_of,
    report_of,
    runs_of,
)

VERSIONS = {"tidy__v0": Numbered("tidy", "1.0.0"), "sort__v1": Numbered("sort", "1.0.1")}


class Refused(Exception):
    """What the registry below raises."""


def task(
    judged: dict[str, bool] | None = None,
    asked: list[tuple[str, ...]] | None = None,
    **changes: object,
) -> Analysis:
    """A task that judged these skills, and asks something of each group of skills."""
    told: dict[str, Any] = {
        "id": 7, "task_id": "t", "timestamp": "2026-03-16T01:00:00", "task_completed": True,
        "execution_note": "It went well.", "tool_issues": ("shell failed",),
        "judgments": tuple(
            Judgment(skill_id, applied, f"On {skill_id}.")
            for skill_id, applied in (judged or {}).items()
        ),
        "suggestions": tuple(
            Suggestion("fix" if targets else "captured", targets, f"Do {number}.")
            for number, targets in enumerate(asked or [])
        ),
    }  # fmt: skip
    return Analysis(**{**told, **changes})


def told(
    *tasks: Analysis | Unreadable,
) -> tuple[list[tuple[str, dict[str, Any]]], list[TaskOutcome]]:
    """What a registry was called with, and what became of everything."""
    calls: list[tuple[str, dict[str, Any]]] = []

    def call(path: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments.get("improvement") == "Do 9.":
            raise Refused("no more")
        repeated = (path, arguments) in calls
        calls.append((path, arguments))
        return {"repeated": repeated}

    outcomes = list(Teller(call, VERSIONS, refusals=(Refused,)).run(tasks))
    return calls, outcomes


def test_a_skill_that_was_followed_ran_as_the_task_went() -> None:
    for completed, outcome in ((True, "success"), (False, "failure")):
        analysis = task({"tidy__v0": True}, task_completed=completed)
        (run,) = runs_of(analysis)
        assert report_of(analysis, run)["outcome"] == outcome


def test_a_skill_that_was_not_followed_is_reported_only_where_something_is_asked_of_it() -> None:
    calls, outcomes = told(task({"tidy__v0": False, "sort__v1": False}, [("sort__v1",)]))
    assert [outcome.state for outcome in outcomes] == [TaskState.LEFT_OUT, TaskState.REPORTED]
    ((path, arguments),) = calls
    assert (path, arguments["skillName"], arguments["outcome"]) == (REPORT, "sort", "partial")


def test_each_suggestion_is_told_once_to_each_skill_it_names() -> None:
    calls, _outcomes = told(task({"tidy__v0": True}, [("tidy__v0",), ("tidy__v0", "sort__v1")]))
    assert [(sent["skillName"], sent["improvement"]) for _path, sent in calls] == [
        ("tidy", "Do 0."), ("tidy", "Do 1."), ("sort", "Do 1."),
    ]  # fmt: skip
    assert len({sent["runId"] for _path, sent in calls}) == 3


def test_a_suggestion_without_a_skill_is_a_proposal_and_no_report() -> None:
    calls, outcomes = told(task({}, [(), ()]))
    assert [path for path, _sent in calls] == [PROPOSE, PROPOSE]
    assert [sent["sourceId"] for _path, sent in calls] == ["t#7/1", "t#7/2"]
    assert {outcome.state for outcome in outcomes} == {TaskState.PROPOSED}


def test_the_same_task_again_has_the_same_ids() -> None:
    analysis = task({"tidy__v0": True}, [()])
    calls, outcomes = told(analysis, analysis)
    assert calls[0] == calls[2]
    assert [outcome.state for outcome in outcomes][::2] == [TaskState.REPORTED, TaskState.UNCHANGED]


def test_what_the_registry_refuses_is_said_and_the_rest_goes_on() -> None:
    asked: list[tuple[str, ...]] = [("tidy__v0",)] * 11
    _calls, outcomes = told(task({}, asked))
    assert [outcome.reason for outcome in outcomes if outcome.state is TaskState.REFUSED] == [
        "no more"
    ]
    assert len(outcomes) == 11


def test_a_skill_that_is_not_in_the_registry_is_named() -> None:
    _calls, (outcome,) = told(task({"gone__v0": True}))
    assert (outcome.state, outcome.reason) == (
        TaskState.REFUSED, "The skill 'gone__v0' is not in the registry.",
    )  # fmt: skip


def test_what_an_agent_says_is_cut_to_what_a_report_holds() -> None:
    long = "word " * 5_000
    analysis = task(
        {"tidy__v0": True},
        task_completed=False,
        execution_note=long,
        tool_issues=(long, long),
        task_id="i" * 5_000,
        suggestions=(Suggestion("fix", ("tidy__v0",), long), Suggestion("new", (), long)),
    )
    report = report_of(analysis, runs_of(analysis)[0])
    assert (len(report["note"]), len(report["error"])) == (4_000, 8_000)
    assert len(report["improvement"]) == 2_000
    proposal = proposal_of(analysis, analysis.suggestions[1], 2)
    assert len(proposal["title"]) <= 200
    assert len(proposal["description"]) == 8_000
    assert max(len(report["runId"]), len(proposal["sourceId"])) <= 200


def test_two_runs_with_long_ids_stay_two() -> None:
    analysis = task({"s" * 400 + "1": True, "s" * 400 + "2": True})
    first, second = (report_of(analysis, run)["runId"] for run in runs_of(analysis))
    assert first != second
    assert max(len(first), len(second)) <= 200


@pytest.mark.parametrize("count", [101, 5_000])
def test_a_task_that_tells_too_much_is_refused_whole(count: int) -> None:
    calls, (outcome,) = told(task({f"s{number}": True for number in range(count)}))
    assert calls == []
    assert outcome.reason == "It tells of more than 100 runs or suggestions."


def test_a_line_that_cannot_be_read_is_refused_with_its_reason() -> None:
    finding = refused("json-line", "It cannot be read.", "Mend the line.", path="a.jsonl", line=3)
    _calls, (outcome,) = told(Unreadable("a.jsonl:3", (finding,)))
    assert outcome.state is TaskState.REFUSED
    assert outcome.reason == "a.jsonl:3: refused: It cannot be read. Mend the line."
