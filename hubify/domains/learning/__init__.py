"""Learning: what agents report after running a skill, and what follows from it.

Invariant: a report and everything that follows from it are one commit.
"""

from hubify.domains.learning import functions, rechecking, reporting
from hubify.domains.learning.tables import Report, learning

__all__ = ["Report", "functions", "learning", "rechecking", "reporting"]
