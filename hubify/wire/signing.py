"""What an agent signs with a key of its own: reports, and that it holds the key.

A signed report is the report's own fields and four more: `public_key` and `signature` (base64url
without padding, 32 and 64 bytes), `signed_at` (RFC 3339, UTC) and `nonce`. What is signed is the
RFC 8785 form of all of them but `signature`, in the names and values that were sent, so that any
program that writes that form agrees on the bytes. Ed25519 is RFC 8032's. That an agent holds a key
is said by its signature over the RFC 8785 form of `agent_id`, `owner`, `public_key` and `purpose`.

Invariant: a pure function of what it is given; no clock, no chance, and no answer but "this key
signed this" or a refusal that says what is wrong.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, cast

import msgspec
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hubify.values.values import Value

SIGNATURE: Final = "signature"
PUBLIC_KEY: Final = "public_key"
SIGNED_AT: Final = "signed_at"
NONCE: Final = "nonce"
FIELDS: Final = (SIGNATURE, PUBLIC_KEY, SIGNED_AT, NONCE)
"""What a signed report has and others have not."""
PURPOSE: Final = "hubify agent key"
"""What sets the proof of a key apart from all else that may be signed with it."""

MOST_WHOLE: Final = 2**53 - 1
LARGEST: Final = 2**1023
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
NONCE_LENGTH: Final = (8, 128)
TOLERANCE_MS: Final = 5 * 60 * 1000
"""How far `signed_at` may lie from the receipt of the report, or from its ticket's issue."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)
_NONCE = re.compile(r"[\x21-\x7e]+")


class BadSignature(ValueError):
    """What was sent does not carry a signature that holds; says why."""


class Signed(msgspec.Struct, frozen=True):
    """What a signature that holds tells of its report."""

    public_key: str
    """In base64url; whose it is, the registry of agents says."""
    signed_at_ms: int
    nonce: str
    """To be accepted once for each key."""


def sign_report(
    report: Mapping[str, object], private_key: bytes, *, signed_at: str, nonce: str
) -> dict[str, object]:
    """The report with its four fields of a signature.

    Args:
        report: JSON values; numbers are those of JavaScript (RFC 8785, 3.2.2.3).
        private_key: the 32 bytes of RFC 8032's private key.
        signed_at: RFC 3339 in UTC, ending in Z.
        nonce: 8 to 128 visible ASCII characters, never used before with this key.

    Raises:
        BadSignature: the report cannot be written as canonical JSON, or a field has another form.
        ValueError: the key has not 32 bytes.

    """
    key = Ed25519PrivateKey.from_private_bytes(private_key)
    body = {**report, PUBLIC_KEY: _public_text(key), SIGNED_AT: signed_at, NONCE: nonce}
    body.pop(SIGNATURE, None)
    _checked_moment(signed_at)
    _checked_nonce(nonce)
    return {**body, SIGNATURE: _text(key.sign(canonical(body)))}


def verify_report(report: Mapping[str, object]) -> Signed:
    """Who signed a report, and when.

    Raises:
        BadSignature: a field is missing or malformed, or the signature is not this key's over
            this report.

    """
    public_key = _bytes(report, PUBLIC_KEY, KEY_BYTES)
    signature = _bytes(report, SIGNATURE, SIGNATURE_BYTES)
    moment = _checked_moment(report.get(SIGNED_AT))
    nonce = _checked_nonce(report.get(NONCE))
    body = canonical({name: value for name, value in report.items() if name != SIGNATURE})
    message = (
        "the signature does not hold: sign the RFC 8785 form of every field but signature, "
        "with the private key of public_key, and send those fields unchanged"
    )
    _check(public_key, signature, body, message)
    return Signed(_text(public_key), moment, nonce)


def is_signed(report: Mapping[str, object]) -> bool:
    """Whether a report claims to be signed: one of the four fields is enough."""
    return any(report.get(name) is not None for name in FIELDS)


