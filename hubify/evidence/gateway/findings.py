"""What the gates say: findings with their place, verdicts, decisions.

Invariant: an excerpt is one printable line of bounded length, however hostile the file.
"""

from enum import StrEnum
from typing import Final

import msgspec

MAX_EXCERPT: Final = 160
MAX_FINDINGS: Final = 200  # of one gate; what blocks comes first


class Gate(StrEnum):
    """The gates of this package, in order."""

    SCHEMA = "schema"
    PROVENANCE = "provenance"
    CONTENT = "content"


class Verdict(StrEnum):
    """How a gate ended; `warning`: let through, with something to read."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Severity(StrEnum):
    """How bad a finding is."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing found in one place; `line` counts from 1, and 0 means the whole file.

    A finding that `blocks` fails its gate; the others are for the reader.
    """

    gate: Gate
    rule: str
    severity: Severity
    blocks: bool
    path: str = ""
    line: int = 0
    excerpt: str = ""
    message: str
    fix: str = ""


class GateResult(msgspec.Struct, frozen=True):
    """How one gate ended, with what it found; `omitted` counts findings beyond the bound."""

    gate: Gate
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    omitted: int = 0


class Decision(msgspec.Struct, frozen=True):
    """All gates; failed when one failed, warning when one has something to say."""

    verdict: Verdict
    gates: tuple[GateResult, ...]
    rules: str

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding kept, gate by gate."""
        return tuple(finding for gate in self.gates for finding in gate.findings)


def result_of(gate: Gate, findings: list[Finding]) -> GateResult:
    """Close a gate: what blocks fails it, anything above `info` is a warning."""
    ranked = sorted(findings, key=lambda found: (not found.blocks, found.path, found.line))
    kept = tuple(ranked[:MAX_FINDINGS])
    omitted = len(ranked) - len(kept)
    if any(finding.blocks for finding in findings):
        return GateResult(gate, Verdict.FAILED, kept, omitted)
    told = any(finding.severity is not Severity.INFO for finding in findings)
    return GateResult(gate, Verdict.WARNING if told else Verdict.PASSED, kept, omitted)


def excerpt_of(text: str, place: int = 0) -> str:
    """One printable line around a place of a text."""
    start = max(0, min(place, len(text)) - MAX_EXCERPT // 4)
    cut = text[start : start + MAX_EXCERPT]
    shown = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in cut
    )
    lead = "…" if start else ""
    trail = "…" if start + MAX_EXCERPT < len(text) else ""
    return f"{lead}{shown.strip()}{trail}"
