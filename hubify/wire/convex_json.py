"""Values as Convex clients write them in JSON, read and written.

Invariant: every text either becomes values that `encode` writes back to the same meaning, or is
refused with an `AppError` that says where: `args.list[3].x`. Rules: Convex's value types; numbers
are float64, and a whole number that a float64 holds exactly is read as a plain int.
"""

import math
import re
import struct
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

import msgspec

from hubify.values import limits
from hubify.values.errors import AppError, InvalidInput, TooLarge
from hubify.values.values import Int64, Value, check_text, describe, is_field_name
from hubify.wire import limits as wire_limits
from hubify.wire import styles

AS_IS = frozenset({bool, type(None)})
LONE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
BRACKETS = re.compile(STRINGS.pattern + rb"|[\[\]{}]", re.DOTALL)
BYTES_PER_NUMBER = 8
UNFIT_NAME = "is a field name that is not plain ASCII, or begins with $; rename it"
MAX_STEPS_TOLD = 12  # of the way into a value that is nested too deeply
unpack_float = struct.Struct("<d").unpack
parse_json = msgspec.json.Decoder().decode


def encode(value: object) -> bytes:
    """A value or record as a Convex client reads it; errors as `styles.encode`."""
    return styles.encode(value, styles.CONVEX)


def decode(text: bytes | bytearray | str, where: str = "the value") -> Value:
    """Read JSON text as a value.

    Raises:
        InvalidInput: not JSON, or not a value; `where` and a path into it open the message.
        TooLarge: longer, deeper or of more values than the stated limits.

    """
    return from_json(parse(text, where), where)


def parse(text: bytes | bytearray | str, where: str = "the value") -> object:
    """Read JSON text into JSON's own types, within bounds of size and depth; errors as `decode`."""
    raw = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    check_size(raw, where)
    try:
        return parse_json(raw)
    except (ValueError, RecursionError) as error:
        raise parse_refusal(error, raw, where) from None


def check_size(text: bytes | bytearray, where: str) -> None:
    """Refuse a text that is too long, or that would take too much memory once parsed.

    Raises:
        TooLarge: naming the limit.

    """
    if len(text) > wire_limits.MAX_JSON_BYTES:
        message = f"{where} is over {wire_limits.MAX_JSON_BYTES} bytes; send less at a time"
        raise TooLarge(message)
    most = wire_limits.MAX_JSON_VALUES
    if len(text) >= wire_limits.COUNT_FROM_BYTES and count_values(text, most) > most:
        message = f"{where} holds over {wire_limits.MAX_JSON_VALUES} values; send fewer at a time"
        raise TooLarge(message)


def parse_refusal(error: Exception, text: bytes | bytearray, where: str) -> AppError:
    """What to tell a caller when the JSON parser raised `error` over its text."""
    if isinstance(error, RecursionError):
        return TooLarge(f"{where} is nested deeper than {limits.MAX_NESTING} levels; flatten it")
    if LONE_SURROGATE.search(text):
        return InvalidInput(f"{where} holds a lone surrogate, which is not valid Unicode")
    if isinstance(error, UnicodeDecodeError):
        return InvalidInput(f"{where} is not valid UTF-8 at byte {error.start}")
    reason = str(error).removeprefix("JSON is malformed: ")
    return InvalidInput(f"{where} is not valid JSON: {reason[:200]}")


def from_json(parsed: object, where: str = "the value") -> Value:
    """Read parsed JSON as a value; errors as `decode`."""
    try:
        return _value(parsed, 1)
    except _Refusal as refusal:
        path = where + "".join(reversed(refusal.path[-MAX_STEPS_TOLD:]))
        raise refusal.kind(f"{path} {refusal.reason}") from None


class _Refusal(Exception):
    """Why a part is refused; each level that it passes on its way out adds its step."""

    def __init__(self, reason: str, kind: type[AppError] = InvalidInput) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind
        self.path: list[str] = []


def _value(parsed: object, depth: int) -> Value:
    kind = type(parsed)
    if kind is str:
        return _text(cast("str", parsed))
    if kind is float:
        return _float(cast("float", parsed))
    if kind is int:
        return _int(cast("int", parsed))
    if kind in AS_IS:
        return cast("bool | None", parsed)
    if kind is dict:
        return _object(cast("dict[str, object]", parsed), depth)
    if kind is list:
        return _array(cast("list[object]", parsed), depth)
    reason = f"is {describe(parsed)}, which is not JSON"
    raise _Refusal(reason)


def _text(text: str) -> str:
    if not text.isascii():
        try:
            check_text(text, "")
        except InvalidInput as error:
            raise _Refusal(error.message.strip()) from None
    return text


def _float(number: float) -> float:
    if not math.isfinite(number):
        reason = "is not a number of JSON; send it as $float"
        raise _Refusal(reason)
    if number.is_integer() and abs(number) <= limits.SAFE_INTEGER and not _is_negative_zero(number):
        return int(number)
    return number


