"""The errors a caller can see: a closed kind, a stable code, a sentence that says what to do.

Invariant: nothing here knows of HTTP or any transport; a transport maps kinds to its own numbers.
Whatever is not an `AppError` is a bug of ours: it is logged and answered as `INTERNAL_ERROR`.
"""

from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """What sort of refusal it is; transports match on this exhaustively."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    PRECONDITION_FAILED = "precondition_failed"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class AppError(Exception):
    """A refusal that is the caller's to see: `kind`, `code` and a sentence.

    Subclasses set `kind` and `code`. `details` may carry further JSON fields for `errorData`.
    """

    kind: ClassVar[Kind] = Kind.INTERNAL
    code: ClassVar[str] = "INTERNAL_ERROR"

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidInput(AppError):
    """The input breaks a stated rule; the message names the argument and what it should be."""

    kind = Kind.INVALID
    code = "VALIDATION_ERROR"


class Unauthenticated(AppError):
    """No credential, or one that is wrong, expired or revoked."""

    kind = Kind.UNAUTHENTICATED
    code = "UNAUTHORIZED"


class Forbidden(AppError):
    """The caller is known but lacks the scope or the ownership."""

    kind = Kind.FORBIDDEN
    code = "FORBIDDEN"


class NotFound(AppError):
    """The named thing does not exist, or not for this caller."""

    kind = Kind.NOT_FOUND
    code = "NOT_FOUND"


class Conflict(AppError):
    """The state of the thing does not allow it, or the name is taken."""

    kind = Kind.CONFLICT
    code = "CONFLICT"


class PreconditionFailed(AppError):
    """A condition the caller set (`If-Match`, a required set-up) does not hold."""

    kind = Kind.PRECONDITION_FAILED
    code = "PRECONDITION_FAILED"


class TooLarge(AppError):
    """A size or count is over a limit; the message says how to stay under it."""

    kind = Kind.TOO_LARGE
    code = "PAYLOAD_TOO_LARGE"


class RateLimited(AppError):
    """Too many calls in the window; `retry_after_s` says when to come back."""

    kind = Kind.RATE_LIMITED
    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message, retryAfter=retry_after_s)
        self.retry_after_s = retry_after_s


class Unavailable(AppError):
    """It cannot be done now (disk full, overload, shutdown); trying again later is right."""

    kind = Kind.UNAVAILABLE
    code = "UNAVAILABLE"


class InternalError(AppError):
    """A bug of ours; the caller learns only the request id."""
