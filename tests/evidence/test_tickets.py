"""A ticket tells what it was issued for, to whom it was issued, while it lasts."""

import hmac
from hashlib import sha256

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubify.evidence.reports import Arm
from hubify.evidence.tickets import (
    MAX_FIELD,
    MAX_TEXT,
    ExpiredTicket,
    ForeignTicket,
    ForgedTicket,
    MalformedTicket,
    Ticket,
    TicketError,
    _framed,
    assign_arm,
    issue,
    verify,
)

KEY = bytes(range(32))
OLD_KEY = bytes(32)
TICKET = Ticket(
    skill="pdf-forms",
    version="1.2.0",
    canary="canary-7",
    arm=Arm.CANARY,
    share=0.05,
    owner="ada",
    agent="ada/claude",
    serial="s-1",
    issued_at=1_700_000_000_000,
    expires_at=1_700_086_400_000,
)
BEFORE = TICKET.expires_at - 1

names = st.text(min_size=1, max_size=40)
tickets = st.builds(
    lambda issued, life, **fields: Ticket(**fields, issued_at=issued, expires_at=issued + life),
    issued=st.integers(0, 2**45),
    life=st.integers(1, 2**32),
    skill=names,
    version=names,
    canary=names | st.just(""),
    arm=st.sampled_from(Arm),
    share=st.floats(0, 1),
    owner=names,
    agent=names,
    serial=names,
)


@given(tickets)
def test_a_ticket_is_read_back_as_it_was_issued(ticket: Ticket) -> None:
    text = issue(ticket, KEY)
    read = verify(text, [KEY], ticket.issued_at, owner=ticket.owner, agent=ticket.agent)
    assert read == ticket
    assert len(text) <= MAX_TEXT
    assert all(character.isalnum() or character in "-_." for character in text)


def test_any_flipped_bit_is_refused() -> None:
    text = issue(TICKET, KEY)
    for at, character in enumerate(text):
        for bit in range(8):
            changed = text[:at] + chr(ord(character) ^ 1 << bit) + text[at + 1 :]
            with pytest.raises(TicketError):
                verify(changed, [KEY], BEFORE, owner=TICKET.owner, agent=TICKET.agent)


def test_a_shortened_or_lengthened_ticket_is_refused() -> None:
    text = issue(TICKET, KEY)
    for changed in [*(text[:end] for end in range(len(text))), text + "=", text + "A", " " + text]:
        with pytest.raises(TicketError):
            verify(changed, [KEY], BEFORE, owner=TICKET.owner, agent=TICKET.agent)


@given(st.text(max_size=300) | st.from_regex(r"ht1\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{43}"))
@example("ht1.." + "A" * 43)
@example("\ud800")
@example("é" * 50)
@example("A" * (MAX_TEXT + 1))
def test_no_text_from_outside_does_more_than_be_refused(text: str) -> None:
    with pytest.raises((MalformedTicket, ForgedTicket)):
        verify(text, [KEY], BEFORE, owner="ada", agent="ada/claude")


def test_a_ticket_of_another_key_is_forged() -> None:
    with pytest.raises(ForgedTicket):
        verify(issue(TICKET, OLD_KEY), [KEY], BEFORE, owner="ada", agent="ada/claude")
    with pytest.raises(ForgedTicket):
        verify(issue(TICKET, KEY), [], BEFORE, owner="ada", agent="ada/claude")


def test_a_ticket_of_the_key_before_still_counts() -> None:
    text = issue(TICKET, OLD_KEY)
    assert verify(text, [KEY, OLD_KEY], BEFORE, owner="ada", agent="ada/claude") == TICKET


def test_a_ticket_ends_at_its_expiry_and_not_before() -> None:
    text = issue(TICKET, KEY)
    assert verify(text, [KEY], BEFORE, owner="ada", agent="ada/claude") == TICKET
    with pytest.raises(ExpiredTicket):
        verify(text, [KEY], TICKET.expires_at, owner="ada", agent="ada/claude")


