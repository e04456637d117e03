"""The same mistakes on every face: REST, Convex HTTP, sync sockets.

Each is refused with its code and a sentence that says what to do; on REST with its status, on
Convex HTTP as a function's error, on a socket as the response or the query's failure.
"""

from typing import NamedTuple

import pytest

from tests.clients.server import Server, wait_until
from tests.server.wire import Answer, Json, ask, call, exchange, request, sync_socket

KINDS = {"auth:createApiToken": "mutation", "auth:listApiTokens": "query", "skills:list": "query"}
ROUTES = {
    "auth:createApiToken": ("POST", "/v1/auth/tokens"),
    "auth:listApiTokens": ("GET", "/v1/auth/tokens"),
    "skills:list": ("GET", "/v1/skills"),
}
MAX_PATH = 512
FACES = ["rest", "convex", "socket"]
STATUS = {
    "VALIDATION_ERROR": 400, "UNAUTHORIZED": 401, "FORBIDDEN": 403, "NOT_FOUND": 404,
    "PAYLOAD_TOO_LARGE": 413,
}  # fmt: skip


class Refusal(NamedTuple):
    """What a caller is told."""

    code: str
    message: str


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def reader(server: Server) -> str:
    """A key that may read skills, and nothing else."""
    return new_key(server, ["skills:read"])


def new_key(server: Server, scopes: list[str], key: str = "", **more: Json) -> str:
    """A key's secret."""
    wish = {"name": "test", "owner": "ann", "scopes": scopes, **more}
    return server.call("mutation", "auth:createApiToken", wish, key or server.admin_key)["token"]


def refused(server: Server, face: str, path: str, arguments: Json, key: str = "") -> Refusal:
    """Make a call that must be refused; the status must follow from the code."""
    if face == "rest":
        method, route = ROUTES[path]
        answer = ask(server, method, route, arguments if method == "POST" else None, key)
        assert answer.status == STATUS[answer.code], answer
        assert answer.headers["x-request-id"].startswith("req_")
        return Refusal(answer.code, answer.message)
    if face == "convex":
        answer = call(server, KINDS[path], path, arguments, key)
        assert answer.json["errorMessage"] == answer.message
        assert answer.status == 200
        return Refusal(answer.code, answer.message)
    return refused_on_socket(server, path, arguments, key)


def refused_on_socket(server: Server, path: str, arguments: Json, key: str) -> Refusal:
    with sync_socket(server, key) as socket:
        if KINDS[path] == "query":
            failed = socket.watch(path, arguments)
            assert failed["type"] == "QueryFailed"
        else:
            failed = socket.call("mutation", path, arguments)
            assert failed["success"] is False
        return Refusal(failed["errorData"]["code"], failed["errorData"]["message"])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"name": 7, "scopes": []}, "name must be a string, not a"),
        ({"name": "x", "scopes": "all"}, "scopes must be an array, not a string"),
        ({"name": "x", "scopes": ["a", 3]}, "scopes[1] must be a string, not a"),
        ({"name": "x", "scopes": ["a"], "owner": []}, "owner must be a string or null, not an"),
        ({"name": "x"}, "scopes is required"),
        ({"scopes": ["skills:read"]}, "name is required"),
        ({"name": "x", "scopes": ["a"], "nmae": 1}, "unknown argument 'nmae'; this function takes"),
    ],
)
def test_a_wrong_argument_is_named_with_what_it_should_be(
    server: Server, face: str, arguments: Json, sentence: str
) -> None:
    told = refused(server, face, "auth:createApiToken", arguments, server.admin_key)
    assert told.code == "VALIDATION_ERROR"
    assert sentence in told.message


def test_a_call_without_a_key_is_told_how_to_send_one(server: Server, face: str) -> None:
    told = refused(server, face, "auth:listApiTokens", {})
    assert told.code == "UNAUTHORIZED"
    assert "Authorization: Bearer <key>" in told.message


def test_a_key_without_the_scope_is_told_which_one(server: Server, face: str, reader: str) -> None:
    told = refused(server, face, "auth:listApiTokens", {}, reader)
    assert told.code == "FORBIDDEN"
    assert "auth:read" in told.message


def test_no_key_mints_a_scope_that_it_lacks(server: Server, face: str) -> None:
    minter = new_key(server, ["auth:write", "skills:read"])
    for scope in ("skills:write", "*", "auth:*", "learning:report"):
        wish = {"name": "more", "scopes": ["skills:read", scope]}
        told = refused(server, face, "auth:createApiToken", wish, minter)
        assert told.code == "FORBIDDEN"
        assert f"you cannot grant '{scope}'" in told.message
    for_another = {"name": "more", "scopes": ["skills:read"], "owner": "bob"}
    assert refused(server, face, "auth:createApiToken", for_another, minter).code == "FORBIDDEN"


