"""Whatever is sent, the handler answers: never an exception, never a fault of ours."""

import asyncio
import json
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from hubify.transports.http import HttpRequest, HttpResponse
from tests.transports.rest.shop import Shop

SHOP = Shop()
SHOP.stock("lamp", "chair")

latin = st.text(st.characters(max_codepoint=255), max_size=60)
words = st.sampled_from(
    ["v1", "api", "things", "search", "lamp", "report", "knock", "reach", "docs", "%ff", "..", ""]
)
paths = st.one_of(
    st.lists(words, max_size=5).map(lambda parts: "/" + "/".join(parts)),
    st.sampled_from(["/v1/things", "/v1/things/search", "/v1/report", "/v1/knock", "/v1/reach"]),
    latin,
)
names = st.sampled_from(
    ["query", "limit", "cursor", "min_price", "minPrice", "tags", "in_stock", "near", "wanted"]
)
pairs = st.tuples(names | latin, latin.map(quote) | latin).map("=".join)
queries = st.one_of(st.just(""), st.lists(pairs, max_size=5).map("&".join), latin)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
arguments = st.sampled_from(
    ["name", "unit_price", "thing_name", "result", "version", "word", "far", "idempotencyKey"]
)
bodies = st.one_of(
    st.just(b""),
    st.binary(max_size=60),
    st.dictionaries(arguments | st.text(max_size=9), values, max_size=4).map(
        lambda body: json.dumps(body).encode()
    ),
    values.map(lambda body: json.dumps(body).encode()),
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "authorization": st.sampled_from(["Bearer ada-key", "Convex admin-key", "Bearer x"])
        | latin,
        "content-type": st.sampled_from(["application/json", "text/plain"]) | latin,
        "idempotency-key": latin,
        "x-request-id": latin,
        "origin": latin,
    },
)
methods = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]) | st.text(max_size=9)
requests = st.builds(
    lambda method, path, query, sent, body: HttpRequest(
        method, path, path, query, sent, body, "10.0.0.1"
    ),
    methods,
    paths,
    queries,
    headers,
    bodies,
)


async def handled(request: HttpRequest) -> HttpResponse:
    loop = asyncio.get_running_loop()

    def kick() -> None:
        loop.call_soon(SHOP.world.database.flush)

    SHOP.backend.on_kick = kick
    return await SHOP.api.handle(request)


@given(requests)
def test_no_request_makes_the_handler_raise_or_fail(request: HttpRequest) -> None:
    response = asyncio.run(handled(request))
    assert response.status in {200, 201, 204, 400, 401, 403, 404, 405, 409, 413}
    told = dict(response.headers)
    assert len(told) == len(response.headers)
    for name, value in response.headers:
        assert name == name.lower()
        assert value.isprintable(), "nothing that would end a header"
        value.encode("latin-1")
    if told.get("content-type") == "application/json":
        assert isinstance(json.loads(response.body), dict)
    if response.status >= 400:
        assert set(json.loads(response.body)["error"]) == {"code", "message"}
