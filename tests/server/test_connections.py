"""Connections that send nothing, too much, garbage, or never read: others do not notice.

What takes long to time out (a silent client, a slow body) is held against small bounds in
`tests/transports`; here such connections stay open beside a healthy client.
"""

import contextlib
import os
import resource
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.clients.server import Server, wait_until
from tests.server.healthy import memory_stays_within, others_are_served
from tests.server.wire import (
    HANDSHAKE,
    JSON,
    ask,
    echo,
    exchange,
    opened,
    read_answer,
    request,
    send_what_is_taken,
    sync_socket,
)

MANY = 2_000
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
CLOSE = b"\x88"
MASK = b"\0\0\0\0"
CHUNKED = (
    b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n"
)
GARBAGE = {
    "random": os.urandom(4096),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "unknown method": b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL in a header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nx-request-id: a\0b\r\n\r\n",
    "no colon": b"GET /healthz HTTP/1.1\r\nHost x\r\n\r\n",
    "space before the colon": b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n",
    "raw UTF-8 path": "GET /v1/skills/\u00e9 HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    "negative length": b"POST /api/query HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "absurd length": b"POST /api/query HTTP/1.1\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n",
    "two lengths": b"POST /api/query HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunks": (
        b"POST /api/query HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\n"
    ),
    "one length twice": b"POST /echo HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "a list of lengths": b"POST /echo HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\na",
    "signed length": b"POST /echo HTTP/1.1\r\nContent-Length: +1\r\n\r\na",
    "chunks not last": CHUNKED.replace(b"chunked", b"chunked, identity"),
    "chunks and not": CHUNKED.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: identity\r\n\r\n", 1),
    "unknown coding": CHUNKED.replace(b"chunked", b"xchunked"),
    "coding before a space": CHUNKED.replace(b"Encoding:", b"Encoding :"),
    "chunk with 0x": CHUNKED.replace(b"4", b"0x4"),
    "chunk beyond 64 bits": CHUNKED.replace(b"4", b"f" * 17),
    "chunk longer than said": CHUNKED.replace(b"abcd", b"abcdXX"),
    "line feeds alone": CHUNKED.replace(b"\r\n", b"\n"),
    "line feed in a chunk's line": CHUNKED.replace(b"4\r\n", b"4;\n"),
    "carriage return alone": b"GET /healthz HTTP/1.1\r\nHost: x\rA: b\r\n\r\n",
    "folded line": b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "bad chunk": b"POST /api/query HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
}  # fmt: skip


