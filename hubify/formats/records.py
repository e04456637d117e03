"""What an import hands over: skills with their versions in order, and what could not be read.

Invariant: each candidate comes out as a version, as `Unreadable`, or as `Repeated` when its bytes
are there already; none is dropped without a word.
"""

from collections.abc import Iterable
from typing import TypeAlias

from msgspec import Struct

from hubify.formats.bundle import Bundle, Gathered
from hubify.formats.document import SkillDocument
from hubify.formats.findings import Finding, noted, quoted, refused, repaired
from hubify.formats.limits import MAX_HISTORY
from hubify.formats.names import slug_from
from hubify.formats.reader import read_bundle
from hubify.formats.versions import BadVersion, Numbered, Numbering, number_history, read_version


class ImportedVersion(Struct, frozen=True, kw_only=True):
    """One version, ready to publish.

    `document` is None for a placeholder, of which only the description is known (its bundle is
    empty). `published_at` is in milliseconds since 1970 UTC, None when the source does not say.
    `parents` are `source_id`s within the same source. `origin` is the source's own word.
    """

    version: str
    version_written: str | None
    source_id: str
    published_at: int | None
    bundle: Bundle
    document: SkillDocument | None
    origin: str
    author: str
    parents: tuple[str, ...]
    change_summary: str
    findings: tuple[Finding, ...]


class Unreadable(Struct, frozen=True):
    """Something that was found and refused, with the findings that say why."""

    source: str
    findings: tuple[Finding, ...]


class Repeated(Struct, frozen=True):
    """A version that has the bytes of an earlier one, whose number is `version`."""

    source_id: str
    version: str


class ImportedSkill(Struct, frozen=True, kw_only=True):
    """One skill with at least one version, oldest first.

    `owner` is the source's, None when it knows none; `slug` is the name wished for, which may be
    taken (see `names.owned_name`), and `name_written` what it was made of. `refused` are the
    versions that were not accepted.
    """

    source: str
    owner: str | None
    slug: str
    name_written: str
    display_name: str
    description: str
    category: str | None
    versions: tuple[ImportedVersion, ...]
    repeated: tuple[Repeated, ...]
    refused: tuple[Unreadable, ...]
    findings: tuple[Finding, ...]


Imported: TypeAlias = ImportedSkill | Unreadable


class Candidate(Struct, frozen=True, kw_only=True):
    """One version as its source gives it, before it is read."""

    source_id: str
    gathered: Gathered
    version_written: str | None = None
    published_at: int | None = None
    origin: str = ""
    author: str = ""
    parents: tuple[str, ...] = ()
    change_summary: str = ""


class Origin(Struct, frozen=True, kw_only=True):
    """What a source says of a skill as a whole; empty where it says nothing."""

    source: str
    owner: str | None = None
    slug: str = ""  # "" takes the name that the newest document gives itself
    display_name: str = ""
    description: str = ""
    category: str | None = None
    folder: str = ""  # what the skill's folder is called, the fallback for a name
    keep_repeats: bool = False  # equal bytes are versions too, since others name them as parents


class _Read(Struct, frozen=True):
    """A candidate that was accepted."""

    candidate: Candidate
    bundle: Bundle
    document: SkillDocument | None
    declared: str | None
    findings: tuple[Finding, ...]


def assemble(
    origin: Origin, candidates: Iterable[Candidate], findings: Iterable[Finding] = ()
) -> Imported:
    """Read candidates, oldest first, and number them as the product's rules for import say."""
    notes = list(findings)
    accepted: list[_Read] = []
    turned_away: list[Unreadable] = []
    for number, candidate in enumerate(candidates):
        outcome = _read(origin, candidate) if number < MAX_HISTORY else _beyond(candidate)
        if isinstance(outcome, _Read):
            accepted.append(outcome)
        else:
            turned_away.append(outcome)
    if not accepted:
        reasons = [finding for item in turned_away for finding in item.findings]
        return Unreadable(origin.source, (*notes, *reasons))
    return _skill(origin, _numbered(origin, accepted), turned_away, notes)


def _read(origin: Origin, candidate: Candidate) -> _Read | Unreadable:
    bundle = candidate.gathered.bundle
    if bundle is None:
        return Unreadable(candidate.source_id, candidate.gathered.findings)
    findings = list(candidate.gathered.findings)
    if not bundle.files and origin.slug:
        what = "There are no files; kept as a placeholder that only has a description."
        findings.append(noted("placeholder", what))
        return _Read(candidate, bundle, None, _declared(candidate, None, findings), (*findings,))
    reading = read_bundle(bundle, directory=origin.folder or origin.slug)
    findings.extend(reading.findings)
    if reading.document is None:
        return Unreadable(candidate.source_id, tuple(findings))
    declared = _declared(candidate, reading.document, findings)
    return _Read(candidate, bundle, reading.document, declared, tuple(findings))


