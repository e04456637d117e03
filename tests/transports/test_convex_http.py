"""Convex HTTP as the official clients meet it (convex-protocol.md, section 1)."""

import asyncio
import json
from typing import Any

import pytest

from hubify.functions.spec import RateClass
from hubify.transports.http import HttpRequest
from hubify.values import limits
from hubify.wire.timestamps import encode_ts
from tests.transports.counters import Counters

ENCODED = "convex_encoded_json"


@pytest.fixture
def counters() -> Counters:
    return Counters()


def call(path: str, args: object = None, **more: object) -> dict[str, object]:
    """A call's body."""
    return {"path": path, "args": {} if args is None else args, **more}


# Calls.


def test_a_query_answers_in_the_encoding_that_was_asked_for(counters: Counters) -> None:
    body = call("counters:echo", [{"value": [1, 2.5, None]}], format=ENCODED)
    response = counters.send("POST", "/api/query", body)
    assert response.status == 200
    assert response.body == b'{"status":"success","value":[1.0,2.5,null]}'


def test_a_query_answers_in_clean_json_when_nothing_was_asked_for(counters: Counters) -> None:
    value = [1, {"$integer": "BQAAAAAAAAA="}, {"$bytes": "AQI="}, {"$float": "AAAAAAAA8H8="}]
    response = counters.send("POST", "/api/query", call("counters:echo", {"value": value}))
    assert response.body == b'{"status":"success","value":[1,"5","AQI=","Infinity"]}'


@pytest.mark.parametrize("client", ["npm-1.4.0", "python-0.4.0"])
def test_the_oldest_clients_get_encoded_values_without_asking(
    counters: Counters, client: str
) -> None:
    body = call("counters:echo", {"value": 1})
    response = counters.send("POST", "/api/query", body, convex_client=client)
    assert response.body.endswith(b'"value":1.0}')


def test_a_mutation_is_durable_when_it_is_answered(counters: Counters) -> None:
    status, answer = counters.post("/api/mutation", call("counters:add", {"name": "a"}))
    assert status == 200
    assert answer["value"]["name"] == "a"
    assert answer["value"]["_creationTime"] > 0
    assert counters.world.query("counters:valueOf", {"name": "a"}) == 1


def test_a_mutation_sent_twice_under_one_key_happens_once(counters: Counters) -> None:
    body = call("counters:add", {"name": "a", "idempotencyKey": "once"})
    answers = [counters.post("/api/mutation", body) for _ in range(2)]
    assert answers[0] == answers[1]
    assert counters.world.query("counters:valueOf", {"name": "a"}) == 1


def test_strangers_at_two_addresses_do_not_share_their_idempotency_keys(counters: Counters) -> None:
    body = call("counters:add", {"name": "a", "idempotencyKey": "once"})
    for address in ("10.0.0.1", "10.0.0.2", "10.0.0.1"):
        assert counters.post("/api/mutation", body, address=address)[1]["status"] == "success"
    assert counters.world.query("counters:valueOf", {"name": "a"}) == 2


def test_an_action_answers_when_it_has_ended(counters: Counters) -> None:
    status, answer = counters.post("/api/action", call("counters:addTwice", {"name": "a"}))
    assert (status, answer) == (200, {"status": "success", "value": 2})


@pytest.mark.parametrize(
    "path",
    ["counters:valueOf", "counters.js:valueOf", "api.counters.valueOf", "counters.valueOf"],
)
def test_every_spelling_of_a_path_is_understood(counters: Counters, path: str) -> None:
    status, answer = counters.post("/api/query", call(path, {"name": "a"}))
    assert (status, answer["value"]) == (200, 0)


def test_a_query_may_be_asked_with_get(counters: Counters) -> None:
    response = counters.send(
        "GET", '/api/query?path=counters:echo&args={"value":"x"}&format=convex_encoded_json'
    )
    assert response.body == b'{"status":"success","value":"x"}'


def test_any_kind_of_function_may_be_called_where_the_kind_is_not_said(counters: Counters) -> None:
    for path in ("/api/function", "/api/run/counters/addTwice"):
        status, answer = counters.post(path, call("counters:addTwice", {"name": path}))
        assert (status, answer["value"]) == (200, 2)


def test_a_function_may_be_named_in_the_path(counters: Counters) -> None:
    status, answer = counters.post("/api/run/counters/valueOf", {"args": {"name": "a"}})
    assert (status, answer) == (200, {"status": "success", "value": 0})


def test_a_path_that_names_no_function_is_no_call(counters: Counters) -> None:
    status, answer = counters.post("/api/run/counters", {"args": {}})
    assert (status, answer["code"]) == (400, "MissingIdentifier")


# Reading the past.


