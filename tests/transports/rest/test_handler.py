"""Requests in, responses out: the dialects, the refusals, and what every answer carries."""

import pytest

from hubify.functions.replay import Answered
from hubify.functions.spec import RateClass
from hubify.testing.backend import START_MS
from tests.transports.rest.shop import REFUSALS, Shop

ISO = "2026-01-01T00:00:00Z"


@pytest.fixture
def shop() -> Shop:
    made = Shop()
    made.stock("lamp", "chair", "table")
    return made


# Dialects.


def test_v1_answers_snake_case_in_an_envelope(shop: Shop) -> None:
    got = shop.call("GET", "/v1/things/lamp", x_request_id="mine")
    assert got.status == 200
    assert set(got.json["data"]) == {"id", "name", "unit_price", "sold_out"}
    assert got.json["meta"] == {"timestamp": ISO, "request_id": "mine"}


def test_api_v1_answers_camel_case_bare(shop: Shop) -> None:
    got = shop.call("POST", "/api/v1/things", {"name": "stool", "unitPrice": 2.5}, key="ada-key")
    assert got.status == 200
    assert set(got.json) == {"_id", "name", "unitPrice", "soldOut"}
    assert got.json["unitPrice"] == 2.5


def test_a_route_has_its_own_status(shop: Shop) -> None:
    assert shop.call("POST", "/v1/things", {"name": "stool"}, key="ada-key").status == 201


def test_an_answer_without_content_has_no_body(shop: Shop) -> None:
    got = shop.call("DELETE", "/v1/things/lamp?force=true", key="ada-key")
    assert (got.status, got.json) == (204, None)


def test_nothing_is_answered_as_null(shop: Shop) -> None:
    assert shop.call("GET", "/v1/nothing").json["data"] is None


def test_hidden_fields_stay_inside(shop: Shop) -> None:
    assert "secret" not in shop.call("GET", "/v1/things/search?query=x").json["data"]


def test_a_page_has_its_own_envelope_codes_messages_and_fields(shop: Shop) -> None:
    body = {"thing_name": "lamp", "result": "failure", "version": "1"}
    got = shop.call("POST", "/v1/report", body, key="ada-key")
    assert got.status == 200
    assert list(got.json["data"]) == ["logId", "thingId", "priceChange"]
    assert set(got.json["meta"]) == {"timestamp", "request_id"}
    body["thing_name"] = "door"
    got = shop.call("POST", "/v1/report", body, key="ada-key")
    assert got.error == (404, "THING_NOT_FOUND", "Thing 'door' not found")
    got = shop.call("POST", "/v1/report", body)
    assert got.error == (401, "AUTH_REQUIRED", "Valid API key required")
    got = shop.call("POST", "/v1/report", body, key="wrong")
    assert got.error == (401, "AUTH_REQUIRED", "Valid API key required")
    body["result"] = "great"
    got = shop.call("POST", "/v1/report", body, key="ada-key")
    message = "result must be 'success', 'partial', or 'fail'"
    assert got.error == (400, "VALIDATION_ERROR", message)


def test_what_a_route_requires_is_demanded_in_its_own_words(shop: Shop) -> None:
    missing = shop.call(
        "POST", "/v1/report", {"thing_name": "lamp", "result": "fail"}, key="ada-key"
    )
    assert missing.error == (400, "VALIDATION_ERROR", "version is required")
    body = {"thing_name": "lamp", "result": "fail", "version": None}
    assert shop.call("POST", "/v1/report", body, key="ada-key").error[2] == "version is required"
    body = {"thing_name": "lamp", "version": "1"}
    assert shop.call("POST", "/v1/report", body, key="ada-key").error[2] == "result is required"


def test_both_names_and_both_cases_of_an_argument_are_accepted(shop: Shop) -> None:
    for body in (
        {"thing_name": "lamp", "outcome": "success", "version": "1"},
        {"thingName": "lamp", "result": "success", "version": "1"},
        {"thingName": "lamp", "result": "success", "edition": "1", "idempotencyKey": "x"},
    ):
        assert shop.call("POST", "/v1/report", body, key="ada-key").status == 200


