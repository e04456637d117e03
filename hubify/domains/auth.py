"""Keys and sessions: who may call, as which owner and agent, with which scopes.

Invariant: nobody mints a scope that they lack; a secret is shown once and stored as its SHA-256.
What a key minted ends with it, unless it is said to stay (docs/decisions/0015).
"""

import hashlib
import re
from base64 import b32encode
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import msgspec

from hubify.domains.arguments import AgentId, Cursor, check_object, checked_owner
from hubify.domains.auth_answers import (
    Caller,
    NewSession,
    NewToken,
    SessionState,
    Standing,
    TokenInfo,
    TokenList,
)
from hubify.functions import (
    Conflict,
    Domain,
    Forbidden,
    InvalidInput,
    MutationCtx,
    NotFound,
    PageRequest,
    Principal,
    QueryCtx,
    RowId,
    Unauthenticated,
    delete,
    get,
    index,
    post,
    unique,
)
from hubify.functions.context import Reader
from hubify.functions.identities import Authenticated
from hubify.functions.principal import ANY_CALLER, CallerKind, canonical_scope
from hubify.values.durations import MS_PER_DAY
from hubify.values.rows import Row

auth = Domain("auth")

KEY_PREFIX, SESSION_PREFIX = "hk_live_", "hs_"
SECRET_BYTES = 25  # 200 bits
KEY = re.compile(KEY_PREFIX + "[a-z2-7]{40}", re.ASCII)
SHOWN = 12  # characters of a key that lists show
MAX_NAME, MAX_SCOPES, MAX_SCOPE = 100, 50, 120
MAX_TTL_S = 30 * 24 * 3600
MAX_KEY_LIFE_S = 10 * 365 * 24 * 3600
MAX_LISTED = 500
Listed = Annotated[int, msgspec.Meta(ge=1, le=MAX_LISTED)]
MAX_GENERATIONS = 8  # of keys minted by keys that were minted, and so on
KEPT_SESSIONS_MS = 7 * MS_PER_DAY
SWEEP_ROWS = 500
SCOPE = re.compile(
    r"\*|lab:(?:\*|[a-z0-9][a-z0-9-]*):(?:r|rw|admin)|[A-Za-z][A-Za-z0-9_-]*:(?:[a-z_-]+|\*)"
)
ADMIN_OWNER = "admin"


@auth.table("api_keys", unique("digest"), index("owner"))
class ApiKey(Row, frozen=True):
    """One key; its secret is known to its holder only.

    `minted_by`: the key that made it, which takes it along when it ends, unless `spares_minted`.
    """

    digest: str
    shown: str
    owner: str
    agent: str | None
    name: str
    scopes: list[str]
    created_at: int
    created_by: str
    is_admin: bool = False
    standing: Standing = Standing.ACTIVE
    expires_at: int | None = None
    revoked_at: int | None = None
    minted_by: str | None = None
    spares_minted: bool = False


@auth.table("api_key_uses", unique("key_id"))
class ApiKeyUse(Row, frozen=True):
    """How often and when last a key was shown; apart, so that use does not touch the key."""

    key_id: RowId
    count: int
    last_at: int


@auth.table("sessions", unique("digest"), index("expires_at"))
class Session(Row, frozen=True):
    """A short-lived credential of one agent, made with a key and ending with it.

    `expires_at`: when its time will be over, or when it ended before that.
    """

    digest: str
    owner: str
    agent: str
    scopes: list[str]
    key_id: str
    created_at: int
    expires_at: int
    metadata: dict[str, Any] | None = None
    standing: Standing = Standing.ACTIVE


class KeyNotFound(NotFound):
    """No key of this owner has that id."""


class SessionEnded(Conflict):
    """The session is over; create a new one."""


# Rules.


def new_secret(prefix: str, entropy: bytes) -> str:
    """A credential's text: the prefix and the entropy in lower-case base32."""
    return prefix + b32encode(entropy).decode().rstrip("=").lower()


