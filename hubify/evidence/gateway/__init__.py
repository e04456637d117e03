"""The first three gates of the Trust Gateway: schema, provenance, content.

Invariant: a verdict depends on its input alone. Rules are data files; each finding says which rule
found what, in which file and line.
"""

from hubify.evidence.gateway.content import content_gate
from hubify.evidence.gateway.decide import decide
from hubify.evidence.gateway.findings import (
    Decision,
    Finding,
    Gate,
    GateResult,
    Severity,
    Verdict,
)
from hubify.evidence.gateway.provenance import Publisher, provenance_gate
from hubify.evidence.gateway.rules import EDITION, RULES
from hubify.evidence.gateway.schema import Declared, Previous, schema_gate

__all__ = [
    "EDITION",
    "RULES",
    "Decision",
    "Declared",
    "Finding",
    "Gate",
    "GateResult",
    "Previous",
    "Publisher",
    "Severity",
    "Verdict",
    "content_gate",
    "decide",
    "provenance_gate",
    "schema_gate",
]
