"""What a function answered, as wire text, encoded once for everyone who is sent it.

Invariant: the bytes in here are complete JSON; whoever sends them only splices. A refusal travels
as `errorMessage` with `errorData: {code, message}` (product.md, "Wire and shapes").
"""

from hashlib import blake2b

import msgspec

from hubify.values import limits
from hubify.values.errors import AppError, Kind, TooLarge
from hubify.wire.styles import CONVEX, Style, encode

DIGEST_BYTES = 16
PASSING = (Kind.INTERNAL, Kind.UNAVAILABLE, Kind.RATE_LIMITED)
json_text = msgspec.json.Encoder().encode


class LiveResult(msgspec.Struct, frozen=True):
    """One run of a live query: members of QueryUpdated or QueryFailed that follow the query id.

    `digest` is equal for results that a client need not be sent twice; `journal` is where a page
    ends, for later runs to keep to; `passing`: a failure that another run may not meet, although
    nothing that this one read has changed.
    """

    failed: bool
    members: bytes
    digest: bytes
    journal: str | None = None
    passing: bool = False


class CallResult(msgspec.Struct, frozen=True):
    """One finished call. `ts` is a mutation's commit timestamp; None when nothing was written."""

    ok: bool
    ts: int | None = None
    value_json: bytes = b"null"
    error_message: str = ""
    error_data_json: bytes | None = None


def encode_answer(value: object, style: Style = CONVEX) -> bytes:
    """What a function answered as JSON, within the bound of one answer.

    Raises:
        TooLarge: longer or deeper than one answer may be.
        TypeError, OverflowError, ValueError: not a value; a bug of the function that answered it.

    """
    text = encode(value, style)
    if len(text) > limits.MAX_ANSWER_BYTES:
        message = f"the answer is over {limits.MAX_ANSWER_BYTES} bytes; ask for less at a time"
        raise TooLarge(message)
    return text


def live_value(value_json: bytes, journal: str | None = None) -> LiveResult:
    """A live query's value, already encoded for Convex clients."""
    members = b'"value":%b,"logLines":[],"journal":%b' % (value_json, json_text(journal))
    return LiveResult(failed=False, members=members, digest=_digest(members), journal=journal)


def live_refusal(error: AppError, journal: str | None = None) -> LiveResult:
    """A live query that an AppError ended."""
    told = json_text(error.message)
    tail = b',"logLines":[],"journal":%b' % json_text(journal)
    members = b'"errorMessage":%b,"errorData":%b%b' % (told, error_data(error), tail)
    # A bug of ours names its line in the log, another one each time; it is the same news.
    same = error.code.encode() + tail if error.kind is Kind.INTERNAL else members
    digest = _digest(b"failed" + same)
    passing = error.kind in PASSING
    return LiveResult(True, members, digest, journal, passing)  # noqa: FBT003 - its first field


def call_refusal(error: AppError) -> CallResult:
    """A call that an AppError ended."""
    return CallResult(ok=False, error_message=error.message, error_data_json=error_data(error))


def error_data(error: AppError) -> bytes:
    """`errorData` of a refusal: its code, its sentence and its further details."""
    return encode({**error.details, "code": error.code, "message": error.message}, CONVEX)


def _digest(members: bytes) -> bytes:
    return blake2b(members, digest_size=DIGEST_BYTES).digest()
