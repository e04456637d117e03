"""Tell whether suggestions of different agents ask for the same improvement.

Invariant: a merge is proposed only when target and direction are confirmed; text likeness alone
never merges anything. Everything is a pure function of texts and packaged word lists.
"""

from hubify.evidence.similarity.analysis import analyse
from hubify.evidence.similarity.conflicts import conflict
from hubify.evidence.similarity.features import Suggestion
from hubify.evidence.similarity.grouping import Candidate, Group, candidates, group_to_join
from hubify.evidence.similarity.scoring import Background, Verdict, same_request, score

__all__ = [
    "Background",
    "Candidate",
    "Group",
    "Suggestion",
    "Verdict",
    "analyse",
    "candidates",
    "conflict",
    "group_to_join",
    "same_request",
    "score",
]
