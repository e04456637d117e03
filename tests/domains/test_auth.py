"""Keys and sessions: what they may call, how they are counted, when they end."""

import pytest

from hubify.domains.auth import Caller, SessionEnded, auth, authenticate
from hubify.domains.system import system
from hubify.functions import Forbidden, RateClass, RateLimited, Unauthenticated
from hubify.functions.identities import Identities
from hubify.functions.principal import ANONYMOUS, CallerKind, Principal
from hubify.functions.quota import Quota
from hubify.storage.engine import Entry, StorageFailed
from hubify.storage.memory import MemoryEngine
from hubify.testing.backend import InMemoryBackend, known
from hubify.values.errors import Unavailable
from hubify.values.interval import Interval

KIM = known("kim")


class SickEngine(MemoryEngine):
    """An engine whose index reads fail when a test says so."""

    sick = False

    def scan(
        self,
        index: int,
        span: Interval,
        *,
        limit: int,
        reverse: bool = False,
        at: int | None = None,
    ) -> list[Entry]:
        """Fail while sick."""
        if self.sick:
            raise StorageFailed("planted")
        return super().scan(index, span, limit=limit, reverse=reverse, at=at)


class Door:
    """A backend with keys, and the principals of secrets."""

    def __init__(self) -> None:
        self.engine = SickEngine()
        self.backend = InMemoryBackend([system, auth], engine=self.engine)
        self.identities = Identities(self.backend.backend.wiring, authenticate)

    def key(self, *scopes: str, minter: Principal = KIM, agent: str | None = None) -> str:
        """A new key's secret."""
        wanted = {"name": "k", "scopes": [*scopes], "agent": agent}
        return self.backend.mutation("auth:createApiToken", wanted, principal=minter).token

    def session(self, secret: str) -> str:
        """A session of a key or of another session."""
        holder = self.identities.find(secret)
        wanted = {"agentId": "a", "ttl": 60}
        return self.backend.mutation("auth:createSession", wanted, principal=holder).token

    def revoke(self, secret: str) -> None:
        """End a key."""
        key_id = self.identities.find(secret).credential
        self.backend.mutation("auth:revokeApiToken", {"tokenId": key_id}, principal=KIM)

    def is_valid(self, token: str) -> bool:
        """What `validateSession` says."""
        return self.backend.query("auth:validateSession", {"token": token}).valid


@pytest.fixture
def door() -> Door:
    """An empty backend."""
    return Door()


def test_nobody_mints_a_scope_that_they_lack(door: Door) -> None:
    weak = door.identities.find(door.key("auth:write", "skills:read", "lab:x:rw"))
    for scope in ("*", "skills:write", "skills:*", "lab:x:admin", "lab:*:r", "read:agents"):
        with pytest.raises(Forbidden):
            door.key(scope, minter=weak)
    door.key("read:skills", "lab:x:r", minter=weak)
    wanted = {"name": "k", "scopes": ["skills:read"], "owner": "lee"}
    with pytest.raises(Forbidden):
        door.backend.mutation("auth:createApiToken", wanted, principal=weak)


def test_a_key_of_one_agent_opens_sessions_and_mints_keys_for_that_agent_only(door: Door) -> None:
    bound = door.identities.find(door.key("auth:write", agent="a"))
    minted = door.key("auth:write", minter=bound)
    assert door.identities.find(minted).agent == "a"
    with pytest.raises(Forbidden):
        door.key("auth:write", minter=bound, agent="b")
    wanted = {"agentId": "b", "ttl": 60}
    with pytest.raises(Forbidden):
        door.backend.mutation("auth:createSession", wanted, principal=bound)


def test_sessions_draw_on_the_allowance_of_their_key(door: Door) -> None:
    quota = Quota({RateClass.QUERY: 2}, lambda: 0)
    key = door.key("skills:read")
    first = door.session(key)
    second = door.session(first)
    for secret in (key, first):
        quota.charge(door.identities.find(secret), "", RateClass.QUERY)
    with pytest.raises(RateLimited):
        quota.charge(door.identities.find(second), "", RateClass.QUERY)


def test_a_session_ends_with_the_key_at_its_root(door: Door) -> None:
    key = door.key("skills:read")
    session = door.session(door.session(key))
    ended: list[Unauthenticated] = []
    door.identities.guard(session, ended.append)
    assert door.is_valid(session)
    door.revoke(key)
    assert len(ended) == 1
    assert not door.is_valid(session)
    with pytest.raises(Unauthenticated):
        door.identities.find(session)
    wanted = {"token": session, "ttl": 60}
    with pytest.raises(SessionEnded):
        door.backend.mutation("auth:refreshSession", wanted, principal=ANONYMOUS)


def test_an_expired_session_ends_at_its_time(door: Door) -> None:
    session = door.session(door.key("skills:read"))
    ended: list[Unauthenticated] = []
    door.identities.guard(session, ended.append)
    door.backend.advance(59_999)
    assert not ended
    door.backend.advance(1)
    assert len(ended) == 1
    assert not door.is_valid(session)


def test_a_key_that_cannot_be_checked_is_not_let_on(door: Door) -> None:
    key = door.key("skills:read")
    ended: list[Unauthenticated] = []
    door.identities.guard(key, ended.append)
    key_id = door.identities.find(key).credential
    door.backend.database.on_commits.insert(
        0, lambda *_published: setattr(door.engine, "sick", True)
    )
    door.backend.mutation("auth:revokeApiToken", {"tokenId": key_id}, principal=KIM)
    assert [error.message for error in ended] == [
        "this key could not be checked; authenticate again"
    ]
    with pytest.raises(Unavailable):
        door.identities.find(key)


def test_callers_learn_whom_they_are_taken_for(door: Door) -> None:
    def told(secret: str | None) -> Caller:
        principal = ANONYMOUS if secret is None else door.identities.find(secret)
        return door.backend.query("auth:whoami", principal=principal)

    now = door.backend.now_ms
    assert told(None) == Caller(CallerKind.ANONYMOUS, None, None, [], None)
    key = door.key("skills:read", "learning:report", agent="a")
    scopes = ["learning:report", "skills:read"]
    assert told(key) == Caller(CallerKind.KEY, "kim", "a", scopes, None)
    session = door.session(key)
    assert told(session) == Caller(CallerKind.SESSION, "kim", "a", scopes, now + 60_000)


def test_a_session_is_said_to_end_with_its_key(door: Door) -> None:
    wanted = {"name": "k", "scopes": ["skills:read"], "expiresIn": 30}
    key = door.backend.mutation("auth:createApiToken", wanted, principal=KIM)
    session = door.identities.find(door.session(key.token))
    assert door.backend.query("auth:whoami", principal=session).expires_at == key.expires_at
