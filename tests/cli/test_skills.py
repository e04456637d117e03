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


def versions(*numbers: str) -> FakeServer:
    """A server with one skill of these versions, of which `0.0.1` is a placeholder."""
    pages = [
        {
            "version": number, "publishedAt": float(place),
            "status": "placeholder" if number == "0.0.1" else "superseded",
        }
        for place, number in enumerate(numbers)
    ]  # fmt: skip

    def files(arguments: dict[str, Any]) -> object:
        return bundle({"SKILL.md": arguments["version"].encode()})

    return FakeServer({
        "skills:getByName": DETAILS,
        "skills:listVersions": {"page": pages[::-1], "isDone": True, "continueCursor": ""},
        "skills:getFiles": files,
    })  # fmt: skip


def exported(server: FakeServer, directory: Path) -> Finished:
    return hubify("skills", "export", "tidy-imports", str(directory), "--history", server=server)


def test_a_history_is_exported_as_import_takes_it(tmp_path: Path) -> None:
    finished = exported(versions("0.0.1", "2.0.0", "1.1.0-beta.1"), tmp_path)
    assert finished.status == 0
    folder = tmp_path / "tidy-imports"
    assert sorted(path.name for path in folder.iterdir()) == ["1.1.0-beta.1", "2.0.0", "meta.json"]
    assert (folder / "2.0.0" / "SKILL.md").read_text() == "2.0.0"
    meta = json.loads((folder / "meta.json").read_text())
    assert (meta["owner"], meta["slug"]) == ("", "tidy-imports")
    assert [(each["version"], each["publishedAt"]) for each in meta["versions"]] == [
        ("2.0.0", 1), ("1.1.0-beta.1", 2),
    ]  # fmt: skip


def test_an_export_can_be_run_again_and_goes_on(tmp_path: Path) -> None:
    assert exported(versions("1.0.0"), tmp_path).status == 0
    assert exported(versions("1.0.0"), tmp_path).status == 0
    changed = tmp_path / "tidy-imports" / "1.0.0" / "SKILL.md"
    changed.write_text("mine", encoding="utf-8")
    finished = exported(versions("1.0.0"), tmp_path)
    assert (finished.status, changed.read_text()) == (1, "mine")
    assert "CONFLICT" in finished.err


def test_what_a_server_calls_a_version_is_never_a_path(tmp_path: Path) -> None:
    finished = exported(versions("../../up"), tmp_path / "out")
    assert finished.status == 1
    assert "BAD_ANSWER" in finished.err
    assert list(tmp_path.iterdir()) == []


def test_an_owners_skills_are_exported_with_the_hidden_ones(tmp_path: Path) -> None:
    listed = {"page": [SKILL], "isDone": True, "continueCursor": ""}
    server = FakeServer({"skills:list": listed, "skills:getFiles": bundle(FILES)})
    hubify("skills", "export", "--all", str(tmp_path), "--owner", "ann", server=server)
    assert server.calls[0].arguments["owner"] == "ann"


def test_all_skills_are_listed_page_by_page() -> None:
    def listed(arguments: dict[str, Any]) -> object:
        first = arguments["paginationOpts"]["cursor"] is None
        page = [SKILL | {"name": "one" if first else "two"}]
        return {"page": page, "isDone": not first, "continueCursor": "x"}

    finished = hubify(
        "skills", "list", "--sort", "name", server=FakeServer({"skills:list": listed})
    )
    assert [line.split()[0] for line in finished.out.splitlines()] == ["NAME", "one", "two"]


def test_a_list_answers_json_for_programs() -> None:
    listed = {"page": [SKILL], "isDone": True, "continueCursor": ""}
    finished = hubify("skills", "list", "--json", server=FakeServer({"skills:list": listed}))
    assert [skill["name"] for skill in json.loads(finished.out)] == ["tidy-imports"]