def secret_digest(secret: str) -> str:
    """SHA-256, in hexadecimal; the secret has 200 random bits, so no salt or slow hash is due."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def checked_scopes(scopes: Sequence[str], minter: Principal) -> list[str]:
    """The scopes in canonical spelling, each well-formed and held by the minter.

    Raises:
        InvalidInput: a scope is malformed, or there are too many.
        Forbidden: the minter lacks one.

    """
    if not 1 <= len(scopes) <= MAX_SCOPES:
        message = f"scopes must name 1 to {MAX_SCOPES} scopes, for example 'skills:read'"
        raise InvalidInput(message)
    canonical = sorted({canonical_scope(scope) for scope in scopes})
    for scope in canonical:
        if len(scope) > MAX_SCOPE or not SCOPE.fullmatch(scope):
            message = (
                f"'{scope[:MAX_SCOPE]}' is no scope; "
                "write '<module>:read', 'lab:<slug>:rw', 'learning:report' or '*'"
            )
            raise InvalidInput(message)
        if not minter.allows(scope):
            message = f"you cannot grant '{scope}': your own key lacks it"
            raise Forbidden(message)
    return canonical


def checked_life(seconds: float, longest: int, name: str) -> int:
    """A time to live in whole milliseconds, within its bound."""
    if not 1 <= seconds <= longest:
        message = f"{name} must be between 1 and {longest} seconds"
        raise InvalidInput(message)
    return int(seconds * 1000)


def authenticate(db: Reader, secret: str) -> Authenticated:
    """Who shows this secret (the rule handed to `functions.identities`).

    Raises:
        Unauthenticated: unknown, revoked or expired.

    """
    digest = secret_digest(secret)
    if secret.startswith(SESSION_PREFIX):
        return _session_identity(db, digest)
    key = db.first(ApiKey.where(digest=digest))
    if key is None:
        message = "Valid API key required"
        raise Unauthenticated(message)
    _require_active(standing_of(db, key), "API key")
    kind = CallerKind.ADMIN if key.is_admin else CallerKind.KEY
    principal = Principal(kind, key.owner, key.agent, frozenset(key.scopes), credential=key.id)
    return Authenticated(principal, key.expires_at)


def _session_identity(db: Reader, digest: str) -> Authenticated:
    session = db.first(Session.where(digest=digest))
    if session is None:
        message = "Valid API key required"
        raise Unauthenticated(message)
    _require_active(session.standing, "session")
    key = db.get(ApiKey, session.key_id)
    if key is not None:
        _require_active(standing_of(db, key), "API key")
    principal = Principal(
        CallerKind.SESSION, session.owner, session.agent, frozenset(session.scopes), session.id,
        counted_as=session.key_id,
    )  # fmt: skip
    return Authenticated(principal, session.expires_at)


def _require_active(standing: Standing, what: str) -> None:
    if standing is not Standing.ACTIVE:
        message = f"Valid API key required: this {what} is {standing}"
        raise Unauthenticated(message)


def standing_of(db: Reader, key: ApiKey) -> Standing:
    """Whether a key may still be used: its own standing, and that of the keys it comes from.

    Each is read, so whatever depends on the answer hears of the end of any of them.
    """
    if key.standing is not Standing.ACTIVE:
        return key.standing
    for minter in _minters(db, key):
        if minter is None:
            return Standing.REVOKED
        if minter.standing is not Standing.ACTIVE and not minter.spares_minted:
            return minter.standing
    return Standing.ACTIVE


def _minters(db: Reader, key: ApiKey) -> Iterator[ApiKey | None]:
    """The keys that a key comes from, nearest first; None, last: one that is there no more."""
    minter: ApiKey | None = key
    while minter is not None and minter.minted_by is not None:
        minter = db.get(ApiKey, minter.minted_by)
        yield minter


# Functions.


@auth.query(internal=True)
def is_bootstrapped(ctx: QueryCtx) -> bool:
    """Whether an admin key was ever minted here."""
    return ctx.db.first(ApiKey.where(owner=ADMIN_OWNER)) is not None


@auth.mutation(internal=True)
def bootstrap(ctx: MutationCtx, *, secret: str) -> bool:
    """Take a secret as the admin key of an empty directory; whether there was none yet."""
    if is_bootstrapped(ctx):
        return False
    row = ApiKey(
        digest=secret_digest(secret), shown=secret[:SHOWN], owner=ADMIN_OWNER, agent=None,
        name="admin", scopes=["*"], created_at=ctx.now, created_by="bootstrap", is_admin=True,
    )  # fmt: skip
    ctx.db.insert(row)
    return True


@auth.mutation(scope="auth:write", rest=post("/v1/auth/tokens", status=201), secret=True)
def create_api_token(
    ctx: MutationCtx,
    *,
    name: str,
    scopes: list[str],
    expires_in: float | None = None,
    owner: str | None = None,
    agent: AgentId | None = None,
) -> NewToken:
    """Make an API key with scopes that the caller holds; the token is shown once.

    `owner` is the caller's own unless the caller is an administrator; with `agent` the key reports
    only as that agent. `expires_in` in seconds; never later than the key that makes it, which takes
    it along when it is revoked. A session makes no keys.
    """
    minter = ctx.identity
    maker = _maker(ctx, minter)
    granted = checked_scopes(scopes, minter)
    holder = _holder(minter, owner)
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        message = f"name must be 1 to {MAX_NAME} characters that can be seen"
        raise InvalidInput(message)
    bound = _bound_agent(minter, agent)
    secret = new_secret(KEY_PREFIX, ctx.secret_bytes(SECRET_BYTES))
    expires_at = _earlier(_deadline(ctx.now, expires_in), maker)
    row = ApiKey(
        digest=secret_digest(secret), shown=secret[:SHOWN], owner=holder, agent=bound, name=name,
        scopes=granted, created_at=ctx.now, created_by=minter.label, expires_at=expires_at,
        minted_by=maker.id if maker else None,
    )  # fmt: skip
    key = ctx.db.insert(row)
    if expires_at is not None:
        ctx.schedule(expire_key, after_ms=expires_at - ctx.now, key_id=key.id)
    return NewToken(secret, key.id, name, granted, expires_at, holder, bound)


@auth.query(scope="auth:read", rest=get("/v1/auth/tokens"))
def list_api_tokens(
    ctx: QueryCtx,
    *,
    owner: str | None = None,
    limit: Listed = MAX_LISTED,
    cursor: Cursor | None = None,
) -> TokenList:
    """The caller's keys, newest first, without their secrets; a key of an agent sees that one's.

    Pass `continueCursor` as `cursor` for the keys after these.
    """
    caller = ctx.identity
    holder = _holder(caller, owner)
    request = PageRequest(num_items=limit, cursor=cursor)
    page = ctx.paginate(ApiKey.where(owner=holder).newest_first(), request)
    shown = [_info(ctx, key) for key in page.page if _may_manage(caller, key)]
    return TokenList(shown, page.is_done, page.continue_cursor)


@auth.mutation(scope="auth:write", rest=delete("/v1/auth/tokens/{token_id}"), errors=(KeyNotFound,))
def revoke_api_token(ctx: MutationCtx, *, token_id: RowId, keep_minted: bool | None = None) -> bool:
    """End a key, its sessions and its live queries at once; whether it was active.

    The keys that it minted, and those that they minted, end with it unless `keep_minted`. Those of
    the admin key stay unless it is given as false: what an administrator hands out is not theirs.
    The caller holds every scope of the key; a key of an agent ends that agent's alone.
    """
    key = ctx.db.get(ApiKey, token_id)
    if key is None or not _may_manage(ctx.identity, key):
        message = f"no key of yours has the id '{token_id}'"
        raise KeyNotFound(message)
    _refuse_stronger(ctx.identity, key)
    was_active = key.standing is Standing.ACTIVE
    if was_active:
        spares = key.is_admin if keep_minted is None else keep_minted
        key = ctx.db.replace(
            key, standing=Standing.REVOKED, revoked_at=ctx.now, spares_minted=spares
        )
    elif keep_minted is False:
        ctx.db.replace(key, spares_minted=False)
    return was_active


@auth.mutation(scope=ANY_CALLER, rest=post("/v1/auth/sessions", status=201), secret=True)
def create_session(
    ctx: MutationCtx, *, agent_id: AgentId, ttl: float, metadata: dict[str, Any] | None = None
) -> NewSession:
    """A session token for one agent, with the caller's scopes, for `ttl` seconds.

    `metadata` may take 4 KiB.
    """
    caller = ctx.identity
    if metadata is not None:
        check_object(metadata, "metadata")
    agent = _bound_agent(caller, agent_id)
    assert agent is not None, "an agent id is given"
    parent = ctx.db.get(Session, caller.credential)
    key_id = parent.key_id if parent is not None else caller.credential
    opened = Session(
        digest="", owner=caller.owner, agent=agent, scopes=sorted(caller.scopes), key_id=key_id,
        created_at=ctx.now, expires_at=0, metadata=metadata,
    )  # fmt: skip
    return _open(ctx, opened, ttl)


@auth.query(public=True, rest=get("/v1/auth/whoami"))
def whoami(ctx: QueryCtx) -> Caller:
    """Whom the caller's credential stands for and what it may do; `anonymous` without one."""
    caller = ctx.identity
    session = ctx.db.get(Session, caller.credential)
    key = ctx.db.get(ApiKey, session.key_id if session is not None else caller.credential)
    ends = [held.expires_at for held in (session, key) if held is not None]
    return Caller(
        caller.kind, caller.owner or None, caller.agent, sorted(caller.scopes),
        min((end for end in ends if end is not None), default=None),
    )  # fmt: skip