def test_a_camel_case_dialect_names_arguments_in_camel_case(shop: Shop) -> None:
    got = shop.call("POST", "/api/v1/things", {"name": "x", "unitPrice": "dear"}, key="ada-key")
    assert got.error[2] == "unitPrice must be a number, not a string"


# Refusals.


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("invalid", 400),
        ("unauthenticated", 401),
        ("forbidden", 403),
        ("not_found", 404),
        ("conflict", 409),
        ("precondition_failed", 412),
        ("too_large", 413),
        ("rate_limited", 429),
        ("unavailable", 503),
        ("internal", 500),
    ],
)
def test_each_kind_of_refusal_has_its_status(shop: Shop, kind: str, status: int) -> None:
    got = shop.call("GET", f"/v1/refusals/{kind}")
    assert got.error == (status, REFUSALS[kind].code, REFUSALS[kind].message)
    assert got.headers["content-type"] == "application/json"


def test_a_refusal_says_how_to_go_on(shop: Shop) -> None:
    told = shop.call("GET", "/v1/refusals/unauthenticated").headers
    assert told["www-authenticate"] == 'Bearer realm="hubify"'
    assert shop.call("GET", "/v1/refusals/rate_limited").headers["retry-after"] == "7"
    assert int(shop.call("GET", "/v1/refusals/unavailable").headers["retry-after"]) > 0


def test_an_unknown_path_is_not_found(shop: Shop) -> None:
    for path in ("/", "/v1", "/v2/things", "/v1/things/a/b", "/favicon.ico"):
        assert shop.call("GET", path).error[:2] == (404, "NOT_FOUND")


def test_another_method_is_told_which_are_possible(shop: Shop) -> None:
    got = shop.call("PUT", "/v1/things/lamp")
    assert got.error[:2] == (405, "METHOD_NOT_ALLOWED")
    assert got.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"


def test_options_lists_the_methods(shop: Shop) -> None:
    got = shop.call("OPTIONS", "/v1/things")
    assert (got.status, got.json) == (204, None)
    assert got.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert shop.call("OPTIONS", "/v1/never").status == 404


def test_head_is_answered_as_get(shop: Shop) -> None:
    assert shop.call("HEAD", "/v1/things/lamp").status == 200
    assert shop.call("HEAD", "/v1/things/door").status == 404
    assert shop.call("HEAD", "/v1/report").status == 405


def test_a_fault_of_ours_is_logged_and_not_described(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.backend.query = None  # pyright: ignore[reportAttributeAccessIssue]
    got = shop.call("GET", "/v1/nothing", x_request_id="mine")
    assert got.error == (500, "INTERNAL_ERROR", "internal error; the log has it as mine")
    assert "mine" in caplog.text


def test_an_answer_has_a_bound(shop: Shop) -> None:
    assert shop.call("GET", "/v1/much").error[:2] == (413, "PAYLOAD_TOO_LARGE")


# Callers.


def test_a_missing_key_is_an_anonymous_caller(shop: Shop) -> None:
    assert shop.call("GET", "/v1/things/lamp").status == 200
    assert shop.call("POST", "/v1/things", {"name": "x"}).error[:2] == (401, "UNAUTHORIZED")


def test_a_bad_key_is_refused_even_where_none_is_needed(shop: Shop) -> None:
    got = shop.call("GET", "/v1/things/lamp", key="wrong")
    assert got.error[:2] == (401, "UNAUTHORIZED")
    assert got.headers["www-authenticate"] == 'Bearer realm="hubify", error="invalid_token"'


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "ada-key", "Bearer\x00"])
def test_a_malformed_authorization_is_refused(shop: Shop, header: str) -> None:
    assert shop.call("GET", "/v1/things/lamp", authorization=header).status == 401


@pytest.mark.parametrize("header", ["Bearer ada-key", "bearer ada-key", "BEARER  ada-key "])
def test_the_scheme_may_be_in_any_case(shop: Shop, header: str) -> None:
    sent = {"name": header}
    assert shop.call("POST", "/v1/things", sent, authorization=header).status == 201


def test_an_admin_key_may_come_under_convex(shop: Shop) -> None:
    sent = {"name": "x"}
    assert shop.call("POST", "/v1/things", sent, authorization="Convex admin-key").status == 201


