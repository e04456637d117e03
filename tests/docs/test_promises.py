"""What the page of promises names as proof exists, and the README promises nothing else."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_that_is_named_exists(file: str, name: str) -> None:
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_every_promise_names_what_shows_it() -> None:
    rows = [line.split("|") for line in PAGE.splitlines() if line.startswith("| ")]
    promises = [row for row in rows if row[2].strip() not in {"Promise", ""}]
    assert len(promises) == 10
    assert all("`" in row[3] for row in promises)


def test_the_readme_numbers_its_promises_as_the_page_does() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^(\d)\. ", readme.partition("## What it promises")[2], re.MULTILINE)
    assert listed == re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)
