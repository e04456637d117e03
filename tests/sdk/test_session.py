"""The client's side of a live query, held against the texts that the server sends."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.sdk.errors import HubifyError
from hubify.sdk.session import Session
from hubify.values.errors import NotFound, RateLimited
from hubify.values.values import Int64
from hubify.wire import convex_json
from hubify.wire.results import LiveResult, live_refusal, live_value
from hubify.wire.server_texts import (
    PING,
    ZERO,
    Version,
    auth_error,
    fatal_error,
    query_removed,
    query_result,
    transition,
)
from hubify.wire.sync_messages import (
    Add,
    Authenticate,
    Connect,
    ModifyQuerySet,
    decode_client_message,
)
from hubify.wire.timestamps import encode_ts

ID = "12345678-1234-4234-8234-123456789abc"
FIRST = Version(1, 1, 10)


def session(key: str | None = "hk_live_x") -> Session:
    return Session(ID, key, "skills:getByName", {"name": "tidy", "n": 2})


def value(answer: object, journal: str | None = None) -> LiveResult:
    return live_value(convex_json.encode(answer), journal)


def text(start: Version, end: Version, *results: LiveResult) -> bytes:
    return transition(start, end, [query_result(0, result) for result in results])


def test_a_socket_begins_with_who_calls_and_what_is_watched() -> None:
    messages = [decode_client_message(message) for message in session().opening()]
    assert messages == [
        Connect(ID, 0, "InitialConnect"),
        Authenticate(0, "User", "hk_live_x"),
        ModifyQuerySet(
            0, 1, [Add(0, "skills:getByName", msgspec.Raw(b'[{"name":"tidy","n":2.0}]'))]
        ),
    ]


def test_without_a_key_nobody_is_authenticated() -> None:
    kinds = [type(decode_client_message(message)) for message in session(None).opening()]
    assert kinds == [Connect, ModifyQuerySet]


def test_a_later_socket_says_how_far_it_was_told_and_how_the_last_one_ended() -> None:
    watched = session()
    watched.opening()
    watched.receive(text(ZERO, FIRST, value(1, "journal")))
    connect, _, modify = (decode_client_message(each) for each in watched.opening("lost"))
    assert connect == Connect(ID, 1, "lost", max_observed_timestamp=encode_ts(10))
    assert isinstance(modify, ModifyQuerySet)
    assert isinstance(modify.modifications[0], Add)
    assert modify.modifications[0].journal == "journal"


answers = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text() | st.binary()
    | st.integers(-(2**63), 2**63 - 1).map(Int64),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.lists(answers, min_size=1, max_size=6), st.integers(0, 6))
def test_each_new_result_is_handed_out_once_whenever_the_connection_is_lost(
    results: list[object], lost_after: int
) -> None:
    watched = session()
    watched.opening()
    version, shown = ZERO, []
    for number, result in enumerate(results):
        if number == lost_after:
            watched.opening("lost")
            version = ZERO
            if number:
                again = Version(1, 1, 9 + number)
                assert watched.receive(text(version, again, value(results[number - 1]))) is None
                version = again
        following = Version(1, 1, 10 + number)
        received = watched.receive(text(version, following, value(result)))
        version = following
        if received is not None:
            shown.append(received.value)
    changes = [
        result
        for number, result in enumerate(results)
        if number == 0 or convex_json.encode(result) != convex_json.encode(results[number - 1])
    ]
    assert shown == changes


def test_pings_and_empty_transitions_bring_nothing() -> None:
    watched = session()
    watched.opening()
    assert watched.receive(PING) is None
    assert watched.receive(transition(ZERO, Version(0, 1, 5), [])) is None
    received = watched.receive(text(Version(0, 1, 5), FIRST, value(1)))
    assert received is not None
    assert received.value == 1


@pytest.mark.parametrize(
    "message",
    [
        text(Version(1, 1, 3), FIRST),
        transition(ZERO, FIRST, [query_removed(0)]),
        text(ZERO, FIRST, live_value(b'{"$integer":"x"}')),
        b"{}",
        b"[" * 10_000,
        b"\xff",
        "",
    ],
)
def test_what_does_not_fit_asks_for_another_connection(message: bytes | str) -> None:
    watched = session()
    watched.opening()
    with pytest.raises(HubifyError) as caught:
        watched.receive(message)
    assert caught.value.temporary


def test_a_refused_query_ends_with_its_code() -> None:
    watched = session()
    watched.opening()
    with pytest.raises(HubifyError) as caught:
        watched.receive(text(ZERO, FIRST, live_refusal(NotFound("no skill 'tidy'"))))
    assert (caught.value.code, caught.value.message) == ("NOT_FOUND", "no skill 'tidy'")
    assert not caught.value.temporary


def test_a_rate_limited_query_says_when_to_come_back() -> None:
    watched = session()
    watched.opening()
    with pytest.raises(HubifyError) as caught:
        watched.receive(text(ZERO, FIRST, live_refusal(RateLimited("slow", retry_after_s=12))))
    assert caught.value.temporary
    assert caught.value.retry_after_s == 12


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (auth_error("this API key is revoked", 0, attempted=True), "UNAUTHORIZED"),
        (fatal_error("nonsense"), "PROTOCOL_VIOLATION"),
    ],
)
def test_a_refused_caller_does_not_come_back(message: bytes, code: str) -> None:
    watched = session()
    watched.opening()
    with pytest.raises(HubifyError) as caught:
        watched.receive(message)
    assert caught.value.code == code
    assert not caught.value.temporary


def test_arguments_that_are_no_values_are_refused_at_once() -> None:
    with pytest.raises(HubifyError, match="the arguments of a:b"):
        Session(ID, None, "a:b", {"x": object()})
