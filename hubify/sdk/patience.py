"""When to try a call again, and how long to wait before.

Invariant: pure; a call that may have happened is tried again only if that changes nothing, and the
waits of one call have a bound.
"""

from msgspec import Struct

from hubify.sdk.errors import HubifyError
from hubify.sdk.exchange import MAX_RETRY_AFTER_S


class Patience(Struct, frozen=True):
    """How often to try again (`retries`), and the waits between, in seconds.

    The wait doubles from `first_s` to `longest_s`, each shortened by up to half by chance, so that
    many clients do not come back at once. A server's `Retry-After` up to 65 s counts more.
    """

    retries: int = 5
    first_s: float = 0.2
    longest_s: float = 5.0

    def wait_s(
        self, error: HubifyError, *, attempt: int, repeatable: bool, chance: float
    ) -> float | None:
        """Seconds to wait before trying again; None: do not.

        `attempt` counts from 0; `repeatable`: doing it twice is the same as once; `chance` from 0
        to 1.
        """
        if attempt >= self.retries or not error.temporary:
            return None
        if not (error.untouched or repeatable):
            return None
        asked = error.retry_after_s or 0.0
        if asked > MAX_RETRY_AFTER_S:
            return None
        own = min(self.longest_s, self.first_s * 2**attempt) * (1 - chance / 2)
        return max(own, asked)
