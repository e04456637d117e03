"""Draft the next version of a skill from grouped suggestions, without a model.

Invariant: the draft differs from the skill only by lines of advice, each of which names the
suggestions that asked for it; the same input gives the same draft, and drafting twice adds nothing.
"""

from hubify.evidence.drafting.advice import MAX_ADVICE, advice_from
from hubify.evidence.drafting.merge import (
    Asked,
    Bump,
    Draft,
    Hunk,
    NoDraft,
    Request,
    merge_draft,
)

__all__ = [
    "MAX_ADVICE",
    "Asked",
    "Bump",
    "Draft",
    "Hunk",
    "NoDraft",
    "Request",
    "advice_from",
    "merge_draft",
]
