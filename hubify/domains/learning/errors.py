"""What can be refused about reports, each with a sentence that says what to do.

Invariant: a report that its caller may not see is refused as one that does not exist.
"""

from hubify.functions import Conflict, NotFound


class ReportNotFound(NotFound):
    """No report has that id, or not for this caller."""

    def __init__(self, report_id: str) -> None:
        super().__init__(f"Report '{report_id[:40]}' not found")


class RunTold(Conflict):
    """Another report by the same agent told of a run by that id, and of another end of it."""


class OwnReport(Conflict):
    """Nobody endorses what they reported themselves."""


class NeverOnTrial(Conflict):
    """The evolution did not come to a trial."""
