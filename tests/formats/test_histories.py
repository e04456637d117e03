"""Histories and samples: in order of publication, whatever their numbers."""

import json

from hubify.formats.bundle import Gathered, gather
from hubify.formats.histories import is_sample, read_history, read_samples
from hubify.formats.records import Imported, ImportedSkill, Unreadable


def version(body: str) -> Gathered:
    text = f"---\nname: inner\ndescription: d\n---\n{body}\n"
    return gather([("SKILL.md", text.encode())])


def meta(*versions: tuple[str, int | None], **more: str) -> bytes:
    entries = [{"version": number, "publishedAt": time} for number, time in versions]
    known = {"owner": "jo", "slug": "tool", "displayName": "The Tool", "versions": entries}
    return json.dumps({**known, **more}).encode()


def skill(imported: Imported) -> ImportedSkill:
    assert isinstance(imported, ImportedSkill), imported
    return imported


def test_versions_come_in_order_of_publication_not_of_number() -> None:
    folders = {"2026.1.5": version("a"), "4.0.0": version("b"), "v0.1.0": version("c")}
    data = meta(("4.0.0", 30), ("v0.1.0", 20), ("2026.1.5", 10))
    read = skill(read_history(data, folders, source="jo__tool"))
    assert [each.version for each in read.versions] == ["2026.1.5", "0.1.0", "4.0.0"]
    assert [each.published_at for each in read.versions] == [10, 20, 30]
    assert (read.owner, read.slug, read.display_name) == ("jo", "tool", "The Tool")
    assert read.versions[1].source_id == "jo/tool@v0.1.0"


def test_a_version_without_a_time_comes_last() -> None:
    folders = {"1.0.0": version("a"), "1.1.0": version("b"), "1.2.0": version("c")}
    data = meta(("1.0.0", None), ("1.1.0", 0), ("1.2.0", -5))
    read = skill(read_history(data, folders, source="s"))
    assert [each.version for each in read.versions] == ["1.1.0", "1.0.0", "1.2.0"]
    assert [each.published_at for each in read.versions] == [0, None, None]


def test_a_version_listed_twice_is_read_once() -> None:
    data = meta(("1.0.0", 10), ("1.0.0", 10))
    read = skill(read_history(data, {"1.0.0": version("a")}, source="s"))
    assert [each.version for each in read.versions] == ["1.0.0"]
    assert [each.version for each in read.repeated] == ["1.0.0"]


def test_a_list_and_folders_that_differ_are_refused_one_by_one() -> None:
    folders = {"1.0.0": version("a"), "9.9.9": version("b")}
    read = skill(read_history(meta(("1.0.0", 1), ("2.0.0", 2)), folders, source="s"))
    assert [each.version for each in read.versions] == ["1.0.0"]
    codes = [each.findings[0].code for each in read.refused]
    assert codes == ["version-missing", "version-unlisted"]


def test_names_in_the_list_are_never_paths() -> None:
    read = read_history(meta(("../../x", 1)), {}, source="s")
    assert isinstance(read, Unreadable)
    assert read.findings[0].code == "version-missing"


def test_a_list_that_is_no_json_is_refused_with_the_file() -> None:
    for data in (b"", b"[]", b'{"owner": 1}', b"\xff"):
        read = read_history(data, {}, source="s")
        assert isinstance(read, Unreadable)
        assert read.findings[0].path == "meta.json"


def sample(path: str, text: str = "---\nname: n\ndescription: d\n---\nb") -> bytes:
    return json.dumps({"path": path, "skill_md": text}).encode()


def test_each_line_of_a_sample_is_a_skill_of_its_folders_name() -> None:
    lines = [sample("jo/tool/SKILL.md"), b"\n", sample("solo/skill.md"), sample("SKILL.md")]
    read = [skill(each) for each in read_samples(lines, source="s.jsonl")]
    assert [(each.owner, each.slug) for each in read] == [
        ("jo", "tool"),
        (None, "solo"),
        (None, "n"),
    ]
    assert [each.source for each in read] == ["s.jsonl:1", "s.jsonl:3", "s.jsonl:4"]


def test_two_folders_of_one_name_are_told_apart_by_their_path() -> None:
    lines = [sample("jo/x/util/SKILL.md"), sample("jo/y/util/SKILL.md"), sample("al/util/SKILL.md")]
    slugs = [skill(each).slug for each in read_samples(lines, source="s")]
    assert slugs == ["util", "y-util", "util"]


def test_a_broken_line_is_named_and_the_rest_is_read() -> None:
    lines = [b"{", sample("jo/../SKILL.md", ""), sample("jo/tool/SKILL.md")]
    first, second, third = read_samples(lines, source="s")
    assert isinstance(first, Unreadable)
    assert (first.findings[0].path, first.findings[0].line) == ("s", 1)
    assert isinstance(second, Unreadable)
    assert skill(third).slug == "tool"


def test_a_sample_is_known_by_its_shape() -> None:
    assert is_sample(sample("a/SKILL.md"))
    assert not is_sample(b'{"path": 1}')
    assert not is_sample(b"")