def test_a_query_can_be_run_at_a_timestamp_that_was_given_out(counters: Counters) -> None:
    counters.post("/api/mutation", call("counters:add", {"name": "a"}))
    _, answer = counters.post("/api/query_ts")
    counters.post("/api/mutation", call("counters:add", {"name": "a"}))
    body = call("counters:valueOf", {"name": "a"}, ts=answer["ts"])
    assert counters.post("/api/query_at_ts", body)[1]["value"] == 1


def test_a_timestamp_of_the_future_is_refused(counters: Counters) -> None:
    body = call("counters:valueOf", {"name": "a"}, ts=encode_ts(2**62))
    assert counters.post("/api/query_at_ts", body)[1]["status"] == "error"


@pytest.mark.parametrize("ts", [None, "", "AAAA", 5])
def test_a_timestamp_that_is_none_is_no_call(counters: Counters, ts: object) -> None:
    body = call("counters:valueOf", {"name": "a"}, ts=ts)
    assert counters.post("/api/query_at_ts", body)[0] == 400


def test_a_batch_answers_each_of_its_queries(counters: Counters) -> None:
    queries = [call("counters:echo", {"value": 1}), call("counters:none", {})]
    status, answer = counters.post("/api/query_batch", {"queries": queries})
    assert status == 200
    assert [each["status"] for each in answer["results"]] == ["success", "error"]


@pytest.mark.parametrize("queries", [None, {}, ["x"], [1], [{}], [{"path": "a:b"}] * 101])
def test_a_batch_of_anything_else_is_no_call(counters: Counters, queries: object) -> None:
    assert counters.post("/api/query_batch", {"queries": queries})[0] == 400


# Refusals of functions: 200, with code and message.


def test_a_refusal_is_an_answer(counters: Counters) -> None:
    counters.post("/api/mutation", call("counters:add", {"name": "a", "amount": 100}))
    status, answer = counters.post("/api/mutation", call("counters:add", {"name": "a"}))
    assert status == 200
    assert answer == {
        "status": "error",
        "errorMessage": "a may not pass 100",
        "errorData": {"code": "CONFLICT", "message": "a may not pass 100"},
    }


@pytest.mark.parametrize(
    ("route", "body", "code", "message"),
    [
        ("query", call("x:y"), "NOT_FOUND", "Could not find public function for 'x:y'."),
        ("query", call("counters:add", {"name": "a"}), "NOT_FOUND", "is a mutation"),
        ("query", call("counters:valueOf"), "VALIDATION_ERROR", "name is required"),
        ("query", call("counters:valueOf", [1]), "VALIDATION_ERROR", "args must be one object"),
        ("query", call("counters:echo", {"value": {"$set": []}}), "VALIDATION_ERROR", "args.value"),
        ("query", call("counters:secret"), "UNAUTHORIZED", "Valid API key required"),
        ("query", call("counters:broken"), "INTERNAL_ERROR", ""),
    ],
)
def test_each_refusal_has_a_code_and_a_sentence(
    counters: Counters, route: str, body: object, code: str, message: str
) -> None:
    if code == "INTERNAL_ERROR":
        with pytest.raises(TypeError):  # asgi.py logs it and answers 500
            counters.post(f"/api/{route}", body)
        return
    status, answer = counters.post(f"/api/{route}", body)
    assert (status, answer["status"], answer["errorData"]["code"]) == (200, "error", code)
    assert message in answer["errorMessage"]


def test_deep_arguments_are_refused_as_a_call(counters: Counters) -> None:
    nested = b'{"path":"counters:echo","args":{"value":%b}}' % (b"[" * 70 + b"]" * 70)
    status, answer = counters.post("/api/query", nested)
    assert (status, answer["errorData"]["code"]) == (200, "PAYLOAD_TOO_LARGE")


def test_an_answer_that_is_too_long_is_refused(
    counters: Counters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_ANSWER_BYTES", 100)
    status, answer = counters.post("/api/query", call("counters:echo", {"value": "x" * 100}))
    assert (status, answer["errorData"]["code"]) == (200, "PAYLOAD_TOO_LARGE")


# Refusals of requests and callers: `{code, message}` with a status of HTTP.


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"{}",
        b'{"path":1}',
        b'{"path":NaN}',
        b'{"path":"counters:echo","args":{"value":"\\ud800"}}',
        b'{"path":"counters:echo","args":{"value":NaN}}',
        b"\xff",
        b'{"path":"counters:echo","format":"xml"}',
        b'{"path":"counters:echo","format":[]}',
        b'{"path":"counters:echo","componentPath":"x"}',
        b'{"path":"not a path"}',
        b'{"path":""}',
    ],
)
def test_what_is_no_call_is_a_bad_request(counters: Counters, body: bytes) -> None:
    status, answer = counters.post("/api/query", body)
    assert status == 400
    assert set(answer) == {"code", "message"}


