"""Reading a skill's own file: every form, every repair, every refusal, and never an exception."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.formats.bundle import Bundle, gather, sha256
from hubify.formats.document import Form, Reading, SkillDocument
from hubify.formats.findings import Kind, is_refused
from hubify.formats.limits import (
    MAX_DESCRIPTION,
    MAX_GUIDE_BYTES,
    MAX_SKILL_BYTES,
)
from hubify.formats.names import is_slug
from hubify.formats.reader import main_path, read_bundle, read_hub, read_skill_md
from hubify.formats.versions import is_version

STRICT = b"""---
name: pdf-tools
description: Takes text out of PDF files. Use when a PDF is at hand.
license: MIT
compatibility: Needs poppler.
metadata:
  author: jo
  version: "1.4.0"
allowed-tools: Bash(pdftotext:*) Read
---
# PDF tools

Run it.
"""

PIECES = (
    "---\n",
    "name: a\n",
    "name: Ä Ö\n",
    "description: b: c\n",
    "version: v1.2\n",
    "tags: a, b\n",
    "metadata:\n  version: 2\n",
    "type: skill\n",
    "trust: {confidence: 2}\n",
    "lineage: [1, {version: 1}]\n",
    "manifest: {core: [{file: ../x}, {file: a.md, checksum: z}]}\n",
    "dependencies: {requires: [a@1, {x: y}, [q]]}\n",
    "evolution: {min_executions: 5.5}\n",
    "prompt: |\n  hi\n",
    "prompt_file: p.md\n",
    "key: &a [x]\nother: *a\n",
    "x: !!python/name:a b\n",
    'y: "\\ud800"\n',
    "\t- z\n",
    "\n",
    "# Title\n",
    "prose: and more\n",
    "\ufeff",
    "\r\n",
)
sloppy = st.lists(st.sampled_from(PIECES), max_size=9).map(lambda parts: "".join(parts).encode())
anything = st.binary(max_size=80) | sloppy


def codes(reading: Reading, kind: Kind | None = None) -> list[str]:
    return [each.code for each in reading.findings if kind in {None, each.kind}]


def document(reading: Reading) -> SkillDocument:
    assert reading.document is not None, reading.findings
    return reading.document


def bundle_of(files: dict[str, bytes]) -> Bundle:
    bundle = gather(files.items()).bundle
    assert bundle is not None
    return bundle


def refusal(reading: Reading) -> tuple[str, int]:
    assert reading.document is None
    found = [each for each in reading.findings if each.kind is Kind.REFUSED]
    assert all(each.fix for each in found)
    return found[0].code, found[0].line


def test_a_strict_file_is_read_without_a_word() -> None:
    reading = read_skill_md(STRICT, directory="pdf-tools")
    read = document(reading)
    assert not reading.findings
    assert read.form is Form.AGENTSKILLS
    assert (read.name, read.license, read.compatibility) == ("pdf-tools", "MIT", "Needs poppler.")
    assert (read.version, read.version_written) == ("1.4.0", "1.4.0")
    assert read.allowed_tools == ("Bash(pdftotext:*)", "Read")
    assert read.metadata == {"author": "jo", "version": "1.4.0"}
    assert (read.body, read.body_line) == ("# PDF tools\n\nRun it.\n", 11)


def test_the_hubify_fields_are_read() -> None:
    read = document(
        read_skill_md(b"""---
