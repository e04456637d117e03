"""Bodies and messages that are too long, too deep, or no JSON: refused with a code, on every face.

A REST route and a Convex call read the same text by the same rules; a socket ends a connection
whose message is no JSON, and answers a call whose arguments are no values.
"""

import contextlib
import json

import pytest
from websockets.exceptions import ConnectionClosed

from tests.clients.server import Server
from tests.server.healthy import memory_stays_within, others_are_served
from tests.server.wire import (
    JSON,
    Answer,
    Socket,
    echo,
    exchange,
    opened,
    read_answer,
    request,
    send_what_is_taken,
    sync_socket,
)

MIB = 1024 * 1024
DEEP = 100_000
POSTED = ["/api/query", "/v1/auth/tokens", "/v1/learning/report", "/api/nowhere"]
UNREADABLE = {
    "NaN": (b"NaN", "is not valid JSON"),
    "Infinity": (b"-Infinity", "is not valid JSON"),
    "too large a number": (b"1e999", "out of range"),
    "cut": (b'{"a":', "is not valid JSON"),
    "comment": (b"1 /* one */", "is not valid JSON"),
    "single quotes": (b"'a'", "is not valid JSON"),
    "control character": (b'"a\nb"', "is not valid JSON"),
    "lone surrogate": (b'"\\ud800"', "lone surrogate"),
    "reversed pair": (b'"\\udc00\\ud800"', "lone surrogate"),
    "surrogate in UTF-8": (b'"\xed\xa0\x80"', "not valid U"),
    "invalid UTF-8": (b'"\xff\xfe"', "not valid UTF-8"),
    "overlong UTF-8": (b'"\xc0\xaf"', "not valid UTF-8"),
    "UTF-16": ('"a"'.encode("utf-16"), "is not valid"),
}
UNFIT = {
    "long array": (b"[" + b"1," * 9_000 + b"1]", "PAYLOAD_TOO_LARGE", "more than 8192 elements"),
    "65 levels": (b"[" * 65 + b"]" * 65, "PAYLOAD_TOO_LARGE", "deeper than 64 levels"),
    "many fields": (
        json.dumps({f"f{n}": n for n in range(1_100)}).encode(),
        "PAYLOAD_TOO_LARGE", "more than 1024 fields",
    ),
    "2**64": (b"18446744073709551617", "VALIDATION_ERROR", "$integer"),
    "unknown tag": (b'{"$set":"AAAA"}', "VALIDATION_ERROR", "not a type that can be sent"),
    "field name": (b'{"a\\u0000b":1}', "VALIDATION_ERROR", "not plain ASCII"),
    "dollar field": (b'{"$a":1,"b":2}', "VALIDATION_ERROR", "begins with $"),
    "bad base64": (b'{"$bytes":"%%%"}', "VALIDATION_ERROR", "not base64"),
    "short integer": (b'{"$integer":"AA=="}', "VALIDATION_ERROR", "instead of 8"),
}  # fmt: skip


def rest(server: Server, body: bytes) -> Answer:
    headers = {**JSON, "Authorization": f"Bearer {server.admin_key}"}
    return exchange(server, request("POST", "/v1/auth/tokens", body, headers))


@pytest.mark.parametrize("unreadable", UNREADABLE)
def test_a_body_that_is_no_json_is_refused(server: Server, unreadable: str) -> None:
    value, sentence = UNREADABLE[unreadable]
    for answer in (exchange(server, echo(value)), rest(server, b'{"name":' + value + b"}")):
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        assert sentence in answer.message


@pytest.mark.parametrize("unreadable", UNREADABLE)
def test_a_message_that_is_no_json_ends_its_socket_or_its_call_alone(
    server: Server, unreadable: str
) -> None:
    value, sentence = UNREADABLE[unreadable]
    with sync_socket(server) as other, sync_socket(server) as socket:
        call = b'{"type":"Mutation","requestId":0,"udfPath":"checks:measure","args":[%b]}'
        with contextlib.suppress(ConnectionClosed):
            socket.connection.send(call % value, text=True)
        told = socket.hear("FatalError", "MutationResponse")
        if told["type"] == "MutationResponse":
            assert told["errorData"]["code"] == "VALIDATION_ERROR"
            assert sentence in told["result"]
        else:
            assert "not valid" in told["error"]
            ended(socket)
        assert other.watch("checks:echo", {"value": 1})["value"] == 1


