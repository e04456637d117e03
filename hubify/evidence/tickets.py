"""Tickets: what `skills.resolve` hands to an agent, so that its report counts as evidence.

Invariant: a ticket is self-contained and its code covers each character of its text, so a change
of any character is refused, and no table is read to check one. A key is needed to make one.

The text is `ht1.<fields>.<code>`: the fields as a MessagePack array in base64url, and the
HMAC-SHA256 of everything before the last point, in base64url, both without padding. The arm is
an independent keyed coin per ticket (statistics.md 1.1): owners and platforms are their own
controls; an open ticket is returned again until it is reported or over, so nobody tosses at will.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256

import msgspec

from hubify.evidence.reports import Arm

VERSION = "ht1"
MAX_TEXT = 2_048
"""Characters in a ticket."""
MAX_FIELD = 200
"""Characters in one of its names."""
MIN_KEY_BYTES = 16

_CODE_CHARACTERS = 43  # of 32 bytes in base64url without padding
_COIN_BITS = 8 * sha256().digest_size


class TicketError(ValueError):
    """A ticket that cannot stand for a run."""


class MalformedTicket(TicketError):
    """The text is no ticket of this version."""


class ForgedTicket(TicketError):
    """The text was not made with any of our keys, or was changed since."""


class ExpiredTicket(TicketError):
    """The ticket was good and its time is over."""


class ForeignTicket(TicketError):
    """The ticket was given to another owner or another agent."""


class Ticket(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a run was given: a version of a skill, in an arm, to one agent of one owner.

    `share` is the probability with which this ticket's arm was `canary`; without a canary it is
    0 and `canary` is empty. Times are milliseconds since 1970.
    """

    skill: str
    version: str
    canary: str
    arm: Arm
    share: float
    owner: str
    agent: str
    serial: str
    issued_at: int
    expires_at: int


def issue(ticket: Ticket, key: bytes) -> str:
    """The text of a ticket.

    Raises:
        ValueError: a name is empty or longer than `MAX_FIELD`, the text is longer than `MAX_TEXT`,
            the share lies outside [0, 1], the ticket expires before it is issued, or the key is
            shorter than `MIN_KEY_BYTES`.
    """
    _refuse_unfit(ticket)
    if len(key) < MIN_KEY_BYTES:
        raise ValueError(f"a ticket key needs at least {MIN_KEY_BYTES} bytes")
    signed = f"{VERSION}.{_base64url(msgspec.msgpack.encode(ticket))}"
    text = f"{signed}.{_code(key, signed)}"
    if len(text) > MAX_TEXT:
        raise ValueError(f"a ticket has at most {MAX_TEXT} characters; its names are too long")
    return text


def verify(text: str, keys: Sequence[bytes], now_ms: int, *, owner: str, agent: str) -> Ticket:
    """The ticket behind a text, if it was made with one of the keys and is the caller's to use.

    Args:
        text: as it came from the caller; anything at all.
        keys: the key in use and those before it that still count.
        now_ms: milliseconds since 1970.
        owner: who calls.
        agent: as which agent.

    Raises:
        MalformedTicket: the text has not the form of a ticket.
        ForgedTicket: no key gives its code.
        ExpiredTicket: its time is over.
        ForeignTicket: it belongs to another owner or agent.
    """
    signed, fields, code = _parts(text)
    if not any(hmac.compare_digest(_code(key, signed), code) for key in keys):
        raise ForgedTicket("the ticket was not issued here, or was changed")
    ticket = _decoded(fields)
    if (ticket.owner, ticket.agent) != (owner, agent):
        raise ForeignTicket("the ticket was issued to another agent")
    if now_ms >= ticket.expires_at:
        raise ExpiredTicket("the ticket has expired; resolve the skill again")
    return ticket


def assign_arm(secret: bytes, canary: str, owner: str, serial: str, share: float) -> Arm:
    """The arm of a ticket: the canary's with probability `share`, by a keyed coin.

    HMAC-SHA256(secret, canary || owner || serial) / 2^256 < share, each name preceded by its
    length so that no two triples share a message. Compared as whole numbers, without rounding.
    Once the secret is revealed with the decision, anybody can toss each coin again.
    """
    coin = int.from_bytes(hmac.digest(secret, _framed(canary, owner, serial), "sha256"))
    numerator, denominator = share.as_integer_ratio()
    return Arm.CANARY if coin * denominator < numerator << _COIN_BITS else Arm.STABLE


def _refuse_unfit(ticket: Ticket) -> None:
    names = (ticket.skill, ticket.version, ticket.owner, ticket.agent, ticket.serial)
    if not all(names) or max(map(len, (*names, ticket.canary))) > MAX_FIELD:
        raise ValueError(f"a ticket's names have 1 to {MAX_FIELD} characters")
    if not 0 <= ticket.share <= 1:
        raise ValueError(f"a share lies between 0 and 1, not at {ticket.share}")
    if ticket.expires_at <= ticket.issued_at:
        raise ValueError("a ticket expires after it is issued")


def _parts(text: str) -> tuple[str, str, str]:
    """What the code covers, the fields and the code, of a text in the form of a ticket."""
    if len(text) > MAX_TEXT or not text.isascii():
        raise MalformedTicket("this is no ticket")
    signed, _, code = text.rpartition(".")
    version, _, fields = signed.partition(".")
    if version != VERSION or not fields or len(code) != _CODE_CHARACTERS:
        raise MalformedTicket("this is no ticket")
    return signed, fields, code


def _decoded(fields: str) -> Ticket:
    try:
        packed = urlsafe_b64decode(fields + "=" * (-len(fields) % 4))
        return msgspec.msgpack.decode(packed, type=Ticket)
    except (ValueError, msgspec.DecodeError) as error:
        raise MalformedTicket("this is no ticket") from error


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _code(key: bytes, signed: str) -> str:
    return _base64url(hmac.digest(key, signed.encode("ascii"), "sha256"))


def _framed(*names: str) -> bytes:
    encoded = [name.encode() for name in names]
    return b"".join(len(name).to_bytes(8) + name for name in encoded)
