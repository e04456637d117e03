"""Which version a caller gets: its pin, else its arm of a trial, else the stable one.

Invariant: resolving writes nothing (but the very first ticket ever, which makes the key): the
ticket that a caller holds follows from rows that are there. That it was handed out is noted, for a
later commit to take in (`exposures.py`).
"""

from typing import NamedTuple

import msgspec

from hubify.domains.agents import opted_in
from hubify.domains.arguments import AgentId, SkillName
from hubify.domains.skills.arguments import Session
from hubify.domains.skills.channels import pointed, rollout_of, trial_secret
from hubify.domains.skills.errors import NothingStable, SkillNotFound, VersionNotFound
from hubify.domains.skills.exposures import note_issued
from hubify.domains.skills.lookup import readable, require_version
from hubify.domains.skills.tables import (
    Channel,
    FileRef,
    Pin,
    Rollout,
    Skill,
    SkillStatus,
    skills,
)
from hubify.domains.skills.tickets import (
    Holder,
    Trial,
    due_slot,
    known_reporter,
    making_key,
    ticket_for,
    trial_of,
)
from hubify.evidence.reports import Arm
from hubify.evidence.tickets import issue
from hubify.functions import Forbidden, MutationCtx, Principal, QueryCtx, post


class Resolved(msgspec.Struct, frozen=True):
    """The version a caller shall run, and the ticket to report it with.

    `why` is `pin`, `canary`, `stable` or `beta`. Without a key there is no ticket. The ticket comes
    back unchanged until it is reported or a new window begins; it may be reported until
    `expires_at` (ms). `digest` is that of the bundle: fetch the files once per digest.
    """

    name: str
    version: str
    digest: str
    files: tuple[FileRef, ...]
    why: str
    arm: Arm
    ticket: str | None
    expires_at: int | None
    pin_reason: str | None
    notice: str | None


class Choice(NamedTuple):
    """Why which version is given, before it is looked up."""

    why: str
    number: str | None
    arm: Arm
    pin_reason: str | None = None


@skills.mutation(
    public=True,
    rest=post("/v1/skills/{name}/resolve"),
    errors=(SkillNotFound, VersionNotFound, NothingStable),
)
def resolve(
    ctx: MutationCtx,
    *,
    name: SkillName,
    agent_id: AgentId | None = None,
    session: Session | None = None,
    channel: Channel | None = None,
) -> Resolved:
    """The version of a skill for this caller, with the ticket that its report should carry.

    A pin comes first; then, unless a channel is asked for, the arm of a running trial; then the
    stable version. One task may give a `session`, and then keeps one ticket of its own.
    """
    skill = readable(ctx, name)
    holder = _ticket_holder(ctx.identity, agent_id, session)
    if holder is None:
        return _resolved(ctx, skill, _channel_choice(skill, channel or Channel.STABLE))
    pin = pin_of(ctx, skill, holder.owner, holder.agent)
    rollout = None if pin or channel else rollout_for(ctx, skill, holder)
    key = making_key(ctx)
    slot = due_slot(key, skill, holder, known_reporter(ctx, skill, holder), ctx.now)
    secret = trial_secret(ctx, rollout) if rollout else None
    trial = trial_of(rollout, secret, holder.owner, slot)
    choice = _choice(skill, pin, rollout, trial, channel)
    answer = _resolved(ctx, skill, choice)
    ticket = ticket_for(skill, answer.version, holder, slot, trial)
    note_issued(ctx, ticket)
    return msgspec.structs.replace(answer, ticket=issue(ticket, key), expires_at=slot.expires_at)


def rollout_for(ctx: QueryCtx, skill: Skill, holder: Holder) -> Rollout | None:
    """The trial that an agent takes part in, if the skill is in one."""
    rollout = rollout_of(ctx, skill)
    if rollout is None or not rollout.opt_in_only or opted_in(ctx, holder.owner, holder.agent):
        return rollout
    return None


def pin_of(ctx: QueryCtx, skill: Skill, owner: str, agent: str) -> Pin | None:
    """The pin that holds for an agent: its own, else its owner's."""
    for holder in dict.fromkeys((agent, "")):
        pin = ctx.db.first(Pin.where(skill_id=skill.id, owner=owner, agent=holder))
        if pin is not None:
            return pin
    return None


def acting_agent(principal: Principal, agent_id: str | None) -> str:
    """The agent a caller acts as; "" when it names none.

    Raises:
        Forbidden: its key belongs to another agent.

    """
    if principal.agent is None:
        return agent_id or ""
    if agent_id not in (None, principal.agent):
        raise Forbidden(f"this key acts as '{principal.agent}' only")
    return principal.agent


def running_agent(principal: Principal, agent_id: str | None) -> str:
    """The agent that a known caller runs skills as: one named as its owner, when it names none.

    The same for the version it gets, the ticket it holds and the report it sends.

    Raises:
        Forbidden: its key belongs to another agent.

    """
    return acting_agent(principal, agent_id) or principal.owner


def _ticket_holder(
    principal: Principal, agent_id: str | None, session: str | None
) -> Holder | None:
    if not principal.is_known:
        return None
    return Holder(principal.owner, running_agent(principal, agent_id), session or "")


def _choice(
    skill: Skill, pin: Pin | None, rollout: Rollout | None, trial: Trial, channel: Channel | None
) -> Choice:
    if pin is not None:
        return Choice("pin", pin.version, Arm.STABLE, pin.reason)
    if rollout is not None and trial.arm is Arm.CANARY:
        return Choice("canary", rollout.version, Arm.CANARY)
    return _channel_choice(skill, channel or Channel.STABLE)


def _channel_choice(skill: Skill, channel: Channel) -> Choice:
    return Choice(str(channel), pointed(skill, channel), Arm.STABLE)


def _resolved(ctx: QueryCtx, skill: Skill, choice: Choice) -> Resolved:
    if choice.number is None:
        raise NothingStable(f"'{skill.name}' has no {choice.why} version")
    version = require_version(ctx, skill, choice.number)
    return Resolved(
        name=skill.name,
        version=version.version,
        digest=version.digest,
        files=version.files,
        why=choice.why,
        arm=choice.arm,
        ticket=None,
        expires_at=None,
        pin_reason=choice.pin_reason,
        notice=skill.notice if skill.status is SkillStatus.DEPRECATED else None,
    )
