"""What became of the reports and suggestions of an import, counted and in words.

Invariant: everything that a task says is counted once; what was refused is shown with its reason.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from hubify.cli.tables import counted

if TYPE_CHECKING:
    from hubify.formats.task_reports import TaskOutcome


class Told(msgspec.Struct):
    """Counts of runs, suggestions and judgments; `suggestions` are those that came with a run."""

    reported: int = 0
    unchanged: int = 0
    suggestions: int = 0
    proposals: int = 0
    left_out: int = 0
    refused: int = 0
    outcomes: list["TaskOutcome"] = []

    def count(self, outcome: "TaskOutcome") -> None:
        """Take one outcome in."""
        self.outcomes.append(outcome)
        match str(outcome.state):
            case "reported":
                self.reported += 1
            case "unchanged":
                self.unchanged += 1
            case "proposed":
                self.proposals += 1
            case "left_out":
                self.left_out += 1
            case _:
                self.refused += 1
        self.suggestions += outcome.improvement


def lines_of(told: Told) -> Iterator[str]:
    """What was refused and why, then the counts, then what was left out and why."""
    refused = [outcome for outcome in told.outcomes if outcome.state == "refused"]
    yield from (f"refused {each.skill or 'task'} of {each.task}: {each.reason}" for each in refused)
    reasons = {each.reason: 0 for each in told.outcomes if each.state == "left_out"}
    for each in told.outcomes:
        if each.reason in reasons:
            reasons[each.reason] += 1
    yield (
        f"reported {counted(told.reported, 'run')}, unchanged {told.unchanged:,} "
        f"({counted(told.suggestions, 'suggestion')}); "
        f"{counted(told.proposals, 'proposal')} for new skills; refused {told.refused:,}"
    )
    for reason, count in reasons.items():
        yield f"left out {counted(count, 'judgment')}: {reason}"
