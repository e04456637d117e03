"""What answers carry beside their data: a request id and the time, and how to go on when refused.

Invariant: a request id is made of letters, digits and `._:-` only, so it may be echoed anywhere.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from hubify.functions import RateLimited
from hubify.ports.runtime import Runtime
from hubify.transports.allowance import Headers, retry_headers
from hubify.transports.rest.dialects import Meta
from hubify.values.errors import AppError, Kind

REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
REQUEST_ID_BYTES = 8
NS_PER_S = 1_000_000_000
TRY_AGAIN_S = 1  # after UNAVAILABLE: the next flush may have room


class Clock:
    """The time as envelopes say it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._second = -1
        self._text = ""

    def text(self) -> str:
        """ISO 8601 in UTC, to the second."""
        second = self._runtime.wall_ns() // NS_PER_S
        if second != self._second:
            self._second = second
            self._text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return self._text

    def meta(self, headers: Mapping[str, str]) -> Meta:
        """The caller's own request id when it is sane, else a new one; and the time."""
        sent = headers.get("x-request-id")
        if sent is not None and REQUEST_ID.fullmatch(sent):
            return Meta(self.text(), sent)
        return Meta(self.text(), "req_" + self._runtime.entropy(REQUEST_ID_BYTES).hex())


def refusal_headers(error: AppError, *, credential_shown: bool) -> Headers:
    """What a status asks for: how to authenticate, or when to come back."""
    if error.kind is Kind.UNAUTHENTICATED:
        problem = ', error="invalid_token"' if credential_shown else ""
        return (("www-authenticate", f'Bearer realm="hubify"{problem}'),)
    if isinstance(error, RateLimited):
        return retry_headers(error)
    if error.kind is Kind.UNAVAILABLE:
        return (("retry-after", str(TRY_AGAIN_S)),)
    return ()
