"""Keys and sessions: what they may call, how they are counted, when they end."""

import pytest

from hubify.domains.auth import (
    MAX_GENERATIONS,
    Caller,
    KeyNotFound,
    Session,
    SessionEnded,
    auth,
    authenticate,
)
from hubify.domains.system import system
from hubify.functions import Forbidden, InvalidInput, RateClass, RateLimited, Unauthenticated
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

    def key(
        self,
        *scopes: str,
        minter: Principal = KIM,
        agent: str | None = None,
        life_s: float | None = None,
    ) -> str:
        """A new key's secret."""
        wanted = {"name": "k", "scopes": [*scopes], "agent": agent, "expiresIn": life_s}
        return self.backend.mutation("auth:createApiToken", wanted, principal=minter).token

    def session(self, secret: str) -> str:
        """A session of a key or of another session."""
        holder = self.identities.find(secret)
        wanted = {"agentId": "a", "ttl": 60}
        return self.backend.mutation("auth:createSession", wanted, principal=holder).token

    def revoke(self, secret: str, *, keep_minted: bool | None = None) -> None:
        """End a key."""
        wanted = {"tokenId": self.identities.find(secret).credential, "keepMinted": keep_minted}
        self.backend.mutation("auth:revokeApiToken", wanted, principal=KIM)

    def minted(self, secret: str, life_s: float | None = None) -> str:
        """A key that another key makes."""
        wanted = {"name": "m", "scopes": ["skills:read", "auth:write"], "expiresIn": life_s}
        minter = self.identities.find(secret)
        return self.backend.mutation("auth:createApiToken", wanted, principal=minter).token

    def stands(self, secret: str) -> bool:
        """Whether a key or session is taken."""
        try:
            self.identities.find(secret)
        except Unauthenticated:
            return False
        return True

    def is_valid(self, token: str) -> bool:
        """What `validateSession` says."""
        return self.backend.query("auth:validateSession", {"token": token}).valid


@pytest.fixture
def door() -> Door:
    """An empty backend."""
    return Door()


def test_what_a_session_does_counts_as_use_of_its_key(door: Door) -> None:
    key = door.key("auth:write")
    session = door.session(key)
    door.identities.take_uses()
    for _call in range(3):
        door.identities.find(session)
    assert door.identities.take_uses() == {door.identities.find(key).credential: 3}


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


@pytest.mark.parametrize("scopes", [("skills:admin",), ("*",), ("skills:read", "lab:x:rw")])
def test_no_key_ends_one_that_may_do_more(door: Door, scopes: tuple[str, ...]) -> None:
    strong = door.key(*scopes)
    narrow = door.identities.find(door.key("auth:write", "skills:read"))
    told = {"tokenId": door.identities.find(strong).credential}
    with pytest.raises(Forbidden, match="that key has the scope"):
        door.backend.mutation("auth:revokeApiToken", told, principal=narrow)
    assert door.stands(strong)
    weak = door.key("skills:read")
    told = {"tokenId": door.identities.find(weak).credential}
    assert door.backend.mutation("auth:revokeApiToken", told, principal=narrow)


def test_a_key_of_one_agent_sees_and_ends_that_agents_keys_only(door: Door) -> None:
    own, other, free = (
        door.key("x:read", agent="a"),
        door.key("x:read", agent="b"),
        door.key("x:read"),
    )
    bound = door.identities.find(door.key("auth:write", "auth:read", "x:read", agent="a"))
    listed = door.backend.query("auth:listApiTokens", {}, principal=bound).tokens
    assert {key.agent for key in listed} == {"a"}
    for secret in (other, free):
        told = {"tokenId": door.identities.find(secret).credential}
        with pytest.raises(KeyNotFound):
            door.backend.mutation("auth:revokeApiToken", told, principal=bound)
    told = {"tokenId": door.identities.find(own).credential}
    assert door.backend.mutation("auth:revokeApiToken", told, principal=bound)


@pytest.mark.parametrize("name", ["", "a\nb", "a\u202eb", "x" * 101])
def test_a_keys_name_can_be_read_whole(door: Door, name: str) -> None:
    told = {"name": name, "scopes": ["skills:read"]}
    with pytest.raises(InvalidInput, match="name must be 1 to 100 characters"):
        door.backend.mutation("auth:createApiToken", told, principal=KIM)


@pytest.mark.parametrize("agent", ["evil\nagent\x07", "a\u202eb", "", "x" * 129])
def test_an_agent_that_may_not_report_gets_no_key_and_no_session(door: Door, agent: str) -> None:
    with pytest.raises(InvalidInput):
        door.key("skills:read", agent=agent)
    told = {"agentId": agent, "ttl": 60}
    with pytest.raises(InvalidInput):
        door.backend.mutation("auth:createSession", told, principal=KIM)


def test_an_agent_with_the_longest_id_gets_a_key(door: Door) -> None:
    assert door.identities.find(door.key("skills:read", agent="x" * 128)).agent == "x" * 128


def test_a_sessions_metadata_is_bounded(door: Door) -> None:
    told = {"agentId": "a", "ttl": 60, "metadata": {"a": "x" * 4_000}}
    door.backend.mutation("auth:createSession", told, principal=KIM)
    told["metadata"] = {"a": "x" * 4_200}
    with pytest.raises(InvalidInput, match="within 4096"):
        door.backend.mutation("auth:createSession", told, principal=KIM)


