"""The client over a made-up server: what is sent, what is tried again, what an error says."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from hubify.sdk.errors import HubifyError
from hubify.sdk.http import Client, Notice
from hubify.values.values import Int64

URL = "http://127.0.0.1:3210"
DONE = httpx.Response(200, json={"status": "success", "value": 1.0})


class Parts(httpx.SyncByteStream):
    """A response's body as it comes in, part by part."""

    def __init__(self, part: bytes, times: int = 1) -> None:
        self.part, self.times = part, times

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self.times):
            yield self.part


class FakeServer:
    """Answers from a list, in turn, and keeps what it was sent."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, key: str | None = "hk_live_x", notice: Notice | None = None) -> Client:
        transport = httpx.MockTransport(self)
        return Client(URL, key, transport=transport, sleep=self.waits.append, notice=notice)

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]


def failed(code: str, message: str = "no", **details: object) -> httpx.Response:
    data = {"code": code, "message": message, **details}
    body = {"status": "error", "errorMessage": message, "errorData": data}
    return httpx.Response(200, json=body)


def test_a_query_goes_out_as_convex_clients_send_it() -> None:
    server = FakeServer(DONE)
    server.client().query("skills:search", {"query": "tidy", "limit": 3})
    (request,) = server.requests
    assert request.url == f"{URL}/api/query"
    assert request.headers["Authorization"] == "Bearer hk_live_x"
    assert request.headers["Convex-Client"].startswith("hubify-")
    assert request.content == (
        b'{"path":"skills:search","format":"convex_encoded_json",'
        b'"args":{"query":"tidy","limit":3.0}}'
    )


def test_without_a_key_no_authorization_is_sent() -> None:
    server = FakeServer(DONE)
    server.client(key=None).query("system:ping")
    assert "Authorization" not in server.requests[0].headers


def test_every_type_of_value_survives_the_way_there_and_back() -> None:
    sent = {"n": None, "i": Int64(2**60), "f": 1.5, "b": b"\x00\xff", "l": [True, "ü", {"x": -0.0}]}

    def echo(request: httpx.Request) -> httpx.Response:
        args = json.loads(request.content)["args"]
        return httpx.Response(200, json={"status": "success", "value": args})

    client = Client(URL, transport=httpx.MockTransport(echo))
    answer = client.query("x:echo", sent)
    assert answer == sent


def test_a_refusal_carries_code_sentence_and_details() -> None:
    server = FakeServer(failed("GATEWAY_REFUSED", "bad skill", findings=[{"line": 3.0}]))
    with pytest.raises(HubifyError) as caught:
        server.client().action("skills:publish", {})
    assert caught.value.code == "GATEWAY_REFUSED"
    assert caught.value.message == "bad skill"
    assert caught.value.details == {"findings": [{"line": 3}]}
    assert len(server.requests) == 1


def test_a_mutation_is_sent_again_under_the_same_idempotency_key() -> None:
    server = FakeServer(httpx.ReadError("lost"), httpx.Response(503), DONE)
    assert server.client().mutation("learning:report", {"skillName": "x"}) == 1
    keys = [body["args"]["idempotencyKey"] for body in server.bodies()]
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_two_calls_of_a_mutation_have_different_keys_unless_one_is_given() -> None:
    server = FakeServer(DONE, DONE, DONE)
    client = server.client()
    client.mutation("a:b")
    client.mutation("a:b")
    client.mutation("a:b", idempotency_key="mine")
    first, second, third = (body["args"]["idempotencyKey"] for body in server.bodies())
    assert first != second
    assert third == "mine"


def test_an_unanswered_mutation_says_how_to_repeat_it() -> None:
    server = FakeServer(*[httpx.ReadError("lost")] * 6)
    with pytest.raises(HubifyError) as caught:
        server.client().mutation("a:b", idempotency_key="mine")
    assert caught.value.code == "UNAVAILABLE"
    assert not caught.value.untouched
    assert caught.value.details == {"idempotencyKey": "mine"}


def test_an_action_that_may_have_begun_is_not_sent_again() -> None:
    server = FakeServer(httpx.ReadError("lost"))
    with pytest.raises(HubifyError, match="lost before it answered"):
        server.client().action("a:b")
    assert server.waits == []


@pytest.mark.parametrize("refusal", [httpx.ConnectError("no"), httpx.Response(503)])
def test_an_action_that_cannot_have_begun_is_sent_again(refusal: httpx.Response) -> None:
    server = FakeServer(refusal, DONE)
    assert server.client().action("a:b") == 1


def test_an_idempotent_action_is_sent_again() -> None:
    server = FakeServer(httpx.ReadError("lost"), failed("UNAVAILABLE"), DONE)
    assert server.client().action("a:b", idempotent=True) == 1


def test_a_rate_limit_is_waited_out_as_long_as_the_server_says() -> None:
    limited = httpx.Response(
        429, json={"code": "RATE_LIMITED", "message": "slow"}, headers={"Retry-After": "34"}
    )
    noticed: list[tuple[str, float]] = []
    server = FakeServer(limited, DONE)
    client = server.client(notice=lambda error, wait: noticed.append((error.code, wait)))
    client.query("a:b")
    assert server.waits == [34.0]
    assert noticed == [("RATE_LIMITED", 34.0)]


def test_a_wait_of_more_than_a_minute_is_a_refusal() -> None:
    server = FakeServer(httpx.Response(429, headers={"Retry-After": "3600"}))
    with pytest.raises(HubifyError) as caught:
        server.client().query("a:b")
    assert caught.value.code == "RATE_LIMITED"
    assert caught.value.retry_after_s == 3600


def test_waits_grow_and_trying_again_comes_to_an_end() -> None:
    server = FakeServer(*[httpx.ConnectError("no")] * 6)
    with pytest.raises(HubifyError, match=r"nothing answers at http://127\.0\.0\.1:3210"):
        server.client().query("a:b")
    assert len(server.waits) == 5
    assert all(0.1 * 2**n <= wait <= 0.2 * 2**n for n, wait in enumerate(server.waits))


@pytest.mark.parametrize("code", ["NOT_FOUND", "FORBIDDEN", "VALIDATION_ERROR", "CONFLICT"])
def test_what_will_not_change_by_waiting_is_not_tried_again(code: str) -> None:
    server = FakeServer(failed(code))
    with pytest.raises(HubifyError) as caught:
        server.client().query("a:b")
    assert caught.value.code == code
    assert server.waits == []


@pytest.mark.parametrize(
    "body",
    [
        {"code": "UNAUTHORIZED", "message": "Valid API key required"},
        {"error": {"code": "UNAUTHORIZED", "message": "Valid API key required"}},
    ],
)
def test_a_refused_key_is_told_in_either_envelope(body: dict[str, object]) -> None:
    with pytest.raises(HubifyError) as caught:
        FakeServer(httpx.Response(401, json=body)).client().query("a:b")
    assert (caught.value.code, caught.value.message) == ("UNAUTHORIZED", "Valid API key required")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>hello</html>"),
        httpx.Response(404, text="<html>\x1b[31m</html>"),
        httpx.Response(302, headers={"Location": "http://elsewhere"}),
        httpx.Response(200, json={"status": "success", "value": {"$integer": "x"}}),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(200, content=b'{"status":"success","value":' + b"[" * 1000 + b"}"),
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Parts(b"no gzip")),
    ],
)
def test_a_stranger_at_the_address_is_a_bad_answer(answer: httpx.Response) -> None:
    with pytest.raises(HubifyError) as caught:
        FakeServer(answer).client().query("a:b")
    assert caught.value.code == "BAD_ANSWER"
    assert caught.value.message.isprintable()


def test_an_endless_answer_is_cut_off() -> None:
    endless = Parts(b" " * 1_000_000, times=1_000_000)
    with pytest.raises(HubifyError, match="over 16779216 bytes"):
        FakeServer(httpx.Response(200, stream=endless)).client().query("a:b")


def test_arguments_that_are_no_values_are_refused_before_anything_is_sent() -> None:
    server = FakeServer()
    for bad in ({"x": object()}, {"x": 2**70}, {"$x": 1}):
        with pytest.raises(HubifyError) as caught:
            server.client().query("a:b", bad)
        assert caught.value.code == "VALIDATION_ERROR"
    with pytest.raises(HubifyError) as caught:
        server.client().mutation("a:b", {"x": "y" * 17_000_000})
    assert caught.value.code == "PAYLOAD_TOO_LARGE"


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:3210", "ftp://x", "http://", "http://x:y", "http://a\nb", "http://[::"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(HubifyError, match="is not an address"):
        Client(url)


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
def test_a_key_that_was_not_copied_whole_is_refused(key: str) -> None:
    with pytest.raises(HubifyError, match="was it copied whole"):
        Client(URL, key)


def test_the_list_of_functions_comes_as_it_is() -> None:
    server = FakeServer(httpx.Response(200, content=b'{"functions":[]}'))
    assert server.client().functions() == b'{"functions":[]}'
    assert server.requests[0].url.path == "/api/functions"


def test_an_action_is_given_the_time_that_the_server_gives_it() -> None:
    seen: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"]["read"])
        return httpx.Response(200, json={"status": "success"})

    client = Client(URL, transport=httpx.MockTransport(answer))
    call: Callable[[str], object]
    for call in (client.query, client.mutation, client.action):
        call("a:b")
    assert seen == [60.0, 60.0, 620.0]
