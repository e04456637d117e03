"""Reading one skill: what it is, its versions and files, and why it is trusted as far as it is.

Invariant: whatever is read here has passed `readable`, so a skill that is not the caller's to see
answers as one that does not exist.
"""

import re
from base64 import b64encode

import msgspec

from hubify.domains.arguments import SkillName, VersionText
from hubify.domains.contents import get_content
from hubify.domains.skills.arguments import FilePath
from hubify.domains.skills.errors import (
    FileNotFound,
    NothingStable,
    SkillNotFound,
    VersionNotFound,
)
from hubify.domains.skills.lookup import (
    readable,
    require_version,
    stable_version,
    version_standing,
)
from hubify.domains.skills.reporters import owner_label
from hubify.domains.skills.standing import cells_of
from hubify.domains.skills.tables import (
    CELL_DAYS,
    EvidenceCell,
    FileRef,
    Skill,
    SkillVersion,
    skills,
)
from hubify.domains.skills.views import SkillDetails, VersionView, skill_details, version_view
from hubify.evidence.confidence import Tally
from hubify.evidence.explanation import Explanation, explain
from hubify.functions import Page, PageRequest, QueryCtx, RateClass, get

MAX_TEXT_BYTES = 12 * 1024 * 1024
"""Bytes of text with its escapes in JSON; beyond that a file travels as base64."""
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class File(msgspec.Struct, frozen=True):
    """One file with its bytes: as text where they are text, else in base64."""

    path: str
    digest: str
    size: int
    content: str | None = None
    content_base64: str | None = None


class Bundle(msgspec.Struct, frozen=True):
    """All files of one version, exactly as they were published."""

    name: str
    version: str
    digest: str
    files: tuple[File, ...]


class DayReports(Tally, frozen=True, kw_only=True):
    """The reports of one UTC day (days since 1970), by outcome and binding."""

    day: int


class EvidenceRow(msgspec.Struct, frozen=True):
    """Part of a version's record: up to 30 days of one owner's reports on one platform.

    `owner` is a label that tells the owners of one skill's reports apart without naming them.
    """

    owner: str
    platform: str
    days: tuple[DayReports, ...]


class ConfidenceExplained(msgspec.Struct, frozen=True):
    """Why a version's confidence is what it is, and the range of the record behind it.

    Days are days since 1970; None where nobody has reported. Anybody can recompute it from the
    exported record with the formula named.
    """

    name: str
    version: str
    explanation: Explanation
    first_day: int | None
    last_day: int | None


READ_ERRORS = (SkillNotFound, VersionNotFound, NothingStable)


@skills.query(
    public=True,
    rest=get("/v1/skills/{name}"),
    errors=(SkillNotFound,),
    aliases=("skills:get",),
)
def get_by_name(ctx: QueryCtx, *, name: SkillName) -> SkillDetails:
    """One skill by its name, with its stable version and how far it is trusted.

    The answer is the same for everybody, whatever trial or pin the caller is in; `skills:resolve`
    gives the caller its own version.
    """
    return skill_details(ctx, readable(ctx, name))


@skills.query(public=True, rest=get("/v1/skills/{name}/versions/{version}"), errors=READ_ERRORS)
def get_version(
    ctx: QueryCtx, *, name: SkillName, version: VersionText | None = None
) -> VersionView:
    """One version of a skill; on Convex without a number the stable one."""
    skill = readable(ctx, name)
    return version_view(skill, wanted_version(ctx, skill, version))


@skills.query(public=True, rest=get("/v1/skills/{name}/versions"), errors=(SkillNotFound,))
def list_versions(
    ctx: QueryCtx, *, name: SkillName, pagination_opts: PageRequest | None = None
) -> Page[VersionView]:
    """A skill's versions, the last one published first."""
    skill = readable(ctx, name)
    query = SkillVersion.where(skill_id=skill.id).newest_first()
    page = ctx.paginate(query, pagination_opts or PageRequest())
    shown = [version_view(skill, version) for version in page.page]
    return page.of(shown)


