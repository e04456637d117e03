"""Reading what is offered for publication, and having the gateway decide on it.

Invariant: an offer's bytes are only ever read, never run; whatever is decided is written down
before anything of the offer is stored.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec

from hubify.domains import gateway
from hubify.domains.arguments import in_one_line
from hubify.domains.gateway import Decision, Finding, Gate, Judged, Severity, finding_of
from hubify.domains.skills.scanning import content_findings
from hubify.domains.skills.tables import EvolutionSettings
from hubify.domains.skills.versions import Profile
from hubify.evidence.gateway import EDITION, Publisher, provenance_gate
from hubify.formats.bundle import EMPTY, Bundle, gather
from hubify.formats.document import SkillDocument
from hubify.formats.findings import Finding as Read
from hubify.formats.findings import Kind
from hubify.formats.limits import MAX_FILES
from hubify.formats.reader import SKILL_FILE, read_bundle
from hubify.functions import InvalidInput, MutationCtx

RULES = f"gateway/1 {EDITION}"
SERVER = Publisher(authenticated=True, origin="generated")
"""What is known of the publisher when the server itself publishes, for a skill's owner."""
MAX_CATEGORY = 40

Path = Annotated[str, msgspec.Meta(max_length=4_096)]
_SEVERITIES = {
    Kind.NOTED: Severity.INFO,
    Kind.REPAIRED: Severity.LOW,
    Kind.REFUSED: Severity.HIGH,
}


class SkillFile(msgspec.Struct, frozen=True):
    """One file as sent: its path, and either its text or its bytes in base64."""

    path: Path
    content: str | None = None
    content_base64: str | None = None


Files = Annotated[list[SkillFile], msgspec.Meta(max_length=MAX_FILES)]


class Examined(msgspec.Struct, frozen=True):
    """What was offered, as read: the bundle, the skill's own file, and everything found."""

    bundle: Bundle | None
    document: SkillDocument | None
    findings: tuple[Finding, ...]


PLACEHOLDER = Examined(EMPTY, None, ())
"""A version of which only the description is known: there is nothing to examine."""


def sent_files(files: Sequence[SkillFile] | None, skill_md: str | None) -> list[tuple[str, bytes]]:
    """The files of a call as paths and bytes.

    Raises:
        InvalidInput: none were sent, a file has no content or two, or is not base64.

    """
    sent = list(files or ())
    if skill_md is not None:
        sent.append(SkillFile(SKILL_FILE, content=skill_md))
    if not sent:
        raise InvalidInput("send the skill as files, [{path, content}], or as skill_md")
    return [(file.path, _bytes_of(file)) for file in sent]


def examine(files: Iterable[tuple[str, bytes]], *, directory: str = "") -> Examined:
    """Read some files as a skill; the same bytes give the same findings."""
    gathered = gather(files)
    findings = [_schema_finding(found) for found in gathered.findings]
    if gathered.bundle is None:
        return Examined(None, None, tuple(findings))
    reading = read_bundle(gathered.bundle, directory=directory)
    findings.extend(_schema_finding(found) for found in reading.findings)
    if reading.document is not None and reading.document.type != "skill":
        findings.append(_wrong_type(reading.document))
    return Examined(gathered.bundle, reading.document, tuple(findings))


def decide(
    ctx: MutationCtx,
    examined: Examined,
    *,
    skill: str,
    version: str,
    owner: str,
    public: bool,
    publisher: Publisher = SERVER,
) -> Decision:
    """Let the gateway decide on what was examined, and write the decision down.

    A gate that refuses ends it. `publisher` is what is known about who publishes.
    """
    digest = examined.bundle.digest if examined.bundle else ""
    cleared = gateway.is_cleared(ctx, owner=owner, skill=skill, digest=digest)
    judged = judge(examined, publisher, cleared=cleared)
    return gateway.record(
        ctx, judged, skill=skill, version=version, owner=owner, digest=digest, public=public
    )


