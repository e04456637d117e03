"""Run the gates of this package in order.

Invariant: a gate that fails ends the run; the gates after it are skipped, and the same input always
gives the same decision.
"""

from collections.abc import Callable, Mapping

from hubify.evidence.gateway.content import content_gate
from hubify.evidence.gateway.findings import Decision, Gate, GateResult, Verdict
from hubify.evidence.gateway.provenance import Publisher, provenance_gate
from hubify.evidence.gateway.rules import EDITION
from hubify.evidence.gateway.schema import Declared, schema_gate


def decide(files: Mapping[str, bytes], declared: Declared, publisher: Publisher) -> Decision:
    """Decide on a bundle by its schema, its provenance and its content."""
    runs: tuple[tuple[Gate, Callable[[], GateResult]], ...] = (
        (Gate.SCHEMA, lambda: schema_gate(declared)),
        (Gate.PROVENANCE, lambda: provenance_gate(publisher)),
        (Gate.CONTENT, lambda: content_gate(files)),
    )
    results: list[GateResult] = []
    failed = False
    for gate, run in runs:
        result = GateResult(gate, Verdict.SKIPPED) if failed else run()
        failed = failed or result.verdict is Verdict.FAILED
        results.append(result)
    return Decision(_overall(results), tuple(results), EDITION)


def _overall(results: list[GateResult]) -> Verdict:
    verdicts = {result.verdict for result in results}
    for verdict in (Verdict.FAILED, Verdict.WARNING):
        if verdict in verdicts:
            return verdict
    return Verdict.PASSED
