"""A bundle: the files of one version of a skill, with their digests.

Invariant: a `Bundle` made by `gather` holds safe paths in byte order, is within its bounds, and
its digests are those of its bytes.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from msgspec import Struct

from hubify.formats.findings import Finding, Refused, quoted, refused, repaired
from hubify.formats.limits import MAX_BUNDLE_BYTES, MAX_FILE_BYTES, MAX_FILES
from hubify.formats.paths import bundle_path


class Bundle(Struct, frozen=True):
    """The files of one version, by path in byte order; made by `gather` only.

    `digest` is `sha256:<hex>` of the manifest, see `manifest`; `digests` holds that of each file.
    """

    files: Mapping[str, bytes]
    digests: Mapping[str, str]
    digest: str

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(map(len, self.files.values()))


class Gathered(Struct, frozen=True):
    """What became of a set of files: a bundle, or None when a finding refuses it."""

    bundle: Bundle | None
    findings: tuple[Finding, ...]


def gather(files: Iterable[tuple[str, bytes]]) -> Gathered:
    """Make a bundle of files under paths as their author wrote them; reads no more than fits.

    Refuses a hostile path, two files under one path or under two that only case tells apart, a file
    where a folder is, and anything over the bounds of count and size.
    """
    findings: list[Finding] = []
    try:
        kept = _collect(files, findings)
        _refuse_file_as_folder(kept)
        _refuse_case_twins(kept)
    except Refused as refusal:
        return Gathered(None, (*findings, refusal.finding))
    return Gathered(_sealed(kept), tuple(findings))


def manifest(digests: Mapping[str, str]) -> bytes:
    r"""Return what the digest of a bundle is taken over: `<hex>  <path>` and a newline per file.

    In byte order of paths, this is what `sha256sum` prints, so anybody can recompute it with
    `find . -type f -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' sha256sum | sha256sum`.
    """
    paths = sorted(digests, key=str.encode)
    lines = [f"{digests[path].removeprefix('sha256:')}  {path}\n" for path in paths]
    return "".join(lines).encode()


def sha256(data: bytes) -> str:
    """Return `sha256:<hex>`, the spelling of checksums in `.hub` manifests."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _collect(files: Iterable[tuple[str, bytes]], findings: list[Finding]) -> dict[str, bytes]:
    kept: dict[str, bytes] = {}
    total = 0
    for raw, data in files:
        path = bundle_path(raw)
        if path != raw:
            findings.append(_respelt(raw, path))
        total += len(data)
        _refuse_excess(path, len(data), total, len(kept) + 1)
        if path in kept:
            raise Refused(
                refused("path-twice", "Two files have this path.", "Keep one of them.", path=path)
            )
        kept[path] = data
    return kept


def _respelt(raw: str, path: str) -> Finding:
    what = f"The path {quoted(raw)} is written in its normal form."
    return repaired("path-normalised", what, path=path)


def _refuse_excess(path: str, size: int, total: int, count: int) -> None:
    if size > MAX_FILE_BYTES:
        what = f"The file has {size} bytes, more than {MAX_FILE_BYTES}."
        raise Refused(refused("file-too-large", what, "Make it smaller or link to it.", path=path))
    if total > MAX_BUNDLE_BYTES:
        what = f"The files together have more than {MAX_BUNDLE_BYTES} bytes."
        raise Refused(refused("bundle-too-large", what, "Leave large files out.", path=path))
    if count > MAX_FILES:
        what = f"There are more than {MAX_FILES} files."
        raise Refused(refused("too-many-files", what, "Leave some out or pack them.", path=path))


def _refuse_file_as_folder(files: Mapping[str, bytes]) -> None:
    for path in files:
        parent = path.rpartition("/")[0]
        while parent:
            if parent in files:
                what = f"It is a file, yet {quoted(path)} needs it as a folder."
                raise Refused(refused("path-file-and-folder", what, "Rename one.", path=parent))
            parent = parent.rpartition("/")[0]


def _refuse_case_twins(files: Mapping[str, bytes]) -> None:
    first: dict[str, str] = {}
    for path in sorted(files, key=str.encode):
        other = first.setdefault(unicodedata.normalize("NFC", path.casefold()), path)
        if other != path:
            what = f"Only case tells it from {quoted(other)}; some systems keep just one of them."
            raise Refused(refused("path-case-twin", what, "Rename one of them.", path=path))


def _sealed(files: Mapping[str, bytes]) -> Bundle:
    ordered = {path: files[path] for path in sorted(files, key=str.encode)}
    digests = {path: sha256(data) for path, data in ordered.items()}
    return Bundle(MappingProxyType(ordered), MappingProxyType(digests), sha256(manifest(digests)))


EMPTY = _sealed({})
"""The bundle of a version of which only the description is known."""
