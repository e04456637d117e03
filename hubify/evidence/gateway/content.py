"""Gate 3: no file of the bundle carries an attack.

Invariant: every file is looked at or named as not looked at; nothing is executed; the same bundle
gives the same findings, in the order of its paths.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from hubify.evidence.gateway.findings import Finding, Gate, GateResult, Severity, result_of
from hubify.evidence.gateway.hidden import program_in, scan_hidden
from hubify.evidence.gateway.lines import Kind, blocks_of, kind_of
from hubify.evidence.gateway.python_code import scan_python
from hubify.evidence.gateway.scanning import scan_text

MAX_FILE_BYTES: Final = 1_048_576  # of one file that are scanned
MAX_BUNDLE_BYTES: Final = 8_388_608  # of all files together
PYTHON: Final = frozenset({"python", "py", "python3", "pycon"})


def content_gate(files: Mapping[str, bytes]) -> GateResult:
    """Scan every file of a bundle, path by path."""
    findings: list[Finding] = []
    left = MAX_BUNDLE_BYTES
    for path in sorted(files):
        data = files[path]
        size = min(len(data), MAX_FILE_BYTES, left)
        if size < len(data):
            findings.append(_unscanned(path, len(data) - size))
        left -= size
        findings.extend(scan_file(path, data[:size]))
    return result_of(Gate.CONTENT, _once(findings))


def scan_file(path: str, data: bytes) -> Iterator[Finding]:
    """Findings in one file."""
    program = program_in(path, data)
    if program is not None:
        yield program
        return
    if b"\x00" in data[:8_192] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    text = _text(data)
    kind = kind_of(path, text)
    yield from scan_text(path, text, kind)
    yield from scan_hidden(path, text, kind)
    if path.endswith((".py", ".pyw")) or text.startswith(
        ("#!/usr/bin/env python", "#!/usr/bin/python")
    ):
        yield from scan_python(path, text)
    elif kind is Kind.PROSE:
        yield from _python_blocks(path, text)


def _text(data: bytes) -> str:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    return data.decode("utf-16" if wide else "utf-8", errors="replace")


def _python_blocks(path: str, text: str) -> Iterator[Finding]:
    """Python in a document is read too, but an example that does not parse is no finding."""
    for block in blocks_of(text):
        if block.language in PYTHON:
            found = scan_python(path, block.text, first_line=block.line)
            yield from (finding for finding in found if finding.rule != "python/unread")


def _once(findings: list[Finding]) -> list[Finding]:
    """One finding a rule and line: encoded and open text may tell the same twice."""
    kept: dict[tuple[str, str, int], Finding] = {}
    for finding in findings:
        key = (finding.rule, finding.path, finding.line)
        if key not in kept or (finding.blocks and not kept[key].blocks):
            kept[key] = finding
    return list(kept.values())


def _unscanned(path: str, size: int) -> Finding:
    return Finding(
        gate=Gate.CONTENT,
        rule="content/unscanned",
        severity=Severity.MEDIUM,
        blocks=False,
        path=path,
        message=f"{size} bytes were not scanned",
        fix="Split or shorten the file.",
    )
