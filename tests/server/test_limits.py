"""Allowances, replays and request ids, as callers see them.

The clock is real: a test that needs its calls to fall in one window begins early in a minute's
window, or in the next one when little is left of it.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.clients.server import Server, wait_until
from tests.server.conftest import check
from tests.server.wire import Answer, ask, call, sync_socket

LIMITS = {"query": 4, "mutation": 3, "search": 2, "wrong_key": 4}
WINDOW_S = 60
ENOUGH_S = 5  # of a window, for one test
SPENT = [
    "ratelimit", "ratelimit-policy", "x-ratelimit-limit", "x-ratelimit-remaining",
    "x-ratelimit-reset",
]  # fmt: skip


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that allows few calls a minute."""
    path = tmp_path_factory.mktemp("limited")
    (path / "limits.json").write_text(json.dumps(LIMITS), encoding="utf-8")
    with Server(path / "data", rate_limits=str(path / "limits.json")) as running:
        yield running
        check(running)


@pytest.fixture
def key(limited: Server) -> str:
    """A key that nobody has used, in a window with time left."""
    wait_until(lambda: time.time() % WINDOW_S < WINDOW_S - ENOUGH_S, "a fresh window", 2 * ENOUGH_S)
    wish = {"name": "k", "owner": "ann", "scopes": ["auth:read", "auth:write", "skills:read"]}
    return limited.call("mutation", "auth:createApiToken", wish, limited.admin_key)["token"]


Ask = Callable[[Server, str], Answer]
ASKED: dict[str, tuple[str, Ask]] = {
    "rest": ("query", lambda server, key: ask(server, "GET", "/v1/skills", key=key)),
    "rest search": (
        "search", lambda server, key: ask(server, "GET", "/v1/skills/search?query=a", key=key),
    ),
    "convex": ("query", lambda server, key: call(server, "query", "skills:list", {}, key)),
    "convex mutation": (
        "mutation",
        lambda server, key: call(server, "mutation", "checks:increment", {"name": "c"}, key),
    ),
}  # fmt: skip


@pytest.mark.parametrize("face", ASKED)
def test_an_allowance_is_told_until_it_is_spent_and_then_when_to_come_back(
    limited: Server, key: str, face: str
) -> None:
    rate, asked = ASKED[face]
    most = LIMITS[rate]
    for used in range(1, most + 1):
        answer = asked(limited, key)
        assert (answer.status, answer.code) == (200, "")
        assert answer.headers["x-ratelimit-limit"] == str(most)
        assert answer.headers["x-ratelimit-remaining"] == str(most - used)
        assert answer.headers["ratelimit-policy"] == f'"{rate}";q={most};w=60'
        assert answer.headers["ratelimit"].startswith(f'"{rate}";r={most - used};t=')
        assert 0 < int(answer.headers["x-ratelimit-reset"]) - time.time() <= WINDOW_S + 1
    refused = asked(limited, key)
    assert (refused.status, refused.code) == (429, "RATE_LIMITED")
    assert 1 <= int(refused.headers["retry-after"]) <= WINDOW_S
    assert f"try again in {refused.headers['retry-after']} s" in refused.message
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert set(SPENT) <= set(refused.headers)


def test_faces_share_an_allowance_and_classes_do_not(limited: Server, key: str) -> None:
    for number in range(LIMITS["query"]):
        ASKED["rest" if number % 2 else "convex"][1](limited, key)
    assert ASKED["rest"][1](limited, key).status == 429
    assert ASKED["convex"][1](limited, key).status == 429
    assert ASKED["rest search"][1](limited, key).status == 200
    assert ASKED["convex mutation"][1](limited, key).status == 200
    with sync_socket(limited, key) as socket:
        failed = socket.watch("skills:list", {})
        assert failed["type"] == "QueryFailed"
        assert failed["errorData"]["code"] == "RATE_LIMITED"
        assert failed["errorData"]["retryAfter"] >= 1


def test_a_socket_is_told_in_its_responses(limited: Server, key: str) -> None:
    with sync_socket(limited, key) as socket:
        told = [
            socket.call("mutation", "checks:increment", {"name": "s"})
            for _ in range(LIMITS["mutation"] + 1)
        ]
    assert [each["success"] for each in told] == [True] * LIMITS["mutation"] + [False]
    assert told[-1]["errorData"]["code"] == "RATE_LIMITED"
    assert told[-1]["errorData"]["retryAfter"] >= 1


def test_runs_of_a_live_query_cost_nothing(limited: Server, key: str) -> None:
    with sync_socket(limited, key) as socket:
        assert socket.watch("checks:counter", {"name": "live"})["value"] == 0
        for count in range(1, 20):
            limited.call("mutation", "checks:increment", {"name": "live"}, limited.admin_key)
            assert socket.news()["value"] == count
    assert ASKED["rest"][1](limited, key).headers["x-ratelimit-remaining"] == "2"


def test_keys_of_one_owner_have_allowances_of_their_own(limited: Server, key: str) -> None:
    while ASKED["rest"][1](limited, key).status == 200:
        pass
    wish = {"name": "k", "owner": "ann", "scopes": ["skills:read"]}
    other = limited.call("mutation", "auth:createApiToken", wish, limited.admin_key)["token"]
    assert ASKED["rest"][1](limited, other).status == 200


def test_strangers_share_their_addresss_allowance_whatever_they_claim(
    limited: Server, key: str
) -> None:
    assert key, "its window has time left"
    while ask(limited, "GET", "/v1/skills").status == 200:
        pass
    for headers in ({"X_Forwarded_For": "10.0.0.1"}, {"Forwarded": "for=10.0.0.2"}):
        assert ask(limited, "GET", "/v1/skills", **headers).status == 429
    assert call(limited, "query", "skills:list", {}).status == 429
    assert ASKED["rest"][1](limited, key).status == 200


