"""Every real skill beside the checkout is read, and nothing of it is silently dropped."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from hubify.formats.bundle import gather
from hubify.formats.document import Form
from hubify.formats.findings import Kind
from hubify.formats.folders import read_analyses, read_skills, write_bundle
from hubify.formats.openspace import Analysis
from hubify.formats.records import (
    Imported,
    ImportedSkill,
    ImportedVersion,
    Unreadable,
    all_findings,
    in_order_of_publication,
)
from hubify.formats.versions import is_version
from tests.shared_data import shared_path


def read(relative: str) -> list[Imported]:
    return list(read_skills(shared_path(relative)))


def skills(imported: Iterable[Imported]) -> list[ImportedSkill]:
    return [each for each in imported if isinstance(each, ImportedSkill)]


def versions(imported: Iterable[Imported]) -> list[ImportedVersion]:
    return [version for skill in skills(imported) for version in skill.versions]


def outcome(version: ImportedVersion) -> str:
    """What a table of outcomes says of one version."""
    if version.document is None:
        return "placeholder"
    kinds = {finding.kind for finding in version.findings}
    return "repaired" if Kind.REPAIRED in kinds else "noted" if kinds else "clean"


def outcomes(imported: Iterable[Imported]) -> Counter[str]:
    """Count versions by outcome; what was refused or is there already counts too."""
    imported = list(imported)
    table = Counter(outcome(version) for version in versions(imported))
    refused = sum(isinstance(each, Unreadable) for each in imported)
    table["refused"] = refused + sum(len(skill.refused) for skill in skills(imported))
    table["repeated"] = sum(len(skill.repeated) for skill in skills(imported))
    return table


def test_the_strict_skills_are_read_without_a_repair() -> None:
    imported = read("data/skills/anthropic")
    assert outcomes(imported) == Counter(clean=6, refused=0, repeated=0)
    assert {version.document.form for version in versions(imported) if version.document} == {
        Form.AGENTSKILLS
    }


def test_each_of_the_sampled_skills_is_read_or_refused_with_a_reason() -> None:
    imported = read("data/skills/clawhub/sample.jsonl")
    table = outcomes(imported)
    assert len(imported) == table.total() == 299
    assert table["refused"] == 0
    assert table["clean"] >= 180
    assert 20 <= table["repaired"] <= 45


def test_each_version_of_the_histories_is_read_in_order_of_publication() -> None:
    imported = [each for each in read("data/skills/clawhub") if "__" in each.source]
    folders = [path.parent for path in shared_path("data/skills/clawhub").glob("*/*/SKILL.md")]
    table = outcomes(imported)
    assert len(imported) == len({folder.parent for folder in folders})
    assert table["refused"] == 0
    listed_twice = 3  # in three of the lists one version stands twice
    assert table.total() == len(folders) + listed_twice
    for skill in skills(imported):
        times = [version.published_at or 0 for version in skill.versions]
        assert times == sorted(times)
        assert all(is_version(version.version) for version in skill.versions)


def test_a_history_keeps_numbers_that_go_down_and_drops_a_leading_v() -> None:
    by_slug = {skill.slug: skill for skill in skills(read("data/skills/clawhub"))}
    runner = [version.version for version in by_slug["roadrunner"].versions]
    assert "0.7.0" in runner
    assert runner.count("0.6.2") == 1
    mail = [version.version for version in by_slug["apple-mail-search-safe"].versions]
    assert mail == ["2026.1.5", "2026.1.6", "2026.1.7", "4.0.0"]


def test_each_row_of_the_openspace_record_is_a_version_with_its_lineage() -> None:
    imported = read("data/openspace/skills.jsonl")
    table = outcomes(imported)
    assert table.total() == 226
    assert table["placeholder"] == 18
    assert table["refused"] == 0
    known: set[str] = set()
    for _, version in in_order_of_publication(skills(imported)):
        assert known.issuperset(version.parents)
        known.add(version.source_id)


def test_the_analyses_keep_the_suggestions_that_name_no_skill() -> None:
    read_back = list(read_analyses(shared_path("data/openspace/analyses.jsonl")))
    analyses = [each for each in read_back if isinstance(each, Analysis)]
    assert len(analyses) == len(read_back) == 90
    suggestions = [each for analysis in analyses for each in analysis.suggestions]
    assert len(suggestions) == 175
    assert sum(not each.target_skills for each in suggestions) == 100
    assert all(analysis.at for analysis in analyses)


@pytest.mark.parametrize("relative", ["data/skills/anthropic", "data/skills/clawhub"])
def test_every_refusal_and_repair_can_be_told_to_its_author(relative: str) -> None:
    for imported in read(relative):
        for finding in all_findings(imported):
            assert str(finding).isprintable()
            assert finding.fix or finding.kind is not Kind.REFUSED


def test_real_skills_are_written_back_byte_for_byte(tmp_path: Path) -> None:
    root = shared_path("data/skills/anthropic")
    for skill in skills(read("data/skills/anthropic")):
        bundle = skill.versions[0].bundle
        write_bundle(bundle, tmp_path / skill.slug)
        for path in bundle.files:
            assert (tmp_path / skill.slug / path).read_bytes() == (
                root / skill.slug / path
            ).read_bytes()
        count = sum(path.is_file() for path in (root / skill.slug).rglob("*"))
        assert len(bundle.files) == count


def test_documents_keep_the_bytes_they_were_read_from() -> None:
    imported = [*read("data/skills/clawhub"), *read("data/openspace/skills.jsonl")]
    for version in versions(imported):
        if version.document is not None:
            assert version.document.source in version.bundle.files.values()
            assert gather(version.bundle.files.items()).bundle == version.bundle
