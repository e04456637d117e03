"""The Trust Gateway's record: what was decided on each publish and why, for everybody to read.

Nothing that an agent wrote is ever executed to decide. A decision is as public as its skill; a
false alarm can be appealed by the owner, and an appeal that is upheld lets the same bytes pass.

Invariant: a decision never changes once written, but for whether it is public and how an appeal
against it stands; none is ever deleted.
"""

from enum import StrEnum

import msgspec

from hubify.domains.arguments import Reason, SkillName
from hubify.evidence.gateway import Finding as Found
from hubify.evidence.gateway import Severity
from hubify.evidence.redaction import redact
from hubify.functions import (
    Conflict,
    Domain,
    Forbidden,
    MutationCtx,
    NotFound,
    Page,
    PageRequest,
    QueryCtx,
    Row,
    RowId,
    get,
    index,
    post,
    unique,
)
from hubify.functions.erasing import Erasers, Subject

gateway = Domain("gateway")

READ, ADMIN = "skills:read", "gateway:admin"
MAX_FINDINGS = 100
"""Findings that a decision keeps; the first ones, those that block before the others."""
MAX_CHANGED = 100
"""Decisions on one skill that change with its owner or visibility in one step."""
MAX_COMPARED = 20
"""Decisions on the same bytes that a new one is compared with."""


# Tables.


class Gate(StrEnum):
    """The five gates, in order (surface.md 5.4)."""

    SCHEMA = "schema"
    PROVENANCE = "provenance"
    CONTENT = "content"
    REPUTATION = "reputation"
    SANDBOX = "sandbox"


class GateOutcome(StrEnum):
    """How a gate ended; `skipped`: this server does not have it, or an earlier one ended it."""

    PASSED = "passed"
    REFUSED = "refused"
    SKIPPED = "skipped"


class Verdict(StrEnum):
    """What was decided."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class AppealState(StrEnum):
    """How an appeal stands; `none`: nobody has appealed."""

    NONE = "none"
    OPEN = "open"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


class Finding(msgspec.Struct, frozen=True):
    """One thing found in one place; `line` counts from 1, and 0 means the whole file.

    A finding that `blocks` refuses the version; the others are kept for the reader.
    """

    gate: Gate
    rule: str
    severity: Severity
    blocks: bool
    path: str
    line: int
    message: str
    fix: str = ""
    excerpt: str = ""


class GateResult(msgspec.Struct, frozen=True):
    """One gate and how it ended."""

    gate: Gate
    outcome: GateOutcome


@gateway.table(
    "gateway_decisions",
    index("public"),
    index("public", "skill"),
    index("public", "verdict"),
    index("owner"),
    index("owner", "skill"),
    index("owner", "skill", "public"),
    index("owner", "skill", "digest", "appeal"),
)
class Decision(Row, frozen=True):
    """What the gateway decided on one version of one skill, and what it found."""

    skill: str
    version: str
    owner: str
    digest: str
    verdict: Verdict
    gates: tuple[GateResult, ...]
    findings: tuple[Finding, ...]
    omitted: int
    """Findings beyond those that are kept."""
    rules: str
    """Which edition of the rules decided."""
    public: bool
    decided_at: int
    appeal: AppealState = AppealState.NONE


@gateway.table("gateway_appeals", unique("decision_id"), index("state"))
class Appeal(Row, frozen=True):
    """An owner's word against a refusal, and what became of it."""

    decision_id: RowId
    skill: str
    owner: str
    reason: str
    state: AppealState
    opened_at: int
    answer: str = ""
    resolved_at: int | None = None


class Judged(msgspec.Struct, frozen=True):
    """What the gates found, before it is written down."""

    gates: tuple[GateResult, ...]
    findings: tuple[Finding, ...]
    rules: str

    @property
    def verdict(self) -> Verdict:
        """Refused as soon as one finding blocks."""
        blocked = any(finding.blocks for finding in self.findings)
        return Verdict.REFUSED if blocked else Verdict.ACCEPTED


# Errors.


class DecisionNotFound(NotFound):
    """There is no such decision, or none that this caller may see."""


class AppealRefused(Conflict):
    """The decision cannot be appealed, or the appeal has been resolved."""


# Rules.


def gate_results(findings: tuple[Finding, ...], ran: frozenset[Gate]) -> tuple[GateResult, ...]:
    """How each gate ended, given which ran and what they found."""
    blocked = {finding.gate for finding in findings if finding.blocks}
    return tuple(GateResult(gate, _outcome(gate, blocked, ran)) for gate in Gate)


