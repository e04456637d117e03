"""Keys and sessions with every official client: right, wrong, revoked, expired, given back.

What each client does with a refused key is its own (convex-protocol.md, 6.3), so the tests of a
wrong or ended key come in three: npm's live clients, PyPI's live client, and both over HTTP.
"""

from typing import Any

import pytest

from tests.clients.conftest import Connect
from tests.clients.legs import (
    HTTP_LEGS,
    LEGS,
    NPM_HTTP,
    NPM_LIVE,
    NPM_LIVE_LEGS,
    PYPI_HTTP,
    PYPI_LIVE,
    Client,
    Leg,
    Subscription,
)
from tests.clients.server import Server, wait_until

WRONG = "hk_live_wrong"
UNAUTHORIZED = "UNAUTHORIZED"
SHORT_S = 10.0  # long enough for every client to begin, on a machine with other work


class Keys:
    """Mints and ends credentials, as the administrator of a server."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def mint(self, owner: str, scope: str = "checks:read") -> dict[str, Any]:
        """A key: its `token` and `tokenId`."""
        return self._call("createApiToken", name="a key", owner=owner, scopes=[scope])

    def revoke(self, key: dict[str, Any]) -> None:
        """End a key."""
        assert self._call("revokeApiToken", tokenId=key["tokenId"]) is True

    def session(self, key: dict[str, Any], ttl: float) -> str:
        """A session's token, good for so many seconds."""
        arguments = {"agentId": "scout", "ttl": ttl}
        return self.server.call("mutation", "auth:createSession", arguments, key["token"])["token"]

    def _call(self, function: str, **arguments: object) -> Any:  # noqa: ANN401 - whatever it answers
        return self.server.call("mutation", f"auth:{function}", arguments, self.server.admin_key)


@pytest.fixture(scope="module")
def keys(hub: Server) -> Keys:
    return Keys(hub)


def authenticated(client: Client, *tokens: str) -> None:
    """Show a key that the server takes."""
    client.authenticate(*tokens)
    if client.leg.is_npm and client.leg.is_live:
        assert client.auth() is True


def test_a_caller_without_a_key_is_anonymous(connect: Connect, hub: Server, leg: Leg) -> None:
    client = connect(leg, hub)
    assert client.query("checks:whoami") == "anonymous"
    assert client.refusal("query", "checks:guarded").data["code"] == UNAUTHORIZED


def test_the_right_key_is_taken_as_it_is(
    connect: Connect, hub: Server, keys: Keys, leg: Leg
) -> None:
    client = connect(leg, hub)
    authenticated(client, keys.mint("ana")["token"])
    assert client.query("checks:guarded") == "ana"
    assert client.query("checks:whoami") == "key"
    assert client.mutation("checks:increment", name="by ana") >= 1


def test_the_admin_key_is_taken_as_such(connect: Connect, hub: Server, leg: Leg) -> None:
    client = connect(leg, hub)
    client.administer(hub.admin_key)
    assert client.query("checks:whoami") == "admin"
    assert client.query("checks:guarded") == "admin"


def test_a_key_without_the_scope_is_told_which_scope_is_missing(
    connect: Connect, hub: Server, keys: Keys, leg: Leg
) -> None:
    client = connect(leg, hub)
    authenticated(client, keys.mint("ana", scope="skills:read")["token"])
    refusal = client.refusal("query", "checks:guarded")
    assert refusal.data["code"] == "FORBIDDEN"
    assert "checks:read" in refusal.data["message"]


def test_the_static_key_dance_ends_after_one_confirmation(
    connect: Connect, hub: Server, keys: Keys, npm_live_leg: Leg
) -> None:
    client = connect(npm_live_leg, hub)
    client.host.logged.clear()
    authenticated(client, keys.mint("ana")["token"])
    assert client.query("checks:guarded") == "ana"
    assert client.tokens_asked() == [False, True]
    assert [*client.host.logged] == []


def test_a_live_query_follows_a_change_of_the_caller(
    connect: Connect, hub: Server, keys: Keys, live_leg: Leg
) -> None:
    client = connect(live_leg, hub)
    live = client.subscribe("checks:whoami")
    assert live.next() == "anonymous"
    client.authenticate(keys.mint("ana")["token"])
    live.until("key")
    client.log_out()
    live.until("anonymous")


@pytest.mark.parametrize("leg", HTTP_LEGS, ids=lambda leg: leg.name)
def test_a_wrong_key_over_http_is_401_with_code_and_message(
    connect: Connect, hub: Server, leg: Leg
) -> None:
    client = connect(leg, hub)
    client.authenticate(WRONG)
    refusal = client.refusal("query", "checks:echo", value=1)
    told = {
        NPM_HTTP: '{"code":"UNAUTHORIZED","message":"Valid API key required"}',
        PYPI_HTTP: "401 UNAUTHORIZED: Valid API key required",
    }
    assert refusal.message == told[leg]


