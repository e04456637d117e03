"""Where a caller stands, as headers: the older three and the IETF's draft 11.

Invariant: both families say the same numbers (draft-ietf-httpapi-ratelimit-headers-11).
"""

import math

from hubify.functions.quota import WINDOW_S, Allowance
from hubify.values.errors import RateLimited

Headers = tuple[tuple[str, str], ...]


def allowance_headers(allowance: Allowance) -> Headers:
    """Headers of an answered call."""
    name, limit, left = allowance.rate, allowance.limit, allowance.remaining
    return (
        ("x-ratelimit-limit", str(limit)),
        ("x-ratelimit-remaining", str(left)),
        ("x-ratelimit-reset", str(allowance.reset_at)),
        ("ratelimit-policy", f'"{name}";q={limit};w={WINDOW_S}'),
        ("ratelimit", f'"{name}";r={left};t={allowance.resets_in_s}'),
    )


def retry_headers(error: RateLimited) -> Headers:
    """Headers of a refused call."""
    return (("retry-after", str(max(1, math.ceil(error.retry_after_s)))),)
