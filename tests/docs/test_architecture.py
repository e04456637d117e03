"""ARCHITECTURE.md tells the truth: what it names exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATH = re.compile(r"`((?:hubify|tests|docs|core|functions|values)/[\w./-]*)`")
FOLDERS = (ROOT, ROOT / "hubify")
DOCUMENTS = ("ARCHITECTURE.md", "README.md", "CONTRIBUTING.md", "STYLE.md", "docs/glossary.md")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_exists(document: str) -> None:
    named = set(PATH.findall((ROOT / document).read_text(encoding="utf-8")))
    missing = {path for path in named if not any((folder / path).exists() for folder in FOLDERS)}
    assert not missing


def test_every_package_stands_in_the_code_map() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in (ROOT / "hubify").glob("*/__init__.py")}
    unnamed = {name for name in packages if f"`hubify/{name}`" not in text}
    assert unnamed <= {"adapters", "dashboard"}


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md"])
def test_every_link_to_a_file_leads_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    assert [link for link in links if not (ROOT / link).exists()] == []
