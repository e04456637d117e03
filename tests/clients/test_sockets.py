"""Sync sockets seen from the wire: parts of what is long, readers that do not read, violations.

In each test an official client stands by, and goes on as if nothing had happened.
"""

import json
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.clients.conftest import Connect
from tests.clients.legs import NPM_HTTP, NPM_LIVE, Client
from tests.clients.server import Server, wait_until
from tests.clients.wire import NPM, OTHERS, Wire, watching

SESSION = "b5ea5505-1d2c-4f7a-9c37-0a1b2c3d4e5f"
MIB = 1024 * 1024
FATAL = ["FatalError"]
POLICY, BINARY, TOO_BIG, BAD_TEXT, BROKEN, TRY_LATER = 1008, 1003, 1009, 1007, 1002, 1013
UPDATES, AT_ONCE = 1_500, 50
PADDED = 256 * 1024  # bytes of each update


class Bystander:
    """An official client that must notice nothing."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._name = f"{name} bystander"
        self._live = client.subscribe("checks:counter", name=self._name)
        self._count = self._live.next()

    def goes_on(self) -> None:
        """It writes, and sees what it wrote."""
        self._count += 1
        assert self._client.mutation("checks:increment", name=self._name) == self._count
        assert self._live.next() == self._count


@pytest.fixture
def bystander(connect: Connect, hub: Server, name: str) -> Iterator[Bystander]:
    standing_by = Bystander(connect(NPM_LIVE, hub), name)
    yield standing_by
    standing_by.goes_on()


def test_a_long_transition_goes_in_parts_to_npm_only(hub: Server) -> None:
    with Wire(hub, NPM) as npm, Wire(hub, OTHERS) as other:
        for wire in (npm, other):
            wire.greet()
            wire.modify(0, watching(0, "checks:large", size=12_000_000))
        first = npm.until("TransitionChunk")
        parts = [first, *(npm.receive() for _ in range(1, first["totalParts"]))]
        whole = other.until("Transition")
    assert [part["partNumber"] for part in parts] == [0, 1, 2]
    assert {(part["type"], part["totalParts"], part["transitionId"]) for part in parts} == {
        ("TransitionChunk", 3, first["transitionId"])
    }
    assert max(len(part["chunk"]) for part in parts) == 5_000_000
    assert json.loads("".join(part["chunk"] for part in parts)) == whole
    assert whole["modifications"][0]["value"] == "x" * 12_000_000


def test_a_reader_that_stops_costs_no_memory_and_then_sees_the_latest(
    connect: Connect, own_hub: Server
) -> None:
    writer = connect(NPM_HTTP, own_hub)
    bystander = Bystander(connect(NPM_LIVE, own_hub), "slow")
    with Wire(own_hub, reads_slowly=True) as slow:
        slow.greet()
        slow.modify(0, watching(0, "checks:padded", name="a", size=PADDED))
        assert slow.until("Transition")["modifications"][0]["value"].strip() == "0"
        increment(writer, 100)
        before = own_hub.resident_kib
        increment(writer, UPDATES - 100)
        bystander.goes_on()
        grown = own_hub.resident_kib - before
        assert grown < 32 * 1024, f"{UPDATES} unread updates of {PADDED} bytes cost {grown} KiB"
        seen = [int(value) for value in values_until(slow, str(UPDATES))]
        assert seen == sorted(seen)
        assert len(seen) < 20, "what it missed was kept for it"


def increment(writer: Client, times: int) -> None:
    """Many updates of one counter."""
    for _ in range(0, times, AT_ONCE):
        under_way = [writer.start("mutation", "checks:increment", name="a") for _ in range(AT_ONCE)]
        for pending in under_way:
            pending.done()


def values_until(wire: Wire, last: str) -> list[str]:
    """The values of its one query that a client is told, up to one."""
    values: list[str] = []
    while not values or values[-1].strip() != last:
        changes = wire.until("Transition")["modifications"]
        values += [change["value"] for change in changes]
    return values


def test_a_client_that_never_reads_its_answers_is_sent_away(
    hub: Server, bystander: Bystander
) -> None:
    with Wire(hub, reads_slowly=True) as deaf:
        deaf.greet()
        before = hub.resident_kib
        for request_id in range(150):
            deaf.mutate(request_id, "checks:keepNothing", value="x" * MIB)
            if request_id % 50 == 0:
                bystander.goes_on()
        grown = hub.resident_kib - before
        assert grown < 100 * 1024, f"150 MiB of unread answers cost {grown} KiB"
        said, code, reason = deaf.ending()
        assert (code, reason) == (TRY_LATER, "TooManyUnreadResponses")
        assert len(said) < 50


def text(**message: object) -> Callable[[Wire], None]:
    return lambda wire: wire.send(**message)


def raw(content: str | bytes) -> Callable[[Wire], None]:
    return lambda wire: wire.socket.send(content)


def frame(head: bytes, *, masked: bool = True, data: bytes = b"hello") -> Callable[[Wire], None]:
    """A frame that no library would send."""
    bits = 0x80 if masked else 0
    body = bytes([bits | len(data)]) + (b"\0\0\0\0" if masked else b"") + data
    return lambda wire: wire.socket.socket.sendall(head + body)


ADD = watching(0, "checks:counter", name="a")
VIOLATIONS: dict[str, tuple[Callable[[Wire], object], list[str], int]] = {
    "no JSON": (raw("{"), FATAL, POLICY),
    "no object": (raw("[1]"), FATAL, POLICY),
    "a number": (raw("NaN"), FATAL, POLICY),
    "nothing": (raw(""), FATAL, POLICY),
    "no type": (text(requestId=1), FATAL, POLICY),
    "an unknown type": (text(type="Subscribe"), FATAL, POLICY),
    "a second Connect": (text(type="Connect", sessionId=SESSION), FATAL, POLICY),
    "a query set from nowhere": (
        text(type="ModifyQuerySet", baseVersion=5, newVersion=6, modifications=[]),
        FATAL,
        POLICY,
    ),
    "a query set that leaps": (
        text(type="ModifyQuerySet", baseVersion=0, newVersion=2, modifications=[]),
        FATAL,
        POLICY,
    ),
    "one query twice": (lambda wire: wire.modify(0, ADD, ADD), FATAL, POLICY),
    "an identity from nowhere": (
        text(type="Authenticate", baseVersion=3, tokenType="None"),
        FATAL,
        POLICY,
    ),
    "too many modifications": (lambda wire: wire.modify(0, *[ADD] * 2_001), FATAL, POLICY),
    "a negative request id": (
        text(type="Mutation", requestId=-1, udfPath="a", args=[]),
        FATAL,
        POLICY,
    ),
    "no arguments": (text(type="Mutation", requestId=0, udfPath="checks:increment"), FATAL, POLICY),
    "an abyss": (
        raw('{"type":"Mutation","requestId":0,"udfPath":"a:b","args":' + "[" * 100_000),
        FATAL,
        POLICY,
    ),
    "scattered request ids": (
        lambda wire: [wire.mutate(2 * n, "checks:nothing") for n in range(1_100)],
        FATAL,
        POLICY,
    ),
    "bytes": (raw(b"{}"), [], BINARY),
    "a message beyond all bounds": (raw("x" * (33 * MIB)), FATAL, TOO_BIG),
    "text that is none": (frame(b"\x81", data=b'"\xff"'), FATAL, POLICY),
    "a frame without a mask": (frame(b"\x81", masked=False), [], BROKEN),
    "an unknown kind of frame": (frame(b"\x83"), [], BROKEN),
    "a continuation of nothing": (frame(b"\x80"), [], BROKEN),
    "reserved bits": (frame(b"\xf1"), [], BROKEN),
}


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_a_violation_ends_its_own_connection_and_says_why(
    hub: Server, bystander: Bystander, violation: str
) -> None:
    commit, types, code = VIOLATIONS[violation]
    with Wire(hub) as wire:
        wire.greet()
        wire.until("Ping")
        with suppress(ConnectionClosed):
            commit(wire)
        said, closed_with, _ = wire.ending()
    told = [
        message for message in said if message["type"] not in {"Transition", "MutationResponse"}
    ]
    assert [message["type"] for message in told] == types
    assert closed_with == code
    bystander.goes_on()


def test_a_session_that_does_not_begin_with_connect_is_ended(
    hub: Server, bystander: Bystander
) -> None:
    with Wire(hub) as wire:
        wire.mutate(0, "checks:increment", name="never")
        said, code, _ = wire.ending()
    assert [message["type"] for message in said] == FATAL
    assert code == POLICY
    bystander.goes_on()
    assert hub.call("query", "checks:counter", {"name": "never"}) == 0


def test_a_client_from_the_future_is_asked_to_come_back(hub: Server) -> None:
    with Wire(hub) as wire:
        wire.send(type="Connect", sessionId=SESSION, maxObservedTimestamp="/////////38=")
        said, code, reason = wire.ending()
    assert said == []
    assert code == 1011
    assert reason.startswith("InternalServerError")


@pytest.mark.parametrize("path", ["/", "/api", "/api/sync/", "/api/a/b/sync", "/v1/sync"])
def test_there_is_no_socket_elsewhere(hub: Server, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        Wire(hub, path)
    assert refused.value.response.status_code == 404


HANDSHAKE = (
    f"GET {NPM} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
).encode()
HALF = {
    "nothing": b"",
    "half a request": b"POST /api/mutation HTTP/1.1\r\nContent-Le",
    "half a body": b"POST /api/mutation HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n{",
    "half a handshake": HANDSHAKE[:60],
    "no word after the handshake": HANDSHAKE,
    "half a frame": HANDSHAKE + b"\x81\xff" + struct.pack(">Q", MIB) + b"\0\0\0\0" + b"x" * 1000,
    "no end": HANDSHAKE + b"\x01\x85\0\0\0\0hello",
    "noise": bytes(range(256)) * 40,
}


def test_connections_that_stop_half_way_are_nobodys_business(
    hub: Server, bystander: Bystander
) -> None:
    with ExitStack() as stack:
        for sent in HALF.values():
            for _ in range(20):
                half = stack.enter_context(socket.create_connection(("127.0.0.1", hub.port)))
                half.sendall(sent)
        bystander.goes_on()
    bystander.goes_on()


def test_many_who_come_and_go_are_nobodys_business(hub: Server, bystander: Bystander) -> None:
    for _ in range(5):
        with ExitStack() as stack:
            for _ in range(40):
                wire = stack.enter_context(Wire(hub))
                wire.greet()
                wire.modify(0, watching(0, "checks:large", size=100_000))
            bystander.goes_on()


def test_an_address_has_only_so_many_sockets(connect: Connect, tmp_path: Path) -> None:
    most = 10
    with (
        Server(tmp_path / "data", max_sockets_per_address=str(most)) as server,
        ExitStack() as stack,
    ):
        bystander = Bystander(connect(NPM_LIVE, server), "crowd")
        crowd = [stack.enter_context(Wire(server)) for _ in range(most - 1)]
        with pytest.raises(InvalidStatus) as refused:
            Wire(server)
        assert refused.value.response.status_code == 429
        assert b"this address has all the sockets it may have" in refused.value.response.body
        bystander.goes_on()
        crowd[0].socket.close()
        wait_until(lambda: opens(server), "a place in the crowd")


def opens(server: Server) -> bool:
    """Whether one more socket is taken."""
    try:
        with Wire(server):
            return True
    except InvalidStatus:
        return False


def test_a_flood_of_mutations_is_answered_in_order_and_holds_nobody_up(
    hub: Server, bystander: Bystander, name: str
) -> None:
    flood = 1_200
    with Wire(hub) as wire:
        wire.greet()
        for request_id in range(flood):
            wire.mutate(request_id, "checks:append", list=name, text=str(request_id))
        bystander.goes_on()
        answers: list[dict[str, Any]] = [wire.until("MutationResponse") for _ in range(flood)]
    assert [answer["requestId"] for answer in answers] == [*range(flood)]
    assert all(answer["success"] for answer in answers)
    texts = hub.call("query", "checks:texts", {"list": name})
    assert texts == [str(number) for number in range(flood)]


def test_a_mutation_sent_twice_over_two_sockets_happens_once(hub: Server, name: str) -> None:
    answers: list[dict[str, Any]] = []
    for _ in range(2):
        with Wire(hub) as wire:
            wire.greet("0a1b2c3d-1d2c-4f7a-9c37-0a1b2c3d4e5f")
            wire.mutate(0, "checks:increment", name=name)
            answers.append(wire.until("MutationResponse"))
            assert wire.until("Transition")["endVersion"]["ts"] >= ""
    assert [answer["result"] for answer in answers] == [1, 1]
    assert hub.call("query", "checks:counter", {"name": name}) == 1
