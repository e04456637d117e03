"""Registries' own layouts: a skill's folder with all its versions, and a sample as JSON Lines.

Invariant: names in `meta.json` are only compared with the folders that are there, never used as
a path.
"""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from hubify.formats.bundle import Gathered, gather
from hubify.formats.fields import clean_text
from hubify.formats.findings import quoted, refused
from hubify.formats.json_lines import MAX_TIME_MS, NotJson, decode_json
from hubify.formats.limits import MAX_FIELD, MAX_META_BYTES, MAX_NAME, MAX_PATH_BYTES, MAX_VERSION
from hubify.formats.records import Candidate, Imported, Origin, Unreadable, assemble

META_FILE = "meta.json"


class _Entry(Struct, rename="camel"):
    version: str
    published_at: float | None = None


class _Meta(Struct, rename="camel"):
    owner: str
    slug: str
    versions: list[_Entry]
    display_name: str = ""


class _Sample(Struct):
    path: str
    skill_md: str


def read_history(meta: bytes, folders: Mapping[str, Gathered], *, source: str) -> Imported:
    """Read `{owner, slug, displayName, versions: [{version, publishedAt}]}` and its folders.

    Versions come in order of `publishedAt` (milliseconds), those without it last. A version
    without a folder, and a folder that is no version, are refused.
    """
    try:
        known = decode_json(meta, _Meta, limit=MAX_META_BYTES)
    except NotJson as error:
        finding = refused("meta", f"{META_FILE}: {error}", "Write it as JSON.", path=META_FILE)
        return Unreadable(source, (finding,))
    entries = sorted(known.versions, key=_age)
    listed = {entry.version for entry in entries}
    candidates = [_candidate(known, entry, folders.get(entry.version)) for entry in entries]
    strays = [_stray(folder) for folder in folders if folder not in listed]
    origin = Origin(
        source=source,
        owner=clean_text(known.owner)[:MAX_NAME] or None,
        slug=known.slug[:MAX_FIELD],
        display_name=clean_text(known.display_name)[:MAX_FIELD],
    )
    return assemble(origin, [*candidates, *strays])


def _time(entry: _Entry) -> int | None:
    value = entry.published_at
    return int(value) if value is not None and 0 <= value <= MAX_TIME_MS else None


def _age(entry: _Entry) -> float:
    time = _time(entry)
    return float("inf") if time is None else time


def _candidate(meta: _Meta, entry: _Entry, gathered: Gathered | None) -> Candidate:
    version = entry.version[:MAX_VERSION]
    return Candidate(
        source_id=f"{meta.owner[:MAX_NAME]}/{meta.slug[:MAX_NAME]}@{version}",
        gathered=gathered or _absent(version),
        version_written=entry.version,
        published_at=_time(entry),
    )


def _absent(version: str) -> Gathered:
    what = f"{META_FILE} lists version {quoted(version)}, which has no folder."
    return Gathered(None, (refused("version-missing", what, "Add it or take it off the list."),))


def _stray(folder: str) -> Candidate:
    what = f"The folder {quoted(folder)} is no version in {META_FILE}."
    finding = refused("version-unlisted", what, "List it with its time of publication.")
    return Candidate(source_id=folder[:MAX_FIELD], gathered=Gathered(None, (finding,)))


def is_sample(line: bytes) -> bool:
    """Whether a line has the shape of a sample's, `{path, skill_md}`."""
    try:
        decode_json(line, _Sample)
    except NotJson:
        return False
    return True


def read_samples(lines: Iterable[bytes], *, source: str) -> Iterator[Imported]:
    """Read lines `{path: "<owner>/…/<name>/SKILL.md", skill_md}`, one skill each, in their order.

    The slug is the name of the last folder; where one owner has it twice, that of all folders.
    """
    seen: set[tuple[str | None, str]] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"{source}:{number}"
        try:
            sample = decode_json(line, _Sample)
        except NotJson as error:
            finding = refused("json-line", f"{error}", "Mend the line.", path=source, line=number)
            yield Unreadable(place, (finding,))
            continue
        *folders, name = sample.path[:MAX_PATH_BYTES].split("/")
        owner = clean_text(folders[0])[:MAX_NAME] if len(folders) > 1 else None
        slug = folders[-1] if folders else ""
        if (owner, slug) in seen:
            slug = "-".join(folders[1:])
        seen.add((owner, slug))
        yield _sample(sample, name, Origin(source=place, owner=owner, slug=slug))


def _sample(sample: _Sample, name: str, origin: Origin) -> Imported:
    gathered = gather([(name, sample.skill_md.encode())])
    return assemble(origin, [Candidate(source_id=sample.path[:MAX_FIELD], gathered=gathered)])