def test_an_unreadable_path_has_the_code_that_clients_know(counters: Counters) -> None:
    _, answer = counters.post("/api/query", call("not a path"))
    assert answer["code"] == "BadConvexFunctionIdentifier"


def test_a_depth_bomb_is_refused(counters: Counters) -> None:
    status, answer = counters.post("/api/query", b"[" * 200_000)
    assert (status, answer["code"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_type_is_refused(counters: Counters, kind: str) -> None:
    status, answer = counters.post("/api/query", call("counters:echo"), content_type=kind)
    assert status == 400
    assert "Content-Type: application/json" in answer["message"]


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_by_any_of_its_names_is_read(counters: Counters, kind: str) -> None:
    body = call("counters:echo", {"value": 1})
    assert counters.post("/api/query", body, content_type=kind)[0] == 200


def test_a_mutation_is_never_called_with_get(counters: Counters) -> None:
    assert counters.send("GET", "/api/mutation?path=counters:add").status == 400


def test_a_query_string_of_too_many_parts_is_refused(counters: Counters) -> None:
    assert counters.send("GET", "/api/query?" + "a=1&" * 200).status == 400


def test_an_unknown_route_is_not_found(counters: Counters) -> None:
    assert counters.post("/api/queryx", call("counters:echo"))[0] == 404


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "Convex"])
def test_a_key_lets_its_holder_in(counters: Counters, scheme: str) -> None:
    key = f"{scheme} hk_live_ana"
    status, answer = counters.post("/api/query", call("counters:secret"), authorization=key)
    assert (status, answer["value"]) == (200, "42")


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer", "Basic hk_live_ana", "hk_live_ana"])
def test_a_wrong_key_is_unauthorized_even_for_public_functions(
    counters: Counters, header: str
) -> None:
    body = call("counters:echo", {"value": 1})
    status, answer = counters.post("/api/query", body, authorization=header)
    assert (status, answer["code"]) == (401, "UNAUTHORIZED")


def test_the_timestamp_needs_no_key(counters: Counters) -> None:
    assert counters.post("/api/query_ts", authorization="Bearer wrong")[0] == 200


def test_a_used_up_allowance_is_too_many_requests() -> None:
    counters = Counters({RateClass.QUERY: 1})
    body = call("counters:echo", {"value": 1})
    first = counters.send("POST", "/api/query", body)
    assert dict(first.headers)["x-ratelimit-remaining"] == "0"
    second = counters.send("POST", "/api/query", body)
    assert second.status == 429
    assert json.loads(second.body)["code"] == "RATE_LIMITED"
    assert int(dict(second.headers)["retry-after"]) > 0


def test_wrong_keys_are_counted_by_address() -> None:
    counters = Counters({RateClass.WRONG_KEY: 2})
    body = call("counters:echo", {"value": 1})
    for _ in range(2):
        assert counters.post("/api/query", body, authorization="Bearer guess")[0] == 401
    for sent in ("Bearer guess", "Convex guess", "Basic guess"):
        status, answer = counters.post("/api/query", body, authorization=sent)
        assert (status, answer["code"]) == (429, "RATE_LIMITED")
    assert counters.post("/api/query?adminKey=guess", body)[0] == 429
    assert counters.post("/api/query", body, authorization="Bearer hk_live_ana")[0] == 200
    other = counters.post("/api/query", body, address="10.0.0.2", authorization="Bearer guess")
    assert other[0] == 401


def test_where_strangers_may_not_read_every_call_wants_a_credential(counters: Counters) -> None:
    counters.backend.anonymous_reads = False
    for route, path in (("query", "valueOf"), ("mutation", "add"), ("action", "addTwice")):
        body = call(f"counters:{path}", {"name": "a"})
        status, answer = counters.post(f"/api/{route}", body)
        assert (status, answer["errorData"]["code"]) == (200, "UNAUTHORIZED")
        key = "Bearer hk_live_ana"
        assert counters.post(f"/api/{route}", body, authorization=key)[1]["status"] == "success"


# Beside the calls.


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [("/instance_name", b"", b"hubify"), ("/echo", b"any \xff bytes", b"any \xff bytes")],
)
def test_health_routes_answer_as_text(path: str, body: bytes, text: bytes) -> None:
    request = HttpRequest("POST", path, path, "", {}, body, "")
    response = asyncio.run(Counters().http.plain(request))
    assert response.body == text
    assert dict(response.headers)["content-type"].startswith("text/plain")


def test_telemetry_is_taken_and_dropped(counters: Counters) -> None:
    event: dict[str, Any] = {"event": {}}
    assert counters.post("/api/debug_event", event) == (200, None)