name: a
version: 2.0.0
description: b
category: coding
tags: [x, y]
platforms: [claude-code]
tier: free
triggers: [when]
outputs: [report]
try_me: Say hello
author: "@jo"
homepage: https://example.org
tools: [shell]
dependencies: {requires: [other]}
argument-hint: file
---
Body
""")
    )
    assert read.form is Form.HUBIFY
    assert (read.version, read.category, read.tier) == ("2.0.0", "coding", "free")
    assert (read.tags, read.platforms) == (("x", "y"), ("claude-code",))
    assert (read.triggers, read.outputs, read.try_me) == (("when",), ("report",), "Say hello")
    assert (read.author, read.homepage) == ("@jo", "https://example.org")
    assert read.tools.required == ("shell",)
    assert [each.name for each in read.dependencies] == ["other"]
    assert read.rest == {"argument-hint": "file"}


def test_a_file_without_front_matter_takes_its_name_from_the_folder() -> None:
    reading = read_skill_md(b"# My Tool\n\nDoes *this*.\n", directory="my-tool")
    read = document(reading)
    assert (read.form, read.name, read.display_name) == (Form.MARKDOWN, "my-tool", "My Tool")
    assert (read.description, read.version, read.version_written) == ("Does *this*.", "1.0.0", None)
    assert codes(reading) == ["front-matter-missing", "name-missing", "description-missing"]


def test_without_a_folder_the_title_gives_the_name() -> None:
    assert document(read_skill_md(b"# My Tool\n\nText")).name == "my-tool"


def test_a_name_that_is_no_slug_becomes_one_and_stays_for_display() -> None:
    reading = read_skill_md(b"---\nname: PDF Merge & Split\ndescription: d\n---\nb")
    assert (document(reading).name, document(reading).display_name) == (
        "pdf-merge-split",
        "PDF Merge & Split",
    )
    assert [(each.code, each.line) for each in reading.findings] == [("name-not-a-slug", 2)]


def test_a_folder_called_otherwise_is_only_noted() -> None:
    reading = read_skill_md(b"---\nname: a\ndescription: d\n---\nb", directory="b")
    assert document(reading).name == "a"
    assert [(each.kind, each.code) for each in reading.findings] == [
        (Kind.NOTED, "name-differs-from-folder")
    ]


def test_a_long_description_is_cut_for_lists_and_the_file_keeps_it() -> None:
    data = b"---\nname: a\ndescription: " + b"x" * 1100 + b"\n---\nb"
    reading = read_skill_md(data)
    assert len(document(reading).description) == MAX_DESCRIPTION
    assert document(reading).source == data
    assert codes(reading) == ["field-too-long"]


@pytest.mark.parametrize(
    ("written", "version", "found"),
    [("v1.2.0", "1.2.0", ["version"]), ("1.10", "1.10.0", ["version"]), ("2.0.0", "2.0.0", [])],
)
def test_the_version_is_read_as_it_is_written(written: str, version: str, found: list[str]) -> None:
    reading = read_skill_md(f"---\nname: a\ndescription: d\nversion: {written}\n---\nb".encode())
    assert (document(reading).version, document(reading).version_written) == (version, written)
    assert codes(reading) == found


def test_a_version_that_is_none_counts_as_the_first() -> None:
    reading = read_skill_md(b"---\nname: a\ndescription: d\nversion: latest\n---\nb")
    assert document(reading).version == "1.0.0"
    assert codes(reading, Kind.REPAIRED) == ["version"]


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "skill-file-empty", 0),
        (b" \r\n\t", "skill-file-empty", 0),
        (b"x" * (MAX_SKILL_BYTES + 1), "skill-file-too-large", 0),
        (b"---\nname: a\n---\n\xff", "not-utf-8", 4),
        (b"---\nname: a\ndescription: b\ndescription: c\n---\n", "yaml-key-twice", 4),
        (b"---\nname: a\nprose here\ndescription: b\n---\nb", "not-yaml", 4),
        (b"---\n- a\n---\nb", "front-matter-not-a-map", 2),
        ("---\nname: \u65e5\u672c\ndescription: d\n---\nb".encode(), "name-missing", 2),
        (b"---\nname: a\n---\n\n", "description-missing", 0),
    ],
)
def test_what_cannot_be_read_says_why_where_and_what_to_do(
    data: bytes, code: str, line: int
) -> None:
    assert refusal(read_skill_md(data)) == (code, line)


def test_marks_and_line_ends_are_read_past_and_kept() -> None:
    data = b"\xef\xbb\xbf---\r\nname: a\r\ndescription: d\r\n---\r\nText\r\n"
    reading = read_skill_md(data)
    assert document(reading).source == data
    assert document(reading).body == "Text\n"
    assert codes(reading) == ["byte-order-mark", "line-ends"]


def test_every_finding_names_the_file_it_is_about() -> None:
    reading = read_skill_md(b"---\nname: A\ndescription: b: c\n---\nb", path="sub/SKILL.md")
    assert {each.path for each in reading.findings} == {"sub/SKILL.md"}


def test_the_reference_form_is_read() -> None:
    reading = read_hub(b"""---
