"""The page on a first function is a program that runs."""

import importlib.util
import json
import os
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from hubify.app.plugins import load_domains
from tests.cli.test_processes import serving
from tests.docs.pages import commands, typed

PAGE = Path(__file__).parents[2] / "docs" / "first-function.md"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


@pytest.fixture
def blocks() -> list[str]:
    """The page's Python blocks: the module, a client, the test."""
    return BLOCK.findall(PAGE.read_text(encoding="utf-8"))


@pytest.fixture
def notes_file(tmp_path: Path, blocks: list[str]) -> Path:
    """The module, saved as the page says."""
    file = tmp_path / "notes.py"
    file.write_text(blocks[0], encoding="utf-8")
    return file


def test_the_module_loads_as_an_operators_own_functions(notes_file: Path) -> None:
    (domain,) = load_domains([str(notes_file)])
    assert [spec.path for spec in domain.specs] == ["notes:inRoom", "notes:add", "notes:like"]


def test_the_test_on_the_page_passes(
    notes_file: Path, blocks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.spec_from_file_location("notes", notes_file)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "notes", module)
    spec.loader.exec_module(module)
    exec(compile(blocks[2], str(PAGE), "exec"), {})  # noqa: S102 - the page is ours


@pytest.mark.slow
def test_the_calls_on_the_page_find_the_module(notes_file: Path) -> None:
    folder = notes_file.parent
    read_key, *calls = commands("docs/first-function.md", under="3. Call it")
    with serving(folder / "data", "--functions", str(notes_file)) as server:
        lines = [read_key, *(f"{call}; echo" for call in calls)]
        out = typed(lines, server.url, folder, {"PATH": os.environ["PATH"]})
    added, listed = map(json.loads, out.splitlines())
    assert added["data"]["text"] == "hello"
    assert [note["text"] for note in listed["data"]] == ["hello"]