@skills.query(public=True, rest=get("/v1/skills/{name}/files"), errors=READ_ERRORS)
def get_files(ctx: QueryCtx, *, name: SkillName, version: VersionText | None = None) -> Bundle:
    """All files of a version with their exact bytes; without a number, of the stable one."""
    skill = readable(ctx, name)
    found = wanted_version(ctx, skill, version)
    files = tuple(_file(ctx, ref) for ref in found.files)
    return Bundle(skill.name, found.version, found.digest, files)


@skills.query(public=True, rest=get("/v1/skills/{name}/file"), errors=(*READ_ERRORS, FileNotFound))
def get_file(
    ctx: QueryCtx, *, name: SkillName, path: FilePath, version: VersionText | None = None
) -> File:
    """One file of a version by its path, with its exact bytes."""
    skill = readable(ctx, name)
    found = wanted_version(ctx, skill, version)
    ref = next((ref for ref in found.files if ref.path == path), None)
    if ref is None:
        raise FileNotFound(f"'{skill.name}@{found.version}' has no file {path[:100]!r}")
    return _file(ctx, ref)


@skills.query(
    public=True,
    rest=get("/v1/skills/{name}/confidence"),
    rate=RateClass.ANALYSIS,
    errors=READ_ERRORS,
)
def explain_confidence(
    ctx: QueryCtx, *, name: SkillName, version: VersionText | None = None
) -> ConfidenceExplained:
    """Why a version is trusted as far as it is: the number, its interval, what holds it back.

    Calculated anew from the version's record as of the same day as the number that is shown.
    """
    skill = readable(ctx, name)
    found = wanted_version(ctx, skill, version)
    standing = version_standing(ctx, found.id)
    cells = cells_of(ctx, found.id) if standing else []
    days = [cell.day for cell in cells]
    return ConfidenceExplained(
        name=skill.name,
        version=found.version,
        explanation=explain(cells, standing.as_of_day if standing else ctx.today),
        first_day=min(days, default=None),
        last_day=max(days, default=None),
    )


@skills.query(public=True, rest=get("/v1/skills/{name}/evidence"), errors=READ_ERRORS)
def list_evidence(
    ctx: QueryCtx,
    *,
    name: SkillName,
    version: VersionText | None = None,
    pagination_opts: PageRequest | None = None,
) -> Page[EvidenceRow]:
    """The whole record behind a version's confidence, for anybody to calculate it anew."""
    skill = readable(ctx, name)
    found = wanted_version(ctx, skill, version)
    record = EvidenceCell.where(version_id=found.id).order_by("owner")
    page = ctx.paginate(record, pagination_opts or PageRequest())
    shown = [_evidence(ctx, skill, cell) for cell in page.page]
    return page.of(shown)


def wanted_version(ctx: QueryCtx, skill: Skill, version: str | None) -> SkillVersion:
    """The version of a number, or the stable one when there is no number.

    Raises:
        VersionNotFound: it has no such version.
        NothingStable: none was named and none is stable.

    """
    if version is None:
        return stable_version(ctx, skill)
    return require_version(ctx, skill, version)


def _evidence(ctx: QueryCtx, skill: Skill, cell: EvidenceCell) -> EvidenceRow:
    days = tuple(
        DayReports(*count.tally, day=cell.month * CELL_DAYS + count.place) for count in cell.days
    )
    return EvidenceRow(owner_label(ctx, skill.id, cell.owner), cell.platform, days)


def _file(ctx: QueryCtx, ref: FileRef) -> File:
    data = get_content(ctx, ref.digest)
    text = _as_text(data)
    if text is None:
        return File(ref.path, ref.digest, ref.size, content_base64=b64encode(data).decode())
    return File(ref.path, ref.digest, ref.size, content=text)


def _as_text(data: bytes) -> str | None:
    """The text that some bytes are; None when they are not text, or too long once in JSON."""
    escaped = sum(map(data.count, (b'"', b"\\", b"\n", b"\r", b"\t")))
    if len(data) + escaped > MAX_TEXT_BYTES or CONTROL.search(data):
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
