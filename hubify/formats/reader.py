"""Reading a skill's own file: `SKILL.md`, the `.hub` reference form and the `.hub` guide form.

Invariant: no bytes make a reader raise; they give a document, findings, or both, and there is no
document exactly when a finding is REFUSED.
"""

from collections.abc import Callable
from collections.abc import Mapping as Files

import msgspec
from msgspec import Struct

from hubify.formats import body as markdown
from hubify.formats.bundle import Bundle
from hubify.formats.document import Form, Reading, SkillDocument
from hubify.formats.fields import Fields
from hubify.formats.findings import (
    Finding,
    Refused,
    at_most,
    is_refused,
    noted,
    quoted,
    refused,
    repaired,
)
from hubify.formats.front_matter import FENCE, decode, split
from hubify.formats.hub import (
    check_core,
    read_dependencies,
    read_evolution,
    read_manifest,
    read_tools,
)
from hubify.formats.limits import (
    MAX_COMPATIBILITY,
    MAX_DESCRIPTION,
    MAX_GUIDE_BYTES,
    MAX_GUIDE_DESCRIPTION,
    MAX_PATH_BYTES,
    MAX_SKILL_BYTES,
)
from hubify.formats.names import slug_from
from hubify.formats.paths import bundle_path
from hubify.formats.repair import parse_kindly
from hubify.formats.versions import FIRST, BadVersion, read_version
from hubify.formats.yaml_nodes import Mapping, Scalar