def test_an_unknown_function_is_refused_by_name(server: Server) -> None:
    for kind in ("query", "mutation", "action"):
        answer = call(server, kind, "no:such", {})
        assert (answer.status, answer.code) == (200, "NOT_FOUND")
        assert "'no:such'" in answer.message
    with sync_socket(server) as socket:
        assert socket.watch("no:such", {})["errorData"]["code"] == "NOT_FOUND"
        for kind in ("mutation", "action"):
            told = socket.call(kind, "no:such", {})
            assert told["errorData"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    "path",
    ["", ":", "a" * 100_000, "../../etc/passwd", "checks:\0", "checks:echo\u202e", "a/../b:c",
     "__proto__:constructor", "checks:__init__", "auth:bootstrap", "system:forgetBefore"],
)  # fmt: skip
def test_a_hostile_path_of_a_function_is_refused(server: Server, path: str) -> None:
    answer = call(server, "query", path, {})
    assert (answer.status, answer.code) in {
        (200, "NOT_FOUND"), (400, "BadConvexFunctionIdentifier"),
    }  # fmt: skip
    assert len(answer.message) < 1_000
    if len(path) <= MAX_PATH:
        with sync_socket(server) as socket:
            assert socket.watch(path, {})["errorData"]["code"] == answer.code


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("GET", "/api/nowhere", 404, "NOT_FOUND"),
        ("GET", "/api/sync", 404, "NOT_FOUND"),
        ("OPTIONS", "*", 404, "NOT_FOUND"),
        ("GET", "//evil.example/v1/skills", 404, "NOT_FOUND"),
        ("GET", "/docs/../../etc/passwd", 404, "NOT_FOUND"),
        ("GET", "/docs/..%2f..%2fetc%2fpasswd", 404, "NOT_FOUND"),
        ("DELETE", "/v1/skills", 405, "METHOD_NOT_ALLOWED"),
        ("TRACE", "/v1/skills", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/mutation", 400, "BadRequest"),
        ("PUT", "/api/query", 400, "BadRequest"),
        ("POST", "/api/query", 400, "BadRequest"),
        ("GET", "/v1/skills/%FF", 400, "VALIDATION_ERROR"),
        ("GET", "/v1/skills?limit=%FF", 400, "VALIDATION_ERROR"),
        ("GET", "/v1/skills?limit=many", 400, "VALIDATION_ERROR"),
        ("GET", "/v1/skills?" + "a&" * 300, 400, "VALIDATION_ERROR"),
    ],
)
def test_a_wrong_address_or_method(
    server: Server, method: str, path: str, status: int, code: str
) -> None:
    answer = exchange(server, request(method, path))
    assert (answer.status, answer.code) == (status, code)
    if status == 405:
        assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    "credential",
    ["", "Bearer", "Bearer ", "Basic YTpi", "Digest x", "hk_live_x", "Bearer a b", "Bearer \xff",
     "Convex x:y", "Bearer hk_live_" + "a" * 40, "Bearer " + "x" * 9_000, "Bearer, Bearer"],
)  # fmt: skip
def test_a_malformed_or_wrong_authorization_is_401(server: Server, credential: str) -> None:
    for method, path in (("GET", "/v1/skills"), ("POST", "/api/query"), ("POST", "/api/run/a/b")):
        answer = exchange(server, request(method, path, headers={"Authorization": credential}))
        assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
        assert "hk_live_" not in answer.message


@pytest.mark.parametrize("end", ["revoked", "expired"])
def test_a_dead_key_is_refused_on_every_face(server: Server, end: str) -> None:
    if end == "revoked":
        key = new_key(server, ["checks:read", "auth:read"])
        (token,) = [
            each["_id"]
            for each in server.call("query", "auth:listApiTokens", {}, key)["tokens"]
            if key.startswith(each["prefix"])
        ]
        server.call("mutation", "auth:revokeApiToken", {"tokenId": token}, server.admin_key)
    else:
        key = new_key(server, ["checks:read", "auth:read"], expiresIn=1)
        wait_until(lambda: ask(server, "GET", "/v1/auth/tokens", key=key).status == 401, end)
    for answer in (
        ask(server, "GET", "/v1/auth/tokens", key=key),
        ask(server, "GET", "/v1/skills", key=key),
        call(server, "query", "checks:guarded", {}, key),
    ):
        assert_dead(answer)
    with sync_socket(server, key) as socket:
        assert "key" in socket.hear("AuthError")["error"]


def assert_dead(answer: Answer) -> None:
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
    assert "key" in answer.message


def test_a_revoked_key_ends_its_live_queries_at_once_and_no_others(server: Server) -> None:
    made = server.call(
        "mutation",
        "auth:createApiToken",
        {"name": "k", "owner": "eve", "scopes": ["checks:read"]},
        server.admin_key,
    )
    other = new_key(server, ["checks:read"])
    with sync_socket(server, made["token"]) as ending, sync_socket(server, other) as staying:
        assert ending.watch("checks:guarded", {})["value"] == "eve"
        assert staying.watch("checks:guarded", {})["value"] == "ann"
        token = {"tokenId": made["tokenId"]}
        assert server.call("mutation", "auth:revokeApiToken", token, server.admin_key) is True
        assert "revoked" in ending.hear("AuthError", "FatalError")["error"]
        assert staying.watch("checks:guarded", {})["value"] == "ann"
