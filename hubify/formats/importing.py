"""Sending what was read to a registry, version by version, parents before their children.

The registry decides: each version ends as imported, unchanged or refused, and each thing that
could not be read as unreadable, with the reasons.

Invariant: knows the registry only as a function to call, so that the command line, the demo and
the tests import alike; every version read and every version refused on reading has its outcome.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct

from hubify.formats.bundle import Bundle
from hubify.formats.limits import MIB
from hubify.formats.records import (
    Imported,
    ImportedSkill,
    ImportedVersion,
    Unreadable,
    in_order_of_publication,
)

Call = Callable[[str, dict[str, Any]], Mapping[str, Any]]
"""Calls a function of the registry, `("skills:importVersion", {...})`; answers its value."""

PATH = "skills:importVersion"
MAX_TEXT_BYTES = 4 * MIB  # longer text travels as base64, whose length is known beforehand


class State(StrEnum):
    """What became of one version."""

    IMPORTED = "imported"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    UNREADABLE = "unreadable"


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one version, under which name and number, and what there is to say of it.

    `source_id` is the version's in its source. `version_id` is the registry's, None when it is not
    there. `findings` are sentences for people, with file and line where they have one.
    """

    source: str
    source_id: str
    state: State
    name: str = ""
    version: str = ""
    version_id: str | None = None
    findings: tuple[str, ...] = ()


class Importer:
    """Imports skills through one function of a registry, and remembers what it made of them."""

    def __init__(
        self,
        call: Call,
        *,
        refusals: tuple[type[Exception], ...] = (),
        visibility: str = "public",
        owner: str | None = None,
    ) -> None:
        """`refusals` are what `call` raises when the registry will not take a version.

        `owner`: whose skills they become, when not the caller's own.
        """
        self._call = call
        self._refusals = refusals
        self._visibility = visibility
        self._owner = owner
        self._version_ids: dict[str, str] = {}
        self._outcomes: dict[tuple[str, str], Outcome] = {}

    def run(self, found: Iterable[Imported]) -> Iterator[Outcome]:
        """Import skills as they are read; those that name parents follow after the others."""
        waiting: list[ImportedSkill] = []
        for imported in found:
            if isinstance(imported, Unreadable):
                yield _unreadable(imported.source, imported)
            elif any(version.parents for version in imported.versions):
                waiting.append(imported)
            else:
                yield from self._import_skill(imported)
        yield from self._import_descent(waiting)

    def _import_skill(self, skill: ImportedSkill) -> Iterator[Outcome]:
        for refused in skill.refused:
            yield _unreadable(skill.source, refused)
        for version in skill.versions:
            yield self._import_version(skill, version)
        yield from self._there_already(skill)

    def _import_descent(self, skills: list[ImportedSkill]) -> Iterator[Outcome]:
        """Import in order of publication, but never a version before its parents.

        A version whose parents cannot come first (its record is a circle) goes without them.
        """
        for skill in skills:
            for refused in skill.refused:
                yield _unreadable(skill.source, refused)
        pending = in_order_of_publication(skills)
        while pending:
            ids = {version.source_id for _skill, version in pending}
            ready = [pair for pair in pending if not ids.intersection(pair[1].parents)]
            for skill, version in ready or pending[:1]:
                yield self._import_version(skill, version)
            done = {version.source_id for _skill, version in ready or pending[:1]}
            pending = [pair for pair in pending if pair[1].source_id not in done]
        for skill in skills:
            yield from self._there_already(skill)

    def _there_already(self, skill: ImportedSkill) -> Iterator[Outcome]:
        """What became of versions that have the bytes of an earlier one."""
        for repeated in skill.repeated:
            first = self._outcomes[skill.source, repeated.version]
            yield msgspec.structs.replace(
                first,
                source_id=repeated.source_id,
                state=State.REFUSED if first.state is State.REFUSED else State.UNCHANGED,
                findings=(f"It has the bytes of {repeated.version} again.",),
            )

    def _import_version(self, skill: ImportedSkill, version: ImportedVersion) -> Outcome:
        outcome = self._sent(skill, version)
        self._outcomes[skill.source, version.version] = outcome
        return outcome

    def _sent(self, skill: ImportedSkill, version: ImportedVersion) -> Outcome:
        about_skill = skill.findings if version is skill.versions[0] else ()
        said = [str(finding) for finding in (*about_skill, *version.findings)]
        lost = [parent for parent in version.parents if parent not in self._version_ids]
        said.extend(f"The parent {parent!r} is not in the registry." for parent in lost)
        try:
            answer = self._call(PATH, self._arguments(skill, version))
        except self._refusals as refusal:
            said.append(str(refusal))
            return _outcome(skill, version, State.REFUSED, {}, said)
        state = State(str(answer["outcome"]))
        version_id = _member(answer, "version_id")
        if isinstance(version_id, str):
            self._version_ids[version.source_id] = version_id
        found: Iterable[Mapping[str, Any]] = answer["findings"]
        known = set(said)
        said.extend(line for finding in found if (line := _sentence(finding)) not in known)
        return _outcome(skill, version, state, answer, said)

    def _arguments(self, skill: ImportedSkill, version: ImportedVersion) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "name": skill.name_written,
            "version": version.version,
            "author": skill.owner or "",
            "display_name": skill.display_name,
            "description": skill.description,
            "category": (skill.category or "")[:40],
            "parents": [
                self._version_ids[parent]
                for parent in version.parents
                if parent in self._version_ids
            ],
            "change_summary": version.change_summary,
            "source": version.source_id,
            "source_origin": version.origin,
            "version_author": version.author,
            "visibility": self._visibility,
        }
        if self._owner is not None:
            arguments["owner"] = self._owner
        if version.published_at is not None:
            arguments["published_at"] = version.published_at
        if version.bundle.files:
            arguments["files"] = sendable_files(version.bundle)
        return arguments