@contextmanager
def many_files() -> Iterator[None]:
    """Let this process hold as many connections as the machine allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < MANY + 500:
        pytest.skip(f"this machine allows {hard} open files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_is_refused_with_a_code_and_leaves_no_line_in_the_log(
    server: Server, garbage: str
) -> None:
    before = server.log()
    answer = exchange(server, GARBAGE[garbage])
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert answer.headers["connection"] == "close"
    assert server.log() == before


@pytest.mark.parametrize("garbage", GARBAGE)
def test_nothing_behind_garbage_is_taken_for_a_request(server: Server, garbage: str) -> None:
    with opened(server) as connection:
        send_what_is_taken(connection, GARBAGE[garbage] + GET)
        told = rest_of(connection)
    assert told.count(b"HTTP/1.1 ") == 1
    assert b" 200 OK" not in told


def test_garbage_behind_requests_is_refused_once_those_are_answered(server: Server) -> None:
    with opened(server) as connection:
        connection.sendall(GET + echo(b"7").replace(b"close", b"keep-alive") + GARBAGE["TLS"])
        with connection.makefile("rb") as answers:
            told = answers.read()
    assert told.count(b"HTTP/1.1 200 OK") == 2
    assert told.count(b"HTTP/1.1 400 Bad Request") == 1
    assert told.index(b'"value":7') < told.index(b"VALIDATION_ERROR")


@pytest.mark.parametrize(
    "sent",
    [b"GET /healthz HTTP/1.1\r\nx: " + b"a" * 30_000_000,
     b"GET /healthz HTTP/1.1\r\n" + b"x: a\r\n" * 1_000_000,
     b"GET /" + b"a" * 30_000_000],
    ids=["header", "headers", "path"],
)  # fmt: skip
def test_a_head_without_end_is_refused(server: Server, sent: bytes) -> None:
    with others_are_served(server), memory_stays_within(server, 16):
        answer = exchange(server, sent)
        assert (answer.status, answer.code) == (431, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    "headers",
    [{"X-Request-Id": "a" * 5_000}, {"X-Request-Id": "<script>"}, {"X-Forwarded-For": "1, 2" * 99},
     {"Convex-Client": "npm-" + "9" * 900}, {"Convex-Client": "\xff"}, {"Host": "evil\xff"},
     {"Origin": "\xff\xfe"}, {"Expect": "200-maybe"}, {"Content-Encoding": "gzip"},
     {"Accept": "x" * 9_000}, {"Cookie": "a=" + "b" * 9_000}, {"Transfer-Encoding": "identity"},
     {"Idempotency-Key": "\x80" * 300}],
    ids=str,
)  # fmt: skip
def test_hostile_headers_change_nothing(server: Server, headers: dict[str, str]) -> None:
    answer = exchange(server, request("GET", "/v1/skills", headers=headers))
    if "Transfer-Encoding" in headers:
        assert answer.status == 400
        return
    assert answer.status == 200
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.json["meta"]["request_id"] == answer.headers["x-request-id"]


def test_a_protocol_that_we_do_not_speak_is_passed_over(server: Server) -> None:
    offered = echo(b"1").replace(
        b"Connection: close",
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
    )
    assert exchange(server, offered).json["value"] == 1


def test_a_flood_of_requests_in_a_row_costs_no_memory(server: Server) -> None:
    with others_are_served(server), memory_stays_within(server, 24), opened(server) as connection:
        send_what_is_taken(connection, GET * 20_000 + request("GET", "/version"))
        with connection.makefile("rb") as answers:
            told = answers.read()
    assert told.count(b"HTTP/1.1 200 OK") == 20_001


def test_answers_that_nobody_reads_cost_little(server: Server) -> None:
    wanted = b'{"path":"checks:large","args":{"size":1000000},"format":"json"}'
    post = request("POST", "/api/query", wanted, {**JSON, "Connection": "keep-alive"})
    with others_are_served(server), memory_stays_within(server, 96), ExitStack() as stack:
        for _ in range(20):
            connection = stack.enter_context(opened(server))
            connection.sendall(20 * post)  # 400 MB in all
        assert ask(server, "GET", "/healthz").status == 200


def test_thousands_of_silent_connections_hinder_nobody(server: Server) -> None:
    with (
        many_files(),
        memory_stays_within(server, 64),
        others_are_served(server),
        ExitStack() as stack,
    ):
        for number in range(MANY):
            connection = stack.enter_context(opened(server))
            connection.sendall([b"", b"GET /he", HANDSHAKE[:40], HANDSHAKE][number % 4])
        assert ask(server, "GET", "/healthz").status == 200


def test_a_slow_body_waits_alone(server: Server) -> None:
    head = b"POST /api/query HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    with ExitStack() as stack:
        slow = [stack.enter_context(opened(server)) for _ in range(50)]
        for connection in slow:
            connection.sendall(head % 1_000 + b'{"path":')
        with others_are_served(server):
            for byte in b'"checks:echo","args":{"value":1}':
                for connection in slow:
                    connection.sendall(bytes([byte]))
        rest = b"}" + b" " * (1_000 - len(b'{"path":"checks:echo","args":{"value":1}}'))
        for connection in slow:
            connection.sendall(rest)
            assert read_answer(connection).json == {"status": "success", "value": 1}


@pytest.mark.parametrize("end", ["reset", "half-closed", "closed"])
def test_connections_that_break_off_are_forgotten(server: Server, end: str) -> None:
    wanted = b'{"path":"checks:large","args":{"size":1000000},"format":"json"}'
    with others_are_served(server), memory_stays_within(server, 96):
        for number in range(200):
            with opened(server) as connection:
                body = request("POST", "/api/query", wanted, JSON)
                connection.sendall([body, body[:-9], HANDSHAKE, HANDSHAKE + b"\x81"][number % 4])
                if end == "reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                elif end == "half-closed":
                    connection.shutdown(socket.SHUT_WR)
    wait_until(lambda: open_files(server) < 50, "the server's closing of connections")


def open_files(server: Server) -> int:
    """How many files and connections the process holds."""
    assert server._process is not None
    return len(os.listdir(f"/proc/{server._process.pid}/fd"))  # noqa: PTH208 - only their number


@pytest.mark.parametrize(
    ("status", "code", "change"),
    [
        (404, "NOT_FOUND", (b"/api/sync", b"/v1/skills")),
        (404, "NOT_FOUND", (b"/api/sync", b"/api/" + b"x" * 80 + b"/sync")),
        (426, "VALIDATION_ERROR", (b"Version: 13", b"Version: 8")),
        (426, "VALIDATION_ERROR", (b"Sec-WebSocket-Version: 13\r\n", b"")),
        (400, "VALIDATION_ERROR", (b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b"")),
        (400, "VALIDATION_ERROR", (b"dGhlIHNhbXBsZSBub25jZQ==", b"short")),
        (404, "NOT_FOUND", (b"GET", b"POST")),
        (431, "PAYLOAD_TOO_LARGE", (b"Host: x", b"Host: x\r\nCookie: " + b"c" * 10_000)),
        (431, "PAYLOAD_TOO_LARGE", (b"Host: x", b"Host: x" + b"\r\nA: b" * 200)),
    ],
)
def test_a_handshake_that_is_none_is_refused_with_a_code(
    server: Server, status: int, code: str, change: tuple[bytes, bytes]
) -> None:
    answer = exchange(server, HANDSHAKE.replace(*change))
    assert (answer.status, answer.code) == (status, code)
    assert answer.message
    assert answer.headers["content-type"] == "application/json"
    if status == 426:
        assert answer.headers["sec-websocket-version"] == "13"


@pytest.mark.parametrize(
    "frames",
    [
        b"\x81\x05hello",  # not masked
        b"\xc1\x80" + MASK,  # a reserved bit
        b"\x83\x80" + MASK,  # a reserved kind
        b"\x80\x80" + MASK,  # a continuation of nothing
        b"\x01\x80" + MASK + b"\x81\x80" + MASK,  # a text within a text
        b"\x09\x80" + MASK,  # a ping in pieces
        b"\x89\xfe\x00\x80" + MASK + bytes(128),  # a ping that is too long
        b"\x82\x81" + MASK + b"x",  # bytes
        b"\x81\xff" + b"\xff" * 8 + MASK,  # 16 exabytes
        b"\x88\x81" + MASK + b"\x03",  # half a close code
        b"\x88\x82" + MASK + b"\x03\xed",  # a close code that may not be sent
        os.urandom(4096) + b"\x83\x00",
    ],
)
def test_a_violation_of_websocket_ends_its_connection_only(server: Server, frames: bytes) -> None:
    with sync_socket(server) as other, opened(server) as connection:
        connection.sendall(HANDSHAKE)
        assert read_answer(connection).status == 101
        send_what_is_taken(connection, frames)
        told = b""
        with contextlib.suppress(ConnectionResetError):
            while CLOSE not in told and (got := connection.recv(65536)):
                told += got
        assert other.watch("checks:echo", {"value": 1})["value"] == 1


def test_a_flood_of_one_socket_delays_others_little(server: Server) -> None:
    ping = b"\x89\x84" + MASK + b"ping"
    with others_are_served(server), memory_stays_within(server, 48), opened(server) as connection:
        connection.sendall(HANDSHAKE)
        assert read_answer(connection).status == 101
        connection.settimeout(2)
        with contextlib.suppress(TimeoutError, ConnectionError):
            connection.sendall(ping * 500_000)  # and no pong is read


def test_endless_pieces_of_a_message_are_bounded(server: Server) -> None:
    piece = b"\x01\xfe\xff\xff" + MASK + b"x" * 65_535
    more = b"\x00\xfe\xff\xff" + MASK + b"x" * 65_535
    with others_are_served(server), memory_stays_within(server, 96), opened(server) as connection:
        connection.sendall(HANDSHAKE)
        assert read_answer(connection).status == 101
        send_what_is_taken(connection, piece + more * 1_000)
        assert b"send less at a time" in rest_of(connection)


def rest_of(connection: socket.socket) -> bytes:
    """What still comes until the end."""
    told = b""
    with contextlib.suppress(ConnectionResetError):
        while got := connection.recv(65536):
            told += got
    return told


def test_a_thousand_mutations_at_once_are_each_answered(server: Server, name: str) -> None:
    with others_are_served(server), sync_socket(server) as socket:
        for _ in range(1_000):
            socket.start("mutation", "checks:increment", {"name": name})
        told = [socket.hear("MutationResponse") for _ in range(1_000)]
    assert [each["result"] for each in told] == list(range(1, 1_001))


def test_more_queries_than_a_socket_may_watch_are_refused(server: Server) -> None:
    add = {"type": "Add", "udfPath": "checks:echo"}
    wanted = [{**add, "queryId": n, "args": [{"value": n}]} for n in range(1_100)]
    with others_are_served(server), sync_socket(server) as socket:
        socket.say(type="ModifyQuerySet", baseVersion=0, newVersion=1, modifications=wanted)
        told = socket.hear("Transition", "FatalError")
        if told["type"] == "FatalError":
            assert "1000" in told["error"]
            return
        while len(told["modifications"]) == 0:
            told = socket.hear("Transition")
        failed = [each for each in told["modifications"] if each["type"] == "QueryFailed"]
        assert len(failed) == 100
        assert failed[0]["errorData"]["code"] == "PAYLOAD_TOO_LARGE"


def test_sockets_beyond_the_bound_of_an_address_are_told_so(tmp_path: Path) -> None:
    with Server(tmp_path / "data", max_sockets_per_address="2") as crowded, ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(sync_socket(crowded))
        answer = exchange(crowded, HANDSHAKE)
        assert (answer.status, answer.code) == (429, "RATE_LIMITED")
        assert "close some" in answer.message
        assert int(answer.headers["retry-after"]) > 0
        stack.close()
        wait_until(lambda: exchange(crowded, HANDSHAKE).status == 101, "room for a socket")
        assert crowded.faults() == []