@auth.query(public=True, rest=get("/v1/auth/session"))
def validate_session(ctx: QueryCtx, *, token: str) -> SessionState:
    """Whether a session token is good; whoever holds the token may ask."""
    session = ctx.db.first(Session.where(digest=secret_digest(token)))
    if session is None or not _stands(ctx, session):
        return SessionState(valid=False)
    return SessionState(
        valid=True, agent_id=session.agent, expires_at=session.expires_at,
        metadata=session.metadata,
    )  # fmt: skip


@auth.mutation(
    public=True, rest=post("/v1/auth/session/refresh"), errors=(SessionEnded,), secret=True
)
def refresh_session(ctx: MutationCtx, *, token: str, ttl: float) -> NewSession:
    """End a good session and open its successor; whoever holds the token may ask."""
    session = _good_session(ctx, token)
    ctx.db.replace(session, standing=Standing.EXPIRED, expires_at=ctx.now)
    return _open(ctx, session.changed(created_at=ctx.now, standing=Standing.ACTIVE), ttl)


@auth.mutation(public=True, rest=post("/v1/auth/session/end"))
def end_session(ctx: MutationCtx, *, token: str) -> bool:
    """End a session and its live queries at once; whether it was good."""
    session = ctx.db.first(Session.where(digest=secret_digest(token)))
    if session is None or session.standing is not Standing.ACTIVE:
        return False
    ctx.db.replace(session, standing=Standing.REVOKED, expires_at=ctx.now)
    return True