name: agent-one
version: 1.2.0
type: agent
display_name: Agent One
description: d
human_editable: false
trust: {confidence: 0.9}
lineage: [{version: 1.2.0}]
---
## Overview
""")
    read = document(reading)
    assert not reading.findings
    assert (read.form, read.type, read.human_editable) == (Form.HUB_REFERENCE, "agent", False)
    assert read.display_name == "Agent One"
    assert read.manifest is not None
    assert read.manifest.trust.confidence == 0.9


def test_the_reference_form_says_what_the_registry_will_not_take() -> None:
    head = b"---\nname: a\ndescription: d\n"
    assert codes(read_hub(head + b"---\nb")) == ["type-missing"]
    assert refusal(read_hub(head + b"type: tool\n---\nb")) == ("type", 4)
    editable = read_hub(head + b"type: skill\nhuman_editable: true\n---\nb")
    assert [(each.kind, each.code) for each in editable.findings] == [
        (Kind.NOTED, "human-editable")
    ]


GUIDE = b"""name: a
version: 0.1.0
category: coding
description: d
use_cases: [one]
evolution: {min_executions: 100, manual_approval: true}
"""


def test_the_guide_form_is_read_with_its_prompt() -> None:
    reading = read_hub(GUIDE + b"prompt: |\n  Do this: now.\n  Then that.\n")
    read = document(reading)
    assert not reading.findings
    assert (read.form, read.category, read.use_cases) == (Form.HUB_GUIDE, "coding", ("one",))
    assert (read.body, read.body_line) == ("Do this: now.\nThen that.", 7)
    assert read.evolution is not None
    assert read.evolution.manual_approval is True


def test_a_prompt_may_lie_in_a_file_of_the_bundle() -> None:
    data = GUIDE + b"prompt_file: ./prompts/p.md\n"
    reading = read_hub(data, files={"prompts/p.md": b"Do\r\nit"})
    assert (document(reading).prompt_file, document(reading).body) == ("prompts/p.md", "Do\nit")
    assert document(read_hub(data)).body == ""


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (GUIDE, "prompt-missing"),
        (GUIDE + b"prompt_file: gone.md", "prompt-file-missing"),
        (GUIDE + b"prompt_file: ../../x", "path-escapes"),
        (b"prompt: " + b"x" * MAX_GUIDE_BYTES, "guide-too-large"),
    ],
)
def test_a_guide_without_its_prompt_is_refused(data: bytes, code: str) -> None:
    assert refusal(read_hub(data, files={}))[0] == code


def test_a_guide_with_too_much_or_too_little_is_noted() -> None:
    long = b"name: a\ndescription: " + b"d" * 201 + b"\nprompt: p\nprompt_file: p.md\n"
    assert codes(read_hub(long)) == ["prompt-twice", "category-missing", "description-long"]


def test_the_main_file_is_skill_md_then_its_other_cases_then_a_hub_file() -> None:
    assert main_path(bundle_of({"a.hub": b"", "SKILL.md": b""})) == "SKILL.md"
    assert main_path(bundle_of({"a.hub": b"", "Skill.md": b""})) == "Skill.md"
    assert main_path(bundle_of({"b.hub": b"", "a.hub": b""})) == "a.hub"
    assert main_path(bundle_of({"sub/SKILL.md": b"", ".hub": b""})) is None


def test_a_bundle_is_read_through_its_main_file() -> None:
    reading = read_bundle(bundle_of({"skill.md": b"---\nname: a\ndescription: d\n---\nb"}))
    assert document(reading).name == "a"
    assert codes(reading) == ["skill-file-name"]
    assert refusal(read_bundle(bundle_of({"README.md": b"x"})))[0] == "skill-file-missing"


def hub_with(checksum: str) -> bytes:
    core = f'manifest:\n  core:\n    - {{file: a.py, checksum: "{checksum}"}}\n'
    return f"---\nname: a\ntype: skill\ndescription: d\n{core}---\nb".encode()


def test_the_checksums_of_a_manifest_are_held_against_the_bundle() -> None:
    good = bundle_of({"a.hub": hub_with(sha256(b"code")), "a.py": b"code"})
    assert document(read_bundle(good)).form is Form.HUB_REFERENCE
    assert not read_bundle(good).findings
    bad = bundle_of({"a.hub": hub_with(sha256(b"code")), "a.py": b"changed"})
    assert refusal(read_bundle(bad)) == ("manifest-checksum", 7)


@given(anything, st.sampled_from(["", "x-y", "X Y", "\ud800"]))
def test_no_bytes_make_a_reader_raise(data: bytes, directory: str) -> None:
    for reading in (
        read_skill_md(data, directory=directory),
        read_hub(data, directory=directory),
        read_hub(data, files={"p.md": data}),
    ):
        assert (reading.document is None) == is_refused(reading.findings)
        assert all(str(each).isprintable() for each in reading.findings)
        if reading.document is not None:
            assert_sound(reading.document, data)


def assert_sound(read: SkillDocument, data: bytes) -> None:
    assert read.source == data
    assert is_slug(read.name)
    assert is_version(read.version)
    assert 0 < len(read.description) <= MAX_DESCRIPTION
    assert msgspec.json.encode(read)  # every text is Unicode


@given(anything)
def test_bytes_that_go_into_a_bundle_come_out_the_same(data: bytes) -> None:
    bundle = bundle_of({"SKILL.md": data, "x.hub": data})
    reading = read_bundle(bundle, directory="x")
    assert dict(bundle.files) == {"SKILL.md": data, "x.hub": data}
    if reading.document is not None:
        assert reading.document.source == data