def _outcome(gate: Gate, blocked: set[Gate], ran: frozenset[Gate]) -> GateOutcome:
    if gate in blocked:
        return GateOutcome.REFUSED
    return GateOutcome.PASSED if gate in ran else GateOutcome.SKIPPED


def finding_of(found: Found) -> Finding:
    """A finding of the rules as decisions keep it: what it quotes is for everybody to read."""
    return Finding(
        gate=Gate(found.gate.value),
        rule=found.rule,
        severity=found.severity,
        blocks=found.blocks,
        path=found.path,
        line=found.line,
        message=found.message,
        fix=found.fix,
        excerpt=redact(found.excerpt).text,
    )


def kept_findings(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings that a decision keeps, those that block first, else in their order."""
    return tuple(sorted(findings, key=lambda finding: not finding.blocks))[:MAX_FINDINGS]


# Functions.


@gateway.query(
    public=True, rest=get("/v1/gateway/decisions/{decision_id}"), errors=(DecisionNotFound,)
)
def get_decision(ctx: QueryCtx, *, decision_id: RowId) -> Decision:
    """One decision with all its findings; of a skill that is not public, its owner's to see."""
    return visible(ctx, decision_id)


@gateway.query(public=True, rest=get("/v1/gateway/decisions"))
def list_decisions(
    ctx: QueryCtx,
    *,
    skill: SkillName | None = None,
    verdict: Verdict | None = None,
    mine: bool = False,
    pagination_opts: PageRequest | None = None,
) -> Page[Decision]:
    """Decisions, newest first: the public log, or with `mine` those on the caller's own skills.

    With a skill and a verdict, or with `mine` and a verdict, a page may hold fewer than it asks.
    """
    if mine:
        ctx.identity.require(READ)
        equal: dict[str, object] = {"owner": ctx.identity.owner}
    else:
        equal = {"public": True}
    if skill is not None:
        equal["skill"] = skill
    elif verdict is not None and not mine:
        equal["verdict"] = verdict
    query = Decision.where(**equal).newest_first()
    page = ctx.paginate(query, pagination_opts or PageRequest())
    kept = [row for row in page.page if verdict in (None, row.verdict) and _may_see(ctx, row)]
    return page.of(kept)


@gateway.mutation(
    scope="skills:write",
    rest=post("/v1/gateway/decisions/{decision_id}/appeal", status=201),
    errors=(DecisionNotFound, AppealRefused),
)
def appeal(ctx: MutationCtx, *, decision_id: RowId, reason: Reason) -> Appeal:
    """Say that a refusal is a false alarm; somebody with `gateway:admin` will look at it."""
    decision = visible(ctx, decision_id)
    if ctx.identity.owner != decision.owner:
        raise Forbidden("only the owner of the skill may appeal")
    if decision.verdict is Verdict.ACCEPTED or decision.appeal is not AppealState.NONE:
        raise AppealRefused("only a refusal can be appealed, and only once")
    ctx.db.replace(decision, appeal=AppealState.OPEN)
    opened = Appeal(
        decision_id=decision.id,
        skill=decision.skill,
        owner=decision.owner,
        reason=reason,
        state=AppealState.OPEN,
        opened_at=ctx.now,
    )
    return ctx.db.insert(opened)


@gateway.mutation(
    scope=ADMIN,
    rest=post("/v1/gateway/decisions/{decision_id}/resolve"),
    errors=(DecisionNotFound, AppealRefused),
)
def resolve_appeal(ctx: MutationCtx, *, decision_id: RowId, uphold: bool, answer: Reason) -> Appeal:
    """Uphold an appeal, so that the same bytes pass when published again, or dismiss it."""
    decision = visible(ctx, decision_id)
    known = ctx.db.first(Appeal.where(decision_id=decision.id))
    if known is None or known.state is not AppealState.OPEN:
        raise AppealRefused("no appeal against this decision is open")
    state = AppealState.UPHELD if uphold else AppealState.DISMISSED
    ctx.db.replace(decision, appeal=state)
    return ctx.db.replace(known, state=state, answer=answer, resolved_at=ctx.now)


@gateway.query(scope=ADMIN, rest=get("/v1/gateway/appeals"))
def list_appeals(
    ctx: QueryCtx,
    *,
    state: AppealState = AppealState.OPEN,
    pagination_opts: PageRequest | None = None,
) -> Page[Appeal]:
    """Appeals in one state, oldest first."""
    return ctx.paginate(Appeal.where(state=state), pagination_opts or PageRequest())


def visible(ctx: QueryCtx, decision_id: str) -> Decision:
    """A decision that the caller may see.

    Raises:
        DecisionNotFound: there is none, or it is on another owner's skill that is not public.

    """
    found = ctx.db.get(Decision, decision_id)
    if found is None or not _may_see(ctx, found):
        raise DecisionNotFound(f"no decision has the id '{decision_id[:40]}'")
    return found


def record(
    ctx: MutationCtx,
    judged: Judged,
    *,
    skill: str,
    version: str,
    owner: str,
    digest: str,
    public: bool,
) -> Decision:
    """Write down what was decided on a version; the same refusal again is not written twice."""
    kept = kept_findings(judged.findings)
    decision = Decision(
        skill=skill,
        version=version,
        owner=owner,
        digest=digest,
        verdict=judged.verdict,
        gates=judged.gates,
        findings=kept,
        omitted=len(judged.findings) - len(kept),
        rules=judged.rules,
        public=public,
        decided_at=ctx.now,
    )
    known = _same_refusal(ctx, decision)
    return ctx.db.insert(decision) if known is None else known


def is_cleared(ctx: QueryCtx, *, owner: str, skill: str, digest: str) -> bool:
    """Whether an appeal was upheld for exactly these bytes under this name."""
    upheld = Decision.where(owner=owner, skill=skill, digest=digest, appeal=AppealState.UPHELD)
    return ctx.db.first(upheld) is not None


def entrust(ctx: MutationCtx, *, skill: str, former: str, owner: str, public: bool) -> bool:
    """Let decisions on a skill be its owner's, and as public as it is; whether all of them are.

    `former` is whose they were: the owner itself unless that has changed. Appeals go with them.
    """
    theirs = Decision.where(owner=former, skill=skill)
    if former == owner:
        theirs = Decision.where(owner=owner, skill=skill, public=not public)
    found = ctx.db.take(theirs, limit=MAX_CHANGED)
    for decision in found:
        ctx.db.replace(decision, owner=owner, public=public)
        made = ctx.db.first(Appeal.where(decision_id=decision.id))
        if made is not None:
            ctx.db.replace(made, owner=owner)
    return len(found) < MAX_CHANGED


def _same_refusal(ctx: MutationCtx, decision: Decision) -> Decision | None:
    if decision.verdict is Verdict.ACCEPTED:
        return None
    same_bytes = Decision.where(owner=decision.owner, skill=decision.skill, digest=decision.digest)
    for known in ctx.db.take(same_bytes, limit=MAX_COMPARED):
        told = (known.version, known.verdict, known.findings, known.rules, known.public)
        if told == (
            decision.version,
            decision.verdict,
            decision.findings,
            decision.rules,
            decision.public,
        ):
            return known
    return None


def _may_see(ctx: QueryCtx, decision: Decision) -> bool:
    """Whether a decision is the caller's to see; of a past one, whether it still is."""
    now = ctx.current(decision)
    if now is None or not (now.public or _is_theirs(ctx, now)):
        return False
    return now is decision or decision.public or _is_theirs(ctx, decision)


def _is_theirs(ctx: QueryCtx, decision: Decision) -> bool:
    caller = ctx.identity
    if not caller.is_known:
        return False
    return (caller.owner == decision.owner and caller.allows(READ)) or caller.allows(ADMIN)


# Erasing.

erasers = Erasers()


@erasers.of(Decision)
def erase_decision(_ctx: MutationCtx, row: Decision, subject: Subject) -> Decision:
    """A public decision stays under a pseudonym; of another one, only that it was made."""
    if not subject.is_owner(row.owner):
        return row
    kept = row.changed(owner=subject.alias(row.owner))
    if row.public:
        return kept
    return kept.changed(
        skill=subject.alias(row.skill),
        digest="",
        findings=(),
        omitted=row.omitted + len(row.findings),
    )


@erasers.of(Appeal)
def erase_appeal(ctx: MutationCtx, row: Appeal, subject: Subject) -> Appeal:
    """How an appeal ended stays; what its owner wrote goes."""
    if not subject.is_owner(row.owner):
        return row
    against = ctx.db.get(Decision, row.decision_id)
    public = against is not None and against.public
    return row.changed(
        owner=subject.alias(row.owner),
        skill=row.skill if public else subject.alias(row.skill),
        reason="",
        answer=row.answer if public else "",
    )