def _int(number: int) -> float:
    if -limits.SAFE_INTEGER <= number <= limits.SAFE_INTEGER:
        return number
    try:
        rounded = float(number)
    except OverflowError:
        rounded = math.inf
    if rounded != number:
        reason = "is beyond 2**53 and would lose digits; send it as $integer"
        raise _Refusal(reason)
    return rounded


def _array(items: list[object], depth: int) -> Value:
    _check_depth(depth)
    if len(items) > limits.MAX_ARRAY_LENGTH:
        reason = f"has more than {limits.MAX_ARRAY_LENGTH} elements; split it"
        raise _Refusal(reason, TooLarge)
    read: list[Value] = []
    try:
        for item in items:
            if type(item) is str and item.isascii():
                read.append(item)
            else:
                read.append(_value(item, depth + 1))
    except _Refusal as refusal:
        refusal.path.append(f"[{len(read)}]")
        raise
    return read


def _object(entries: dict[str, object], depth: int) -> Value:
    _check_depth(depth)
    if len(entries) == 1 and (tag := next(iter(entries)))[:1] == "$":
        return _tagged(tag, entries[tag])
    if len(entries) > limits.MAX_OBJECT_FIELDS:
        reason = f"has more than {limits.MAX_OBJECT_FIELDS} fields; split it"
        raise _Refusal(reason, TooLarge)
    read: dict[str, Value] = {}
    name = ""
    try:
        for name, item in entries.items():
            _check_name(name)
            if type(item) is str and item.isascii():
                read[name] = item
            else:
                read[name] = _value(item, depth + 1)
    except _Refusal as refusal:
        refusal.path.append(f".{ascii(name[:60])[1:-1]}")
        raise
    return read


@lru_cache(maxsize=4096)
def _check_name(name: str) -> None:
    if not is_field_name(name):
        raise _Refusal(UNFIT_NAME)


def _tagged(tag: str, content: object) -> Value:
    read = TAGS.get(tag)
    if read is None:
        reason = f"uses {tag[:60]!a}, which is not a type that can be sent"
        raise _Refusal(reason)
    if not isinstance(content, str):
        reason = f"needs a base64 string as its {tag}"
        raise _Refusal(reason)
    try:
        data = a2b_base64(content, strict_mode=True)
    except (Base64Error, ValueError):
        reason = f"has a {tag} that is not base64"
        raise _Refusal(reason) from None
    return read(data)


def _tagged_int64(data: bytes) -> Int64:
    if len(data) != BYTES_PER_NUMBER:
        reason = f"has an $integer of {len(data)} bytes instead of 8"
        raise _Refusal(reason)
    return Int64(int.from_bytes(data, "little", signed=True))


def _tagged_float(data: bytes) -> float:
    if len(data) != BYTES_PER_NUMBER:
        reason = f"has a $float of {len(data)} bytes instead of 8"
        raise _Refusal(reason)
    number = cast("float", unpack_float(data)[0])
    if math.isfinite(number) and not _is_negative_zero(number):
        reason = "has a $float that JSON can write as a plain number"
        raise _Refusal(reason)
    return number


TAGS: dict[str, Callable[[bytes], Any]] = {
    "$integer": _tagged_int64,
    "$float": _tagged_float,
    "$bytes": bytes,
}


def _is_negative_zero(number: float) -> bool:
    return number == 0 and math.copysign(1, number) < 0


def _check_depth(depth: int) -> None:
    if depth > limits.MAX_NESTING:
        reason = f"is nested deeper than {limits.MAX_NESTING} levels; flatten it"
        raise _Refusal(reason, TooLarge)


def count_values(text: bytes | bytearray, most: int) -> int:
    """How many values an unparsed JSON text may hold; close to the truth when it is over `most`."""
    count = _openings(text)
    if count <= most:
        return count
    # Perhaps the commas stand in strings. A string is a value or names one: two for each value.
    without_strings, strings = STRINGS.subn(b"", text, count=2 * most)
    return count if strings == 2 * most else _openings(without_strings)


def cut_to_depth(text: bytes | bytearray, most: int) -> bytes:
    """JSON text with null for what lies over `most` levels deep, so that a parser may recurse.

    A text whose brackets do not match stays one that no parser takes.
    """
    kept: list[bytes | bytearray] = []
    start = depth = 0
    for token in BRACKETS.finditer(text):
        at = token.start()
        match text[at]:
            case 0x5B | 0x7B:
                depth += 1
                if depth == most + 1:
                    kept += (text[start:at], b"null")
            case 0x5D | 0x7D:
                depth -= 1
                if depth == most:
                    start = at + 1
            case _:
                pass
    if depth <= most:
        kept.append(text[start:])
    return b"".join(kept)


def _openings(text: bytes | bytearray) -> int:
    # Each value but the first follows a comma or an opening bracket, or a name that does.
    return text.count(b",") + text.count(b"[") + text.count(b"{")
