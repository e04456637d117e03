"""Arguments from path, query string and body: merged, typed, paged, bounded, refused by name."""

import json

import pytest

from hubify.transports.rest.matcher import MAX_PATH_CHARACTERS
from tests.transports.rest.shop import Got, Shop


@pytest.fixture
def shop() -> Shop:
    made = Shop()
    made.stock("lamp", "chair", "table")
    return made


def refused(got: Got) -> str:
    status, code, message = got.error
    assert (status, code) == (400, "VALIDATION_ERROR")
    return message


# The query string.


def test_a_query_string_is_typed_by_the_declared_arguments(shop: Shop) -> None:
    query = "query=5&limit=3&min_price=1.50&tags=a&tags=b&in_stock=true&wanted=failure&serial=7"
    near = "near=%7B%22from_left%22%3A2%7D"
    got = shop.call("GET", f"/v1/things/search?{query}&{near}")
    assert got.json["data"] == {
        "query": "5",
        "limit": 3,
        "min_price": 1.5,
        "tags": ["a", "b"],
        "in_stock": True,
        "near": {"from_left": 2, "from_top": 0},
        "wanted": "fail",
        "serial": "7",
    }


def test_parameters_may_be_in_camel_case(shop: Shop) -> None:
    got = shop.call("GET", "/v1/things/search?query=x&minPrice=2&inStock=0")
    assert (got.json["data"]["min_price"], got.json["data"]["in_stock"]) == (2, False)


def test_escapes_and_plus_signs_are_decoded(shop: Shop) -> None:
    got = shop.call("GET", "/v1/things/search?query=a+b%2Bc%26d%C3%A9")
    assert got.json["data"]["query"] == "a b+c&dé"


def test_bytes_left_unescaped_are_read_as_utf_8(shop: Shop) -> None:
    as_the_server_reads_it = "é".encode().decode("latin-1")
    got = shop.call("GET", f"/v1/things/search?query={as_the_server_reads_it}")
    assert got.json["data"]["query"] == "é"
    shop.stock("café")
    path = "/v1/things/caf" + as_the_server_reads_it
    assert shop.call("GET", path).json["data"]["name"] == "café"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "query is required"),
        ("query=x&limit=ten", "limit must be a number, not 'ten'"),
        ("query=x&limit=1.5", "limit must be a whole number, not a number"),
        ("query=x&limit=", "limit must be a number, not nothing"),
        ("query=x&in_stock=maybe", "in_stock must be true or false, not 'maybe'"),
        ("query=x&minPrice=NaN", "minPrice must be a number, not 'NaN'"),
        ("query=x&near=[1]", "near must be an object or null, not an array"),
        ("query=x&near=%7B%22from_left%22:%22a%22%7D", "near.from_left must be a whole number"),
        ("query=x&near=%7B%7D", "near.from_left is required"),
        ("query=x&wanted=good", "wanted must be 'success', 'partial', or 'fail'"),
        ("query=x&query=y", "query is given 2 times"),
        ("query=x&min_price=1&minPrice=2", "given twice, with different values"),
        ("query=x&colour=red", "unknown argument 'colour'; this function takes: query, limit"),
        ("query=%ff", "the query string is not UTF-8"),
        ("query=%ed%a0%80", "the query string is not UTF-8"),
        ("query=x&" + "&" * 300, "over 256 query parameters"),
        ("query=" + "x" * 20_000, "over 16384 characters"),
        ("query=x&serial=99999999999999999999", "64 bits"),
    ],
)
def test_a_wrong_parameter_is_named(shop: Shop, query: str, message: str) -> None:
    assert message in refused(shop.call("GET", f"/v1/things/search?{query}"))


def test_a_path_parameter_wins_nothing_over_another_word(shop: Shop) -> None:
    same = shop.call("DELETE", "/v1/things/lamp?name=lamp", key="ada-key")
    assert same.status == 204
    other = shop.call("DELETE", "/v1/things/chair?name=table", key="ada-key")
    assert refused(other) == "name is given twice, with different values"


def test_a_hostile_path_is_refused_or_unknown(shop: Shop) -> None:
    assert "not UTF-8" in refused(shop.call("GET", "/v1/things/%ff"))
    long = "/v1/things/" + "a" * MAX_PATH_CHARACTERS
    assert "the path is over" in refused(shop.call("GET", long))
    for name in ("%00", "..", "%2e%2e%2f", "%E2%80%AE", "a" * 2_000):
        assert shop.call("GET", f"/v1/things/{name}").status == 404
    assert shop.call("GET", "/v1/things/" + "a" * 5_000).status == 413


# Pages.


def names(got: Got) -> list[str]:
    return [thing["name"] for thing in got.json["data"]]


def test_a_list_comes_in_pages(shop: Shop) -> None:
    first = shop.call("GET", "/v1/things?limit=2")
    assert names(first) == ["lamp", "chair"]
    assert first.json["meta"]["has_more"] is True
    second = shop.call("GET", f"/v1/things?limit=2&cursor={first.json['meta']['next_cursor']}")
    assert names(second) == ["table"]
    assert second.json["meta"]["has_more"] is False
    assert second.json["meta"]["next_cursor"] is None


def test_a_page_holds_twenty_unless_told_otherwise(shop: Shop) -> None:
    shop.stock(*(f"spoon-{number}" for number in range(30)))
    assert len(names(shop.call("GET", "/v1/things"))) == 20
    assert len(names(shop.call("GET", "/v1/things?limit=100"))) == 33


