"""Commit timestamps as Convex clients carry them: base64 of eight bytes, least first.

Invariant: only timestamps from 0 to 2**63 - 1 are written or read; zero is `AAAAAAAAAAA=`.
"""

from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64

from hubify.values.errors import InvalidInput
from hubify.wire.limits import MAX_TS

TS_BYTES = 8


def encode_ts(ts: int) -> str:
    """Write a timestamp (nanoseconds since 1970)."""
    assert 0 <= ts <= MAX_TS, "a client may not be shown this timestamp"
    return b64encode(ts.to_bytes(TS_BYTES, "little")).decode()


def decode_ts(text: str) -> int:
    """Read a timestamp.

    Raises:
        InvalidInput: not the base64 of eight bytes, or over 2**63 - 1.

    """
    try:
        data = a2b_base64(text, strict_mode=True)
    except (Base64Error, ValueError):
        data = b""
    ts = int.from_bytes(data, "little")
    if len(data) != TS_BYTES or ts > MAX_TS:
        message = f"{text[:24]!a} is not a timestamp: it should be 8 bytes in base64"
        raise InvalidInput(message)
    return ts
