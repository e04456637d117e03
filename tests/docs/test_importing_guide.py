"""The guide on importing: its commands, typed one after the other at a server of its own."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.server import Server
from tests.docs.pages import ROOT, commands, typed

pytestmark = pytest.mark.slow
GUIDE = "docs/guides/importing-skills.md"
SKILL = "---\nname: {name}\ndescription: What {name} is for.\n---\nDo version {version}.\n"
ROW = {
    "skill_id": "sort__v0", "name": "sort-mail", "description": "Sorts mail.", "parents": [],
    "lineage_origin": "imported", "lineage_created_at": "2026-03-16T01:00:00", "files": {},
}  # fmt: skip
TASK = {
    "id": 1, "task_id": "t", "timestamp": "2026-03-16T02:00:00", "task_completed": True,
    "execution_note": "", "tool_issues": [],
    "judgments": [{"skill_id": "sort__v0", "skill_applied": True, "note": "It helped."}],
    "suggestions": [{"type": "captured", "target_skills": [], "direction": "Answer mail too."}],
}  # fmt: skip


def lay_out(folder: Path) -> None:
    """The folders that the guide speaks of."""
    shutil.copytree(ROOT / "demo" / "skills", folder / "team-skills")
    history = folder / "histories" / "tidy"
    for version in ("1.0.0", "2.0.0"):
        (history / version).mkdir(parents=True)
        text = SKILL.format(name="tidy", version=version)
        (history / version / "SKILL.md").write_text(text, encoding="utf-8")
    listed = [{"version": "2.0.0", "publishedAt": 1}, {"version": "1.0.0", "publishedAt": 2}]
    meta = {"owner": "jo", "slug": "tidy", "displayName": "Tidy", "versions": listed}
    (history / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    (folder / "openspace").mkdir()
    for name, row in (("skills", ROW), ("analyses", TASK)):
        (folder / "openspace" / f"{name}.jsonl").write_text(json.dumps(row), encoding="utf-8")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server on ./data."""
    with Server(tmp_path / "data", rate_limits="on") as running:
        yield running


def test_every_command_of_the_guide_does_what_it_says(server: Server, tmp_path: Path) -> None:
    lay_out(tmp_path)
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    first, strict, owned, told, *out = commands(GUIDE)
    said = typed([first], server.url, tmp_path, environment)
    assert said.endswith("imported 5, unchanged 0 (5 skills); repaired 0, refused 0\n")
    assert json.loads(typed([strict], server.url, tmp_path, environment))["unchanged"] == 5
    assert "imported 2," in typed([owned], server.url, tmp_path, environment)
    said = typed([told], server.url, tmp_path, environment)
    assert "reported 1 run, unchanged 0 (0 suggestions); 1 proposal for new skills" in said
    assert "tidy " in typed(out, server.url, tmp_path, environment)
    exported = sorted(path.name for path in (tmp_path / "copies" / "tidy").iterdir())
    assert exported == ["1.0.0", "2.0.0", "meta.json"]
    assert (tmp_path / "out" / "retry-http" / "SKILL.md").exists()