@pytest.mark.parametrize(("owner", "agent"), [("ben", "ada/claude"), ("ada", "ada/other")])
def test_a_ticket_of_another_owner_or_agent_is_not_the_callers(owner: str, agent: str) -> None:
    with pytest.raises(ForeignTicket):
        verify(issue(TICKET, KEY), [KEY], TICKET.expires_at, owner=owner, agent=agent)


@pytest.mark.parametrize("payload", [b"", b"\xc1", msgspec.msgpack.encode(["a"]), b"\x90"])
def test_a_well_made_code_over_no_ticket_is_malformed(payload: bytes) -> None:
    from base64 import urlsafe_b64encode  # noqa: PLC0415 - only this test forges

    signed = "ht1." + (urlsafe_b64encode(payload).rstrip(b"=").decode() or "A")
    code = urlsafe_b64encode(hmac.digest(KEY, signed.encode(), "sha256")).rstrip(b"=").decode()
    with pytest.raises(MalformedTicket):
        verify(f"{signed}.{code}", [KEY], BEFORE, owner="ada", agent="ada/claude")


@pytest.mark.parametrize(
    "change",
    [
        {"owner": ""},
        {"agent": "a" * (MAX_FIELD + 1)},
        {"canary": "a" * (MAX_FIELD + 1)},
        {"share": 1.5},
        {"share": float("nan")},
        {"expires_at": TICKET.issued_at},
    ],
)
def test_unfit_fields_are_not_issued(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"ticket|share"):
        issue(msgspec.structs.replace(TICKET, **change), KEY)


def test_names_too_long_together_are_not_issued() -> None:
    long = "\N{SNOWMAN}" * MAX_FIELD
    ticket = msgspec.structs.replace(TICKET, skill=long, owner=long, agent=long)
    with pytest.raises(ValueError, match="names are too long"):
        issue(ticket, KEY)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        issue(TICKET, b"short")


def test_arms_fall_in_proportion_to_the_share() -> None:
    for share in (0.05, 0.25, 0.5):
        arms = [assign_arm(KEY, "canary-7", "ada", f"s-{run}", share) for run in range(4_000)]
        expected = 4_000 * share
        assert abs(arms.count(Arm.CANARY) - expected) < 4 * (expected * (1 - share)) ** 0.5


@given(names, names, names, st.floats(0, 1), st.floats(0, 1))
def test_a_ticket_in_the_canary_stays_there_when_the_share_grows(
    canary: str, owner: str, serial: str, one: float, other: float
) -> None:
    small, large = sorted((one, other))
    if assign_arm(KEY, canary, owner, serial, small) is Arm.CANARY:
        assert assign_arm(KEY, canary, owner, serial, large) is Arm.CANARY


def test_no_share_is_never_and_a_whole_share_always_the_canary() -> None:
    for run in range(50):
        assert assign_arm(KEY, "c", "ada", str(run), 0) is Arm.STABLE
        assert assign_arm(KEY, "c", "ada", str(run), 1) is Arm.CANARY


def test_anybody_with_the_secret_can_toss_the_coin_again() -> None:
    message = b"".join(
        len(name).to_bytes(8, "big") + name for name in (b"canary-7", "ad\u00e9".encode(), b"s-9")
    )
    coin = int.from_bytes(hmac.new(KEY, message, sha256).digest(), "big") / 2**256
    assert assign_arm(KEY, "canary-7", "ad\u00e9", "s-9", coin * 1.001) is Arm.CANARY
    assert assign_arm(KEY, "canary-7", "ad\u00e9", "s-9", coin * 0.999) is Arm.STABLE


@given(st.tuples(names, names, names), st.tuples(names, names, names))
def test_no_two_triples_of_names_share_a_coin(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert (_framed(*one) == _framed(*other)) == (one == other)
    assert _framed("ab", "c", "d") != _framed("a", "bc", "d")
