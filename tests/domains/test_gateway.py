"""The gateway's record: decisions for everybody to read, appeals, and what they change."""

import pytest

from hubify.domains.gateway import (
    AppealRefused,
    AppealState,
    Decision,
    DecisionNotFound,
    Finding,
    Gate,
    GateOutcome,
    Judged,
    Severity,
    entrust,
    gate_results,
    gateway,
    is_cleared,
    kept_findings,
    record,
)
from hubify.functions import Domain, Forbidden, MutationCtx, Principal, Unauthenticated
from hubify.functions.principal import ANONYMOUS
from hubify.testing.backend import InMemoryBackend, known

probe = Domain("probe")
ADA, BOB = known("ada", "skills:write"), known("bob", "skills:write")
KEEPER = known("keeper", "gateway:admin")


def finding(rule: str = "bad", *, blocks: bool = True, gate: Gate = Gate.SCHEMA) -> Finding:
    return Finding(gate, rule, Severity.HIGH, blocks, "SKILL.md", 3, "It is bad.", "Mend it.")


@probe.mutation(internal=True)
def decide(ctx: MutationCtx, *, rules: list[str], blocks: bool, public: bool) -> Decision:
    """Write a decision down the way publishing does."""
    findings = tuple(finding(rule, blocks=blocks) for rule in rules)
    gates = gate_results(findings, frozenset({Gate.SCHEMA}))
    judged = Judged(gates, findings, "rules/1")
    return record(
        ctx, judged, skill="greet", version="1.0.0", owner="ada", digest="d", public=public
    )


@probe.mutation(internal=True)
def cleared(ctx: MutationCtx) -> bool:
    """Whether an appeal lets the bytes pass."""
    return is_cleared(ctx, owner="ada", skill="greet", digest="d")


@probe.mutation(internal=True)
def show(ctx: MutationCtx, *, public: bool) -> None:
    """Let the decisions be as public as the skill."""
    entrust(ctx, skill="greet", former="ada", owner="ada", public=public)


@pytest.fixture
def backend() -> InMemoryBackend:
    return InMemoryBackend([gateway, probe])


def refused(backend: InMemoryBackend, *, public: bool = True) -> Decision:
    told = {"rules": ["bad"], "blocks": True, "public": public}
    return backend.mutation("probe:decide", told)


def listed(
    backend: InMemoryBackend, *, by: Principal = ANONYMOUS, **more: object
) -> list[Decision]:
    return backend.query("gateway:listDecisions", more, principal=by).page


def test_one_blocking_finding_refuses_and_none_accepts(backend: InMemoryBackend) -> None:
    assert refused(backend).verdict == "refused"
    accepted = backend.mutation("probe:decide", {"rules": ["x"], "blocks": False, "public": True})
    assert accepted.verdict == "accepted"


def test_the_same_refusal_again_is_the_same_decision(backend: InMemoryBackend) -> None:
    assert refused(backend) == refused(backend)
    assert refused(backend, public=False) != refused(backend)


def test_each_gate_says_how_it_ended() -> None:
    results = gate_results((finding(),), frozenset({Gate.SCHEMA, Gate.PROVENANCE}))
    assert [(r.gate, r.outcome) for r in results[:3]] == [
        (Gate.SCHEMA, GateOutcome.REFUSED),
        (Gate.PROVENANCE, GateOutcome.PASSED),
        (Gate.CONTENT, GateOutcome.SKIPPED),
    ]


def test_of_many_findings_those_that_block_are_kept_first(backend: InMemoryBackend) -> None:
    many = (*(finding(f"n{n}", blocks=False) for n in range(200)), finding("last"))
    assert kept_findings(many)[0].rule == "last"
    told = {"rules": [f"r{n}" for n in range(150)], "blocks": True, "public": True}
    decision = backend.mutation("probe:decide", told)
    assert (len(decision.findings), decision.omitted) == (100, 50)


def test_anybody_reads_a_public_decision_and_only_its_owner_another(
    backend: InMemoryBackend,
) -> None:
    public, private = refused(backend), refused(backend, public=False)
    told = {"decisionId": private.id}
    assert listed(backend) == [public]
    with pytest.raises(DecisionNotFound):
        backend.query("gateway:getDecision", told, principal=BOB)
    for reader in (ADA, KEEPER):
        assert backend.query("gateway:getDecision", told, principal=reader) == private
    assert {d.id for d in listed(backend, by=ADA, mine=True)} == {public.id, private.id}
    with pytest.raises(Unauthenticated):
        listed(backend, mine=True)


def test_decisions_are_listed_by_skill_and_by_verdict(backend: InMemoryBackend) -> None:
    first = refused(backend)
    backend.mutation("probe:decide", {"rules": [], "blocks": True, "public": True})
    assert listed(backend, verdict="refused") == [first]
    assert len(listed(backend, skill="greet")) == 2
    assert listed(backend, skill="other") == []
    assert [d.verdict for d in listed(backend)] == ["accepted", "refused"]


def test_an_appeal_that_is_upheld_lets_the_same_bytes_pass(backend: InMemoryBackend) -> None:
    decision = refused(backend)
    told = {"decisionId": decision.id}
    backend.mutation("gateway:appeal", {**told, "reason": "It is quoted."}, principal=ADA)
    assert backend.mutation("probe:cleared") is False
    (opened,) = backend.query("gateway:listAppeals", principal=KEEPER).page
    assert opened.reason == "It is quoted."
    answer = {**told, "uphold": True, "answer": "So it is."}
    resolved = backend.mutation("gateway:resolveAppeal", answer, principal=KEEPER)
    assert resolved.state is AppealState.UPHELD
    assert backend.mutation("probe:cleared") is True
    assert listed(backend)[0].appeal is AppealState.UPHELD


def test_an_appeal_that_is_dismissed_changes_nothing(backend: InMemoryBackend) -> None:
    told = {"decisionId": refused(backend).id}
    backend.mutation("gateway:appeal", {**told, "reason": "Please."}, principal=ADA)
    answer = {**told, "uphold": False, "answer": "No."}
    backend.mutation("gateway:resolveAppeal", answer, principal=KEEPER)
    assert backend.mutation("probe:cleared") is False
    with pytest.raises(AppealRefused, match="no appeal"):
        backend.mutation("gateway:resolveAppeal", answer, principal=KEEPER)


def test_only_the_owner_appeals_and_only_once(backend: InMemoryBackend) -> None:
    told = {"decisionId": refused(backend).id, "reason": "Please."}
    with pytest.raises(Forbidden):
        backend.mutation("gateway:appeal", told, principal=BOB)
    backend.mutation("gateway:appeal", told, principal=ADA)
    with pytest.raises(AppealRefused, match="only once"):
        backend.mutation("gateway:appeal", told, principal=ADA)


def test_resolving_an_appeal_takes_the_scope(backend: InMemoryBackend) -> None:
    answer = {"decisionId": refused(backend).id, "uphold": True, "answer": "Yes."}
    with pytest.raises(Forbidden, match="gateway:admin"):
        backend.mutation("gateway:resolveAppeal", answer, principal=ADA)


def test_decisions_become_as_public_as_their_skill(backend: InMemoryBackend) -> None:
    for rule in ("one", "two", "three"):
        told = {"rules": [rule], "blocks": True, "public": True}
        backend.mutation("probe:decide", told)
    backend.mutation("probe:show", {"public": False})
    assert listed(backend) == []
    backend.mutation("probe:show", {"public": True})
    assert len(listed(backend)) == 3
