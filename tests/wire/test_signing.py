"""Signed reports: the vectors of RFC 8032, the form of RFC 8785, and what may not pass."""

import base64
import json
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from hubify.wire.signing import (
    PURPOSE,
    TOLERANCE_MS,
    BadSignature,
    canonical,
    is_signed,
    is_timely,
    sign_key,
    sign_report,
    verify_key,
    verify_report,
)

# RFC 8032, 7.1: private key, public key, message, signature.
FIRST = """e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"""
SECOND = """92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"""
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        FIRST,
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        SECOND,
    ),
]
PRIVATE_KEY = bytes.fromhex(VECTORS[0][0])
WHEN, NONCE = "2026-01-31T12:00:00Z", "0123456789abcdef"
REPORT: dict[str, object] = {"skill_name": "typescript-best-practices", "result": "success"}

numbers = st.one_of(
    st.integers(-(2**53) + 1, 2**53 - 1), st.floats(allow_nan=False, allow_infinity=False)
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)
reports = st.dictionaries(texts.filter(lambda name: name != "signature"), json_values, max_size=5)


def signed(report: dict[str, object] = REPORT) -> dict[str, object]:
    return sign_report(report, PRIVATE_KEY, signed_at=WHEN, nonce=NONCE)


@pytest.mark.parametrize(("private", "public", "message", "signature"), VECTORS)
def test_the_keys_and_signatures_are_those_of_rfc_8032(
    private: str, public: str, message: str, signature: str
) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private))
    assert key.public_key().public_bytes_raw().hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature.replace("\n", "")
    report = sign_report({}, bytes.fromhex(private), signed_at=WHEN, nonce=NONCE)
    assert base64.urlsafe_b64decode(str(report["public_key"]) + "=").hex() == public


@given(reports)
def test_what_was_signed_verifies_whatever_its_order(report: dict[str, object]) -> None:
    whole = signed(report)
    shuffled = dict(sorted(whole.items(), reverse=True))
    assert verify_report(json.loads(json.dumps(shuffled))).nonce == NONCE


@given(reports, texts, json_values)
def test_any_other_field_or_value_breaks_the_signature(
    report: dict[str, object], name: str, value: object
) -> None:
    whole = signed(report)
    changed = {**whole, name: value}
    if canonical(changed) == canonical(whole):
        return
    with pytest.raises(BadSignature):
        verify_report(changed)


def test_the_signature_tells_the_key_the_time_and_the_nonce() -> None:
    found = verify_report(signed())
    assert base64.urlsafe_b64decode(found.public_key + "=").hex() == VECTORS[0][1]
    assert (found.signed_at_ms, found.nonce) == (1_769_860_800_000, NONCE)
    fraction = sign_report(REPORT, PRIVATE_KEY, signed_at="2026-01-31T12:00:00.25Z", nonce=NONCE)
    assert verify_report(fraction).signed_at_ms == 1_769_860_800_250


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"public_key": "short"}, "public_key must be 32 bytes"),
        ({"public_key": None}, "public_key must be 32 bytes"),
        ({"public_key": "!" * 43}, "public_key must be 32 bytes"),
        ({"signature": "A" * 85 + "B"}, "signature must be 64 bytes"),
        ({"signature": "A" * 86}, "the signature does not hold"),
        ({"signed_at": "2026-01-31 12:00:00"}, "signed_at must be a time in UTC"),
        ({"signed_at": "2026-02-30T12:00:00Z"}, "signed_at must be a time in UTC"),
        ({"signed_at": 5}, "signed_at must be a time in UTC"),
        ({"nonce": "short"}, "nonce must be 8 to 128"),
        ({"nonce": "with\nlines and more"}, "nonce must be 8 to 128"),
        ({"extra": float("nan")}, "canonical form"),
        ({"extra": 10**400}, "canonical form"),
        ({"extra": "\ud800"}, "canonical form"),
    ],
)
def test_a_signature_that_does_not_hold_says_why(changes: dict[str, object], why: str) -> None:
    with pytest.raises(BadSignature, match=why):
        verify_report(signed() | changes)


def test_a_report_without_a_signature_does_not_claim_one() -> None:
    assert not is_signed(REPORT)
    assert is_signed(signed())
    assert is_signed({**REPORT, "nonce": NONCE})


def test_a_key_is_shown_to_be_held_by_one_agent_of_one_owner_only() -> None:
    public_key, proof = sign_key(PRIVATE_KEY, owner="ann", agent_id="laptop")
    assert base64.urlsafe_b64decode(public_key + "=").hex() == VECTORS[0][1]
    verify_key(public_key, proof, owner="ann", agent_id="laptop")
    for owner, agent_id in (("bob", "laptop"), ("ann", "desktop")):
        with pytest.raises(BadSignature, match="the proof does not hold"):
            verify_key(public_key, proof, owner=owner, agent_id=agent_id)
    with pytest.raises(BadSignature, match="proof must be 64 bytes"):
        verify_key(public_key, public_key, owner="ann", agent_id="laptop")


def test_a_report_s_signature_proves_no_key() -> None:
    claim = {"agent_id": "laptop", "owner": "ann", "purpose": PURPOSE}
    report = sign_report(claim, PRIVATE_KEY, signed_at=WHEN, nonce=NONCE)
    with pytest.raises(BadSignature, match="the proof does not hold"):
        verify_key(
            str(report["public_key"]), str(report["signature"]), owner="ann", agent_id="laptop"
        )


def test_a_report_is_timely_within_five_minutes_of_receipt_or_ticket() -> None:
    assert is_timely(0, TOLERANCE_MS)
    assert is_timely(TOLERANCE_MS, 0)
    assert not is_timely(0, TOLERANCE_MS + 1)
    assert is_timely(0, 10 * TOLERANCE_MS, issued_ms=TOLERANCE_MS)


SCRIPT = """
const crypto = require("node:crypto");
const form = (v) => v === null || typeof v !== "object" ? JSON.stringify(v)
  : Array.isArray(v) ? "[" + v.map(form).join(",") + "]"
  : "{" + Object.keys(v).sort().map((k) => JSON.stringify(k) + ":" + form(v[k])).join(",") + "}";
const { seed, report } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"),
  Buffer.from(seed, "hex")]);
const key = crypto.createPrivateKey({ key: der, format: "der", type: "pkcs8" });
const { signature, ...rest } = report;
const bytes = Buffer.from(form(rest));
const verified = crypto.verify(null, bytes, crypto.createPublicKey(key),
  Buffer.from(signature, "base64url"));
const again = crypto.sign(null, bytes, key).toString("base64url");
console.log(JSON.stringify({ verified, report: { ...rest, signature: again } }));
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_javascript_verifies_what_python_signed_and_python_what_javascript_signed() -> None:
    odd = {
        "numbers": [1, 1.0, -0.0, 1e21, 1e-7, 0.1, 333333333.3333333, 2**53 - 1, 10**21, 2**60],
        "texts": ["é", "\u20ac", "\U0001f600", "\u2028", '"\\/\b\f\n\r\t\u0001'],
        "\U0001f600": None, "\ufb33": True, "z": {"b": [], "a": {}},
    }  # fmt: skip
    request = json.dumps({"seed": PRIVATE_KEY.hex(), "report": signed({**REPORT, **odd})})
    finished = subprocess.run(
        ["node", "-e", SCRIPT], input=request, capture_output=True, text=True, check=True
    )
    told = json.loads(finished.stdout)
    assert told["verified"] is True
    assert verify_report(told["report"]).nonce == NONCE
