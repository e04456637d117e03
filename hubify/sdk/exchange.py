"""One call over Convex HTTP as bytes: the request's body, and what a response says.

Invariant: pure; whatever comes back is a value or a `HubifyError`, never an error of a parser.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, NamedTuple

import msgspec

from hubify import __version__
from hubify.sdk.errors import (
    BAD_ANSWER,
    RATE_LIMITED,
    UNAVAILABLE,
    VALIDATION_ERROR,
    HubifyError,
)
from hubify.values.errors import AppError
from hubify.values.values import Value
from hubify.wire import convex_json
from hubify.wire.limits import MAX_JSON_BYTES

CLIENT_NAME = f"hubify-{__version__}"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
OK, TOO_MANY, BAD_GATEWAY, SERVICE_UNAVAILABLE, GATEWAY_TIMEOUT = 200, 429, 502, 503, 504
NOT_REACHED = frozenset({TOO_MANY, SERVICE_UNAVAILABLE})
"""Statuses that a server, or what stands before it, gives without having begun the call."""
GATEWAYS = frozenset({BAD_GATEWAY, GATEWAY_TIMEOUT})
MAX_RETRY_AFTER_S = 65.0
"""A rate limit's window is a minute; to be told to wait longer is a refusal."""
MAX_SHOWN = 200
NULL = msgspec.Raw(b"null")


class Kind(StrEnum):
    """How a function is called; its endpoint has the same name."""

    QUERY = "query"
    MUTATION = "mutation"
    ACTION = "action"


class Response(NamedTuple):
    """What came back: the status, the `Retry-After` header if any, and the whole body."""

    status: int
    retry_after: str | None
    body: bytes


class _Answer(msgspec.Struct, rename="camel"):
    status: Literal["success", "error"]
    value: msgspec.Raw = NULL
    error_message: str = ""
    error_data: msgspec.Raw = NULL


class _Refusal(msgspec.Struct):
    code: str
    message: str


class _Envelope(msgspec.Struct):
    error: _Refusal


def headers(key: str | None) -> dict[str, str]:
    """The headers of every request.

    Raises:
        HubifyError: the key cannot stand in a header.

    """
    sent = {"Convex-Client": CLIENT_NAME, "Content-Type": "application/json"}
    if key:
        if not key.isascii() or not key.isprintable() or " " in key:
            message = "the API key holds characters that no key has; was it copied whole?"
            raise HubifyError(VALIDATION_ERROR, message)
        sent["Authorization"] = f"Bearer {key}"
    return sent


def request_body(path: str, arguments: Mapping[str, object]) -> bytes:
    """The body that calls a function.

    Raises:
        HubifyError: an argument is not a value, or they are too large together.

    """
    try:
        encoded = convex_json.encode(dict(arguments))
    except (AppError, TypeError, ValueError, OverflowError) as error:
        raise HubifyError(VALIDATION_ERROR, f"the arguments of {path}: {error}") from None
    name = msgspec.json.encode(path)
    body = b'{"path":%b,"format":"convex_encoded_json","args":%b}' % (name, encoded)
    if len(body) > MAX_JSON_BYTES:
        message = f"the arguments of {path} are over {MAX_JSON_BYTES} bytes; send less at a time"
        raise HubifyError("PAYLOAD_TOO_LARGE", message)
    return body


def read_text(response: Response) -> bytes:
    """The body of a response that is not a function's answer.

    Raises:
        HubifyError: the status is not 200.

    """
    if response.status != OK:
        raise refusal(response)
    return response.body


def read_answer(kind: Kind, response: Response) -> Value:
    """The value that a function answered.

    Raises:
        HubifyError: what it refused, or what the server or a stranger answered instead.

    """
    if response.status != OK:
        raise refusal(response)
    try:
        answer = msgspec.json.decode(response.body, type=_Answer)
        if answer.status == "success":
            return convex_json.decode(bytes(answer.value), "the answer")
        data = convex_json.decode(bytes(answer.error_data), "the error")
    except (AppError, ValueError, RecursionError) as error:
        raise HubifyError(BAD_ANSWER, f"the answer cannot be read: {error}") from None
    raise function_error(kind, answer.error_message, data)


def refusal(response: Response) -> HubifyError:
    """What a status other than 200 says."""
    status, untouched = response.status, response.status not in GATEWAYS
    wait = _seconds(response.retry_after)
    said = _read_refusal(response.body)
    if said is not None:
        code = RATE_LIMITED if status == TOO_MANY else said.code
        return HubifyError(code, said.message, untouched=untouched, retry_after_s=wait)
    if status in NOT_REACHED | GATEWAYS:
        code = RATE_LIMITED if status == TOO_MANY else UNAVAILABLE
        message = f"the server answered {status}; try again later"
        return HubifyError(code, message, untouched=untouched, retry_after_s=wait)
    text = ascii(response.body[:MAX_SHOWN].decode("utf-8", "replace"))
    message = f"the address answers {status} {text}; is it a Hubify server?"
    return HubifyError(BAD_ANSWER, message, untouched=untouched)


def _read_refusal(body: bytes) -> _Refusal | None:
    try:
        return msgspec.json.decode(body, type=_Refusal)
    except (ValueError, RecursionError):
        pass
    try:
        return msgspec.json.decode(body, type=_Envelope).error
    except (ValueError, RecursionError):
        return None


def function_error(kind: Kind, message: str, data: Value) -> HubifyError:
    """A refusal of the function itself; an action may have done part of its work before."""
    details = dict(data) if isinstance(data, dict) else {}
    code, said = details.pop("code", None), details.pop("message", None)
    wait = details.get("retryAfter")
    return HubifyError(
        code if isinstance(code, str) else "INTERNAL_ERROR",
        said if isinstance(said, str) else message,
        details,
        untouched=kind is not Kind.ACTION,
        retry_after_s=float(wait) if isinstance(wait, int | float) else None,
    )


def _seconds(header: str | None) -> float | None:
    if header is None or not header.strip().isascii() or not header.strip().isdigit():
        return None
    return float(header.strip()[:9])
