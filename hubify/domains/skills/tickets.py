"""Tickets of skills: which one an agent holds now, what arm it is in, and using it up.

A ticket is a function of what is stored anyway, so that handing it out writes nothing: its serial
is a keyed digest of owner, agent, skill, turn and window. The turn is the number of tickets the
agent has used up on the skill, kept in its `SkillReporter` row; windows of `TTL_MS` are counted
from the last use (before the first, from a point that the key picks). So the same ticket comes
back until it is reported or its window is over: an agent has one coin to toss at a time.

A session of an agent has a ticket of its own, but shares its coin with every `LANES`th session of
that agent: so an agent has as many coins more in a window, however many sessions it opens. The
first report on a coin counts in the trial; those of other sessions on it are reports like any
other. What an owner gains with ever new agents, the judge bounds: it counts by owner.

Invariant: one serial is used up at most once; a ticket can be reported for `TTL_MS` at least after
it was last handed out.
"""

import hmac
from itertools import pairwise
from typing import NamedTuple

from msgspec.structs import replace

from hubify.domains.skills.errors import TicketRefused
from hubify.domains.skills.exposures import mark_returned
from hubify.domains.skills.serials import COIN_DIGITS, FREE, IN_SESSION, SERIAL_DIGITS, coin_of
from hubify.domains.skills.tables import (
    Rollout,
    Skill,
    SkillReporter,
    SpentTicket,
    TicketKey,
    skills,
)
from hubify.evidence.reports import Arm
from hubify.evidence.tickets import Ticket, TicketError, assign_arm, verify
from hubify.functions import MutationCtx, QueryCtx
from hubify.values.durations import MS_PER_DAY

TTL_MS = MS_PER_DAY
KEY_BYTES = 32
MAX_KEYS = 8
SWEEP_ROWS = 500
LANES = 8
"""Coins that all sessions of an agent on a skill share in one window."""


class Holder(NamedTuple):
    """Who resolves or reports: an agent of an owner, perhaps within a session of its own."""

    owner: str
    agent: str
    session: str = ""


class Slot(NamedTuple):
    """The ticket that a holder is due: its serial, and since when it is (ms)."""

    serial: str
    start: int

    @property
    def expires_at(self) -> int:
        """Until when it may be reported: a whole window after its own (ms)."""
        return self.start + 2 * TTL_MS


class Trial(NamedTuple):
    """What a slot means for a skill on trial: the arm, its share, the trial's id."""

    arm: Arm
    share: float
    canary_id: str


NO_TRIAL = Trial(Arm.STABLE, 0.0, "")


def due_slot(
    key: bytes, skill: Skill, holder: Holder, reporter: SkillReporter | None, now: int
) -> Slot:
    """The slot a holder is in now: its turn, in the window that `now` (ms) lies in."""
    turn = reporter.turn if reporter and not holder.session else 0
    tosser = _tosser(key, skill, holder)
    anchor = reporter.turn_since if reporter and turn else _phase(key, skill, tosser)
    start = anchor + max(0, now - anchor) // TTL_MS * TTL_MS
    coin = _digest(key, skill, tosser, f"{turn}:{start}").hex()
    if not holder.session:
        return Slot(FREE + coin[:SERIAL_DIGITS], start)
    own = _digest(key, skill, holder, f"{turn}:{start}").hex()
    serial = coin[:COIN_DIGITS] + own[: SERIAL_DIGITS - COIN_DIGITS]
    return Slot(IN_SESSION + serial, start)


def trial_of(rollout: Rollout | None, secret: bytes | None, owner: str, slot: Slot) -> Trial:
    """The arm of a slot, by the share in force when it began (or when the trial began, if later).

    A paused trial gives nobody its version, nor does one whose `secret` was lost.
    """
    if rollout is None or secret is None or rollout.stages[-1][1] == 0:
        return NO_TRIAL
    share = rollout.stages[0][1]
    for since, later_share in rollout.stages:
        if since <= slot.start:
            share = later_share
    if share == 0:
        return NO_TRIAL
    arm = assign_arm(secret, rollout.canary_id, owner, coin_of(slot.serial), share)
    return Trial(arm, share, rollout.canary_id)


def ticket_for(skill: Skill, version: str, holder: Holder, slot: Slot, trial: Trial) -> Ticket:
    """The ticket of a slot for the version it is given."""
    return Ticket(
        skill=skill.name,
        version=version,
        canary=trial.canary_id,
        arm=trial.arm,
        share=trial.share,
        owner=holder.owner,
        agent=holder.agent,
        serial=slot.serial,
        issued_at=slot.start,
        expires_at=slot.expires_at,
    )