def test_a_missing_scope_is_forbidden(shop: Shop) -> None:
    got = shop.call("POST", "/v1/things", {"name": "x"}, key="bob-key")
    assert got.error[:2] == (403, "FORBIDDEN")
    assert "shop:write" in got.error[2]


def test_strangers_learn_nothing_of_arguments(shop: Shop) -> None:
    assert shop.call("POST", "/v1/things", {"wrong": 1}).status == 401
    assert shop.call("POST", "/v1/things", b"{", key="bob-key").status == 403


# Request ids.


def test_every_answer_has_a_request_id(shop: Shop) -> None:
    for path in ("/v1/things/lamp", "/v1/things/door", "/never", "/healthz", "/docs"):
        assert shop.send("GET", path).headers[-1][0] == "x-request-id"
    got = shop.call("GET", "/v1/things/lamp")
    made = got.headers["x-request-id"]
    assert made == got.json["meta"]["request_id"]
    assert made.startswith("req_")
    assert shop.call("GET", "/v1/things/lamp").headers["x-request-id"] != made


@pytest.mark.parametrize("sent", ["", "a b", 'a"b', "a\r\nx: y", "é", "-a", "a" * 129])
def test_a_request_id_that_is_not_plain_is_replaced(shop: Shop, sent: str) -> None:
    assert shop.call("GET", "/v1/things/lamp", x_request_id=sent).headers["x-request-id"] != sent


# Allowances.

FEW = {
    RateClass.QUERY: 2, RateClass.MUTATION: 1, RateClass.SEARCH: 9, RateClass.WRONG_KEY: 2,
}  # fmt: skip


def test_a_limited_answer_says_where_its_caller_stands() -> None:
    shop = Shop(limits=FEW)
    told = shop.call("GET", "/v1/things").headers
    reset = START_MS // 1000 + 60
    assert told["x-ratelimit-limit"] == "2"
    assert told["x-ratelimit-remaining"] == "1"
    assert told["x-ratelimit-reset"] == str(reset)
    assert told["ratelimit-policy"] == '"query";q=2;w=60'
    assert told["ratelimit"] == '"query";r=1;t=60'


def test_a_refused_call_counts_and_says_so_too() -> None:
    shop = Shop(limits=FEW)
    assert shop.call("GET", "/v1/things/door").headers["x-ratelimit-remaining"] == "1"
    assert shop.call("GET", "/v1/things?limit=x").headers["x-ratelimit-remaining"] == "0"


def test_over_the_limit_is_too_many_requests() -> None:
    shop = Shop(limits=FEW)
    for _ in range(2):
        assert shop.call("GET", "/v1/things").status == 200
    got = shop.call("GET", "/v1/things")
    assert got.error[:2] == (429, "RATE_LIMITED")
    assert got.headers["retry-after"] == "60"
    assert got.headers["x-ratelimit-limit"] == "2"
    assert got.headers["x-ratelimit-remaining"] == "0"


def test_classes_addresses_and_keys_are_counted_apart() -> None:
    shop = Shop(limits=FEW)
    for _ in range(2):
        shop.call("GET", "/v1/things")
    assert shop.call("GET", "/v1/things").status == 429
    assert shop.call("GET", "/v1/things/search?query=x").status == 200
    assert shop.call("GET", "/v1/things", address="10.0.0.2").status == 200
    assert shop.call("GET", "/v1/things", key="ada-key").status == 200


def test_an_administrator_is_not_limited() -> None:
    shop = Shop(limits=FEW)
    for _ in range(5):
        got = shop.call("GET", "/v1/things", key="admin-key")
        assert got.status == 200
        assert "x-ratelimit-limit" not in got.headers


def test_guessing_at_keys_is_counted_by_address() -> None:
    shop = Shop(limits=FEW)
    for _ in range(2):
        assert shop.call("GET", "/v1/things", key="guess").status == 401
    got = shop.call("GET", "/v1/things/search?query=x", key="guess")
    assert got.error[:2] == (429, "RATE_LIMITED")
    assert got.headers["ratelimit-policy"] == '"wrong_key";q=2;w=60'
    assert shop.call("GET", "/v1/things", key="guess", address="10.0.0.2").status == 401


