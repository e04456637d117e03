"""Where a request carries its secret.

Invariant: a secret is read from here alone, and never written to a log.
"""

from hubify.transports.http import HttpRequest
from hubify.values.errors import Unauthenticated

SCHEMES = ("bearer", "convex")


def credential_of(request: HttpRequest) -> str | None:
    """The secret of `Authorization: Bearer …` or `Convex …`, or `?adminKey=`; None: anonymous.

    Raises:
        Unauthenticated: there is a header, and it is neither of these.

    """
    header = request.headers.get("authorization")
    if header is None:
        return dict(request.query()).get("adminKey") if request.query_string else None
    scheme, _, secret = header.partition(" ")
    secret = secret.strip()
    if scheme.lower() not in SCHEMES or not secret:
        message = "send the key as 'Authorization: Bearer <key>'"
        raise Unauthenticated(message)
    if scheme.lower() == "convex" and ":" in secret:
        message = "acting as a user is not offered here; send the key alone"
        raise Unauthenticated(message)
    return secret
