"""What can be refused about evolution, each with a sentence that says what to do.

Invariant: a refusal names the state that stands in the way, and the call that leads on.
"""

from hubify.functions import Conflict, NotFound


class GroupNotFound(NotFound):
    """No group of suggestions has that id, or not for this caller."""

    def __init__(self, group_id: str) -> None:
        super().__init__(f"Improvement group '{group_id[:40]}' not found")


class EvolutionNotFound(NotFound):
    """No evolution has that id, or not for this caller."""

    def __init__(self, evolution_id: str) -> None:
        super().__init__(f"Evolution '{evolution_id[:40]}' not found")


class ProposalNotFound(NotFound):
    """No proposal for a new skill has that id."""

    def __init__(self, proposal_id: str) -> None:
        super().__init__(f"Proposal '{proposal_id[:40]}' not found")


class NothingPending(Conflict):
    """The skill has no evolution in the state that this step needs."""


class NothingToDraft(Conflict):
    """The skill has no open group of suggestions that a draft could be made from."""


class GroupClosed(Conflict):
    """The group is no longer open: it is being drafted, was resolved or was rejected."""


class AlreadyDecided(Conflict):
    """The proposal has been decided already."""
