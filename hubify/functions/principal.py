"""Who calls, and what they may do.

Invariant: a principal is a value; two with the same fields may share each other's query results.
Scopes: `*`; `<module>:read|write|admin|…` (a wider verb holds the narrower ones; `read:skills` is
another spelling of `skills:read`); `lab:<slug>:r|rw|admin` and `lab:*:…`, where admin holds rw and
rw holds r (seed 002; product.md, "Identity").
"""

from enum import StrEnum

import msgspec

from hubify.values.errors import Forbidden, Unauthenticated

EVERYTHING = "*"
ANY_CALLER = "any"
"""What a function declares that any valid credential may call, whatever its scopes."""
WIDER = {"read": ("write", "admin"), "write": ("admin",), "r": ("rw", "admin"), "rw": ("admin",)}
VERBS = ("read", "write", "admin")


class CallerKind(StrEnum):
    """How the caller is known."""

    ANONYMOUS = "anonymous"
    KEY = "key"
    SESSION = "session"
    PERSON = "person"
    ADMIN = "admin"
    SYSTEM = "system"
    REFUSED = "refused"


class Principal(msgspec.Struct, frozen=True):
    """A caller: kind, the owner it acts for, perhaps an agent, and its scopes.

    `counted_as`: the credential whose allowance it draws on, when that is not its own.
    """

    kind: CallerKind
    owner: str = ""
    agent: str | None = None
    scopes: frozenset[str] = frozenset()
    credential: str = ""
    refusal: str = ""
    counted_as: str = ""

    def allows(self, scope: str) -> bool:
        """Whether one of the caller's scopes is, or holds, this one."""
        if scope == ANY_CALLER:
            return self.is_known
        return EVERYTHING in self.scopes or any(held in self.scopes for held in holders(scope))

    @property
    def is_known(self) -> bool:
        """Whether the caller has shown a valid credential."""
        return self.kind not in (CallerKind.ANONYMOUS, CallerKind.REFUSED)

    @property
    def is_unlimited(self) -> bool:
        """Whether rate limits pass over this caller."""
        return self.kind in (CallerKind.ADMIN, CallerKind.SYSTEM)

    @property
    def label(self) -> str:
        """Short name for logs: `key:<credential id>`, `anonymous`."""
        return f"{self.kind}:{self.credential}" if self.credential else str(self.kind)

    def require_known(self) -> None:
        """Refuse a caller without a valid credential.

        Raises:
            Unauthenticated: saying which of the two it is.

        """
        if self.kind is CallerKind.REFUSED:
            raise Unauthenticated(self.refusal)
        if self.kind is CallerKind.ANONYMOUS:
            message = "Valid API key required: send it as 'Authorization: Bearer <key>'"
            raise Unauthenticated(message)

    def require(self, scope: str) -> None:
        """Refuse a caller without this scope.

        Raises:
            Unauthenticated: it has no valid credential at all.
            Forbidden: it has one, without the scope.

        """
        self.require_known()
        if not self.allows(scope):
            message = f"this key lacks the scope '{scope}'; create one that has it"
            raise Forbidden(message)


ANONYMOUS = Principal(CallerKind.ANONYMOUS)
SYSTEM = Principal(CallerKind.SYSTEM, owner="system", scopes=frozenset({EVERYTHING}))


def refused(reason: str) -> Principal:
    """A caller whose credential is wrong, expired or revoked, on a wire that must not hang up."""
    return Principal(CallerKind.REFUSED, refusal=reason)


def canonical_scope(scope: str) -> str:
    """`read:skills` as `skills:read`; every other spelling as it is."""
    first, _, rest = scope.partition(":")
    return f"{rest}:{first}" if first in VERBS and rest and ":" not in rest else scope


def holders(scope: str) -> list[str]:
    """Every scope that grants this one, itself first."""
    module, _, verb = scope.rpartition(":")
    verbs = (verb, *WIDER.get(verb, ()), EVERYTHING)
    modules = [module]
    if module.startswith("lab:"):
        modules.append("lab:*")
    return [f"{name}:{held}" for name in modules for held in verbs] if module else [scope]
