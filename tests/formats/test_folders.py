"""Folders: every layout is found, nothing outside is read, bundles are written back exactly."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubify.formats import folders
from hubify.formats.bundle import EMPTY, Bundle, gather
from hubify.formats.folders import read_analyses, read_skill_folder, read_skills, write_bundle
from hubify.formats.openspace import Analysis
from hubify.formats.records import Imported, ImportedSkill, Unreadable


def text(name: str, body: str = "b") -> str:
    return f"---\nname: {name}\ndescription: d\n---\n{body}\n"


def put(root: Path, files: dict[str, str]) -> Path:
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8", newline="")
    return root


def skill(imported: Imported) -> ImportedSkill:
    assert isinstance(imported, ImportedSkill), imported
    return imported


def slugs(path: Path) -> list[str]:
    return [skill(each).slug for each in read_skills(path)]


def refusals(path: Path) -> list[tuple[str, str]]:
    found = [each for each in read_skills(path) if isinstance(each, Unreadable)]
    return [(each.source, each.findings[-1].code) for each in found]


def test_a_folder_with_a_skill_file_is_one_skill_with_all_its_files(tmp_path: Path) -> None:
    files = {"SKILL.md": text("a"), "scripts/run.sh": "#!/bin/sh\n", "sub/SKILL.md": text("b")}
    put(tmp_path / "a", files)
    (read,) = read_skills(tmp_path / "a")
    bundle = skill(read).versions[0].bundle
    assert {path: data.decode() for path, data in bundle.files.items()} == files
    assert skill(read).source == "a"
    assert read_skill_folder(tmp_path / "a") == read


def test_a_tree_is_searched_in_the_byte_order_of_names(tmp_path: Path) -> None:
    put(tmp_path, {"b/SKILL.md": text("b"), "B/skill.md": text("bb"), "x/y/a/SKILL.md": text("a")})
    put(tmp_path, {"README.md": "", "x/LICENSE": "", "z/z.hub": "name: z\nprompt: p"})
    assert slugs(tmp_path) == ["bb", "b", "a", "z"]


def test_a_history_is_one_skill(tmp_path: Path) -> None:
    meta = {
        "owner": "jo",
        "slug": "a",
        "displayName": "A",
        "versions": [
            {"version": "1.0.0", "publishedAt": 2},
            {"version": "v0.9.0", "publishedAt": 1},
        ],
    }
    root = put(tmp_path / "jo__a", {"meta.json": json.dumps(meta)})
    put(root, {"1.0.0/SKILL.md": text("a", "new"), "v0.9.0/SKILL.md": text("a", "old")})
    (read,) = read_skills(tmp_path)
    assert [each.version for each in skill(read).versions] == ["0.9.0", "1.0.0"]


def test_a_record_in_a_tree_is_read_and_another_is_passed_over(tmp_path: Path) -> None:
    line = json.dumps({"path": "jo/a/SKILL.md", "skill_md": text("a")})
    put(tmp_path, {"sample.jsonl": f"\n{line}\n{line}\n", "other.jsonl": "{}\n"})
    assert slugs(tmp_path) == ["a", "a"]
    assert slugs(tmp_path / "sample.jsonl") == ["a", "a"]
    assert refusals(tmp_path / "other.jsonl") == [("other.jsonl", "record")]


def test_one_skill_file_is_a_skill_of_one_file(tmp_path: Path) -> None:
    put(tmp_path, {"SKILL.md": text("a"), "other.txt": ""})
    (read,) = read_skills(tmp_path / "SKILL.md")
    assert list(skill(read).versions[0].bundle.files) == ["SKILL.md"]


def test_a_refused_skill_does_not_hide_the_others(tmp_path: Path) -> None:
    put(tmp_path, {"a/SKILL.md": "---\n- a\n---\n", "b/SKILL.md": text("b")})
    first, second = read_skills(tmp_path)
    assert isinstance(first, Unreadable)
    assert str(first.findings[0]).startswith("SKILL.md:2: refused: ")
    assert skill(second).slug == "b"


def test_nothing_found_is_said(tmp_path: Path) -> None:
    assert refusals(tmp_path) == [(tmp_path.name, "no-skills")]
    assert refusals(tmp_path / "gone") == [("gone", "unreadable")]


def test_what_tools_leave_behind_is_left_out_and_said(tmp_path: Path) -> None:
    put(tmp_path / "a", {"SKILL.md": text("a"), ".git/config": "x", "s/__pycache__/m.pyc": "x"})
    (read,) = read_skills(tmp_path)
    assert list(skill(read).versions[0].bundle.files) == ["SKILL.md"]
    notes = [(each.code, each.path) for each in skill(read).findings]
    assert notes == [("left-out", ".git"), ("left-out", "s/__pycache__")]


def test_a_link_inside_a_skill_is_read_as_the_file(tmp_path: Path) -> None:
    root = put(tmp_path / "a", {"SKILL.md": text("a"), "real.md": "content"})
    (root / "alias.md").symlink_to("real.md")
    (read,) = read_skills(root)
    assert skill(read).versions[0].bundle.files["alias.md"] == b"content"


@pytest.mark.parametrize("target", ["../secret", "/etc/hostname", "missing", "loop", "sub"])
def test_a_link_that_leads_elsewhere_refuses_the_skill(tmp_path: Path, target: str) -> None:
    put(tmp_path, {"secret": "s", "a/SKILL.md": text("a"), "a/sub/x": ""})
    (tmp_path / "a" / "loop").symlink_to(target)
    assert refusals(tmp_path / "a") == [("a", "link-outside")]


def test_a_linked_folder_outside_is_refused_and_inside_is_found_once(tmp_path: Path) -> None:
    put(tmp_path, {"outside/SKILL.md": text("o"), "tree/a/SKILL.md": text("a")})
    (tmp_path / "tree" / "out").symlink_to(tmp_path / "outside")
    (tmp_path / "tree" / "twin").symlink_to("a")
    first, second = read_skills(tmp_path / "tree")
    assert skill(first).slug == "a"
    assert isinstance(second, Unreadable)
    assert (second.source, second.findings[0].code) == ("tree/out", "link-outside")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    put(tmp_path / "a", {"SKILL.md": text("a")})
    os.mkfifo(tmp_path / "a" / "pipe")
    assert refusals(tmp_path / "a") == [("a", "not-a-file")]


def test_a_name_that_is_not_unicode_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "a", {"SKILL.md": text("a")})
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/a/\xff")).write_bytes(b"")
    assert refusals(tmp_path / "a") == [("a", "path-characters")]


@pytest.mark.parametrize(
    ("limit", "value", "code"),
    [
        ("MAX_FILE_BYTES", 10, "file-too-large"),
        ("MAX_PATH_DEPTH", 1, "path-too-deep"),
        ("_MAX_ENTRIES", 1, "folder-too-large"),
    ],
)
def test_a_skill_beyond_a_bound_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, code: str
) -> None:
    put(tmp_path / "a", {"SKILL.md": text("a"), "sub/x": ""})
    monkeypatch.setattr(folders, limit, value)
    assert [found[1] for found in refusals(tmp_path / "a")][:1] == [code]


def test_a_tree_too_deep_or_too_wide_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, {"a/b/SKILL.md": text("b"), "c/SKILL.md": text("c")})
    monkeypatch.setattr(folders, "MAX_TREE_DEPTH", 1)
    assert refusals(tmp_path) == [(f"{tmp_path.name}/a/b", "tree-too-large")]


def test_a_record_beyond_its_bounds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = json.dumps({"path": "jo/a/SKILL.md", "skill_md": text("a")})
    put(tmp_path, {"sample.jsonl": f"{line}\n" * 3})
    monkeypatch.setattr(folders, "MAX_LINES", 2)
    read = list(read_skills(tmp_path / "sample.jsonl"))
    assert [isinstance(each, Unreadable) for each in read] == [False, False, True]
    assert refusals(tmp_path) == [(f"{tmp_path.name}/sample.jsonl", "record-too-large")]


def test_analyses_are_read_from_their_file(tmp_path: Path) -> None:
    put(tmp_path, {"analyses.jsonl": "{}\n"})
    (read,) = read_analyses(tmp_path / "analyses.jsonl")
    assert isinstance(read, Unreadable)


ANALYSIS = {
    "id": 1, "task_id": "t", "timestamp": "", "task_completed": True, "execution_note": "",
    "tool_issues": [], "judgments": [], "suggestions": [],
}  # fmt: skip


def test_analyses_are_found_in_a_folder_but_not_among_a_skills_own_files(tmp_path: Path) -> None:
    line = json.dumps(ANALYSIS) + "\n"
    files = {
        "record/analyses.jsonl": line + "broken\n",
        "record/skills.jsonl": "{}\n",
        "skill/SKILL.md": text("a"),
        "skill/analyses.jsonl": line,
    }
    put(tmp_path, files)
    first, second = read_analyses(tmp_path)
    assert isinstance(first, Analysis)
    assert isinstance(second, Unreadable)
    assert second.source == f"{tmp_path.name}/record/analyses.jsonl:2"


def test_analyses_alone_are_refused_with_the_way_to_take_them_in(tmp_path: Path) -> None:
    put(tmp_path, {"analyses.jsonl": json.dumps(ANALYSIS)})
    (read,) = read_skills(tmp_path / "analyses.jsonl")
    assert isinstance(read, Unreadable)
    assert read.findings[0].fix == "Import the folder that holds both, with --reports."


def bundle_of(files: dict[str, bytes]) -> Bundle:
    bundle = gather(files.items()).bundle
    assert bundle is not None
    return bundle


names = st.lists(
    st.text(st.sampled_from("abü. -"), min_size=1, max_size=4), min_size=1, max_size=3
).map("/".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(names, st.binary(max_size=40), max_size=5))
def test_a_bundle_written_and_read_again_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    bundle = gather([("SKILL.md", text("a").encode()), *files.items()]).bundle
    if bundle is None:
        return
    target = tmp_path_factory.mktemp("out") / "a"
    write_bundle(bundle, target)
    read = skill(read_skill_folder(target))
    assert read.versions[0].bundle == bundle


def test_scripts_are_written_executable(tmp_path: Path) -> None:
    write_bundle(bundle_of({"run": b"#!/bin/sh\n", "note": b"x"}), tmp_path / "out")
    assert os.access(tmp_path / "out" / "run", os.X_OK)
    assert (tmp_path / "out" / "note").stat().st_mode & 0o111 == 0


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    put(tmp_path, {"out/a": "mine"})
    with pytest.raises(FileExistsError):
        write_bundle(bundle_of({"a": b"theirs"}), tmp_path / "out")
    assert (tmp_path / "out" / "a").read_text() == "mine"


@pytest.mark.parametrize("path", ["../b", "/b", "a/./b", "a\\b"])
def test_a_bundle_made_by_hand_cannot_write_outside(tmp_path: Path, path: str) -> None:
    hostile = Bundle({path: b"x"}, EMPTY.digests, EMPTY.digest)
    with pytest.raises(ValueError, match="gather"):
        write_bundle(hostile, tmp_path / "out")
    assert not (tmp_path / "out").exists()