@pytest.mark.parametrize("unfit", UNFIT)
def test_what_is_json_and_no_value_is_refused_as_an_argument(server: Server, unfit: str) -> None:
    value, code, sentence = UNFIT[unfit]
    answer = exchange(server, echo(value))
    assert (answer.status, answer.code) == (200, code)
    assert answer.message.startswith("args.value")
    assert sentence in answer.message
    answer = rest(server, b'{"name":' + value + b"}")
    assert (answer.status, answer.code) == (413 if code == "PAYLOAD_TOO_LARGE" else 400, code)
    with sync_socket(server) as socket:
        told = socket.call("mutation", "checks:store", {"name": "x", "content": json.loads(value)})
        assert told["errorData"]["code"] == code


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_json_of_a_hundred_thousand_levels_is_refused(server: Server, opening: bytes) -> None:
    deep = opening * DEEP
    with others_are_served(server), memory_stays_within(server, 32):
        for answer in (exchange(server, echo(deep)), rest(server, deep)):
            assert (answer.status, answer.code) == (413, "PAYLOAD_TOO_LARGE")
            assert "64 levels; flatten it" in answer.message
        with sync_socket(server) as socket:
            message = '{"type":"Mutation","requestId":0,"udfPath":"checks:measure","args":'
            socket.connection.send(message + deep.decode())
            error = socket.hear("FatalError")["error"]
            assert error.startswith("PAYLOAD_TOO_LARGE: ")
            assert "64 levels" in error


@pytest.mark.parametrize("ends", [(b"[", b"]"), (b'{"a":', b"}"), (b'["]",{"\\"":', b"}]")])
def test_arguments_too_deep_to_be_read_fail_their_call_alone(
    server: Server, ends: tuple[bytes, bytes]
) -> None:
    deep = ends[0] * 2_000 + b"1" + ends[1] * 2_000
    call = b'"requestId":%d,"udfPath":"checks:measure","args":[{"value":%b}]}'
    with others_are_served(server), sync_socket(server) as socket:
        for number, kind in enumerate((b"Mutation", b"Action")):
            message = b'{"type":"%b",' % kind + call % (number, deep)
            socket.connection.send(message, text=True)
            told = socket.hear(f"{kind.decode()}Response")
            assert told["requestId"] == number
            assert told["errorData"]["code"] == "PAYLOAD_TOO_LARGE"
            assert "64 levels" in told["result"]
        add = b'{"args":[{"value":%b}],"type":"Add","queryId":0,"udfPath":"checks:echo"}' % deep
        modify = b'{"modifications":[%b],"type":"ModifyQuerySet","baseVersion":0,"newVersion":1}'
        socket.connection.send(modify % add, text=True)
        assert socket.news()["errorData"]["code"] == "PAYLOAD_TOO_LARGE"
        socket.skip_versions(1)
        assert socket.watch("checks:echo", {"value": 1})["value"] == 1


def test_the_arguments_of_all_queries_of_a_socket_are_bounded(server: Server) -> None:
    with others_are_served(server), sync_socket(server) as socket:
        assert socket.watch("checks:length", {"value": "x" * 10 * MIB})["value"] == 10 * MIB
        refused = socket.watch("checks:length", {"value": "x" * 7 * MIB})
        assert refused["errorData"]["code"] == "PAYLOAD_TOO_LARGE"
        assert "stop watching some" in refused["errorMessage"]
        socket.say(
            type="ModifyQuerySet", baseVersion=2, newVersion=3,
            modifications=[{"type": "Remove", "queryId": 0}],
        )  # fmt: skip
        socket.skip_versions(1)
        assert socket.watch("checks:length", {"value": "x" * 7 * MIB})["value"] == 7 * MIB
        many = [0] * 8_000
        told = [socket.watch("checks:echo", {"value": [many] * 20}) for _ in range(2)]
        assert [each["type"] for each in told] == ["QueryUpdated", "QueryFailed"]
        assert told[1]["errorData"]["code"] == "PAYLOAD_TOO_LARGE"


def test_a_million_small_values_are_refused_before_they_are_read(server: Server) -> None:
    many = b"[" + b"1," * 1_000_000 + b"1]"
    with others_are_served(server), memory_stays_within(server, 48):
        for answer in (exchange(server, echo(many)), rest(server, many)):
            assert (answer.status, answer.code) == (413, "PAYLOAD_TOO_LARGE")
            assert "send fewer at a time" in answer.message