def test_npm_drops_a_wrong_key_and_goes_on_anonymously(
    connect: Connect, hub: Server, npm_live_leg: Leg
) -> None:
    client = connect(npm_live_leg, hub)
    live = client.subscribe("checks:whoami")
    client.authenticate(WRONG)
    if npm_live_leg == NPM_LIVE:  # a page that showed nobody logged in simply goes on to do so
        assert client.auth() is False
    wait_until(lambda: client.tokens_asked() == [False, True], "asking for a better token")
    live.until("anonymous")
    assert client.query("checks:echo", value=1) == 1
    assert client.refusal("query", "checks:guarded").data["code"] == UNAUTHORIZED
    assert client.tokens_asked() == [False, True]
    assert client.auth_changes == 0


def test_calls_of_pypi_with_a_wrong_key_raise_instead_of_hanging(
    connect: Connect, hub: Server, keys: Keys
) -> None:
    client = connect(PYPI_LIVE, hub)
    client.authenticate(WRONG)
    told = {"code": UNAUTHORIZED, "message": "Valid API key required"}
    assert client.refusal("query", "checks:echo", value=1).data == told
    assert client.refusal("mutation", "checks:increment", name="never").data == told
    assert client.refusal("action", "checks:twice", name="never").data == told
    assert client.subscribe("checks:counter", name="never").refused().data == told
    client.authenticate(keys.mint("ana")["token"])
    assert client.query("checks:guarded") == "ana"


def watching_as(client: Client, *tokens: str) -> Subscription:
    """A live query that only a key or session may ask."""
    authenticated(client, *tokens)
    live = client.subscribe("checks:guarded")
    assert live.next() == "ana"
    return live


def test_a_revoked_key_ends_its_live_queries_at_once(
    connect: Connect, hub: Server, keys: Keys, live_leg: Leg
) -> None:
    client, key = connect(live_leg, hub), keys.mint("ana")
    live = watching_as(client, key["token"])
    keys.revoke(key)
    assert live.refused().data["code"] == UNAUTHORIZED
    if client.leg.is_npm:
        assert client.auth() is False
    assert client.refusal("query", "checks:guarded").data["code"] == UNAUTHORIZED


@pytest.mark.parametrize("leg", HTTP_LEGS, ids=lambda leg: leg.name)
def test_a_revoked_key_is_refused_over_http(
    connect: Connect, hub: Server, keys: Keys, leg: Leg
) -> None:
    client, key = connect(leg, hub), keys.mint("ana")
    client.authenticate(key["token"])
    assert client.query("checks:guarded") == "ana"
    keys.revoke(key)
    assert "UNAUTHORIZED" in client.refusal("query", "checks:guarded").message


def test_the_keys_of_others_go_on_when_one_is_revoked(
    connect: Connect, hub: Server, keys: Keys, live_leg: Leg
) -> None:
    client, key, other = connect(live_leg, hub), keys.mint("ana"), keys.mint("ana")
    live = watching_as(client, key["token"])
    keys.revoke(other)
    assert client.query("checks:guarded") == "ana"
    assert live.unread == 0


def test_a_session_ends_for_every_client_when_its_time_is_over(
    connect: Connect, hub: Server, keys: Keys
) -> None:
    clients = [connect(leg, hub) for leg in LEGS]
    for client in clients:
        assert client.query("checks:whoami") == "anonymous"
    session = keys.session(keys.mint("ana"), ttl=SHORT_S)
    watching = [watching_as(client, session) for client in clients if client.leg.is_live]
    for client in clients:
        client.authenticate(session)
        assert client.query("checks:whoami") == "session"
    for live in watching:
        assert live.refused().data["code"] == UNAUTHORIZED
    for client in clients:
        refusal = client.refusal("query", "checks:guarded")
        assert UNAUTHORIZED in refusal.message or refusal.data["code"] == UNAUTHORIZED


def test_npm_goes_on_with_a_new_session_when_the_old_one_has_expired(
    connect: Connect, hub: Server, keys: Keys
) -> None:
    clients, key = [connect(leg, hub) for leg in NPM_LIVE_LEGS], keys.mint("ana")
    first, second = keys.session(key, ttl=SHORT_S), keys.session(key, ttl=600)
    watching = [watching_as(client, first, first, second) for client in clients]
    for client, live in zip(clients, watching, strict=True):
        wait_until(lambda: client.tokens_asked() == [False, True, True], "asking for a new token")  # noqa: B023
        assert client.query("checks:guarded") == "ana"
        assert client.query("checks:whoami") == "session"
        while live.unread:
            assert live.next() == "ana", "the live query was interrupted"


def test_a_revoked_key_ends_the_sessions_that_it_opened(
    connect: Connect, hub: Server, keys: Keys, live_leg: Leg
) -> None:
    client, key = connect(live_leg, hub), keys.mint("ana")
    live = watching_as(client, keys.session(key, ttl=600))
    keys.revoke(key)
    assert live.refused().data["code"] == UNAUTHORIZED
