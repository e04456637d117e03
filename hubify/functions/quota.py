"""How many calls of each class a caller may make in a minute.

Counted per key (a session draws on its key's allowance; strangers are counted by address) in this
process's memory, in windows aligned to the minute; N processes may admit up to N times as much
(product.md, "Limits").

Invariant: a refused call costs nothing and changes nothing; memory is bounded by the callers of one
window.
"""

from collections.abc import Callable, Mapping

import msgspec

from hubify.functions.principal import Principal
from hubify.functions.spec import RateClass
from hubify.values.errors import RateLimited

WINDOW_S = 60
DEFAULT_LIMITS: Mapping[RateClass, int] = {
    RateClass.QUERY: 100,
    RateClass.MUTATION: 50,
    RateClass.SEARCH: 30,
    RateClass.ANALYSIS: 20,
    RateClass.FILE_READ: 120,
    RateClass.FILE_WRITE: 30,
    RateClass.IMPORT: 1_000,
    RateClass.WRONG_KEY: 60,
}


class Allowance(msgspec.Struct, frozen=True):
    """Where a caller stands in one class after a call.

    The window ends at `reset_at` (seconds since 1970), in `resets_in_s` seconds.
    """

    rate: RateClass
    limit: int
    remaining: int
    reset_at: int
    resets_in_s: int


class AllowanceSpent(RateLimited):
    """One call too many; `allowance` says where the caller stands."""

    def __init__(self, allowance: Allowance) -> None:
        wait = max(1, allowance.resets_in_s)
        message = (
            f"more than {allowance.limit} {allowance.rate} calls in a minute; try again in {wait} s"
        )
        super().__init__(message, retry_after_s=wait)
        self.allowance = allowance


class Quota:
    """Counters of the current window."""

    def __init__(self, limits: Mapping[RateClass, int] | None, clock_ns: Callable[[], int]) -> None:
        """`limits` None: nothing is limited."""
        self._limits = limits
        self._clock_ns = clock_ns
        self._window = 0
        self._counts: dict[tuple[str, RateClass], int] = {}

    def charge(
        self, principal: Principal, address: str, rate: RateClass, cost: int = 1
    ) -> Allowance | None:
        """Count one call; None when this caller or class is not limited.

        Raises:
            AllowanceSpent: the window's allowance is used up; says when to come back.

        """
        if self._limits is None or principal.is_unlimited or rate not in self._limits:
            return None
        limit = self._limits[rate]
        now_s = self._clock_ns() // 1_000_000_000
        reset_at = self._roll(now_s)
        caller = principal.counted_as or principal.credential or f"address:{address}"
        key = (caller, rate)
        used = self._counts.get(key, 0) + cost
        if used > limit:
            left = max(0, limit - self._counts.get(key, 0))
            raise AllowanceSpent(Allowance(rate, limit, left, reset_at, reset_at - now_s))
        self._counts[key] = used
        return Allowance(rate, limit, limit - used, reset_at, reset_at - now_s)

    def _roll(self, now_s: int) -> int:
        window = now_s // WINDOW_S
        if window != self._window:
            self._window = window
            self._counts.clear()
        return (window + 1) * WINDOW_S
