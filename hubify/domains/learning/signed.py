"""Signed reports: whose key signed one, whether it is fresh, and that it is counted once.

What was signed is the report as its sender wrote it, so it is checked before anything of it is
bound, redacted or kept (`MutationCtx.sent`).

Invariant: a report that claims to be signed is stored only if its signature holds, by a key that is
its agent's and good, within five minutes of its receipt or of its ticket's issue, with a nonce that
this key has not used.
"""

import hashlib
from typing import Annotated, NamedTuple

import msgspec

from hubify.domains.agent_keys import AgentKey, key_to_sign_with
from hubify.domains.learning.intake import Reporter
from hubify.domains.learning.tables import SignedNonce, learning
from hubify.evidence.tickets import Ticket
from hubify.functions import InvalidInput, MutationCtx, RowId
from hubify.wire.signing import (
    FIELDS,
    TOLERANCE_MS,
    BadSignature,
    Signed,
    is_signed,
    is_timely,
    verify_report,
)

KEPT_MS = 3 * 86_400_000
"""How long a nonce is remembered: longer than any ticket may still be reported with, 48 hours."""
SWEEP_ROWS = 500

SignatureText = Annotated[str, msgspec.Meta(max_length=128)]
PublicKeyText = Annotated[str, msgspec.Meta(max_length=64)]
SignedAt = Annotated[str, msgspec.Meta(max_length=40)]
Nonce = Annotated[str, msgspec.Meta(max_length=128)]


class SignatureRefused(InvalidInput):
    """The report claims to be signed, and its signature cannot be accepted; nothing is stored."""


class Signature(NamedTuple):
    """A signature that holds: by which key of the reporter's, what it tells, and its digest."""

    key: AgentKey
    signed: Signed
    digest: bytes


def signature_of(ctx: MutationCtx, reporter: Reporter, *claimed: str | None) -> Signature | None:
    """The signature of the report that was sent; None where it claims none.

    `claimed`: the four fields as they were bound.

    Raises:
        SignatureRefused: it does not hold, or its key is not the reporter's to sign with.

    """
    if not any(claimed):
        return None
    if not is_signed(ctx.sent):
        message = f"name these fields as they are signed: {', '.join(FIELDS)}"
        raise SignatureRefused(message)
    try:
        signed = verify_report(ctx.sent)
    except BadSignature as error:
        raise SignatureRefused(str(error)) from None
    owner, agent_id = reporter
    key = key_to_sign_with(ctx, signed.public_key, owner=owner, agent_id=agent_id)
    return Signature(key, signed, _digest(str(ctx.sent["signature"])))


def report_signed_so(ctx: MutationCtx, signature: Signature) -> RowId | None:
    """The report that this very signature was accepted for before.

    Raises:
        SignatureRefused: its nonce was used for another one.

    """
    nonce = _digest(signature.signed.nonce)
    used = ctx.db.first(SignedNonce.where(key_id=signature.key.id, nonce=nonce))
    if used is None:
        return None
    if used.signature != signature.digest:
        message = "this nonce was used for another report; sign each with one of its own"
        raise SignatureRefused(message)
    return used.report_id


def check_time(ctx: MutationCtx, signature: Signature | None, ticket: Ticket | None) -> None:
    """Refuse a signed report that was signed too long ago, or is yet to be.

    Raises:
        SignatureRefused: saying what the time is here.

    """
    issued = ticket.issued_at if ticket else None
    if signature is not None and not is_timely(signature.signed.signed_at_ms, ctx.now, issued):
        apart = (ctx.now - signature.signed.signed_at_ms) / 1000
        message = (
            f"signed_at is {abs(apart):.0f} s {'ago' if apart > 0 else 'ahead'} by the clock here; "
            f"a report is accepted within {TOLERANCE_MS // 60_000} minutes of being signed, or "
            "when it was signed within those of its ticket's issue"
        )
        raise SignatureRefused(message)


def keep_nonce(ctx: MutationCtx, signature: Signature | None, report_id: RowId) -> None:
    """Remember that a signature's nonce is used, by the digest; costs one row."""
    if signature is None:
        return
    used = SignedNonce(
        key_id=signature.key.id,
        nonce=_digest(signature.signed.nonce),
        signature=signature.digest,
        report_id=report_id,
        expires_at=ctx.now + KEPT_MS,
    )
    ctx.db.insert(used)


@learning.cron(every_s=3600, offset_s=1_500)
@learning.mutation(internal=True)
def sweep_nonces(ctx: MutationCtx) -> None:
    """Forget nonces of reports that would now be refused for their time, or for their ticket."""
    over = SignedNonce.where().at_most(expires_at=ctx.now)
    forgotten = ctx.db.take(over, limit=SWEEP_ROWS)
    for used in forgotten:
        ctx.db.delete(used)
    if len(forgotten) == SWEEP_ROWS:
        ctx.schedule(sweep_nonces)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
