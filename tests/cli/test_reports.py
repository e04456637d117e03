"""Reporting a run."""

import json

import pytest

from tests.cli.terminal import FakeServer, hubify

REPORTED = {
    "reportId": "r1",
    "logId": "r1",
    "skillId": "s1",
    "skillConfidenceChange": 0.4,
    "evolutionTriggered": False,
    "similarImprovements": [],
}


@pytest.mark.parametrize(
    ("flag", "outcome"), [("--success", "success"), ("--partial", "partial"), ("--fail", "failure")]
)
def test_a_report_has_the_outcome_of_its_flag(flag: str, outcome: str) -> None:
    server = FakeServer({"learning:report": REPORTED})
    finished = hubify("report", "tidy", flag, server=server)
    assert finished.out == "reported as r1; confidence +0.40\n"
    assert server.calls[0].arguments == {"skillName": "tidy", "outcome": outcome}


def test_every_option_of_a_report_is_sent() -> None:
    server = FakeServer({"learning:report": REPORTED})
    options = {
        "--note": "slow", "--error": "boom", "--improvement": "cache it", "--platform": "cursor",
        "--agent": "bot", "--version": "1.2.0", "--ticket": "t",
    }  # fmt: skip
    flat = [part for pair in options.items() for part in pair]
    hubify("report", "tidy", "--fail", *flat, server=server)
    assert server.calls[0].arguments == {
        "skillName": "tidy", "outcome": "failure", "note": "slow", "error": "boom",
        "improvement": "cache it", "platform": "cursor", "agentId": "bot",
        "skillVersion": "1.2.0", "ticket": "t",
    }  # fmt: skip


def test_a_report_that_sets_off_an_evolution_says_so() -> None:
    server = FakeServer({"learning:report": {**REPORTED, "evolutionTriggered": True}})
    assert "set off an evolution" in hubify("report", "tidy", "--success", server=server).out


def test_what_is_odd_about_reports_is_told_to_whoever_sends_them() -> None:
    server = FakeServer({"learning:report": {**REPORTED, "flags": ["burst", "duplicates"]}})
    finished = hubify("report", "tidy", "--success", server=server)
    assert finished.out == "reported as r1; confidence +0.40\n"
    assert finished.err.startswith("flagged: burst, duplicates;")


def test_a_report_answers_json_for_programs() -> None:
    server = FakeServer({"learning:report": REPORTED})
    finished = hubify("report", "tidy", "--success", "--json", server=server)
    assert json.loads(finished.out) == REPORTED


def test_a_run_that_was_reported_before_is_said_to_be() -> None:
    server = FakeServer({"learning:report": {**REPORTED, "repeated": True}})
    finished = hubify("report", "x", "--success", "--run-id", "task-7", server=server)
    assert server.calls[0].arguments["runId"] == "task-7"
    assert finished.out == f"reported before, as {REPORTED['reportId']}; nothing was changed\n"
