"""Sealed fields: what is stored cannot be read without the key, nor moved, nor changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.domains.system import system
from hubify.functions import NOTHING, Domain, MutationCtx, QueryCtx, Row, Sealed, index
from hubify.functions.resealing import missing_keys, reseal
from hubify.functions.sealing import (
    KEY_BYTES,
    MAX_SECRET,
    NONCE_BYTES,
    NotOpened,
    Sealer,
    about,
    name_in,
    sealed_fields,
)
from hubify.functions.wiring import Wiring
from hubify.storage.memory import MemoryEngine
from hubify.testing.backend import InMemoryBackend

OLD, NEW = b"o" * KEY_BYTES, b"n" * KEY_BYTES
NONCE = b"0" * NONCE_BYTES
PLAIN = b"a secret that nobody shall find"

safe = Domain("safe")


@safe.table("safe_boxes", index())
class Box(Row, frozen=True):
    label: str
    secret: Sealed = NOTHING
    second: Sealed = NOTHING


@safe.mutation(internal=True)
def put(ctx: MutationCtx, *, label: str, secret: bytes) -> Box:
    """Keep a secret."""
    return ctx.seal(ctx.db.insert(Box(label=label)), secret=secret)


@safe.mutation(internal=True)
def put_open(ctx: MutationCtx, *, label: str, secret: bytes) -> Box:
    """Keep a secret the way it was kept before there were keys."""
    return ctx.db.insert(Box(label=label, secret=Sealed(secret)))


@safe.mutation(internal=True)
def swap(ctx: MutationCtx, *, label: str) -> None:
    """Move a sealed field to another row, as somebody who writes to the store might."""
    first, second = ctx.db.take(Box.where(), limit=2)
    assert label == "swap"
    ctx.db.replace(second, secret=first.secret)


@safe.query(internal=True)
def look(ctx: QueryCtx, *, label: str) -> bytes | None:
    """Read a secret again."""
    box = next(box for box in ctx.db.take(Box.where(), limit=500) if box.label == label)
    return ctx.unseal(box, "secret")


@safe.query(internal=True)
def boxes(ctx: QueryCtx) -> list[Box]:
    """Every box as it is stored."""
    return ctx.db.take(Box.where(), limit=500)


@pytest.fixture
def backend() -> InMemoryBackend:
    return InMemoryBackend([system, safe])


def wiring_with(backend: InMemoryBackend, *keys: bytes) -> Wiring:
    """The backend's wiring, as a process with these keys would have it."""
    was = backend.backend.wiring
    return Wiring(was.registry, was.database, was.runtime, sealer=Sealer(keys))


@given(plain=st.binary(min_size=1, max_size=200), place=st.binary(max_size=50))
def test_what_was_sealed_opens_again_and_shows_nothing(plain: bytes, place: bytes) -> None:
    sealer = Sealer([OLD])
    sealed = sealer.seal(plain, place, NONCE)
    assert sealer.unseal(sealed, place) == plain
    assert name_in(sealed) == sealer.newest
    if len(plain) > 4:
        assert plain not in sealed


@given(at=st.integers(0, 200), bit=st.integers(0, 7))
def test_a_changed_bit_is_noticed(at: int, bit: int) -> None:
    sealer = Sealer([OLD])
    sealed = bytearray(sealer.seal(PLAIN, b"here", NONCE))
    sealed[at % len(sealed)] ^= 1 << bit
    with pytest.raises(NotOpened):
        sealer.unseal(Sealed(bytes(sealed)), b"here")


def test_a_sealed_field_does_not_open_in_another_place() -> None:
    sealer = Sealer([OLD])
    with pytest.raises(NotOpened):
        sealer.unseal(sealer.seal(PLAIN, b"here", NONCE), b"there")


@pytest.mark.parametrize("cut", [0, 3, 8, 15, 16, 20, 28, 40])
def test_a_piece_of_a_sealed_field_is_refused(cut: int) -> None:
    sealer = Sealer([OLD])
    with pytest.raises(NotOpened):
        sealer.unseal(Sealed(sealer.seal(PLAIN, b"here", NONCE)[:cut]), b"here")


def test_the_newest_key_seals_and_every_key_opens() -> None:
    sealed = Sealer([OLD]).seal(PLAIN, b"here", NONCE)
    both = Sealer([OLD, NEW])
    assert both.unseal(sealed, b"here") == PLAIN
    assert name_in(both.seal(PLAIN, b"here", NONCE)) == Sealer([NEW]).newest
    with pytest.raises(NotOpened, match=Sealer([OLD]).newest):
        Sealer([NEW]).unseal(sealed, b"here")


