"""What a call can end with instead of an answer.

Invariant: every refusal of the server, and every failure to reach it, is one `HubifyError` with a
stable code; nothing of the network library shows through.
"""

from collections.abc import Mapping

UNAVAILABLE = "UNAVAILABLE"
RATE_LIMITED = "RATE_LIMITED"
BAD_ANSWER = "BAD_ANSWER"
VALIDATION_ERROR = "VALIDATION_ERROR"
TEMPORARY = frozenset({UNAVAILABLE, RATE_LIMITED})


class HubifyError(Exception):
    """A call that was refused, or that nothing answered.

    `code` is the server's (`NOT_FOUND`, `FORBIDDEN`, ...), or `UNAVAILABLE` when there was no
    answer and `BAD_ANSWER` when it was not one of Hubify's. `details` are further fields of the
    refusal. `untouched` says that the server has certainly not begun to do what was asked;
    `retry_after_s` when it said to come back.
    """

    def __init__(
        self,
        code: str,
        message: str,
        details: Mapping[str, object] | None = None,
        *,
        untouched: bool = True,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.details = dict(details or {})
        self.untouched = untouched
        self.retry_after_s = retry_after_s

    @property
    def temporary(self) -> bool:
        """Whether the same call may succeed later."""
        return self.code in TEMPORARY