@auth.mutation(internal=True)
def expire_key(ctx: MutationCtx, *, key_id: RowId) -> None:
    """Write that a key's time is over, so that its live queries end."""
    key = ctx.db.get(ApiKey, key_id)
    if key is not None and key.standing is Standing.ACTIVE:
        ctx.db.replace(key, standing=Standing.EXPIRED)


@auth.mutation(internal=True)
def expire_session(ctx: MutationCtx, *, session_id: RowId) -> None:
    """Write that a session's time is over, so that its live queries end."""
    session = ctx.db.get(Session, session_id)
    if session is not None and session.standing is Standing.ACTIVE:
        ctx.db.replace(session, standing=Standing.EXPIRED)


@auth.cron(every_s=3600, offset_s=900)
@auth.mutation(internal=True)
def sweep_sessions(ctx: MutationCtx) -> None:
    """Forget sessions a week after they ended."""
    old = Session.where().at_most(expires_at=ctx.now - KEPT_SESSIONS_MS)
    forgotten = ctx.db.take(old, limit=SWEEP_ROWS)
    for session in forgotten:
        ctx.db.delete(session)
    if len(forgotten) == SWEEP_ROWS:
        ctx.schedule(sweep_sessions)


@auth.mutation(internal=True)
def record_uses(ctx: MutationCtx, *, uses: dict[str, int]) -> None:
    """Add up how often keys were shown (counted in memory, stored now and then)."""
    for key_id, count in uses.items():
        if ctx.db.get(ApiKey, key_id) is None:
            continue
        known = ctx.db.first(ApiKeyUse.where(key_id=key_id))
        if known is None:
            ctx.db.insert(ApiKeyUse(key_id=RowId(key_id), count=count, last_at=ctx.now))
        else:
            ctx.db.replace(known, count=known.count + count, last_at=ctx.now)


