"""Where a request carries its secret, and whom that stands for, on every face.

Invariant: a secret is read from here alone, and never written to a log; wrong ones are counted by
address, on all faces together.
"""

from hubify.functions.identities import Identities
from hubify.functions.principal import ANONYMOUS, Principal
from hubify.functions.quota import Quota
from hubify.functions.spec import RateClass
from hubify.transports.http import HttpRequest
from hubify.values.errors import Unauthenticated

SCHEMES = ("bearer", "convex")


def credential_of(request: HttpRequest, *, or_in_query: bool) -> str | None:
    """The secret of `Authorization: Bearer …` or `Convex …`; None: anonymous.

    `or_in_query`: without that header it may come as `?adminKey=`, as Convex's tools send it.

    Raises:
        Unauthenticated: there is a header, and it is neither of these.

    """
    header = request.headers.get("authorization")
    if header is None:
        return dict(request.query()).get("adminKey") if or_in_query else None
    scheme, _, secret = header.partition(" ")
    secret = secret.strip()
    if scheme.lower() not in SCHEMES or not secret:
        message = "send the key as 'Authorization: Bearer <key>'"
        raise Unauthenticated(message)
    if scheme.lower() == "convex" and ":" in secret:
        message = "acting as a user is not offered here; send the key alone"
        raise Unauthenticated(message)
    return secret


class Callers:
    """Who calls, by the secrets that they show."""

    def __init__(self, identities: Identities, quota: Quota) -> None:
        self._identities = identities
        self._quota = quota

    def of_request(self, request: HttpRequest, *, or_in_query: bool = False) -> Principal:
        """Who sent a request; errors as `of_secret`."""
        try:
            secret = credential_of(request, or_in_query=or_in_query)
        except Unauthenticated:
            self._count_wrong(request.address)
            raise
        return ANONYMOUS if secret is None else self.of_secret(secret, request.address)

    def of_secret(self, secret: str, address: str) -> Principal:
        """Whom a secret stands for.

        Raises:
            Unauthenticated: it is unknown, revoked or expired.
            AllowanceSpent: the same, from an address that has shown too many of those.

        """
        try:
            return self._identities.find(secret)
        except Unauthenticated:
            self._count_wrong(address)
            raise

    def _count_wrong(self, address: str) -> None:
        self._quota.charge(ANONYMOUS, address, RateClass.WRONG_KEY)