def test_wrong_keys_leave_those_who_have_a_right_one_or_none_alone() -> None:
    shop = Shop(limits=FEW)
    for _ in range(9):
        shop.call("GET", "/v1/things", key="guess")
    assert shop.call("GET", "/v1/things").status == 200
    assert shop.call("GET", "/v1/things", key="ada-key").status == 200


def test_a_key_in_the_address_is_no_credential() -> None:
    shop = Shop()
    assert shop.call("GET", "/v1/things?adminKey=admin-key").status == 400


def test_where_strangers_may_not_read_every_route_wants_a_credential(shop: Shop) -> None:
    shop.backend.anonymous_reads = False
    for method, path in (("GET", "/v1/things/lamp"), ("GET", "/v1/things?limit=x")):
        got = shop.call(method, path)
        assert got.error[:2] == (401, "UNAUTHORIZED")
        assert "Authorization: Bearer" in got.error[2]
    assert shop.call("POST", "/v1/knock", {"word": "x"}).status == 401
    assert shop.call("POST", "/v1/reach", {"far": 2}).status == 401
    assert shop.call("GET", "/v1/things/lamp", key="bob-key").status == 200
    assert shop.call("GET", "/healthz").status == 200


def test_the_servers_own_pages_are_not_limited() -> None:
    shop = Shop(limits=FEW)
    for _ in range(5):
        assert shop.call("GET", "/healthz").status == 200


# Writes that are sent again.


def test_a_write_with_a_key_happens_once(shop: Shop) -> None:
    first = shop.call("POST", "/v1/knock", {"word": "x"}, idempotency_key="one")
    again = shop.call("POST", "/v1/knock", {"word": "x"}, idempotency_key="one")
    assert first.json["data"] == again.json["data"] == 4
    assert shop.call("POST", "/v1/knock", {"word": "x"}).json["data"] == 5


def test_another_content_under_the_same_key_is_a_conflict(shop: Shop) -> None:
    shop.call("POST", "/v1/knock", {"word": "x"}, idempotency_key="one")
    got = shop.call("POST", "/v1/knock", {"word": "y"}, idempotency_key="one")
    assert got.error[:2] == (409, "CONFLICT")


def test_keys_of_different_callers_do_not_meet(shop: Shop) -> None:
    shop.call("POST", "/v1/knock", {"word": "x"}, idempotency_key="one")
    other = shop.call("POST", "/v1/knock", {"word": "x"}, idempotency_key="one", address="10.0.0.2")
    known = shop.call("POST", "/v1/knock", {"word": "x"}, idempotency_key="one", key="ada-key")
    assert (other.json["data"], known.json["data"]) == (5, 6)


def test_a_key_is_kept_for_a_day(shop: Shop) -> None:
    shop.call("POST", "/v1/knock", {"word": "x"}, idempotency_key="one")
    transaction = shop.world.database.begin_read(lambda: None)
    row = transaction.first(Answered.where())
    assert row is not None
    assert row.expires_at == START_MS + 86_400_000


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_malformed_key_is_refused(shop: Shop, key: str) -> None:
    got = shop.call("POST", "/v1/knock", {"word": "x"}, idempotency_key=key)
    assert got.error == (400, "VALIDATION_ERROR", "Idempotency-Key must be 1 to 255 characters")


def test_a_key_on_a_read_has_no_meaning_and_on_an_action_no_promise(shop: Shop) -> None:
    assert shop.call("GET", "/v1/things", idempotency_key="one").status == 200
    assert shop.call("POST", "/v1/reach", {"far": 2}).json["data"] == [2]
    got = shop.call("POST", "/v1/reach", {"far": 2}, idempotency_key="one")
    assert got.error[:2] == (400, "VALIDATION_ERROR")


def test_a_route_that_made_nothing_new_does_not_say_created(shop: Shop) -> None:
    first = shop.call("POST", "/v1/things/vase/keep", key="ada-key")
    again = shop.call("POST", "/v1/things/vase/keep", key="ada-key")
    assert (first.status, again.status) == (201, 200)
    assert again.json["data"] == {"name": "vase", "is_new": False}