def test_a_key_is_never_shown() -> None:
    sealer = Sealer([OLD, NEW])
    told = [repr(sealer), *sealer.names]
    for key in (OLD, NEW):
        assert not any(key.hex() in text or key.decode() in text for text in told)


def test_without_a_key_nothing_is_sealed() -> None:
    with pytest.raises(AssertionError, match="no key"):
        Sealer([]).seal(PLAIN, b"here", NONCE)


def test_a_secret_has_a_largest_size() -> None:
    with pytest.raises(AssertionError):
        Sealer([OLD]).seal(b"x" * (MAX_SECRET + 1), b"here", NONCE)


def test_a_function_reads_back_the_secret_that_its_row_keeps_sealed(
    backend: InMemoryBackend,
) -> None:
    box = backend.mutation("safe:put", {"label": "a", "secret": PLAIN})
    assert PLAIN not in box.secret
    assert backend.query("safe:look", {"label": "a"}) == PLAIN
    assert sealed_fields(Box) == ("secret", "second")


def test_two_rows_with_one_secret_look_different(backend: InMemoryBackend) -> None:
    first, second = (
        backend.mutation("safe:put", {"label": label, "secret": PLAIN}) for label in "ab"
    )
    assert first.secret[-len(PLAIN) :] != second.secret[-len(PLAIN) :]


def test_a_secret_that_was_moved_to_another_row_does_not_open(backend: InMemoryBackend) -> None:
    for label in "ab":
        backend.mutation("safe:put", {"label": label, "secret": label.encode()})
    backend.mutation("safe:swap", {"label": "swap"})
    with pytest.raises(NotOpened):
        backend.query("safe:look", {"label": "b"})


def test_a_row_without_a_secret_says_so(backend: InMemoryBackend) -> None:
    backend.mutation("safe:putOpen", {"label": "a", "secret": NOTHING})
    assert backend.query("safe:look", {"label": "a"}) is None


def test_what_lay_in_plain_text_is_sealed_and_reads_the_same(backend: InMemoryBackend) -> None:
    for number in range(450):  # more than one page of rows
        told = {"label": f"b{number}", "secret": b"%d and no more" % number}
        backend.mutation("safe:putOpen", told)
    wiring = backend.backend.wiring
    assert reseal(wiring).plain == 450
    assert all(name_in(box.secret) for box in backend.query("safe:boxes"))
    assert backend.query("safe:look", {"label": "b449"}) == b"449 and no more"
    head = backend.head()
    assert reseal(wiring).plain == 0
    assert backend.head() == head, "a second time there is nothing to do"


def test_a_new_key_takes_over_and_the_old_one_may_go(backend: InMemoryBackend) -> None:
    backend.mutation("safe:put", {"label": "a", "secret": PLAIN})
    reseal(backend.backend.wiring)
    held = backend.backend.wiring.sealer.newest
    assert missing_keys(wiring_with(backend, NEW)) == [held]

    both = wiring_with(backend, b"k" * KEY_BYTES, NEW)
    assert reseal(both).again == 1
    alone = wiring_with(backend, NEW)
    assert missing_keys(alone) == []
    (box,) = backend.query("safe:boxes")
    assert alone.sealer.unseal(box.secret, about(box, "secret")) == PLAIN


def test_a_lost_key_is_named_and_its_secrets_are_given_up_only_when_asked(
    backend: InMemoryBackend,
) -> None:
    backend.mutation("safe:put", {"label": "a", "secret": PLAIN})
    reseal(backend.backend.wiring)
    other = wiring_with(backend, NEW)
    with pytest.raises(NotOpened, match=backend.backend.wiring.sealer.newest):
        reseal(other)
    assert backend.query("safe:look", {"label": "a"}) == PLAIN
    assert reseal(other, give_up=True).lost == 1
    assert backend.query("safe:look", {"label": "a"}) is None
    assert missing_keys(other) == []


def test_a_key_stays_needed_while_a_domain_with_secrets_is_not_loaded() -> None:
    engine = MemoryEngine()
    first = InMemoryBackend([system, safe], engine=engine)
    first.mutation("safe:put", {"label": "a", "secret": PLAIN})
    reseal(first.backend.wiring)
    without = InMemoryBackend([system], engine=engine)
    reseal(wiring_with(without, b"k" * KEY_BYTES, NEW))
    again = InMemoryBackend([system, safe], engine=engine)
    assert missing_keys(wiring_with(again, NEW)) == [first.backend.wiring.sealer.newest]
