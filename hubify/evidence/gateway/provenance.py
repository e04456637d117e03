"""Gate 2: who publishes, by which right, and where the skill comes from.

Invariant: facts come in as values that the server has established; this gate only weighs them.
"""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from hubify.evidence.gateway.findings import Finding, Gate, GateResult, Severity, result_of

MAX_VIOLATIONS: Final = 3  # upheld ones, from which an author may not publish

Origin = Literal["agent", "human", "imported", "generated"]


class Publisher(msgspec.Struct, frozen=True, kw_only=True):
    """What the server knows about a publication.

    `registered_agent` and `signed` matter only when an agent publishes; `signature_valid` is None
    without a signature. `violations` counts upheld ones. `fork_of` names a forked skill, and
    `fork_known` says whether that skill exists here.
    """

    authenticated: bool
    owns_skill: bool = True
    agent: bool = False
    registered_agent: bool = False
    signed: bool = False
    signature_valid: bool | None = None
    violations: int = 0
    suspended: bool = False
    origin: Origin = "human"
    imported_from: str = ""
    fork_of: str = ""
    fork_known: bool = False


def provenance_gate(publisher: Publisher) -> GateResult:
    """Weigh who publishes; a bad signature is worse than none."""
    return result_of(Gate.PROVENANCE, [*_author_faults(publisher), *_origin_faults(publisher)])


def _author_faults(who: Publisher) -> Iterator[Finding]:
    if not who.authenticated:
        yield _blocking("provenance/anonymous", "the author is not authenticated", "Sign in.")
    if not who.owns_skill:
        what = "the skill belongs to another owner"
        yield _blocking("provenance/not-owner", what, "Publish under a name of your own, or fork.")
    if who.suspended or who.violations >= MAX_VIOLATIONS:
        what = f"the author is suspended after {who.violations} upheld violations"
        yield _blocking("provenance/suspended", what, "Appeal the decisions.")
    elif who.violations:
        yield _told("provenance/violations", f"the author has {who.violations} upheld violations")
    if who.agent:
        yield from _agent_faults(who)


def _agent_faults(who: Publisher) -> Iterator[Finding]:
    if not who.registered_agent:
        what = "the agent is not registered"
        yield _blocking("provenance/agent-unknown", what, "Register the agent first.")
    if who.signature_valid is False:
        what = "the signature does not fit the content"
        yield _blocking("provenance/signature", what, "Sign exactly what is published.")
    elif not who.signed:
        yield _told("provenance/unsigned", "the agent has not signed the publication")


def _origin_faults(who: Publisher) -> Iterator[Finding]:
    if who.origin == "imported" and not who.imported_from:
        yield _told("provenance/origin-lost", "an imported skill does not say where it comes from")
    if who.fork_of and not who.fork_known:
        yield _told("provenance/fork-unknown", "the skill that this one forks is not known here")


def _blocking(rule: str, what: str, fix: str) -> Finding:
    return Finding(
        gate=Gate.PROVENANCE,
        rule=rule,
        severity=Severity.HIGH,
        blocks=True,
        message=what,
        fix=fix,
    )


def _told(rule: str, what: str) -> Finding:
    return Finding(
        gate=Gate.PROVENANCE, rule=rule, severity=Severity.LOW, blocks=False, message=what
    )
