"""What a `.hub` manifest says beyond a skill's own fields: needs, evolution, claims, checksums.

Invariant: `HubManifest.trust` and its lineage are what the file claims, shown as such and never
taken for evidence; evidence is what the registry has counted itself.
"""

import re

import msgspec
from msgspec import Struct

from hubify.formats.bundle import Bundle
from hubify.formats.fields import Fields
from hubify.formats.findings import Finding, Refused, noted, quoted, refused
from hubify.formats.limits import MAX_ITEM, MAX_LINEAGE, MAX_PATH_BYTES
from hubify.formats.paths import bundle_path
from hubify.formats.yaml_nodes import Mapping, Node, Scalar

RELATIONS = ("requires", "extends", "integrates_with", "conflicts_with")
_NEED = re.compile(r"([^\s@<>=^~!]+)\s*(?:@\s*)?([<>=^~!0-9v*].*)?")
_CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}")
_MAX_COUNT = 1e12  # executions and the like; beyond any that was ever counted


class Dependency(Struct, frozen=True):
    """A skill that this one stands in a relation to, with a version range as text or empty."""

    relation: str
    name: str
    constraint: str = ""


class ToolNeeds(Struct, frozen=True):
    """Tools by name, needed always or used when there."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


class EvolutionSettings(Struct, frozen=True):
    """The author's wishes for evolution; None where nothing was said."""

    min_executions: int | None = None
    confidence_threshold: float | None = None  # 0 to 1
    manual_approval: bool | None = None
    canary_duration_hours: float | None = None


class ClaimedTrust(Struct, frozen=True):
    """The standing that the file claims for itself."""

    confidence: float | None = None  # 0 to 1
    executions: int | None = None
    success_rate: float | None = None  # 0 to 1
    unique_agents: int | None = None
    unique_platforms: int | None = None
    verification_level: int | None = None  # 0 to 3
    last_evolution: str | None = None


class LineageEntry(Struct, frozen=True):
    """One step of the history that the file claims; dates stay text."""

    version: str | None
    date: str | None
    evolved_from: str | None
    confidence_delta: float | None
    improvements_merged: int | None


class CoreFile(Struct, frozen=True):
    """A file that the manifest lists, with its checksum `sha256:<hex>` or empty."""

    file: str
    version: str | None
    checksum: str
    line: int


class HubManifest(Struct, frozen=True):
    """The maps of the reference form."""

    trust: ClaimedTrust
    lineage: tuple[LineageEntry, ...]
    core: tuple[CoreFile, ...]
    manifest_hash: str | None
    all_files_present: bool | None


def read_dependencies(fields: Fields) -> tuple[Dependency, ...]:
    """Take `dependencies`: a map of relations to lists of `name`, `name@range` or maps."""
    found: list[Dependency] = []
    inner = fields.inside("dependencies")
    if inner is None:
        return ()
    for relation in RELATIONS:
        for node in inner.items(relation):
            dependency = _dependency(relation, node)
            if dependency is None:
                inner.unfit(relation, node.line, "a list of names, `name@range` or maps")
            else:
                found.append(dependency)
    return tuple(found)


def read_tools(fields: Fields) -> ToolNeeds:
    """Take `tools`: a map of required and optional ones, or a plain list of required ones."""
    inner = fields.inside("tools") if fields.is_map("tools") else None
    if inner is None:
        return ToolNeeds(required=_tool_names(fields, "tools"))
    return ToolNeeds(_tool_names(inner, "required"), _tool_names(inner, "optional"))


def read_evolution(fields: Fields) -> EvolutionSettings | None:
    """Take `evolution`, None when there is none."""
    inner = fields.inside("evolution")
    if inner is None:
        return None
    return EvolutionSettings(
        min_executions=_whole(inner, "min_executions"),
        confidence_threshold=inner.number("confidence_threshold", 0, 1),
        manual_approval=inner.flag("manual_approval"),
        canary_duration_hours=inner.number("canary_duration", 0, 24 * 366),
    )


def read_manifest(fields: Fields) -> HubManifest:
    """Take `trust`, `lineage`, `manifest` and `integrity` of the reference form."""
    manifest = fields.inside("manifest")
    integrity = fields.inside("integrity")
    return HubManifest(
        trust=_trust(fields),
        lineage=_lineage(fields),
        core=_core(manifest) if manifest is not None else (),
        manifest_hash=integrity.text("manifest_hash") if integrity is not None else None,
        all_files_present=integrity.flag("all_files_present") if integrity is not None else None,
    )


