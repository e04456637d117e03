"""The OpenSpace record: lineage kept, placeholders said, suggestions without a skill included."""

import json

from hubify.formats.openspace import Analysis, is_skill_row, read_analysis_rows, read_skill_rows
from hubify.formats.records import ImportedSkill, Unreadable


def row(skill_id: str, name: str, at: int, origin: str = "captured", **more: object) -> bytes:
    text = f"---\nname: {name}\ndescription: about {skill_id}\n---\n{skill_id}\n"
    return json.dumps(
        {
            "skill_id": skill_id,
            "name": name,
            "description": f"of {skill_id}",
            "category": "workflow",
            "lineage_origin": origin,
            "lineage_created_at": f"2026-03-16T00:00:{at:02}.500000",
            "lineage_change_summary": "Why",
            "lineage_created_by": "model",
            "parents": [],
            "files": {"SKILL.md": text},
            "unknown": 1,
            **more,
        }
    ).encode()


def skills(*rows: bytes) -> list[ImportedSkill]:
    read = list(read_skill_rows(rows, source="skills.jsonl"))
    return [each for each in read if isinstance(each, ImportedSkill)]


def test_rows_of_one_name_are_the_versions_of_one_skill() -> None:
    first, second = skills(
        row("b2", "b", 30, "fixed", parents=["b1"]),
        row("m1", "m", 20, "derived", parents=["b1", "b2"]),
        row("b1", "b", 10),
    )
    assert [(each.source_id, each.version) for each in first.versions] == [
        ("b1", "1.0.0"),
        ("b2", "1.0.1"),
    ]
    assert first.versions[1].parents == ("b1",)
    assert (first.description, first.category) == ("about b2", "workflow")
    fork = second.versions[0]
    assert (fork.origin, fork.parents) == ("derived", ("b1", "b2"))
    assert (fork.author, fork.change_summary) == ("model", "Why")
    assert fork.published_at == 1773619220500


def test_a_row_without_files_is_a_placeholder_that_later_ones_follow() -> None:
    (skill,) = skills(row("a1", "a", 1, "imported", files={}), row("a2", "a", 2, "fixed"))
    placeholder, fixed = skill.versions
    assert (placeholder.document, dict(placeholder.bundle.files)) == (None, {})
    assert [each.code for each in placeholder.findings] == ["placeholder"]
    assert fixed.version == "1.0.1"


def test_equal_bytes_are_versions_too_because_others_name_them() -> None:
    files = {"SKILL.md": "---\nname: a\ndescription: d\n---\nsame"}
    (skill,) = skills(row("a1", "a", 1, files=files), row("a2", "a", 2, files=files))
    assert [each.source_id for each in skill.versions] == ["a1", "a2"]


def test_a_refused_row_is_named_by_its_id() -> None:
    files = {"SKILL.md": "---\nname: a\ndescription: d\ndescription: e\n---\n"}
    (read,) = read_skill_rows([row("a1", "a", 1, files=files)], source="s")
    assert isinstance(read, Unreadable)
    assert (read.findings[0].code, read.findings[0].line) == ("yaml-key-twice", 4)


def test_a_row_whose_text_has_two_names_goes_by_its_own() -> None:
    files = {"SKILL.md": "---\nname: b\nname: c\ndescription: d\n---\nbody"}
    (skill,) = skills(row("a1", "a", 1, files=files))
    (version,) = skill.versions
    assert skill.slug == "a"
    assert version.findings[0].code == "yaml-name-twice"


def test_hostile_files_and_broken_lines_are_refused() -> None:
    read = list(read_skill_rows([b"{}", row("a1", "a", 1, files={"../x": ""}), b" \n"], source="s"))
    assert [each.findings[0].code for each in read if isinstance(each, Unreadable)] == [
        "json-line",
        "path-escapes",
    ]
    assert len(read) == 2


def test_rows_are_known_by_their_shape() -> None:
    assert is_skill_row(row("a1", "a", 1))
    assert not is_skill_row(b'{"path": "a", "skill_md": "b"}')


def test_analyses_keep_suggestions_that_name_no_skill() -> None:
    line = json.dumps(
        {
            "id": 1,
            "task_id": "t",
            "timestamp": "1970-01-01T00:00:02",
            "task_completed": True,
            "execution_note": "n",
            "tool_issues": ["i"],
            "judgments": [{"skill_id": "a1", "skill_applied": False, "note": "n"}],
            "suggestions": [{"type": "captured", "target_skills": [], "direction": "Make it"}],
        }
    ).encode()
    analysis, broken = read_analysis_rows([line, b"{}"], source="analyses.jsonl")
    assert isinstance(analysis, Analysis)
    assert analysis.at == 2000
    assert analysis.suggestions[0].target_skills == ()
    assert isinstance(broken, Unreadable)
    assert broken.source == "analyses.jsonl:2"