SKILL_FILE = "SKILL.md"
HUB_SUFFIX = ".hub"
_AGENTSKILLS_FIELDS = frozenset(
    {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
)
_TYPES = frozenset({"skill", "agent", "soul"})


class _Source(Struct, frozen=True):
    """A file to read, with what is known about it from outside."""

    data: bytes
    path: str
    directory: str
    files: Files[str, bytes] | None


class _Content(Struct, frozen=True):
    """Front matter as a map, and the body with the line it begins on."""

    head: Mapping
    body: str
    body_line: int
    bare: bool  # there was no front matter


_Read = Callable[[_Source, list[Finding]], SkillDocument]


def read_skill_md(data: bytes, *, directory: str = "", path: str = SKILL_FILE) -> Reading:
    """Read a SKILL.md of any form; `directory` is the folder's name, the fallback for a name."""
    return _reading(_Source(data, path, directory, None), _skill_md)


def read_hub(
    data: bytes,
    *,
    directory: str = "",
    path: str = "skill.hub",
    files: Files[str, bytes] | None = None,
) -> Reading:
    """Read a `.hub` file: the reference form when it begins with `---`, else the guide form.

    `files` are those of the bundle, in which `prompt_file` is looked up; None leaves it unread.
    """
    return _reading(_Source(data, path, directory, files), _hub)


def read_bundle(bundle: Bundle, *, directory: str = "") -> Reading:
    """Read the skill's own file out of a bundle, and hold a manifest's checksums against it."""
    path = main_path(bundle)
    if path is None:
        what = f"There is no {SKILL_FILE} and no {HUB_SUFFIX} file."
        return Reading(None, (refused("skill-file-missing", what, f"Add a {SKILL_FILE}."),))
    source = _Source(bundle.files[path], path, directory, bundle.files)
    reading = _reading(source, _hub if path.endswith(HUB_SUFFIX) else _skill_md)
    findings = [*_misnamed(path), *reading.findings]
    if reading.document is not None and reading.document.manifest is not None:
        findings.extend(check_core(reading.document.manifest, bundle, own_path=path))
    document = None if is_refused(findings) else reading.document
    return Reading(document, tuple(findings))


def main_path(bundle: Bundle) -> str | None:
    """Return the path of the skill's own file: SKILL.md in any case, else the first `.hub`."""
    found = [path for path in bundle.files if "/" not in path and is_skill_file(path)]
    found.sort(key=lambda path: (path != SKILL_FILE, path.endswith(HUB_SUFFIX)))
    return next(iter(found), None)


def is_skill_file(name: str) -> bool:
    """Whether a file of that name makes its folder a skill."""
    return name.lower() == SKILL_FILE.lower() or name.removeprefix(".").endswith(HUB_SUFFIX)


def _misnamed(path: str) -> list[Finding]:
    if path == SKILL_FILE or path.endswith(HUB_SUFFIX):
        return []
    what = f"The file should be called {SKILL_FILE}; read all the same."
    return [repaired("skill-file-name", what, path=path)]


def _reading(source: _Source, read: _Read) -> Reading:
    findings: list[Finding] = []
    document: SkillDocument | None = None
    try:
        _refuse_size(source)
        document = read(source, findings)
    except Refused as refusal:
        findings.append(refusal.finding)
    return Reading(document, tuple(_placed(f, source.path) for f in at_most(findings)))


def _placed(finding: Finding, path: str) -> Finding:
    return msgspec.structs.replace(finding, path=finding.path or path)


def _refuse_size(source: _Source) -> None:
    if len(source.data) > MAX_SKILL_BYTES:
        what = f"The file has {len(source.data)} bytes, more than {MAX_SKILL_BYTES}."
        fix = "Move parts into files of their own."
        raise Refused(refused("skill-file-too-large", what, fix))
    if not source.data.strip():
        raise Refused(refused("skill-file-empty", "The file is empty.", "Write the skill."))


def _skill_md(source: _Source, findings: list[Finding]) -> SkillDocument:
    content = _front_matter(source, findings)
    form = Form.HUBIFY
    if content.bare:
        form = Form.MARKDOWN
    elif _AGENTSKILLS_FIELDS.issuperset(content.head.entries):
        form = Form.AGENTSKILLS
    fields = Fields(content.head, findings)
    return _document(source, content, fields, form, findings)


def _front_matter(source: _Source, findings: list[Finding]) -> _Content:
    text = decode(source.data)
    findings.extend(text.findings)
    parts = split(text.text)
    findings.extend(parts.findings)
    if parts.head is None:
        what = "There is no front matter; name and description are taken from elsewhere."
        findings.append(repaired("front-matter-missing", what, line=1))
        return _Content(Mapping({}, {}, 1), parts.body, parts.body_line, bare=True)
    head = _map(parts.head, parts.head_line, findings)
    if not parts.body.strip():
        findings.append(noted("body-empty", "There is nothing after the front matter."))
    return _Content(head, parts.body, parts.body_line, bare=False)


def _map(text: str, line: int, findings: list[Finding]) -> Mapping:
    parsed = parse_kindly(text, first_line=line)
    findings.extend(parsed.findings)
    if parsed.root is None:
        return Mapping({}, {}, line)
    if not isinstance(parsed.root, Mapping):
        what = "It is not a map of fields."
        fix = "Write `name: …` and `description: …` lines."
        raise Refused(refused("front-matter-not-a-map", what, fix, line=line))
    return parsed.root


def _hub(source: _Source, findings: list[Finding]) -> SkillDocument:
    text = decode(source.data)
    if text.text.lstrip().startswith(FENCE):
        return _hub_reference(source, findings)
    findings.extend(text.findings)
    return _hub_guide(source, text.text, findings)


def _hub_reference(source: _Source, findings: list[Finding]) -> SkillDocument:
    content = _front_matter(source, findings)
    fields = Fields(content.head, findings)
    kind = _type(fields, findings)
    human_editable = fields.flag("human_editable")
    if human_editable:
        what = "`human_editable` must be false in the registry."
        findings.append(noted("human-editable", what, line=fields.line("human_editable")))
    manifest = read_manifest(fields)
    document = _document(source, content, fields, Form.HUB_REFERENCE, findings)
    return msgspec.structs.replace(
        document, type=kind, human_editable=human_editable, manifest=manifest
    )


def _type(fields: Fields, findings: list[Finding]) -> str:
    kind = fields.text("type")
    if kind is None:
        findings.append(repaired("type-missing", "There is no `type`; read as a skill."))
        return "skill"
    if kind not in _TYPES:
        what = f"The type {quoted(kind)} is none of skill, agent, soul."
        raise Refused(refused("type", what, "Write one of them.", line=fields.line("type")))
    return kind


def _hub_guide(source: _Source, text: str, findings: list[Finding]) -> SkillDocument:
    if len(source.data) > MAX_GUIDE_BYTES:
        what = f"The file has {len(source.data)} bytes, more than {MAX_GUIDE_BYTES}."
        raise Refused(refused("guide-too-large", what, "Put the prompt into `prompt_file`."))
    head = _map(text, 1, findings)
    fields = Fields(head, findings)
    line = fields.line("prompt")
    prompt = fields.text("prompt", MAX_GUIDE_BYTES)
    prompt_file = _prompt_file(fields)
    if prompt is None:
        prompt = _prompt_from(source, prompt_file)
    elif prompt_file is not None:
        findings.append(noted("prompt-twice", "There is a `prompt`, so `prompt_file` is not read."))
    if fields.line("category") == 0:
        findings.append(noted("category-missing", "The guide form asks for a `category`."))
    content = _Content(head, prompt, line, bare=False)
    document = _document(source, content, fields, Form.HUB_GUIDE, findings)
    _note_guide_description(document, fields, findings)
    return msgspec.structs.replace(document, prompt_file=prompt_file)


def _prompt_file(fields: Fields) -> str | None:
    line = fields.line("prompt_file")
    raw = fields.text("prompt_file", MAX_PATH_BYTES)
    try:
        return None if raw is None else bundle_path(raw)
    except Refused as refusal:
        raise Refused(msgspec.structs.replace(refusal.finding, line=line)) from refusal


def _prompt_from(source: _Source, path: str | None) -> str:
    """Return the text of the prompt's own file, "" when the files are not at hand."""
    if path is None:
        what = "There is neither a `prompt` nor a `prompt_file`."
        raise Refused(refused("prompt-missing", what, "Write the skill's instructions there."))
    if source.files is None:
        return ""
    if path not in source.files:
        what = f"The prompt's file {quoted(path)} is not among the files."
        raise Refused(refused("prompt-file-missing", what, "Add it."))
    return decode(source.files[path]).text


def _note_guide_description(
    document: SkillDocument, fields: Fields, findings: list[Finding]
) -> None:
    size = len(document.description)
    if size > MAX_GUIDE_DESCRIPTION:
        what = f"The description has {size} characters; guides keep to {MAX_GUIDE_DESCRIPTION}."
        findings.append(noted("description-long", what, line=fields.line("description")))


def _document(
    source: _Source, content: _Content, fields: Fields, form: Form, findings: list[Finding]
) -> SkillDocument:
    """Read the fields that all forms share."""
    name, name_written, display_name = _names(source, content, fields, findings)
    version, version_written = _version(content, fields, findings)
    description = _description(content, fields, findings)
    document = SkillDocument(
        form=form,
        name=name,
        name_written=name_written,
        display_name=display_name,
        version=version,
        version_written=version_written,
        description=description,
        license=fields.text("license"),
        compatibility=fields.text("compatibility", MAX_COMPATIBILITY),
        category=fields.text("category"),
        tier=fields.text("tier"),
        author=fields.text("author"),
        homepage=fields.text("homepage"),
        repository=fields.text("repository"),
        try_me=fields.text("try_me", MAX_DESCRIPTION),
        tags=fields.texts("tags"),
        platforms=fields.texts("platforms"),
        triggers=fields.texts("triggers"),
        outputs=fields.texts("outputs"),
        use_cases=fields.texts("use_cases"),
        allowed_tools=fields.words("allowed-tools"),
        dependencies=read_dependencies(fields),
        tools=read_tools(fields),
        evolution=read_evolution(fields),
        metadata=fields.map_values("metadata"),
        rest=fields.rest(),
        body=content.body,
        body_line=content.body_line,
        source=source.data,
    )
    if document.rest:
        known = ", ".join(quoted(key) for key in list(document.rest)[:8])
        findings.append(noted("fields-unread", f"Kept without being read: {known}."))
    return document


def _names(
    source: _Source, content: _Content, fields: Fields, findings: list[Finding]
) -> tuple[str, str, str]:
    """Return the slug, what it is made of (the name, else the folder, else the title), the display.

    Raises:
        Refused: nothing of them can be kept in a slug.

    """
    written = fields.text("name")
    heading = markdown.title(content.body)
    display = fields.text("display_name") or written or heading or source.directory
    for origin, text in (("name", written), ("folder", source.directory), ("title", heading)):
        name = slug_from(text or "")
        if text and name:
            findings.extend(_name_findings(origin, name, written, source, fields.line("name")))
            return name, text, display
    what = "There is no name with a Latin letter or a digit in it."
    fix = "Write `name:` in lower case with hyphens."
    raise Refused(refused("name-missing", what, fix, line=fields.line("name")))


def _name_findings(
    origin: str, name: str, written: str | None, source: _Source, line: int
) -> list[Finding]:
    if origin != "name":
        what = f"The name {quoted(name)} is taken from the {origin}."
        return [repaired("name-missing", what, line=line)]
    if name != written:
        what = f"The name {quoted(written or '')} is read as {quoted(name)}."
        return [repaired("name-not-a-slug", what, line=line)]
    if source.directory and source.directory != name:
        what = f"The folder {quoted(source.directory)} is called otherwise."
        return [noted("name-differs-from-folder", what, line=line)]
    return []


def _version(content: _Content, fields: Fields, findings: list[Finding]) -> tuple[str, str | None]:
    """Return the version as semver and as written, from `version` or `metadata.version`."""
    line = fields.line("version")
    written = fields.text("version")
    metadata = content.head.entries.get("metadata")
    if written is None and isinstance(metadata, Mapping):
        inner = metadata.entries.get("version")
        if isinstance(inner, Scalar):
            written, line = inner.text.strip() or None, inner.line
    if written is None:
        return FIRST, None
    try:
        version = read_version(written)
    except BadVersion:
        what = f"{quoted(written)} is not a version like 1.2.3; read as {FIRST}."
        findings.append(repaired("version", what, line=line))
        return FIRST, written
    if version != written:
        what = f"The version {quoted(written)} is read as {version}."
        findings.append(repaired("version", what, line=line))
    return version, written


def _description(content: _Content, fields: Fields, findings: list[Finding]) -> str:
    line = fields.line("description")
    description = fields.text("description", MAX_DESCRIPTION)
    if description is not None:
        return description
    description = markdown.summary(content.body)
    if not description:
        what = "There is no description, and no text to take one from."
        fix = "Write what the skill does and when to use it as `description:`."
        raise Refused(refused("description-missing", what, fix, line=line))
    what = "There is no description; the first paragraph stands for it."
    findings.append(repaired("description-missing", what, line=line))
    return description
