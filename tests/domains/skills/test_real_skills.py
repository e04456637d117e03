"""Real skills through the whole road: folders, histories, records in; the same bytes out."""

from base64 import b64decode
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hubify.domains.skills.reading import Bundle
from hubify.domains.skills.tables import VersionStatus
from hubify.domains.skills.views import VersionView
from hubify.formats.folders import read_skills
from hubify.formats.importing import Importer, Outcome, State
from hubify.formats.records import Imported, ImportedSkill, ImportedVersion
from hubify.functions import AppError
from tests.domains.skills.registry import SkillRegistry
from tests.shared_data import shared_path

SOURCES = ("data/skills/anthropic", "data/skills/clawhub", "data/openspace/skills.jsonl")
YEAR_MS = 365 * 86_400_000
Versions = dict[str, tuple[ImportedSkill, ImportedVersion]]


class Trip:
    """Everything under one source, read, imported and remembered."""

    def __init__(self, path: Path) -> None:
        self.registry = SkillRegistry()
        self.registry.backend.now_ms += YEAR_MS  # after all that was published there
        self.read: list[Imported] = list(read_skills(path))
        self.outcomes = self.import_again()
        self.skills = [skill for skill in self.read if isinstance(skill, ImportedSkill)]
        self.versions: Versions = {
            version.source_id: (skill, version)
            for skill in self.skills
            for version in skill.versions
        }
        for skill in self.skills:
            numbered = {version.version: version for version in skill.versions}
            for again in skill.repeated:
                self.versions.setdefault(again.source_id, (skill, numbered[again.version]))

    def import_again(self) -> list[Outcome]:
        def call(path: str, arguments: dict[str, Any]) -> Mapping[str, Any]:
            answer = self.registry.mutate(path, **arguments)
            return msgspec.to_builtins(answer)

        return list(Importer(call, refusals=(AppError,)).run(self.read))

    def imported(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.version_id is not None]

    def version(self, outcome: Outcome) -> VersionView:
        return self.registry.query("skills:getVersion", name=outcome.name, version=outcome.version)


@pytest.fixture(scope="module", params=SOURCES)
def trip(request: pytest.FixtureRequest) -> Trip:
    return Trip(shared_path(request.param))


def test_each_version_is_imported_or_refused_with_its_reason(trip: Trip) -> None:
    seen = Counter(outcome.source_id for outcome in trip.outcomes)
    assert set(trip.versions) <= set(seen)
    found = sum(len(skill.versions) + len(skill.repeated) + len(skill.refused)
                for skill in trip.skills)  # fmt: skip
    assert len(trip.outcomes) == found + len(trip.read) - len(trip.skills)
    for outcome in trip.outcomes:
        if outcome.state in (State.REFUSED, State.UNREADABLE):
            assert any("refused" in finding for finding in outcome.findings)


def test_the_bytes_that_come_out_are_those_that_went_in(trip: Trip) -> None:
    for outcome in trip.imported():
        _skill, version = trip.versions[outcome.source_id]
        bundle: Bundle = trip.registry.query(
            "skills:getFiles", name=outcome.name, version=outcome.version
        )
        files = {
            file.path: b64decode(file.content_base64)
            if file.content_base64 is not None
            else (file.content or "").encode()
            for file in bundle.files
        }
        assert files == dict(version.bundle.files)
        assert bundle.digest == version.bundle.digest


def test_the_lineage_that_comes_out_is_the_one_that_went_in(trip: Trip) -> None:
    ids = {outcome.source_id: outcome.version_id for outcome in trip.imported()}
    for outcome in trip.imported():
        _skill, version = trip.versions[outcome.source_id]
        parents = {ids[parent] for parent in version.parents if parent in ids}
        assert set(trip.version(outcome).parents) == parents
    edges = {
        (edge.parent_id, edge.child_id)
        for name in {outcome.name for outcome in trip.imported()}
        for edge in trip.registry.query("skills:lineage", name=name, depth=50).edges
    }
    expected = {
        (ids[parent], ids[source_id])
        for source_id, (_skill, version) in trip.versions.items()
        for parent in version.parents
        if source_id in ids and parent in ids
    }
    assert edges == expected


def test_what_the_source_says_of_a_version_comes_out(trip: Trip) -> None:
    for outcome in trip.imported():
        if outcome.state is not State.IMPORTED:
            continue
        _skill, version = trip.versions[outcome.source_id]
        found = trip.version(outcome)
        assert (found.source, found.source_origin) == (version.source_id, version.origin)
        assert found.change_summary == version.change_summary
        assert (found.status is VersionStatus.PLACEHOLDER) == (not version.bundle.files)


def test_importing_all_of_it_again_changes_nothing(trip: Trip) -> None:
    head = trip.registry.backend.head()
    again = trip.import_again()
    assert trip.registry.backend.head() == head
    assert State.IMPORTED not in {outcome.state for outcome in again}


def test_the_last_one_published_is_what_everybody_gets(trip: Trip) -> None:
    times: dict[str, list[int | None]] = {}
    for outcome in trip.imported():
        _skill, version = trip.versions[outcome.source_id]
        if outcome.state is State.IMPORTED and version.bundle.files:
            times.setdefault(outcome.name, []).append(version.published_at)
    for name, known in times.items():
        dated = [time for time in known if time is not None]
        now = trip.registry.backend.now_ms  # of a version without a time
        published_at = max(dated) if len(dated) == len(known) else now
        assert trip.registry.query("skills:getByName", name=name).published_at == published_at
