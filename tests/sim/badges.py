"""Keys under names, for clients of the simulator to be known by: handed out, inherited, revoked.

Invariant: the rows and the rules are the product's own; only secrets and names are made up here.
"""

from hubify.core.transaction import Transaction
from hubify.domains.auth import ApiKey, KeyNotFound, Standing, revoke_api_token, secret_digest
from hubify.functions import Conflict, Domain, MutationCtx

badges = Domain("badges")
MAX_CHAIN = 100


def secret_of(badge: str) -> str:
    """What its holder shows."""
    return f"hk_live_{badge}"


@badges.mutation(public=True)
def hand_out(ctx: MutationCtx, *, badge: str, under: str | None) -> bool:
    """Make a badge, perhaps as one that another badge minted; whether that one was there."""
    minter = ctx.db.first(ApiKey.where(digest=secret_digest(secret_of(under)))) if under else None
    key = ApiKey(
        digest=secret_digest(secret_of(badge)), shown="", owner=badge, agent=None, name=badge,
        scopes=["*"], created_at=0, created_by="", minted_by=minter.id if minter else None,
    )  # fmt: skip
    ctx.db.insert(key)
    return minter is not None


@badges.mutation(public=True, errors=(KeyNotFound,))
def revoke(ctx: MutationCtx, *, badge: str, keep_minted: bool) -> bool:
    """Revoke a badge; whether it was active."""
    key = ctx.db.first(ApiKey.where(digest=secret_digest(secret_of(badge))))
    if key is None:
        message = f"nobody has the badge {badge}"
        raise Conflict(message)
    return revoke_api_token(ctx, token_id=key.id, keep_minted=keep_minted)


def stands(reader: Transaction, badge: str) -> bool:
    """Whether a badge was good in a state, told by its rows alone."""
    key = reader.first(ApiKey.where(digest=secret_digest(secret_of(badge))))
    if key is None or key.standing is not Standing.ACTIVE:
        return False
    for _minter in range(MAX_CHAIN):
        if key.minted_by is None:
            return True
        key = reader.get(ApiKey, key.minted_by)
        assert key is not None, "keys are never removed here"
        if key.standing is not Standing.ACTIVE and not key.spares_minted:
            return False
    raise AssertionError("a chain of minters ends")
