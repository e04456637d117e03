"""Signing with a key that is kept in a file."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from hubify.sdk import new_key, read_key, sign_report
from hubify.sdk.signing import NoKey
from hubify.wire.signing import verify_report

REPORT = {"skillName": "tidy", "outcome": "success"}


def test_a_key_is_kept_in_a_file_for_its_owner_alone_and_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "new" / "agent.key"
    key = new_key(path)
    assert len(key) == 32
    assert read_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with pytest.raises(FileExistsError):
        new_key(path)
    assert read_key(path) == key


def test_what_is_no_key_of_this_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "agent.key"
    path.write_text("no key")
    with pytest.raises(NoKey, match="holds no private key"):
        read_key(path)
    other = X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(other)
    with pytest.raises(NoKey, match="holds no private key"):
        read_key(path)


def test_a_signed_report_says_when_and_never_uses_a_nonce_twice(tmp_path: Path) -> None:
    key = new_key(tmp_path / "agent.key")
    first, second = sign_report(REPORT, key), sign_report(REPORT, key)
    assert verify_report(first).nonce != verify_report(second).nonce
    assert first["public_key"] == second["public_key"]
    told = sign_report(REPORT, key, signed_at="2026-01-31T12:00:00Z", nonce="0123456789")
    assert verify_report(told).signed_at_ms == 1_769_860_800_000
