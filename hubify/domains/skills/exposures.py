"""Which tickets of a trial were handed out, and which came back: an estimate with a bound.

Handing out a ticket writes nothing. It is noted in memory, and a commit takes the notes in about
once a minute and at an orderly stop; so a crash loses at most the tickets of one minute, and the
ticket that is handed out again is counted once, by its serial, whatever process does it. What is
kept here is never more than what was handed out. A report is exact: it marks its ticket, or keeps
it if the note was lost, in its own transaction.

The judge of the trial is told each ticket's fate once, when it has had the same time as every
other to come back, in the order in which they were handed out: so an arm that reports more slowly
does not look silent.

Tickets with one coin (sessions of one agent) count as one: `serial` is that of the coin.

Invariant: one row for each ticket that is kept, and `TrialTickets` counts them.
"""

import msgspec

from hubify.domains.skills.serials import coin_of
from hubify.domains.skills.tables import skills
from hubify.evidence.reports import Arm
from hubify.evidence.tickets import Ticket
from hubify.functions import MutationCtx, Query, QueryCtx, Row, index, unique

MAX_TRACKED = 100_000
"""Tickets kept of one trial; further ones tell the judge nothing, whether they come back or not."""
MAX_ITEMS = 500
MAX_NAMESAKES = 16
"""Trials in which one serial may fall: those that began and ended within its window."""


class HandedOut(msgspec.Struct, frozen=True):
    """A ticket of a trial as `resolve` notes it; `issued_at` in ms."""

    canary_id: str
    serial: str
    owner: str
    arm: Arm
    share: float
    issued_at: int


@skills.table("issued_tickets", index("serial"), index("canary_id", "told_at", "issued_at"))
class IssuedTicket(Row, frozen=True):
    """A ticket of a trial, and whether a report has cited it.

    `issued_at`: when it was first seen to be handed out (ms). `told_at`: when the judge was told
    its fate (ms); 0 before.
    """

    canary_id: str
    serial: str
    owner: str
    arm: Arm
    share: float
    issued_at: int
    reported: bool = False
    told_at: int = 0


@skills.table("trial_tickets", unique("canary_id"))
class TrialTickets(Row, frozen=True):
    """How many tickets of a trial are known to have been handed out and to have come back."""

    canary_id: str
    canary_issued: int = 0
    canary_returned: int = 0
    stable_issued: int = 0
    stable_returned: int = 0

    @property
    def issued(self) -> int:
        """Tickets of both arms."""
        return self.canary_issued + self.stable_issued

    def counting(self, arm: Arm, *, issued: int = 0, returned: int = 0) -> "TrialTickets":
        """The counts with some more of one arm."""
        if arm is Arm.CANARY:
            return self.changed(
                canary_issued=self.canary_issued + issued,
                canary_returned=self.canary_returned + returned,
            )
        return self.changed(
            stable_issued=self.stable_issued + issued,
            stable_returned=self.stable_returned + returned,
        )


def note_issued(ctx: MutationCtx, ticket: Ticket) -> None:
    """Note that a ticket is being handed out, if it is of a trial and its arm was a coin's."""
    if is_tossed(ticket):
        key = f"{ticket.canary}:{coin_of(ticket.serial)}"
        ctx.note(record_issued, key, msgspec.structs.asdict(_handed_out(ctx, ticket)))


@skills.mutation(internal=True)
def record_issued(ctx: MutationCtx, *, items: list[HandedOut]) -> None:
    """Keep the tickets that were noted since the last time; what is kept stays as it is."""
    assert len(items) <= MAX_ITEMS, "notes come in batches"
    for handed in items:
        if _kept(ctx, handed.canary_id, handed.serial) is None:
            _keep(ctx, handed, reported=False)


def mark_returned(ctx: MutationCtx, ticket: Ticket) -> None:
    """Keep that a report cites a ticket; exact, in the transaction of the report.

    The same serial may have been shown to its holder as another trial's ticket before or after.
    """
    coin = coin_of(ticket.serial)
    for row in _namesakes(ctx, coin):
        if not row.reported:
            ctx.db.replace(row, reported=True)
            _count(ctx, tickets_of(ctx, row.canary_id).counting(row.arm, returned=1))
    if is_tossed(ticket) and _kept(ctx, ticket.canary, coin) is None:
        _keep(ctx, _handed_out(ctx, ticket), reported=True)


def is_tossed(ticket: Ticket) -> bool:
    """Whether a coin chose the ticket's arm, so that it says something of the trial."""
    return bool(ticket.canary) and 0 < ticket.share < 1


def tickets_of(ctx: QueryCtx, canary_id: str) -> TrialTickets:
    """What is known of a trial's tickets."""
    known = ctx.db.first(TrialTickets.where(canary_id=canary_id))
    return known or TrialTickets(canary_id=canary_id)


def has_untold_tickets(ctx: QueryCtx, canary_id: str, *, until: int) -> bool:
    """Whether tickets were handed out until a time (ms) whose fate the judge does not know yet."""
    return ctx.db.first(_untold(canary_id, until)) is not None


def tell_tickets(ctx: MutationCtx, canary_id: str, *, until: int, limit: int) -> list[IssuedTicket]:
    """The tickets handed out until a time (ms), each in one call only, in that order."""
    rows = ctx.db.take(_untold(canary_id, until), limit=limit)
    return [ctx.db.replace(row, told_at=ctx.now) for row in rows]


def _handed_out(ctx: MutationCtx, ticket: Ticket) -> HandedOut:
    return HandedOut(
        canary_id=ticket.canary,
        serial=coin_of(ticket.serial),
        owner=ticket.owner,
        arm=ticket.arm,
        share=ticket.share,
        issued_at=ctx.now,
    )


def _untold(canary_id: str, until: int) -> Query[IssuedTicket]:
    return IssuedTicket.where(canary_id=canary_id, told_at=0).at_most(issued_at=until)


def _namesakes(ctx: QueryCtx, serial: str) -> list[IssuedTicket]:
    return ctx.db.take(IssuedTicket.where(serial=serial), limit=MAX_NAMESAKES)


def _kept(ctx: QueryCtx, canary_id: str, serial: str) -> IssuedTicket | None:
    return next((row for row in _namesakes(ctx, serial) if row.canary_id == canary_id), None)


def _keep(ctx: MutationCtx, handed: HandedOut, *, reported: bool) -> None:
    counts = tickets_of(ctx, handed.canary_id)
    if counts.issued >= MAX_TRACKED:
        return
    ctx.db.insert(IssuedTicket(**msgspec.structs.asdict(handed), reported=reported))
    _count(ctx, counts.counting(handed.arm, issued=1, returned=int(reported)))


def _count(ctx: MutationCtx, counts: TrialTickets) -> None:
    if counts.id:
        ctx.db.replace(counts)
    else:
        ctx.db.insert(counts)