def _open(ctx: MutationCtx, opened: Session, ttl: float) -> NewSession:
    """Store a session under a fresh secret; it ends with the key at its root."""
    secret = new_secret(SESSION_PREFIX, ctx.secret_bytes(SECRET_BYTES))
    wanted = ctx.now + checked_life(ttl, MAX_TTL_S, "ttl")
    expires_at = _earlier(wanted, ctx.db.get(ApiKey, opened.key_id)) or wanted
    session = ctx.db.insert(opened.changed(digest=secret_digest(secret), expires_at=expires_at))
    ctx.schedule(expire_session, after_ms=expires_at - ctx.now, session_id=session.id)
    return NewSession(secret, session.id, expires_at)


def _good_session(ctx: MutationCtx, token: str) -> Session:
    session = ctx.db.first(Session.where(digest=secret_digest(token)))
    if session is None or session.expires_at <= ctx.now or not _stands(ctx, session):
        message = "this session, or the key that opened it, is over; create a new one"
        raise SessionEnded(message)
    return session


def _stands(ctx: QueryCtx, session: Session) -> bool:
    """Whether neither the session nor the key at its root has ended."""
    key = ctx.db.get(ApiKey, session.key_id)
    ended = key is not None and standing_of(ctx.db, key) is not Standing.ACTIVE
    return session.standing is Standing.ACTIVE and not ended


def _holder(caller: Principal, owner: str | None) -> str:
    if owner is None or owner == caller.owner:
        return checked_owner(caller.owner)
    caller.require("*")
    return checked_owner(owner)


def _bound_agent(caller: Principal, agent: str | None) -> str | None:
    if caller.agent is not None and agent not in (None, caller.agent):
        message = f"this key speaks for the agent '{caller.agent}' only"
        raise Forbidden(message)
    return agent if agent is not None else caller.agent


def _may_manage(caller: Principal, key: ApiKey) -> bool:
    """Whether a key is the caller's own, or anybody's for `*`; an agent's are only its own."""
    if caller.agent is not None:
        return (key.owner, key.agent) == (caller.owner, caller.agent)
    return key.owner == caller.owner or caller.allows("*")


def _refuse_stronger(caller: Principal, key: ApiKey) -> None:
    missing = [scope for scope in key.scopes if not caller.allows(scope)]
    if missing:
        message = f"that key has the scope '{missing[0]}', which yours lacks; use one that has it"
        raise Forbidden(message)


def _deadline(now: int, expires_in: float | None) -> int | None:
    if expires_in is None:
        return None
    return now + checked_life(expires_in, MAX_KEY_LIFE_S, "expiresIn")


def _maker(ctx: MutationCtx, caller: Principal) -> ApiKey | None:
    """The key by which a caller makes keys; None: the system, or the owner of the directory.

    Raises:
        Forbidden: it is a session, or its key comes from too many others.

    """
    if caller.kind is CallerKind.SESSION:
        message = "a session cannot make keys: it would leave behind what outlives it; use a key"
        raise Forbidden(message)
    key = ctx.db.get(ApiKey, caller.credential)
    if key is not None and sum(1 for _minter in _minters(ctx.db, key)) >= MAX_GENERATIONS:
        message = (
            f"this key comes from {MAX_GENERATIONS} others, each made with the one before; "
            "use one that is nearer to the first"
        )
        raise Forbidden(message)
    return key


def _earlier(expires_at: int | None, key: ApiKey | None) -> int | None:
    """When something that depends on a key ends: at its own time or, if earlier, at the key's."""
    times = [expires_at, key.expires_at if key is not None else None]
    return min((time for time in times if time is not None), default=None)


def _info(ctx: QueryCtx, key: ApiKey) -> TokenInfo:
    use = ctx.db.first(ApiKeyUse.where(key_id=key.id))
    return TokenInfo(
        id=key.id, name=key.name, prefix=key.shown, owner=key.owner, agent=key.agent,
        scopes=key.scopes, status=standing_of(ctx.db, key), created_at=key.created_at,
        expires_at=key.expires_at, last_used_at=use.last_at if use else None,
        use_count=use.count if use else 0, minted_by=key.minted_by,
    )  # fmt: skip
