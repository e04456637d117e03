"""From a secret that a caller shows to the principal it stands for, kept right as rows change.

The rules of keys and sessions belong to a domain; it is handed in as `authenticate`. What it read
is subscribed to, so a known secret costs a dictionary lookup until one of those rows changes, and a
revoked key ends its live queries with the commit that revokes it.

Invariant: a remembered principal equals a fresh authentication at the durable head.
"""

import hashlib
from collections.abc import Callable
from typing import Protocol

import msgspec

from hubify.core.log import StorageFailed
from hubify.core.subscriptions import Token
from hubify.functions.closures import require_open
from hubify.functions.context import Reader
from hubify.functions.principal import Principal
from hubify.functions.runs import watch
from hubify.functions.wiring import Wiring
from hubify.values.durations import NS_PER_MS
from hubify.values.errors import AppError, Unauthenticated, Unavailable

MAX_REMEMBERED = 10_000
MAX_SECRET = 8_192


class Authenticated(msgspec.Struct, frozen=True):
    """Who the secret stands for, and until when (ms since 1970; None: no end)."""

    principal: Principal
    expires_at: int | None = None


class Authenticate(Protocol):
    """A domain's rule. Raises `Unauthenticated` when the secret is unknown, revoked or expired."""

    def __call__(self, db: Reader, secret: str) -> Authenticated:
        """Look the secret up."""
        ...


class Guard:
    """A socket's hold on an identity: `ended(error)` is called when it is no longer valid."""

    def __init__(self, secret: str, ended: Callable[[Unauthenticated], None]) -> None:
        self.secret = secret
        self.ended = ended


class _Remembered:
    def __init__(self, authenticated: Authenticated, token: Token) -> None:
        self.authenticated = authenticated
        self.token = token
        self.guards: set[Guard] = set()


class Identities:
    """All secrets in use, by digest."""

    def __init__(self, wiring: Wiring, authenticate: Authenticate) -> None:
        self._wiring = wiring
        self._authenticate = authenticate
        self._known: dict[bytes, _Remembered] = {}
        self._by_token: dict[Token, bytes] = {}
        self.uses: dict[str, int] = {}
        """How often each key, or a session of it, was shown since the last `take_uses`."""
        wiring.database.on_commits.append(lambda _commits, stale: self._forget_stale(stale))

    def find(self, secret: str) -> Principal:
        """The principal of a secret.

        Raises:
            Unauthenticated: it is unknown, revoked or expired.

        """
        remembered = self._remember(secret)
        principal = remembered.authenticated.principal
        counted_as = principal.counted_as or principal.credential
        if counted_as:
            self.uses[counted_as] = self.uses.get(counted_as, 0) + 1
        return principal

    def guard(self, secret: str, ended: Callable[[Unauthenticated], None]) -> Guard:
        """Be told when the secret stops being valid. Raises as `find`."""
        remembered = self._remember(secret)
        guard = Guard(secret, ended)
        remembered.guards.add(guard)
        return guard

    def release(self, guard: Guard) -> None:
        """Stop being told."""
        remembered = self._known.get(_digest(guard.secret))
        if remembered is not None:
            remembered.guards.discard(guard)

    def take_uses(self) -> dict[str, int]:
        """Counts of use since the last call."""
        taken, self.uses = self.uses, {}
        return taken

    def _remember(self, secret: str) -> _Remembered:
        digest = _digest(secret)
        known = self._known.get(digest)
        if known is None:
            known = self._look_up(secret, digest)
        expires_at = known.authenticated.expires_at
        if expires_at is not None and self._wiring.runtime.wall_ns() // NS_PER_MS >= expires_at:
            message = "this key or session has expired; create a new one"
            raise Unauthenticated(message)
        return known

    def _look_up(self, secret: str, digest: bytes) -> _Remembered:
        transaction = self._wiring.database.begin_read(watch(self._wiring))
        try:
            authenticated = self._authenticate(transaction, secret[:MAX_SECRET])
            require_open(transaction, authenticated.principal)
        except StorageFailed as error:
            raise Unavailable(str(error)) from error
        token = Token(transaction.reads)
        self._make_room()
        known = self._known[digest] = _Remembered(authenticated, token)
        self._by_token[token] = digest
        self._wiring.database.subscriptions.add(token)
        return known

    def _make_room(self) -> None:
        if len(self._known) < MAX_REMEMBERED:
            return
        for digest, known in self._known.items():
            if not known.guards:
                self._drop(digest)
                return

    def _drop(self, digest: bytes) -> _Remembered:
        known = self._known.pop(digest)
        self._by_token.pop(known.token, None)
        self._wiring.database.subscriptions.drop(known.token)
        return known

    def _forget_stale(self, stale: set[Token]) -> None:
        for token in stale:
            digest = self._by_token.get(token)
            if digest is not None:
                self._recheck(self._drop(digest))

    def _recheck(self, known: _Remembered) -> None:
        for guard in known.guards:
            try:
                again = self._remember(guard.secret)
            except Unauthenticated as error:
                guard.ended(error)
                continue
            except AppError:  # the store cannot be read: who cannot be checked is not let on
                guard.ended(Unauthenticated("this key could not be checked; authenticate again"))
                continue
            if again.authenticated.principal == known.authenticated.principal:
                again.guards.add(guard)
            else:
                guard.ended(Unauthenticated("this key's rights have changed; authenticate again"))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
