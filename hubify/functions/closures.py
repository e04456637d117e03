"""Closed names: nobody may call as an owner, or an agent, whose data is being erased.

Invariant: a name is closed from the commit that asks for an erasure until its rows are erased, so
that nothing is written under it behind the erasure's back. What every identity read when it was
looked up includes its closure, so keys, sessions and live queries end with that commit.
"""

from hubify.core.schema import Table
from hubify.core.transaction import Transaction
from hubify.functions.principal import Principal
from hubify.values.errors import Unauthenticated
from hubify.values.rows import Row, unique


class ClosedName(Row, frozen=True):
    """An owner's name, or with an agent that one's, that nobody may use since a time (ms)."""

    owner: str
    agent: str
    closed_at: int


CLOSED = Table("_closed_names", ClosedName, (unique("owner", "agent"),))


def close_name(db: Transaction, owner: str, agent: str | None, now_ms: int) -> None:
    """Let nobody call in a name from this commit on."""
    if db.first(ClosedName.where(owner=owner, agent=agent or "")) is None:
        db.insert(ClosedName(owner=owner, agent=agent or "", closed_at=now_ms))


def open_name(db: Transaction, owner: str, agent: str | None) -> None:
    """Let a name be used again, by whoever is given a key for it."""
    found = db.first(ClosedName.where(owner=owner, agent=agent or ""))
    if found is not None:
        db.delete(found)


def require_open(db: Transaction, principal: Principal) -> None:
    """Refuse a caller whose owner's name, or agent's, is closed.

    Raises:
        Unauthenticated: its data is being erased.

    """
    for agent in dict.fromkeys(("", principal.agent or "")):
        if db.first(ClosedName.where(owner=principal.owner, agent=agent)) is not None:
            message = "Valid API key required: the data of this key's owner is being erased"
            raise Unauthenticated(message)
