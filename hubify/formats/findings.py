"""What reading somebody's files has to say: noted, repaired or refused, and how to put it right.

Invariant: a finding repeats hostile text only through `quoted` and `shown`, so it is printable,
short and on one line.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct

from hubify.formats.limits import MAX_FINDINGS, MAX_PATH_BYTES, MAX_QUOTE


class Kind(StrEnum):
    """How far a finding reaches."""

    NOTED = "noted"  # read as it stands; worth knowing
    REPAIRED = "repaired"  # read differently from what is written; the bytes are untouched
    REFUSED = "refused"  # not read; the skill is not accepted


class Finding(Struct, frozen=True, kw_only=True):
    """One thing found in a file.

    `code` is stable, in kebab case. `line` counts from 1 in the original file, 0 means the whole
    file. `fix` says what the author can do, and is never empty when the kind is REFUSED.
    """

    kind: Kind
    code: str
    what: str
    fix: str = ""
    path: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        start = f"{place}: " if place else ""
        end = f" {self.fix}" if self.fix else ""
        return f"{start}{self.kind}: {self.what}{end}"


class Refused(Exception):
    """Carries the finding that ends the reading of one document or bundle up to its reader."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def noted(code: str, what: str, *, path: str = "", line: int = 0) -> Finding:
    """Say something worth knowing that changed nothing."""
    return Finding(kind=Kind.NOTED, code=code, what=what, path=path, line=line)


def repaired(code: str, what: str, *, path: str = "", line: int = 0) -> Finding:
    """Say what was read differently from what is written, and why."""
    return Finding(kind=Kind.REPAIRED, code=code, what=what, path=path, line=line)


def refused(code: str, what: str, fix: str, *, path: str = "", line: int = 0) -> Finding:
    """Say what cannot be read and how to put it right."""
    return Finding(kind=Kind.REFUSED, code=code, what=what, fix=fix, path=path, line=line)


def is_refused(findings: Iterable[Finding]) -> bool:
    """Whether any of them ends the matter."""
    return any(finding.kind is Kind.REFUSED for finding in findings)


def at_most(findings: Sequence[Finding], limit: int = MAX_FINDINGS) -> list[Finding]:
    """Return the first findings and every refusal, and say how many others there were."""
    kept = list(findings[:limit])
    kept.extend(finding for finding in findings[limit:] if finding.kind is Kind.REFUSED)
    if len(kept) < len(findings):
        kept.append(noted("more", f"{len(findings) - len(kept)} more like these."))
    return kept


def shown(path: str) -> str:
    """Return a path as it is when that is printable and of sane length, else quoted."""
    return path if path.isprintable() and len(path) <= MAX_PATH_BYTES else quoted(path)


def quoted(text: str) -> str:
    """Return hostile text as a short printable literal on one line."""
    return repr(text) if len(text) <= MAX_QUOTE else repr(text[:MAX_QUOTE]) + "…"
