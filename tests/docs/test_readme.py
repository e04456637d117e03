"""The README's commands do what it says, typed one after the other at a server of its own."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.server import Server
from tests.docs.pages import ROOT, commands, typed

pytestmark = pytest.mark.slow
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server on ./data, as `make serve` starts it."""
    with Server(tmp_path / "data") as running:
        yield running


def test_the_main_job_by_curl(server: Server, tmp_path: Path) -> None:
    lines = commands("README.md", under="The main job, by curl")
    assert lines[0] == "KEY=$(cat data/admin.key)"
    assert len(lines) == 5
    out = typed([f"{line}; echo" for line in lines], server.url, tmp_path, {"PATH": PATH})
    published, reported, skill, improvements = map(json.loads, out.split("\n")[1:-1])
    assert published["data"]["name"] == "hello-skill"
    assert reported["data"]["evolutionTriggered"] is False
    assert skill["data"]["name"] == "hello-skill"
    assert improvements["data"]


def test_the_commands_of_the_program(server: Server, tmp_path: Path) -> None:
    typed(commands("README.md", under="The main job, by curl")[:2], server.url, tmp_path,
          {"PATH": PATH})  # fmt: skip
    activate, *lines = commands("README.md", under="From the command line")
    assert activate.startswith("source .venv/bin/activate")
    assert all(line.startswith("hubify ") for line in lines)
    samples, copy = ROOT / "demo" / "skills", tmp_path / "copy"
    there = [
        line.replace("path/to/skills", str(samples)).replace("path/to/copy", str(copy))
        for line in lines
    ]
    out = typed(there, server.url, tmp_path, {"PATH": PATH, "COLUMNS": "100"})
    assert "imported 5" in out
    assert (copy / "hubify.db").exists()