def spend_ticket(ctx: MutationCtx, skill: Skill, text: str, *, owner: str, agent: str) -> Ticket:
    """Use a ticket up for a report; what it says is then known to be true.

    Costs one row: the agent's `SkillReporter`, or a `SpentTicket` when it was issued in a session;
    during a trial two more, which tell that it came back. A ticket whose coin another session has
    used up answers without its trial.

    Raises:
        TicketRefused: it is forged, over, another agent's or skill's, or used up already.

    """
    try:
        ticket = verify(text, ticket_keys(ctx), ctx.now, owner=owner, agent=agent)
    except TicketError as error:
        raise TicketRefused(str(error)) from None
    if ticket.skill != skill.name:
        raise TicketRefused(f"the ticket is for '{ticket.skill}', not for '{skill.name}'")
    if ticket.serial.startswith(IN_SESSION):
        ticket = _spend_in_session(ctx, ticket)
    else:
        _spend_turn(ctx, skill, ticket)
    if ticket.canary or skill.canary_version:
        mark_returned(ctx, ticket)
    return ticket


def known_reporter(ctx: QueryCtx, skill: Skill, holder: Holder) -> SkillReporter | None:
    """What is kept of an agent that has reported on the skill."""
    where = SkillReporter.where(skill_id=skill.id, owner=holder.owner, agent=holder.agent)
    return ctx.db.first(where)


def ticket_keys(ctx: MutationCtx) -> list[bytes]:
    """The keys that tickets are checked with, newest first.

    An older one counts while a ticket that was made with it may be open. Keys that were lost are
    left out: their tickets are refused, and agents resolve again.
    """
    rows = ctx.db.take(TicketKey.where().newest_first(), limit=MAX_KEYS)
    good = rows[:1] + [
        row for newer, row in pairwise(rows) if ctx.now < newer.created_at + 2 * TTL_MS
    ]
    return [key for row in good if (key := ctx.unseal(row, "key")) is not None]


def making_key(ctx: MutationCtx) -> bytes:
    """The key that tickets are made with; the first ticket ever makes it."""
    known = ticket_keys(ctx)
    return known[0] if known else _new_key(ctx)


@skills.mutation(internal=True)
def renew_ticket_key(ctx: MutationCtx) -> None:
    """Make tickets with a new key from now on; those that are open stay good until they end."""
    _new_key(ctx)


def _new_key(ctx: MutationCtx) -> bytes:
    key = ctx.secret_bytes(KEY_BYTES)
    ctx.seal(ctx.db.insert(TicketKey(created_at=ctx.now)), key=key)
    return key


def _spend_turn(ctx: MutationCtx, skill: Skill, ticket: Ticket) -> None:
    holder = Holder(ticket.owner, ticket.agent)
    reporter = known_reporter(ctx, skill, holder)
    due = {
        due_slot(key, skill, holder, reporter, at).serial
        for key in ticket_keys(ctx)
        for at in (ctx.now, ctx.now - TTL_MS)
    }
    if ticket.serial not in due:
        raise TicketRefused("the ticket has been used for a report already; resolve again")
    turn = reporter.turn + 1 if reporter else 1
    if reporter is not None:
        ctx.db.replace(reporter, turn=turn, turn_since=ctx.now)
        return
    fresh = SkillReporter(
        skill_id=skill.id, owner=holder.owner, agent=holder.agent, turn=turn, turn_since=ctx.now
    )
    ctx.db.insert(fresh)


def _spend_in_session(ctx: MutationCtx, ticket: Ticket) -> Ticket:
    if ctx.db.first(SpentTicket.where(serial=ticket.serial)) is not None:
        raise TicketRefused("the session's ticket has been used for a report already")
    coin = coin_of(ticket.serial)
    used = ctx.db.first(SpentTicket.where().at_least(serial=coin))
    is_first = used is None or coin_of(used.serial) != coin
    ctx.db.insert(SpentTicket(serial=ticket.serial, owner=ticket.owner, spent_at=ctx.now))
    return ticket if is_first else replace(ticket, canary="", arm=Arm.STABLE, share=0.0)


@skills.cron(every_s=3600, offset_s=1_200)
@skills.mutation(internal=True)
def sweep_tickets(ctx: MutationCtx) -> None:
    """Forget tickets used within sessions once their time is over: nobody can use them again."""
    over = SpentTicket.where().at_most(spent_at=ctx.now - 2 * TTL_MS)
    forgotten = ctx.db.take(over, limit=SWEEP_ROWS)
    for spent in forgotten:
        ctx.db.delete(spent)
    if len(forgotten) == SWEEP_ROWS:
        ctx.schedule(sweep_tickets)


def _phase(key: bytes, skill: Skill, holder: Holder) -> int:
    return int.from_bytes(_digest(key, skill, holder, "phase")[:8]) % TTL_MS


def _tosser(key: bytes, skill: Skill, holder: Holder) -> Holder:
    """In whose name the coin of a holder is tossed: a session's lane, or the agent itself."""
    if not holder.session:
        return holder
    lane = int.from_bytes(_digest(key, skill, holder, "lane")[:8]) % LANES
    return Holder(holder.owner, holder.agent, f"lane:{lane}")


def _digest(key: bytes, skill: Skill, holder: Holder, what: str) -> bytes:
    parts = (skill.id, holder.owner, holder.agent, holder.session, what)
    framed = b"".join(len(part.encode()).to_bytes(4) + part.encode() for part in parts)
    return hmac.digest(key, framed, "sha256")