@pytest.mark.parametrize("seconds", [0.0001, 0, -1, 0.999, float("nan")])
def test_nothing_lives_for_less_than_a_second(door: Door, seconds: float) -> None:
    with pytest.raises(InvalidInput):
        door.backend.mutation("auth:createSession", {"agentId": "a", "ttl": seconds}, principal=KIM)


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


MINTER = ("skills:read", "auth:write")
DAY_S = 86_400


def test_a_session_makes_no_keys(door: Door) -> None:
    session = door.session(door.key(*MINTER))
    with pytest.raises(Forbidden, match="a session cannot make keys"):
        door.minted(session)


@pytest.mark.parametrize(("asked_s", "life_s"), [(None, 100), (1_000, 100), (10, 10)])
def test_a_minted_key_ends_no_later_than_its_minter(
    door: Door, asked_s: float | None, life_s: int
) -> None:
    minted = door.minted(door.minted(door.key(*MINTER, life_s=100)), asked_s)
    ended: list[Unauthenticated] = []
    door.identities.guard(minted, ended.append)
    door.backend.advance(life_s * 1000 - 1)
    assert not ended
    door.backend.advance(1)
    assert ended


def test_a_revoked_key_takes_along_all_that_it_minted_and_their_live_queries(door: Door) -> None:
    root = door.key(*MINTER)
    child = door.minted(root)
    grandchild = door.minted(child)
    session = door.session(grandchild)
    other = door.key(*MINTER)
    ended: list[str] = []
    for secret in (root, child, grandchild, session, other):
        door.identities.guard(secret, lambda error, of=secret: ended.append(of + error.message[:0]))
    door.revoke(root)
    assert sorted(ended) == sorted([root, child, grandchild, session])
    assert [door.stands(secret) for secret in (child, grandchild, session, other)] == [
        False, False, False, True
    ]  # fmt: skip
    assert not door.is_valid(session)
    listed = door.backend.query("auth:listApiTokens", principal=KIM).tokens
    assert [str(token.status) for token in listed] == ["active", "revoked", "revoked", "revoked"]
    assert [token.minted_by for token in listed[1:3]] == [token.id for token in listed[2:]]


def test_what_a_key_minted_can_be_kept_and_ended_later(door: Door) -> None:
    root = door.key(*MINTER)
    root_id = door.identities.find(root).credential
    child = door.minted(root)
    grandchild = door.minted(child)
    door.revoke(root, keep_minted=True)
    assert (door.stands(root), door.stands(child), door.stands(grandchild)) == (False, True, True)
    wanted = {"tokenId": root_id, "keepMinted": False}
    assert door.backend.mutation("auth:revokeApiToken", wanted, principal=KIM) is False
    assert not door.stands(child)
    assert not door.stands(grandchild)


def test_what_an_administrator_minted_outlives_the_admin_key_unless_it_is_said(door: Door) -> None:
    secret = "hk_live_" + "a" * 40
    assert door.backend.mutation("auth:bootstrap", {"secret": secret})
    admin = door.identities.find(secret)
    minted = door.key(*MINTER, minter=admin)
    door.revoke(secret)
    assert (door.stands(secret), door.stands(minted)) == (False, True)
    wanted = {"tokenId": admin.credential, "keepMinted": False}
    door.backend.mutation("auth:revokeApiToken", wanted, principal=KIM)
    assert not door.stands(minted)


def test_keys_are_minted_a_bounded_number_of_times_deep(door: Door) -> None:
    secret = door.key(*MINTER)
    for _generation in range(MAX_GENERATIONS):
        secret = door.minted(secret)
    with pytest.raises(Forbidden, match="nearer"):
        door.minted(secret)


def test_a_session_ends_no_later_than_its_key(door: Door) -> None:
    session = door.session(door.key("skills:read", life_s=20))
    wanted = {"token": session, "ttl": 60}
    refreshed = door.backend.mutation("auth:refreshSession", wanted, principal=ANONYMOUS)
    assert refreshed.expires_at == door.backend.now_ms + 20_000


def sessions_of(door: Door) -> int:
    """How many session rows the store holds."""
    reader = door.backend.database.begin_read(lambda: None)
    return len(reader.take(Session.where().order_by("expires_at"), limit=10_000))


def test_sessions_are_forgotten_a_week_after_their_end(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubify.domains.auth.SWEEP_ROWS", 3)
    key = door.key("skills:read")
    for _session in range(8):
        door.session(key)
    ended = door.session(key)
    door.backend.mutation("auth:endSession", {"token": ended}, principal=ANONYMOUS)
    wanted = {"agentId": "a", "ttl": 30 * DAY_S}
    door.backend.mutation("auth:createSession", wanted, principal=door.identities.find(key))
    door.backend.advance(6 * DAY_S * 1000)
    assert sessions_of(door) == 10
    door.backend.advance(2 * DAY_S * 1000)
    assert sessions_of(door) == 1


def test_every_key_is_listed_page_by_page(door: Door) -> None:
    ids = {door.identities.find(door.key("skills:read")).credential for _key in range(5)}
    seen: set[str] = set()
    wanted: dict[str, object] = {"limit": 2}
    while True:
        page = door.backend.query("auth:listApiTokens", wanted, principal=KIM)
        seen |= {token.id for token in page.tokens}
        if page.is_done:
            break
        wanted["cursor"] = page.continue_cursor
    assert seen == ids
