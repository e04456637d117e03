"""Evolutions as strangers may see them: every fact, and labels for who reported.

Invariant: of what is answered without `learning:read` no field names an owner or agent that
reported; the owner of a skill, who decides about it, is named as everywhere.
"""

from msgspec.structs import replace

from hubify.domains.evolution.tables import Canary, CanaryLook, Credit, Improvement, Supporter
from hubify.domains.skills.reporters import Reporter, may_name, owner_label, shown_reporter
from hubify.evidence.canary import Decision
from hubify.evidence.canary.decision import Dissenter
from hubify.functions import QueryCtx, RowId


def shown_supporter(ctx: QueryCtx, skill_id: RowId, one: Supporter | Improvement) -> Reporter:
    """Who stands behind a request, as the caller may see it."""
    return shown_reporter(ctx, skill_id, one.owner, one.agent_id)


def shown_credit(ctx: QueryCtx, credit: Credit) -> Credit:
    """A credit as the caller may see it; the row of an agent tells who it is as well."""
    if may_name(ctx):
        return credit
    owner, agent_id = shown_reporter(ctx, credit.skill_id, credit.owner, credit.agent_id)
    return credit.changed(owner=owner, agent_id=agent_id, agent=RowId(""))


def shown_look(ctx: QueryCtx, look: CanaryLook, canary: Canary) -> CanaryLook:
    """What a judge was told beside runs, as the caller may see it."""
    if may_name(ctx) or not look.tickets:
        return look
    tickets = tuple(
        replace(one, owner=owner_label(ctx, canary.skill_id, one.owner)) for one in look.tickets
    )
    return look.changed(tickets=tickets)


def shown_decision(ctx: QueryCtx, skill_id: RowId, decision: Decision) -> Decision:
    """What a judge says, as the caller may see it."""
    if may_name(ctx):
        return decision

    def unnamed(dissenters: tuple[Dissenter, ...]) -> tuple[Dissenter, ...]:
        """The same owners under their labels."""
        return tuple(
            replace(one, owner=owner_label(ctx, skill_id, one.owner)) for one in dissenters
        )

    dissent = decision.dissent
    return replace(
        decision,
        dissent=replace(dissent, worse=unnamed(dissent.worse), better=unnamed(dissent.better)),
        regression_owners=tuple(
            owner_label(ctx, skill_id, owner) for owner in decision.regression_owners
        ),
    )