def test_a_bare_dialect_has_the_cursor_beside_the_items(shop: Shop) -> None:
    got = shop.call("GET", "/api/v1/things?limit=2")
    assert set(got.json) == {"items", "nextCursor", "hasMore"}
    assert got.json["items"][0]["soldOut"] is False


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=0", "limit must be a whole number from 1 to 100"),
        ("limit=101", "limit must be a whole number from 1 to 100"),
        ("limit=1.5", "limit must be a whole number from 1 to 100"),
        ("limit=x", "limit must be a number"),
        (
            "pagination_opts=%7B%7D",
            "unknown argument 'pagination_opts'; here, use limit and cursor",
        ),
        ("paginationOpts=%7B%7D", "unknown argument 'paginationOpts'"),
        ("offset=5", "this function takes: limit, cursor"),
    ],
)
def test_a_wrong_page_is_refused(shop: Shop, query: str, message: str) -> None:
    assert message in refused(shop.call("GET", f"/v1/things?{query}"))


@pytest.mark.parametrize("cursor", ["x", "%00", "AAAA", "a" * 2_000])
def test_a_cursor_of_something_else_is_refused(shop: Shop, cursor: str) -> None:
    got = shop.call("GET", f"/v1/things?cursor={cursor}")
    assert got.error[:2] == (400, "INVALID_CURSOR")


def test_an_empty_cursor_is_the_first_page(shop: Shop) -> None:
    assert names(shop.call("GET", "/v1/things?cursor="))[0] == "lamp"


def test_a_limit_of_the_functions_own_is_left_alone(shop: Shop) -> None:
    assert shop.call("GET", "/v1/things/search?query=x&limit=1000").json["data"]["limit"] == 1000


# Bodies.


def add(shop: Shop, body: bytes, **headers: str) -> Got:
    headers.setdefault("content_type", "application/json")
    return shop.call("POST", "/v1/things", body, key="ada-key", **headers)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "",
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
        "application/problem+json",
    ],
)
def test_json_is_taken_under_its_content_types(shop: Shop, content_type: str) -> None:
    assert add(shop, b'{"name":"x"}', content_type=content_type).status == 201


@pytest.mark.parametrize(
    ("content_type", "message"),
    [
        ("text/plain", "send the body as JSON"),
        ("application/x-www-form-urlencoded", "not 'application/x-www-form-urlencoded'"),
        ("multipart/form-data; boundary=x", "send the body as JSON"),
        ("application/json; charset=latin-1", "send the body in UTF-8"),
    ],
)
def test_other_content_types_are_refused(shop: Shop, content_type: str, message: str) -> None:
    assert message in refused(add(shop, b'{"name":"x"}', content_type=content_type))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "name is required"),
        (b"{}", "name is required"),
        (b"[]", "the body must be a JSON object"),
        (b'"x"', "the body must be a JSON object"),
        (b"null", "the body must be a JSON object"),
        (b"{", "the body is not valid JSON"),
        (b'{"name":"x"} x', "the body is not valid JSON"),
        (b"\xef\xbb\xbf{}", "the body is not valid JSON"),
        (b'{"name":"\xff"}', "the body is not valid UTF-8"),
        (b'{"name":"\\ud800"}', "lone surrogate"),
        (b'{"name":"x","unit_price":NaN}', "the body is not valid JSON"),
        (b'{"name":"x","unit_price":1e999}', "the body is not valid JSON"),
        (b'{"name":"x","unit_price":9007199254740993}', "the body.unit_price is beyond 2**53"),
        (b'{"name":"x","unit_price":"1"}', "unit_price must be a number, not a string"),
        (b'{"name":"x","unit_price":true}', "unit_price must be a number, not true or false"),
        (b'{"name":null}', "name must be a string, not null"),
        (b'{"name":5}', "name must be a string, not a whole number"),
        (b'{"name":"x","nmae":"y"}', "unknown argument 'nmae'"),
        (b'{"name":"x","unit_price":1,"unitPrice":2}', "given twice, with different values"),
    ],
)
def test_a_wrong_body_is_refused_with_what_is_wrong(shop: Shop, body: bytes, message: str) -> None:
    assert message in refused(add(shop, body))


@pytest.mark.parametrize(
    "body",
    [
        b'{"name":"x","note":' + b"[" * 100 + b"]" * 100 + b"}",
        b"[" * 100_000,
        b'{"name":"x","note":[' + b"1," * 9_000 + b"1]}",
        b'{"name":"' + b"x" * (17 * 1024 * 1024) + b'"}',
        b'{"name":"x","note":[' + b"[]," * 300_000 + b"[]]}",
    ],
    ids=["deep", "deeper", "long", "large", "many"],
)
def test_a_body_over_a_limit_is_too_large(shop: Shop, body: bytes) -> None:
    assert add(shop, body).error[:2] == (413, "PAYLOAD_TOO_LARGE")


def test_a_body_joins_path_and_query(shop: Shop) -> None:
    body = json.dumps({"unit_price": 3}).encode()
    got = shop.call("POST", "/v1/things?name=stool", body, key="ada-key")
    assert (got.json["data"]["name"], got.json["data"]["unit_price"]) == ("stool", 3)
    got = shop.call("POST", "/v1/things?name=a", b'{"name":"b"}', key="ada-key")
    assert refused(got) == "name is given twice, with different values"


def test_a_read_takes_no_body(shop: Shop) -> None:
    got = shop.call("GET", "/v1/things/lamp", b"{}")
    assert refused(got).startswith("GET /v1/things/{name} takes no body")


def test_a_key_in_the_body_makes_a_write_happen_once(shop: Shop) -> None:
    body = {"word": "x", "idempotencyKey": "one"}
    first, again = (shop.call("POST", "/v1/knock", body) for _ in range(2))
    assert first.json["data"] == again.json["data"]
