"""Which files of a bundle the content gate looks at, and what it says of them.

The rules take about a second per megabyte, and several for a hostile one, so what they look at is
bounded: a skill's own file first, then scripts, then documents, then data. A publish lets a large
bundle be looked through before its transaction, which then finds the findings known.

Invariant: each file is scanned or named as not scanned, and a script that was not scanned blocks;
what is known of a bundle is what looking again would find.
"""

from collections.abc import Iterable, Mapping

from hubify.domains.gateway import Finding, Gate, Severity, finding_of
from hubify.evidence.gateway import content_gate
from hubify.evidence.gateway.lines import Kind, kind_of
from hubify.formats.bundle import Bundle, gather
from hubify.formats.reader import main_path

MAX_SCANNED_BYTES = 512 * 1024
"""Bytes of one version that the rules look at."""
BINARY_LOOK = 8_192
"""Bytes in which a zero says that a file is no text; the rules look at such a file's head only."""
QUICK_BYTES = 16 * 1024
"""Bytes of a bundle up to which its transaction itself looks at it (some 20 ms)."""
MAX_KNOWN = 64
"""Bundles whose findings are remembered, the newest ones."""
_ORDER = (Kind.SCRIPT, Kind.PROSE, Kind.DATA)


def content_findings(bundle: Bundle) -> list[Finding]:
    """What the content rules find in a bundle, and which files they did not look at."""
    known = _known.get(bundle.digest)
    if known is None:
        known = _known[bundle.digest] = _look_through(bundle)
        while len(_known) > MAX_KNOWN:
            del _known[next(iter(_known))]
    return list(known)


def is_large(files: Iterable[tuple[str, bytes]]) -> bool:
    """Whether an offer is to be looked through before the transaction that decides on it."""
    return sum(len(data) for _path, data in files) > QUICK_BYTES


def look_ahead(files: Iterable[tuple[str, bytes]]) -> None:
    """Look through an offer, so that deciding on it is quick."""
    bundle = gather(files).bundle
    if bundle is not None:
        content_findings(bundle)


_known: dict[str, tuple[Finding, ...]] = {}


def _look_through(bundle: Bundle) -> tuple[Finding, ...]:
    chosen, left_out = chosen_files(bundle)
    findings = [finding_of(found) for found in content_gate(chosen).findings]
    return (*findings, *(_unscanned(path, kind) for path, kind in left_out.items()))


def chosen_files(bundle: Bundle) -> tuple[dict[str, bytes], dict[str, Kind]]:
    """The files to be scanned, and the kinds of those that are left out."""
    kinds = {path: _kind(path, data) for path, data in bundle.files.items()}
    own = main_path(bundle)
    chosen: dict[str, bytes] = {}
    left_out: dict[str, Kind] = {}
    room = MAX_SCANNED_BYTES
    for path in _by_weight(kinds, own):
        data = bundle.files[path]
        cost = _cost(data)
        if cost > room:
            left_out[path] = kinds[path]
            continue
        room -= cost
        chosen[path] = data
    return chosen, left_out


def _by_weight(kinds: Mapping[str, Kind], own: str | None) -> list[str]:
    return sorted(kinds, key=lambda path: (path != own, _ORDER.index(kinds[path]), path))


def _kind(path: str, data: bytes) -> Kind:
    return kind_of(path, data[:2].decode("latin-1"))


def _cost(data: bytes) -> int:
    is_text = b"\0" not in data[:BINARY_LOOK] or data.startswith((b"\xff\xfe", b"\xfe\xff"))
    return len(data) if is_text else 0


def _unscanned(path: str, kind: Kind) -> Finding:
    is_script = kind is Kind.SCRIPT
    return Finding(
        gate=Gate.CONTENT,
        rule="content/not-scanned",
        severity=Severity.HIGH if is_script else Severity.MEDIUM,
        blocks=is_script,
        path=path,
        line=0,
        message=f"Not looked at: the rules look at {MAX_SCANNED_BYTES} bytes of a version.",
        fix="Leave generated files out, or split the skill.",
    )