def sign_key(private_key: bytes, *, owner: str, agent_id: str) -> tuple[str, str]:
    """A public key and the proof that its private key is held by an agent of an owner.

    Both in base64url without padding.

    Raises:
        ValueError: the private key has not 32 bytes.

    """
    key = Ed25519PrivateKey.from_private_bytes(private_key)
    public_key = _public_text(key)
    return public_key, _text(key.sign(_claim(public_key, owner, agent_id)))


def verify_key(public_key: str, proof: str, *, owner: str, agent_id: str) -> None:
    """Refuse a public key that this agent of this owner has not shown to hold.

    Raises:
        BadSignature: the key or the proof is malformed, or the proof is not this key's for them.

    """
    key = _bytes({PUBLIC_KEY: public_key}, PUBLIC_KEY, KEY_BYTES)
    signature = _bytes({"proof": proof}, "proof", SIGNATURE_BYTES)
    message = (
        f"the proof does not hold: sign the RFC 8785 form of agent_id '{agent_id}', owner "
        f"'{owner}', public_key and purpose '{PURPOSE}' with the private key of public_key"
    )
    _check(key, signature, _claim(public_key, owner, agent_id), message)


def is_timely(signed_at_ms: int, received_ms: int, issued_ms: int | None = None) -> bool:
    """Whether a report was signed within five minutes of its receipt or of its ticket's issue."""
    moments = [received_ms] if issued_ms is None else [received_ms, issued_ms]
    return any(abs(signed_at_ms - moment) <= TOLERANCE_MS for moment in moments)


def canonical(body: Mapping[str, object]) -> bytes:
    """The RFC 8785 form.

    Raises:
        BadSignature: it holds what JSON or JavaScript's numbers cannot.

    """
    try:
        return rfc8785.dumps(cast("Any", _as_javascript(dict(body))))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise BadSignature(f"a signed report has a canonical form: {error}") from None


def _as_javascript(value: object) -> Value:
    """The value with each number as JavaScript holds it: whole ones beyond 2^53 are rounded."""
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return {name: _as_javascript(each) for name, each in fields.items()}
    if isinstance(value, list):
        return [_as_javascript(each) for each in cast("list[object]", value)]
    if isinstance(value, int) and MOST_WHOLE < abs(value) <= LARGEST:
        return float(value)
    return cast("Value", value)


def _claim(public_key: str, owner: str, agent_id: str) -> bytes:
    claim = {"agent_id": agent_id, "owner": owner, PUBLIC_KEY: public_key, "purpose": PURPOSE}
    return canonical(claim)


def _check(public_key: bytes, signature: bytes, body: bytes, message: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, body)
    except InvalidSignature:
        raise BadSignature(message) from None


def _public_text(key: Ed25519PrivateKey) -> str:
    return _text(key.public_key().public_bytes_raw())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(report: Mapping[str, object], name: str, size: int) -> bytes:
    text = report.get(name)
    message = f"{name} must be {size} bytes in base64url without padding"
    if not isinstance(text, str) or len(text) != -(-size * 8 // 6):
        raise BadSignature(message)
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadSignature(message) from None
    if _text(data) != text:  # unused bits set: another spelling of the same bytes
        raise BadSignature(message)
    return data


def _checked_moment(value: object) -> int:
    message = f"{SIGNED_AT} must be a time in UTC such as 2026-01-31T12:00:00Z"
    if not isinstance(value, str) or _MOMENT.fullmatch(value) is None:
        raise BadSignature(message)
    try:
        moment = datetime.fromisoformat(value[:19]).replace(tzinfo=UTC)
    except ValueError:
        raise BadSignature(message) from None
    return round(moment.timestamp() * 1000) + int(value[20:-1].ljust(3, "0")[:3] or 0)


def _checked_nonce(value: object) -> str:
    least, most = NONCE_LENGTH
    if not isinstance(value, str) or not least <= len(value) <= most or not _NONCE.fullmatch(value):
        message = f"{NONCE} must be {least} to {most} visible ASCII characters"
        raise BadSignature(message)
    return value