def _beyond(candidate: Candidate) -> Unreadable:
    what = f"The history has more than {MAX_HISTORY} versions."
    finding = refused("history-too-long", what, "Leave the oldest out.")
    return Unreadable(candidate.source_id, (finding,))


def _declared(
    candidate: Candidate, document: SkillDocument | None, findings: list[Finding]
) -> str | None:
    """Return the number that the source gives, else the one in the file, else None."""
    written = candidate.version_written
    if written is None:
        return document.version if document is not None and document.version_written else None
    try:
        version = read_version(written)
    except BadVersion:
        what = f"{quoted(written)} is not a version like 1.2.3; the next free one is given."
        findings.append(repaired("version", what))
        return None
    if version != written:
        findings.append(repaired("version", f"The version {quoted(written)} is read as {version}."))
    return version


class _History(Struct, frozen=True):
    """The versions of a skill, and those that were there already."""

    versions: list[ImportedVersion]
    repeated: list[Repeated]


def _numbered(origin: Origin, accepted: list[_Read]) -> _History:
    digests = [
        item.candidate.source_id if origin.keep_repeats else item.bundle.digest for item in accepted
    ]
    numbers = number_history(zip((item.declared for item in accepted), digests, strict=True))
    history = _History([], [])
    for item, number in zip(accepted, numbers, strict=True):
        if number.how is Numbering.REPEATED:
            history.repeated.append(Repeated(item.candidate.source_id, number.version))
        else:
            history.versions.append(_version(item, number))
    return history


def _version(item: _Read, number: Numbered) -> ImportedVersion:
    findings = item.findings
    if number.how is Numbering.BUMPED:
        what = f"{item.declared} has other bytes already; numbered {number.version}."
        findings = (*findings, repaired("version-bumped", what))
    candidate = item.candidate
    return ImportedVersion(
        version=number.version,
        version_written=candidate.version_written,
        source_id=candidate.source_id,
        published_at=candidate.published_at,
        bundle=item.bundle,
        document=item.document,
        origin=candidate.origin,
        author=candidate.author,
        parents=candidate.parents,
        change_summary=candidate.change_summary,
        findings=findings,
    )


def _skill(
    origin: Origin,
    history: _History,
    turned_away: list[Unreadable],
    notes: list[Finding],
) -> Imported:
    newest = next((v.document for v in reversed(history.versions) if v.document is not None), None)
    written = newest.name_written if newest is not None else ""
    if slug_from(origin.slug):
        written = origin.slug
    slug = slug_from(written)
    if not slug:
        what = f"The name {quoted(origin.slug)} has no Latin letter or digit."
        finding = refused("name-missing", what, "Give it a name in lower case with hyphens.")
        return Unreadable(origin.source, (*notes, finding))
    if origin.slug and slug != origin.slug:
        what = f"The name {quoted(origin.slug)} is read as {quoted(slug)}."
        notes.append(repaired("name-not-a-slug", what))
    return ImportedSkill(
        source=origin.source,
        owner=origin.owner,
        slug=slug,
        name_written=written,
        display_name=origin.display_name or (newest.display_name if newest else slug),
        description=newest.description if newest is not None else origin.description,
        category=origin.category or (newest.category if newest is not None else None),
        versions=tuple(history.versions),
        repeated=tuple(history.repeated),
        refused=tuple(turned_away),
        findings=tuple(notes),
    )


def all_findings(imported: Imported) -> tuple[Finding, ...]:
    """Return every finding of a skill, its versions and those refused, for a report."""
    if isinstance(imported, Unreadable):
        return imported.findings
    parts = [imported.findings, *(version.findings for version in imported.versions)]
    parts.extend(item.findings for item in imported.refused)
    return tuple(finding for part in parts for finding in part)


def in_order_of_publication(
    skills: Iterable[ImportedSkill],
) -> list[tuple[ImportedSkill, ImportedVersion]]:
    """Return all versions of all skills, oldest first, so that parents come before children.

    Versions of which the source gives no time come first, in the order of the skills.
    """
    pairs = [(skill, version) for skill in skills for version in skill.versions]
    return sorted(pairs, key=lambda pair: pair[1].published_at or 0)
