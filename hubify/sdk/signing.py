"""Signing reports with an agent's own key, and the file that the key is kept in.

    from hubify.sdk import Client, read_key, sign_report

    report = {"skillName": "tidy-imports", "outcome": "success", "agentId": "laptop-7"}
    client.mutation("learning:report", sign_report(report, read_key("agent.key")))

The file is the PKCS #8 PEM form, which OpenSSL and Node read too. docs/guides/signed-reports.md has
the rest.

Invariant: a key file is never written over, and from its first byte only its owner can read it.
"""

import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hubify.wire import signing

PRIVATE_FILE, PRIVATE_DIRECTORY = 0o600, 0o700
NONCE_BYTES = 16
MOST_KEY_FILE = 4_096


class NoKey(ValueError):
    """The file is no private key of Ed25519 in PEM, without a passphrase."""


def sign_report(
    report: Mapping[str, object],
    private_key: bytes,
    *,
    signed_at: str | None = None,
    nonce: str | None = None,
) -> dict[str, object]:
    """The report with `signature`, `public_key`, `signed_at` and `nonce`, to be sent unchanged.

    Args:
        report: JSON values, named as they will be sent.
        private_key: 32 bytes, as `read_key` gives them.
        signed_at: RFC 3339 in UTC (default: now).
        nonce: 8 to 128 visible ASCII characters, never used before with this key (default: fresh).

    Raises:
        hubify.wire.signing.BadSignature: the report cannot be written as canonical JSON, or a field
            has another form.

    """
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
    return signing.sign_report(
        report,
        private_key,
        signed_at=signed_at or now,
        nonce=nonce or secrets.token_hex(NONCE_BYTES),
    )


def new_key(path: Path | str) -> bytes:
    """A fresh private key (32 bytes), kept in a file of its own.

    Raises:
        OSError: the file is there already, or cannot be written.

    """
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIRECTORY)
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(opened, "wb") as out:
        out.write(text)
    return key.private_bytes_raw()


def read_key(path: Path | str) -> bytes:
    """The private key (32 bytes) in a file.

    Raises:
        OSError: it cannot be read.
        NoKey: it holds none.

    """
    with Path(path).open("rb") as file:
        text = file.read(MOST_KEY_FILE)
    message = f"'{path}' holds no private key of Ed25519 in PEM without a passphrase"
    try:
        key = serialization.load_pem_private_key(text, password=None)
    except (ValueError, TypeError):
        raise NoKey(message) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise NoKey(message)
    return key.private_bytes_raw()