def test_guesses_at_keys_are_counted_by_address(limited: Server, key: str) -> None:
    assert key, "its window has time left"
    told = {ask(limited, "GET", "/v1/skills", key=f"hk_live_{n}").status for n in range(9)}
    assert told <= {401, 429}
    assert ask(limited, "GET", "/v1/skills", key="hk_live_9").status == 429
    assert call(limited, "query", "skills:list", {}, "hk_live_10").status == 429
    with sync_socket(limited, "hk_live_11") as socket, pytest.raises(ConnectionClosed) as closed:
        socket.hear("AuthError")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.reason == "TooManyConcurrentRequests"
    assert call(limited, "query", "skills:list", {}, key).status == 200


def test_the_admin_key_is_not_limited(limited: Server) -> None:
    for face in ASKED:
        for _ in range(2 * max(LIMITS.values())):
            answer = ASKED[face][1](limited, limited.admin_key)
            assert answer.status == 200
            assert "x-ratelimit-limit" not in answer.headers


def test_a_file_of_limits_that_does_not_fit_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "limits.json").write_text('{"queries": 4}', encoding="utf-8")
    for limits in (tmp_path / "limits.json", tmp_path / "missing.json"):
        server = Server(tmp_path / "data", rate_limits=str(limits))
        with pytest.raises(AssertionError, match="HUBIFY_RATE_LIMITS must be"):
            server.start()


# Replays.


def mint(server: Server, name: str, idempotency_key: str, key: str = "") -> Answer:
    return ask(
        server, "POST", "/v1/auth/sessions", {"agent_id": name, "ttl": 60},
        key or server.admin_key, Idempotency_Key=idempotency_key,
    )  # fmt: skip


def publish(server: Server, name: str, idempotency_key: str, key: str = "") -> Answer:
    return ask(
        server, "POST", "/v1/agents", {"agent_id": name, "platform": "cursor"},
        key or server.admin_key, Idempotency_Key=idempotency_key,
    )  # fmt: skip


def test_a_write_that_is_sent_again_happens_once(server: Server, name: str) -> None:
    first, again = (publish(server, name, f"{name}-1") for _ in range(2))
    assert first.status == again.status == 201
    assert first.json["data"] == again.json["data"]
    assert publish(server, name, f"{name}-2").code == "CONFLICT"  # it exists


def test_a_key_that_was_used_for_another_write_is_refused(server: Server, name: str) -> None:
    assert publish(server, name, name).status == 201
    other = publish(server, name + "-other", name)
    assert (other.status, other.code) == (409, "CONFLICT")
    assert "choose a new one" in other.message


def test_two_owners_may_choose_the_same_key(server: Server, name: str) -> None:
    keys = [
        server.call(
            "mutation",
            "auth:createApiToken",
            {"name": "k", "owner": owner, "scopes": ["agents:write"]},
            server.admin_key,
        )["token"]
        for owner in ("ann", "bob")
    ]
    assert [publish(server, name, name, key).status for key in keys] == [201, 201]


def test_a_secret_is_shown_once_even_when_it_is_asked_for_again(server: Server, name: str) -> None:
    first, again = (mint(server, "agent", name) for _ in range(2))
    assert first.status == 201
    assert (again.status, again.code) == (409, "CONFLICT")
    assert first.json["data"]["token"] not in again.body.decode()


def test_a_refused_write_may_be_sent_again(server: Server, name: str) -> None:
    refused = ask(
        server, "POST", "/v1/agents", {"agent_id": name, "platform": 7}, server.admin_key,
        Idempotency_Key=name,
    )  # fmt: skip
    assert refused.status == 400
    assert publish(server, name, name).status == 201


@pytest.mark.parametrize("length", [0, 256, 5_000])
def test_an_idempotency_key_of_no_length_or_too_much_is_refused(
    server: Server, length: int
) -> None:
    refused = publish(server, "agent", "k" * length)
    assert (refused.status, refused.code) == (400, "VALIDATION_ERROR")
    assert "1 to 255 characters" in refused.message


def test_replays_over_convex_and_after_a_restart(own_server: Server) -> None:
    wanted = {"name": "c", "idempotencyKey": "once"}
    assert own_server.call("mutation", "checks:increment", wanted) == 1
    assert own_server.call("mutation", "checks:increment", wanted) == 1
    own_server.restart()
    assert own_server.call("mutation", "checks:increment", wanted) == 1
    assert call(own_server, "mutation", "checks:increment", {**wanted, "by": 2}).code == "CONFLICT"
    assert own_server.call("query", "checks:counter", {"name": "c"}) == 1


# Request ids.


def test_a_request_id_is_told_in_header_and_envelope_and_may_be_the_callers(server: Server) -> None:
    made = {ask(server, "GET", "/v1/skills").headers["x-request-id"] for _ in range(10)}
    assert len(made) == 10
    answer = ask(server, "GET", "/v1/skills", X_Request_Id="trace-1:a.b_c")
    assert answer.headers["x-request-id"] == "trace-1:a.b_c"
    assert answer.json["meta"]["request_id"] == "trace-1:a.b_c"
    refused = ask(server, "GET", "/v1/skills?limit=x", X_Request_Id="trace-2")
    assert (refused.status, refused.headers["x-request-id"]) == (400, "trace-2")
    assert ask(server, "GET", "/nowhere", X_Request_Id="t").headers["x-request-id"] == "t"
