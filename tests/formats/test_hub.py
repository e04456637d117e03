"""`.hub` manifests: needs, evolution settings, claims, and checksums held against the files."""

import pytest

from hubify.formats.bundle import Bundle, gather, sha256
from hubify.formats.fields import Fields
from hubify.formats.findings import Finding, Kind
from hubify.formats.hub import (
    ClaimedTrust,
    CoreFile,
    Dependency,
    EvolutionSettings,
    HubManifest,
    LineageEntry,
    ToolNeeds,
    check_core,
    read_dependencies,
    read_evolution,
    read_manifest,
    read_tools,
)
from hubify.formats.yaml_nodes import Mapping, parse_yaml


def fields(text: str) -> tuple[Fields, list[Finding]]:
    root = parse_yaml(text).root
    assert isinstance(root, Mapping)
    findings: list[Finding] = []
    return Fields(root, findings), findings


def test_dependencies_are_read_in_every_spelling() -> None:
    taken, findings = fields("""
dependencies:
  requires:
    - plain
    - ranged@^1.2
    - spaced >= 1.0.0
    - name: mapped
      version: ">=2"
    - short: "1.x"
  conflicts_with: [other]
""")
    assert read_dependencies(taken) == (
        Dependency("requires", "plain"),
        Dependency("requires", "ranged", "^1.2"),
        Dependency("requires", "spaced", ">= 1.0.0"),
        Dependency("requires", "mapped", ">=2"),
        Dependency("requires", "short", "1.x"),
        Dependency("conflicts_with", "other"),
    )
    assert not findings


def test_a_dependency_that_names_nothing_is_left_out_and_said() -> None:
    taken, findings = fields("dependencies: {requires: [a, [b], {x: 1, y: 2}, '']}")
    assert read_dependencies(taken) == (Dependency("requires", "a"),)
    assert [finding.code for finding in findings] == ["field-unfit"] * 3


def test_other_kinds_of_dependencies_stay_unread() -> None:
    taken, findings = fields("dependencies: [python>=3.8]")
    assert read_dependencies(taken) == ()
    assert "dependencies" in taken.rest()
    assert [finding.code for finding in findings] == ["field-unfit"]


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("tools: {required: [a, {name: b}], optional: c}", ToolNeeds(("a", "b"), ("c",))),
        ("tools: [a, b]", ToolNeeds(("a", "b"))),
        ("tools: a, b", ToolNeeds(("a", "b"))),
        ("other: 1", ToolNeeds()),
    ],
)
def test_tools_are_a_map_or_a_plain_list(text: str, needs: ToolNeeds) -> None:
    assert read_tools(fields(text)[0]) == needs


def test_evolution_settings_keep_what_was_said() -> None:
    text = "evolution: {min_executions: 50, confidence_threshold: 0.9, canary_duration: 12}"
    assert read_evolution(fields(text)[0]) == EvolutionSettings(50, 0.9, None, 12)
    assert read_evolution(fields("a: 1")[0]) is None


def test_a_setting_out_of_range_is_left_out() -> None:
    taken, findings = fields("evolution: {confidence_threshold: 85, manual_approval: maybe}")
    assert read_evolution(taken) == EvolutionSettings()
    assert [finding.code for finding in findings] == ["field-unfit"] * 2


def test_claims_lineage_and_integrity_are_read_as_claims() -> None:
    taken, findings = fields("""
trust: {confidence: 0.8, executions: 12, verification_level: 2, last_evolution: 2026-01-02}
lineage:
  - {version: 1.1.0, date: 2026-01-02, evolved_from: 1.0.0, confidence_delta: -0.1}
manifest:
  core:
    - {file: SKILL.md, version: 1.0.0, checksum: "sha256:00"}
    - {checksum: x}
integrity: {manifest_hash: "sha256:11", all_files_present: true}
""")
    assert read_manifest(taken) == HubManifest(
        trust=ClaimedTrust(
            confidence=0.8, executions=12, verification_level=2, last_evolution="2026-01-02"
        ),
        lineage=(LineageEntry("1.1.0", "2026-01-02", "1.0.0", -0.1, None),),
        core=(CoreFile("SKILL.md", "1.0.0", "sha256:00", 7),),
        manifest_hash="sha256:11",
        all_files_present=True,
    )
    assert [finding.code for finding in findings] == ["field-unfit"]
    assert taken.rest() == {}


def checked(*core: CoreFile) -> list[tuple[Kind, str, int]]:
    manifest = HubManifest(ClaimedTrust(), (), core, None, None)
    found = check_core(manifest, bundle(), own_path="x.hub")
    return [(finding.kind, finding.code, finding.line) for finding in found]


def bundle() -> Bundle:
    gathered = gather([("x.hub", b"own"), ("a.md", b"text")])
    assert gathered.bundle is not None
    return gathered.bundle


def test_true_checksums_are_no_news_and_a_files_own_is_not_asked() -> None:
    own = CoreFile("x.hub", None, sha256(b"before it was written in"), 1)
    assert (
        checked(own, CoreFile("./a.md", None, sha256(b"text"), 2), CoreFile("a.md", None, "", 3))
        == []
    )


@pytest.mark.parametrize(
    ("core", "found"),
    [
        (CoreFile("a.md", None, sha256(b"other"), 4), (Kind.REFUSED, "manifest-checksum", 4)),
        (CoreFile("b.md", None, "", 5), (Kind.REFUSED, "manifest-file-missing", 5)),
        (CoreFile("../a.md", None, "", 6), (Kind.REFUSED, "path-escapes", 6)),
        (CoreFile("a.md", None, "sha256:…", 7), (Kind.NOTED, "manifest-checksum-form", 7)),
    ],
)
def test_a_manifest_that_does_not_fit_its_files_is_refused(
    core: CoreFile, found: tuple[Kind, str, int]
) -> None:
    assert checked(core) == [found]