def judge(examined: Examined, publisher: Publisher, *, cleared: bool) -> Judged:
    """What the gates find, in their order; with `cleared`, faults of content do not block."""
    findings = list(examined.findings)
    ran = {Gate.SCHEMA}
    if not _blocks(findings):
        ran.add(Gate.PROVENANCE)
        findings.extend(map(finding_of, provenance_gate(publisher).findings))
    if not _blocks(findings) and examined.bundle is not None:
        ran.add(Gate.CONTENT)
        found = content_findings(examined.bundle)
        findings.extend(map(_cleared, found) if cleared else found)
    return Judged(gateway.gate_results(tuple(findings), frozenset(ran)), tuple(findings), RULES)


def blocked(examined: Examined, rule: str, message: str, fix: str) -> Examined:
    """The same offer with a fault of its own that no file shows, such as its number."""
    finding = Finding(Gate.SCHEMA, rule, Severity.HIGH, True, "", 0, message, fix)  # noqa: FBT003
    return msgspec.structs.replace(examined, findings=(*examined.findings, finding))


def profile_of(document: SkillDocument) -> Profile:
    """What a skill's own file says of the skill as a whole."""
    return Profile(
        display_name=in_one_line(document.display_name),
        description=document.description,
        category=category_name(document.category),
        tags=tag_names(document.tags),
        platforms=document.platforms,
        license=document.license,
        compatibility=document.compatibility,
        homepage=document.homepage,
        repository=document.repository,
    )


def evolution_of(document: SkillDocument | None) -> EvolutionSettings:
    """How a new skill evolves: as every skill does, but for what its author's file asks for."""
    wishes = document.evolution if document else None
    return EvolutionSettings(manual_approval=bool(wishes and wishes.manual_approval))


def category_name(category: str | None) -> str:
    """A category as lists group by it: lower case, trimmed, at most 40 characters."""
    return in_one_line((category or "").lower())[:MAX_CATEGORY].rstrip()


def tag_names(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags as they are kept: trimmed, none empty, none twice but for its case."""
    plain = filter(None, map(in_one_line, tags))
    return tuple({tag.casefold(): tag for tag in reversed(list(plain))}.values())[::-1]


def refusal(decision: Decision) -> str:
    """The sentence that says why the gateway refused, by its first fault."""
    faults = [finding for finding in decision.findings if finding.blocks]
    first = faults[0]
    place = f"{first.path}:{first.line}: " if first.line else f"{first.path}: " * bool(first.path)
    more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"the gateway refused '{decision.skill}': {place}{first.message} {first.fix}{more}"


def _bytes_of(file: SkillFile) -> bytes:
    if (file.content is None) == (file.content_base64 is None):
        raise InvalidInput(f"give {file.path[:100]!r} either content or contentBase64")
    try:
        if file.content is not None:
            return file.content.encode()
        return b64decode(file.content_base64 or "", validate=True)
    except UnicodeEncodeError:
        raise InvalidInput(f"the content of {file.path[:100]!r} is not valid Unicode") from None
    except (NotBase64, ValueError):
        raise InvalidInput(f"the contentBase64 of {file.path[:100]!r} is not base64") from None


def _schema_finding(found: Read) -> Finding:
    return Finding(
        gate=Gate.SCHEMA,
        rule=found.code,
        severity=_SEVERITIES[found.kind],
        blocks=found.kind is Kind.REFUSED,
        path=found.path,
        line=found.line,
        message=found.what,
        fix=found.fix,
    )


def _wrong_type(document: SkillDocument) -> Finding:
    return Finding(
        gate=Gate.SCHEMA,
        rule="type-not-skill",
        severity=Severity.HIGH,
        blocks=True,
        path="",
        line=0,
        message=f"The file describes a {document.type}, not a skill.",
        fix="Publish it in the module of that name.",
    )


def _cleared(finding: Finding) -> Finding:
    """A fault of content that an upheld appeal has called a false alarm no longer blocks."""
    return msgspec.structs.replace(finding, blocks=False)


def _blocks(findings: list[Finding]) -> bool:
    return any(finding.blocks for finding in findings)
