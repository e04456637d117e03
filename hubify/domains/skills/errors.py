"""What can be refused about skills, each with a sentence that says what to do.

Invariant: a skill that the caller may not see is refused exactly as one that does not exist.
"""

from hubify.functions import Conflict, InvalidInput, NotFound


class SkillNotFound(NotFound):
    """No skill has that name, or none that this caller may see."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Skill '{name[:100]}' not found")


class VersionNotFound(NotFound):
    """The skill has no version of that number."""

    def __init__(self, name: str, version: str) -> None:
        super().__init__(f"Skill '{name[:100]}@{version[:100]}' not found")


class FileNotFound(NotFound):
    """The version has no file under that path."""


class NothingStable(NotFound):
    """The skill has no version to run yet: its first one is a placeholder or still on trial."""


class NameTaken(Conflict):
    """A skill of that name exists; choose another, or publish a version of your own."""


class VersionExists(Conflict):
    """A version never changes: other files need another number."""


class WrongState(Conflict):
    """The version or the skill is not in a state that allows this step."""


class GatewayRefused(InvalidInput):
    """The gateway found faults; `details` carry each with file and line, and the decision's id."""

    code = "GATEWAY_REFUSED"


class TicketRefused(InvalidInput):
    """The ticket does not stand for this run; the message says why."""

    code = "TICKET_REFUSED"