def sendable_files(bundle: Bundle) -> list[dict[str, str]]:
    """The files of a bundle as a registry takes them: text as it is, all else as base64."""
    return [_sendable(path, data) for path, data in bundle.files.items()]


def _sendable(path: str, data: bytes) -> dict[str, str]:
    if len(data) <= MAX_TEXT_BYTES and b"\0" not in data:
        try:
            return {"path": path, "content": data.decode()}
        except UnicodeDecodeError:
            pass
    return {"path": path, "content_base64": b64encode(data).decode()}


def _unreadable(source: str, refused: Unreadable) -> Outcome:
    findings = tuple(str(finding) for finding in refused.findings)
    return Outcome(
        source=source, source_id=refused.source, state=State.UNREADABLE, findings=findings
    )


def _outcome(
    skill: ImportedSkill,
    version: ImportedVersion,
    state: State,
    answer: Mapping[str, Any],
    said: list[str],
) -> Outcome:
    version_id = _member(answer, "version_id")
    return Outcome(
        source=skill.source,
        source_id=version.source_id,
        state=state,
        name=str(answer.get("name", skill.slug)),
        version=str(answer.get("version", version.version)),
        version_id=version_id if isinstance(version_id, str) else None,
        findings=tuple(said),
    )


def _sentence(finding: Mapping[str, Any]) -> str:
    """A registry's finding in the words of one of ours."""
    place = f"{finding['path']}:{finding['line']}" if finding["line"] else str(finding["path"])
    start = f"{place}: " if place else ""
    kind = "refused" if finding["blocks"] else "noted"
    said = str(finding["message"]).rstrip(".") + "."
    end = f" {finding['fix']}" if finding["fix"] else ""
    return f"{start}{kind}: {said}{end}"


def _member(answer: Mapping[str, Any], name: str) -> object:
    first, *rest = name.split("_")
    camel = first + "".join(part.capitalize() for part in rest)
    return answer.get(name, answer.get(camel))
