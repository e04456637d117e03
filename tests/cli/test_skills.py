"""Finding, showing and exporting skills."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from hubify.formats.bundle import gather
from tests.cli.terminal import FakeServer, Finished, Refusal, hubify

SKILL = {
    "name": "tidy-imports", "version": "1.2.0", "description": "Sorts imports.\n\x1b[31mRed",
    "category": "code", "owner": "ann", "status": "active", "confidence": 87.0,
    "executions": 1200.0, "successRate": 0.913,
}  # fmt: skip
DETAILS = SKILL | {
    "displayName": "Tidy imports", "author": "", "tags": ["python"], "platforms": [],
    "trend": "improving", "uniqueAgents": 1.0, "verificationLevel": 2.0, "stars": 3.0,
    "license": None, "canaryVersion": None, "betaVersion": None, "latestVersion": "1.2.0",
    "versions": 4.0, "digest": "sha256:0", "notice": None, "updatedAt": 0.0,
}  # fmt: skip
FILES = {"SKILL.md": b"---\nname: tidy\n---\r\nText \xc3\xbc", "bin/run": b"#!/bin/sh\n\x00\xff"}


def bundle(files: dict[str, bytes], *, name: str = "tidy-imports", digest: str = "") -> object:
    """What `skills:getFiles` answers for some files."""
    gathered = gather(files.items()).bundle
    assert gathered is not None
    return {
        "name": name,
        "version": "1.2.0",
        "digest": digest or gathered.digest,
        "files": [
            {"path": path, "content": None, "contentBase64": b64encode(data).decode()}
            for path, data in files.items()
        ],
    }


def test_a_search_sends_its_words_and_filters() -> None:
    server = FakeServer({"skills:search": [SKILL]})
    options = ["--category", "code", "--min-confidence", "50", "--verified", "--limit", "5"]
    finished = hubify("skills", "search", "tidy", "imports", *options, server=server)
    assert server.calls[0].arguments == {
        "query": "tidy imports", "category": "code", "minConfidence": 50, "verified": True,
        "limit": 5,
    }  # fmt: skip
    _heading, row = finished.out.splitlines()
    assert row.split() == "tidy-imports 1.2.0 87 1,200 91% Sorts imports. \\u001b[31mRed".split()


def test_a_row_is_cut_to_a_terminal_and_whole_in_a_pipe() -> None:
    long = SKILL | {"description": "x" * 500}
    on_terminal = hubify(
        "skills", "search", "x", server=FakeServer({"skills:search": [long]}), terminal=True
    )
    piped = hubify("skills", "search", "x", server=FakeServer({"skills:search": [long]}))
    assert on_terminal.out.endswith("…\n")
    assert piped.out.endswith("x" * 500 + "\n")


def test_a_search_without_a_hit_says_so_and_is_no_failure() -> None:
    finished = hubify("skills", "search", "x", server=FakeServer({"skills:search": []}))
    assert finished == Finished(0, "", "no skill has these words\n")


def test_a_search_answers_json_for_programs() -> None:
    server = FakeServer({"skills:search": [SKILL]})
    finished = hubify("skills", "search", "x", "--json", server=server)
    assert json.loads(finished.out) == [SKILL]


def test_a_skill_is_shown_in_words() -> None:
    finished = hubify("skills", "info", "x", server=FakeServer({"skills:getByName": DETAILS}))
    lines = finished.out.splitlines()
    assert "trust     87 of 100, level 2" in lines
    assert "runs      1,200 by 1 agent, 91% success, improving" in lines
    assert not any(line.startswith("canary") for line in lines)


def test_exported_files_are_the_published_bytes(tmp_path: Path) -> None:
    server = FakeServer({"skills:getFiles": bundle(FILES)})
    finished = hubify("skills", "export", "tidy-imports", str(tmp_path), server=server)
    assert finished.status == 0
    written = {
        path.relative_to(tmp_path / "tidy-imports").as_posix(): path.read_bytes()
        for path in (tmp_path / "tidy-imports").rglob("*")
        if path.is_file()
    }
    assert written == FILES
    assert server.calls[0].arguments == {"name": "tidy-imports"}


def test_one_version_can_be_exported(tmp_path: Path) -> None:
    server = FakeServer({"skills:getFiles": bundle(FILES)})
    hubify("skills", "export", "a", str(tmp_path), "--version", "1.1.0", server=server)
    assert server.calls[0].arguments == {"name": "a", "version": "1.1.0"}


def test_all_public_skills_are_exported_page_by_page(tmp_path: Path) -> None:
    def listed(arguments: dict[str, Any]) -> object:
        first = arguments["paginationOpts"]["cursor"] is None
        name = "one" if first else "two"
        page = [SKILL | {"name": name}]
        return {"page": page, "isDone": not first, "continueCursor": name}

    def files(arguments: dict[str, Any]) -> object:
        return bundle(FILES, name=arguments["name"])

    server = FakeServer({"skills:list": listed, "skills:getFiles": files})
    finished = hubify("skills", "export", "--all", str(tmp_path), server=server)
    assert finished.status == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]
    assert finished.err.endswith(f"2 skills in {tmp_path}\n")


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    mine = tmp_path / "tidy-imports" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine", encoding="utf-8")
    server = FakeServer({"skills:getFiles": bundle(FILES)})
    finished = hubify("skills", "export", "tidy-imports", str(tmp_path), server=server)
    assert finished.status == 1
    assert "CONFLICT" in finished.err
    assert [path.name for path in mine.parent.iterdir()] == ["mine.txt"]


def test_files_that_are_not_those_of_the_digest_are_not_written(tmp_path: Path) -> None:
    for answer in (bundle(FILES, digest="sha256:0"), bundle(FILES, name="../up")):
        server = FakeServer({"skills:getFiles": answer})
        finished = hubify("skills", "export", "x", str(tmp_path / "out"), server=server)
        assert finished.status == 1
        assert "BAD_ANSWER" in finished.err
    assert list(tmp_path.iterdir()) == []


def test_a_missing_skill_ends_an_export(tmp_path: Path) -> None:
    def refuse(_arguments: object) -> object:
        raise Refusal("NOT_FOUND", "Skill 'x' not found")

    server = FakeServer({"skills:getFiles": refuse})
    finished = hubify("skills", "export", "x", str(tmp_path), server=server)
    assert (finished.status, finished.err) == (1, "hubify: NOT_FOUND: Skill 'x' not found\n")
