"""JSON from strangers, decoded into the shape that is expected of it.

Invariant: whatever is wrong with the bytes, the one error is `NotJson`, with a short sentence.
"""

from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec

from hubify.formats.findings import quoted
from hubify.formats.limits import MAX_LINE_BYTES

MAX_TIME_MS = 8_640_000_000_000_000  # the last moment of a JavaScript date
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Shape = TypeVar("_Shape")


class NotJson(ValueError):
    """The bytes are not JSON of the expected shape, or too many."""


def decode_json(data: bytes, shape: type[_Shape], *, limit: int = MAX_LINE_BYTES) -> _Shape:
    """Decode JSON into `shape`.

    Raises:
        NotJson: not JSON, another shape, half a character, or more than `limit` bytes.
    """
    if len(data) > limit:
        raise NotJson(f"It has {len(data)} bytes, more than {limit}.")
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotJson(f"It cannot be read: {quoted(str(error))}.") from error


def milliseconds(text: str) -> int | None:
    """Return an ISO 8601 time as milliseconds since 1970, UTC unless it says otherwise."""
    try:
        moment = datetime.fromisoformat(text)
        zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return (zoned - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return None
