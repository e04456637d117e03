"""The gateway over real skills: attacks are stopped, everybody else is let through."""

import json
from pathlib import Path

import pytest

from hubify.evidence.gateway import GateResult, Verdict, content_gate
from tests.shared_data import shared_path

MOST_BLOCKED = 0.02  # of the sample; each block was read by hand and is an attack
MOST_WARNED = 0.05


def sample() -> dict[str, dict[str, bytes]]:
    lines = shared_path("data/skills/clawhub/sample.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {row["path"]: {"SKILL.md": row["skill_md"].encode()} for row in rows}


def folders(relative: str, pattern: str) -> dict[str, dict[str, bytes]]:
    root = shared_path(relative)
    return {
        str(own.parent.relative_to(root)): bundle(own.parent) for own in sorted(root.glob(pattern))
    }


def bundle(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def judged() -> dict[str, GateResult]:
    return {name: content_gate(files) for name, files in sample().items()}


def test_few_of_the_sample_are_stopped_and_few_are_warned_about(
    judged: dict[str, GateResult],
) -> None:
    verdicts = [result.verdict for result in judged.values()]
    assert verdicts.count(Verdict.FAILED) <= MOST_BLOCKED * len(verdicts)
    assert verdicts.count(Verdict.WARNING) <= MOST_WARNED * len(verdicts)


def test_a_real_trojan_in_the_sample_is_stopped(judged: dict[str, GateResult]) -> None:
    stopped = {name for name, result in judged.items() if result.verdict is Verdict.FAILED}
    assert "aslaep123/base-agent/SKILL.md" in stopped


def test_each_finding_names_its_line(judged: dict[str, GateResult]) -> None:
    for result in judged.values():
        assert all(finding.line > 0 and finding.excerpt for finding in result.findings)


def test_the_sample_is_judged_the_same_twice(judged: dict[str, GateResult]) -> None:
    assert {name: content_gate(files) for name, files in sample().items()} == judged


@pytest.mark.parametrize(
    ("relative", "pattern"),
    [("data/skills/clawhub", "*/*/SKILL.md"), ("data/skills/anthropic", "*/SKILL.md")],
)
def test_whole_folders_with_their_scripts_are_let_through(relative: str, pattern: str) -> None:
    for name, files in folders(relative, pattern).items():
        assert content_gate(files).verdict is not Verdict.FAILED, name
