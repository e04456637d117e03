"""Taking a person out of the keys and sessions.

Invariant: no secret of the person's is good any more; what its keys minted for others is as good
as if they had been revoked.
"""

from hubify.domains.auth import ApiKey, ApiKeyUse, Session, Standing
from hubify.functions import MutationCtx
from hubify.functions.erasing import Erasers, Subject

erasers = Erasers()
erasers.nobody(ApiKeyUse)


@erasers.of(ApiKey)
def erase_key(ctx: MutationCtx, row: ApiKey, subject: Subject) -> ApiKey:
    """Of a key it stays that there was one, so that what it minted ends or stays with it."""
    if not subject.covers(row.owner, row.agent):
        return row
    owner, agent = subject.pair(row.owner, row.agent or "")
    return row.changed(
        digest=subject.alias(row.digest),
        shown="",
        owner=owner,
        agent=agent or None,
        name="",
        scopes=[],
        standing=Standing.REVOKED,
        revoked_at=row.revoked_at or ctx.now,
    )


@erasers.of(Session)
def erase_session(_ctx: MutationCtx, row: Session, subject: Subject) -> Session | None:
    """A session goes."""
    return None if subject.covers(row.owner, row.agent) else row
