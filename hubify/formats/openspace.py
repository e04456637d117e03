"""The OpenSpace record: skills with their lineage, and what agents said about them after tasks.

Invariant: each row becomes one version (rows of one name are the versions of one skill, oldest
first), so that `parents` and suggestions, which name rows, always find theirs.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from hubify.formats.bundle import gather
from hubify.formats.fields import clean_text
from hubify.formats.findings import Finding, refused
from hubify.formats.json_lines import NotJson, decode_json, milliseconds
from hubify.formats.limits import MAX_DESCRIPTION, MAX_FIELD, MAX_ITEMS
from hubify.formats.records import Candidate, Imported, Origin, Unreadable, assemble


class _Row(Struct):
    skill_id: str
    name: str
    description: str
    lineage_origin: str
    lineage_created_at: str
    files: dict[str, str]
    parents: list[str] = []
    category: str = ""
    lineage_change_summary: str = ""
    lineage_created_by: str = ""


class Judgment(Struct, frozen=True):
    """What an agent said of one skill after a task; `skill_id` is a version's `source_id`."""

    skill_id: str
    skill_applied: bool
    note: str


class Suggestion(Struct, frozen=True):
    """One improvement asked for; `target_skills` may be empty: it then asks for a new skill."""

    type: str
    target_skills: tuple[str, ...]
    direction: str


class Analysis(Struct, frozen=True, kw_only=True):
    """One analysed task; `timestamp` as in the record, `at` in milliseconds since 1970 UTC."""

    id: int
    task_id: str
    timestamp: str
    task_completed: bool
    execution_note: str
    tool_issues: tuple[str, ...]
    judgments: tuple[Judgment, ...]
    suggestions: tuple[Suggestion, ...]

    @property
    def at(self) -> int | None:
        """When the task was analysed, None when the record's time cannot be read."""
        return milliseconds(self.timestamp)


def is_skill_row(line: bytes) -> bool:
    """Whether a line has the shape of a skill of this record."""
    return _has_shape(line, _Row)


def is_analysis_row(line: bytes) -> bool:
    """Whether a line has the shape of an analysed task of this record."""
    return _has_shape(line, Analysis)


def _has_shape(line: bytes, shape: type[Struct]) -> bool:
    try:
        decode_json(line, shape)
    except NotJson:
        return False
    return True


def read_skill_rows(lines: Iterable[bytes], *, source: str) -> Iterator[Imported]:
    """Read skills, in order of each one's first version; broken lines come first."""
    by_name: dict[str, list[_Row]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = decode_json(line, _Row)
        except NotJson as error:
            yield Unreadable(f"{source}:{number}", (_broken(source, number, error),))
            continue
        by_name.setdefault(row.name, []).append(row)
    histories = [sorted(rows, key=_age) for rows in by_name.values()]
    for rows in sorted(histories, key=lambda rows: _age(rows[0])):
        yield _skill(rows, source)


def read_analysis_rows(lines: Iterable[bytes], *, source: str) -> Iterator[Analysis | Unreadable]:
    """Read analyses in the order of the record."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield decode_json(line, Analysis)
        except NotJson as error:
            yield Unreadable(f"{source}:{number}", (_broken(source, number, error),))


def _broken(source: str, number: int, error: NotJson) -> Finding:
    return refused("json-line", str(error), "Mend the line.", path=source, line=number)


def _age(row: _Row) -> tuple[int, str]:
    return milliseconds(row.lineage_created_at) or 0, row.skill_id


def _skill(rows: list[_Row], source: str) -> Imported:
    newest = rows[-1]
    origin = Origin(
        source=f"{source}/{rows[0].name[:MAX_FIELD]}",
        slug=newest.name[:MAX_FIELD],
        description=clean_text(newest.description)[:MAX_DESCRIPTION],
        category=clean_text(newest.category)[:MAX_FIELD] or None,
        keep_repeats=True,
    )
    return assemble(origin, [_candidate(row) for row in rows])


def _candidate(row: _Row) -> Candidate:
    return Candidate(
        source_id=row.skill_id[:MAX_FIELD],
        gathered=gather((path, text.encode()) for path, text in row.files.items()),
        published_at=milliseconds(row.lineage_created_at),
        origin=clean_text(row.lineage_origin)[:MAX_FIELD],
        author=clean_text(row.lineage_created_by)[:MAX_FIELD],
        parents=tuple(parent[:MAX_FIELD] for parent in row.parents[:MAX_ITEMS]),
        change_summary=clean_text(row.lineage_change_summary)[:MAX_DESCRIPTION],
    )