def test_of_a_field_given_twice_the_last_counts(server: Server) -> None:
    body = b'{"path":"checks:echo","args":{"value":1,"value":2},"format":"json"}'
    assert exchange(server, request("POST", "/api/query", body, JSON)).json["value"] == 2


@pytest.mark.parametrize("path", POSTED)
def test_a_body_declared_far_too_long_is_refused_unread(server: Server, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 40000000\r\n\r\n"
    answer = exchange(server, head.encode())
    assert (answer.status, answer.code) == (413, "PAYLOAD_TOO_LARGE")
    assert "send less at a time" in answer.message
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("chunks", [17, 64])
def test_a_body_in_chunks_is_refused_when_it_gets_too_long(server: Server, chunks: int) -> None:
    chunk = b"100000\r\n" + b"x" * MIB + b"\r\n"
    head = b"POST /api/query HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with others_are_served(server), memory_stays_within(server, 64), opened(server) as connection:
        send_what_is_taken(connection, head + chunks * chunk + b"0\r\n\r\n")
        answer = read_answer(connection)
    assert (answer.status, answer.code) == (413, "PAYLOAD_TOO_LARGE")


def test_a_text_of_ten_megabytes_is_taken_and_one_over_the_limit_is_not(server: Server) -> None:
    body = {"path": "checks:length", "args": {"value": "x" * 10 * MIB}, "format": "json"}
    answer = exchange(server, request("POST", "/api/query", json.dumps(body).encode(), JSON))
    assert answer.json["value"] == 10 * MIB
    with others_are_served(server), sync_socket(server) as socket:
        told = socket.call("mutation", "checks:measure", {"value": "x" * 10 * MIB})
        assert told["result"] == 10 * MIB
        told = socket.call("mutation", "checks:measure", {"value": "x" * 17 * MIB})
        assert told["errorData"]["code"] == "PAYLOAD_TOO_LARGE"
        with contextlib.suppress(ConnectionClosed):
            socket.start("mutation", "checks:measure", {"value": "x" * 33 * MIB})
        assert "send less at a time" in socket.hear("FatalError")["error"]
        ended(socket)


def test_a_row_over_its_limit_is_refused_and_nothing_is_stored(server: Server, name: str) -> None:
    for face in ("convex", "socket"):
        content = {"name": name, "content": "x" * 2 * MIB}
        if face == "socket":
            with sync_socket(server) as socket:
                code = socket.call("mutation", "checks:store", content)["errorData"]["code"]
        else:
            body = {"path": "checks:store", "args": content, "format": "json"}
            sent = request("POST", "/api/mutation", json.dumps(body).encode(), JSON)
            code = exchange(server, sent).code
        assert code == "PAYLOAD_TOO_LARGE"
    assert server.call("query", "checks:load", {"name": name}) is None


@pytest.mark.parametrize(
    ("content_type", "path", "code"),
    [
        ("text/plain", "/api/query", "BadRequest"),
        ("application/x-www-form-urlencoded", "/v1/auth/tokens", "VALIDATION_ERROR"),
        ("multipart/form-data; boundary=x", "/v1/auth/tokens", "VALIDATION_ERROR"),
        ("application/json; charset=utf-16", "/v1/auth/tokens", "VALIDATION_ERROR"),
    ],
)
def test_a_body_of_another_type_is_refused(
    server: Server, content_type: str, path: str, code: str
) -> None:
    headers = {"Content-Type": content_type, "Authorization": f"Bearer {server.admin_key}"}
    answer = exchange(server, request("POST", path, b"name=x", headers))
    assert (answer.status, answer.code) == (400, code)


def test_a_body_that_is_no_object_is_refused(server: Server) -> None:
    for body in (b"[]", b"1", b'"x"', b"null", b"[[1]]"):
        answer = exchange(server, request("POST", "/api/query", body, JSON))
        assert (answer.status, answer.code) == (400, "BadRequest")
        assert rest(server, body).code == "VALIDATION_ERROR"


def ended(socket: Socket) -> None:
    """The server has closed the connection."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            socket.connection.recv(timeout=10)
    assert socket.connection.close_code in {1008, 1009}