def check_core(manifest: HubManifest, bundle: Bundle, *, own_path: str) -> list[Finding]:
    """Hold the manifest's list of files against the bundle: each must be there, with its checksum.

    `own_path` is the manifest's own file, whose checksum cannot stand in itself.
    """
    found: list[Finding] = []
    for core in manifest.core:
        finding = _check_file(core, bundle, own_path)
        if finding is not None:
            found.append(msgspec.structs.replace(finding, path=own_path, line=core.line))
    return found


def _check_file(core: CoreFile, bundle: Bundle, own_path: str) -> Finding | None:
    try:
        path = bundle_path(core.file)
    except Refused as refusal:
        return refusal.finding
    if path not in bundle.files:
        what = f"The manifest lists {quoted(path)}, which is not among the files."
        return refused("manifest-file-missing", what, "Add the file or take it off the list.")
    if not core.checksum or path == own_path:
        return None
    return _check_sum(core, bundle.digests[path])


def _check_sum(core: CoreFile, actual: str) -> Finding | None:
    if core.checksum == actual:
        return None
    if not _CHECKSUM.fullmatch(core.checksum):
        what = f"The checksum {quoted(core.checksum)} is not `sha256:` and 64 hexadecimal digits."
        return noted("manifest-checksum-form", what)
    what = f"The checksum of {quoted(core.file)} is not that of the file."
    return refused("manifest-checksum", what, f"Write {actual}, or restore the file.")


def _dependency(relation: str, node: Node) -> Dependency | None:
    if isinstance(node, Scalar):
        match = _NEED.fullmatch(node.text.strip()[:MAX_ITEM])
        return Dependency(relation, match[1], (match[2] or "").strip()) if match else None
    if not isinstance(node, Mapping):
        return None
    name = _member(node, ("name", "skill"))
    version = _member(node, ("version", "version_constraint", "constraint"))
    if name:
        return Dependency(relation, name, version)
    if len(node.entries) == 1:  # `- other-skill: ">=1.0.0"`
        only = next(iter(node.entries))
        return Dependency(relation, only[:MAX_ITEM], _member(node, (only,)))
    return None


def _member(node: Mapping, keys: tuple[str, ...]) -> str:
    for key in keys:
        value = node.entries.get(key)
        if isinstance(value, Scalar):
            return value.text.strip()[:MAX_ITEM]
    return ""


def _tool_names(fields: Fields, key: str) -> tuple[str, ...]:
    """Take names of tools, given as texts or as maps with a name."""
    if not fields.is_list(key):
        return fields.texts(key)
    names: list[str] = []
    for node in fields.items(key):
        name = _member(node, ("name",)) if isinstance(node, Mapping) else ""
        if isinstance(node, Scalar):
            name = node.text.strip()[:MAX_ITEM]
        if name:
            names.append(name)
        else:
            fields.unfit(key, node.line, "a list of names")
    return tuple(dict.fromkeys(names))


def _trust(fields: Fields) -> ClaimedTrust:
    inner = fields.inside("trust")
    if inner is None:
        return ClaimedTrust()
    return ClaimedTrust(
        confidence=inner.number("confidence", 0, 1),
        executions=_whole(inner, "executions"),
        success_rate=inner.number("success_rate", 0, 1),
        unique_agents=_whole(inner, "unique_agents"),
        unique_platforms=_whole(inner, "unique_platforms"),
        verification_level=_whole(inner, "verification_level", 3),
        last_evolution=inner.text("last_evolution"),
    )


def _lineage(fields: Fields) -> tuple[LineageEntry, ...]:
    entries: list[LineageEntry] = []
    for inner in fields.maps("lineage", MAX_LINEAGE):
        entry = LineageEntry(
            version=inner.text("version"),
            date=inner.text("date"),
            evolved_from=inner.text("evolved_from"),
            confidence_delta=inner.number("confidence_delta", -1, 1),
            improvements_merged=_whole(inner, "improvements_merged"),
        )
        entries.append(entry)
    return tuple(entries)


def _core(manifest: Fields) -> tuple[CoreFile, ...]:
    files: list[CoreFile] = []
    for inner in manifest.maps("core", MAX_LINEAGE):
        line = inner.line("file")
        file = inner.text("file", MAX_PATH_BYTES)
        if file is None:
            manifest.unfit("core", manifest.line("core"), "a list of maps with a file")
            continue
        checksum = inner.text("checksum") or ""
        files.append(CoreFile(file, inner.text("version"), checksum, line))
    return tuple(files)


def _whole(fields: Fields, key: str, high: float = _MAX_COUNT) -> int | None:
    number = fields.number(key, 0, high)
    return None if number is None else int(number)
