"""Index keys: tuples of field values as byte strings that sort as the values do.

Invariant: byte order of keys is the documented order of values (null < int64 < number < boolean <
string by UTF-8 < bytes), component by component; no encoded component begins with 0xFF, and none is
a prefix of another of the same type, so a tuple's prefix is a byte prefix at a component's end.
"""

import struct
from collections.abc import Iterable

from hubify.values import limits
from hubify.values.errors import TooLarge
from hubify.values.values import Int64, describe

NULL, INT64, NUMBER, FALSE, TRUE, STRING, BYTES = (bytes([tag]) for tag in range(2, 9))
SIGN = 1 << 63
ALL = (1 << 64) - 1
pack_float = struct.Struct(">d").pack


def encode_key(components: Iterable[object]) -> bytes:
    """Encode field values, in index order, as one key.

    Raises:
        TooLarge: the key is over `limits.MAX_KEY_BYTES`.
        TypeError: a component is an array or an object, which no index may hold.

    """
    key = b"".join(map(encode_component, components))
    if len(key) > limits.MAX_KEY_BYTES:
        message = f"an indexed value is over {limits.MAX_KEY_BYTES} bytes; shorten it"
        raise TooLarge(message)
    return key


def encode_component(value: object) -> bytes:
    """Encode one field value."""
    if isinstance(value, str):
        return STRING + value.encode("utf-8", "surrogatepass").replace(b"\0", b"\0\xff") + b"\0"
    if value is None:
        return NULL
    if value is True:
        return TRUE
    if value is False:
        return FALSE
    if isinstance(value, int | float):
        return NUMBER + _order_float(float(value))
    if isinstance(value, Int64):
        return INT64 + (value.number + SIGN).to_bytes(8, "big")
    if isinstance(value, bytes):
        return BYTES + value.replace(b"\0", b"\0\xff") + b"\0"
    message = f"{describe(value)} cannot be part of an index key"
    raise TypeError(message)


def _order_float(number: float) -> bytes:
    # IEEE 754 sorts as an unsigned integer once negatives are inverted and positives shifted up.
    bits = int.from_bytes(pack_float(number), "big")
    return (bits ^ ALL if bits & SIGN else bits | SIGN).to_bytes(8, "big")
