"""Wishes for skills that do not exist yet: what an agent would have captured, had there been one.

Invariant: a proposal is no report and counts for no skill; it is decided once, by somebody who may
administer skills.
"""

from typing import Annotated

import msgspec

from hubify.domains.arguments import AgentId, Reason, SkillName
from hubify.domains.evolution.errors import AlreadyDecided, ProposalNotFound
from hubify.domains.evolution.tables import ProposalStatus, SkillProposal, evolution
from hubify.domains.skills import SkillNotFound, acting_agent, readable
from hubify.evidence.redaction import redact
from hubify.functions import (
    MutationCtx,
    Page,
    PageRequest,
    QueryCtx,
    RowId,
    get,
    post,
)

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Description = Annotated[str, msgspec.Meta(min_length=1, max_length=8_000)]
Source = Annotated[str, msgspec.Meta(max_length=64)]
SourceId = Annotated[str, msgspec.Meta(max_length=200)]
Tag = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Tags = Annotated[tuple[Tag, ...], msgspec.Meta(max_length=20)]
AGENT_SUBMISSION = "agent_submission"


@evolution.mutation(scope="learning:report", rest=post("/v1/evolution/proposals", status=201))
def propose_skill(
    ctx: MutationCtx,
    *,
    title: Title,
    description: Description,
    agent_id: AgentId | None = None,
    source: Source = AGENT_SUBMISSION,
    source_id: SourceId = "",
    tags: Tags = (),
) -> SkillProposal:
    """Propose a skill that should exist.

    `source` and `sourceId` say what it was seen in; the same two again from the same owner answer
    the proposal that is there. Known secrets are taken out of the texts.
    """
    owner = ctx.identity.owner
    source, source_id = redact(source).text, redact(source_id).text
    if source_id:
        known = SkillProposal.where(source=source, source_id=source_id)
        for proposal in ctx.db.take(known, limit=100):
            if proposal.owner == owner:
                return proposal
    proposal = SkillProposal(
        title=redact(title).text,
        description=redact(description).text,
        owner=owner,
        author_agent_id=acting_agent(ctx.identity, agent_id) or None,
        source=source,
        source_id=source_id,
        tags=tuple(redact(tag).text for tag in tags),
        status=ProposalStatus.OPEN,
        created_at=ctx.now,
    )
    return ctx.db.insert(proposal)


@evolution.query(
    scope="skills:read",
    rest=get("/v1/evolution/proposals/{proposal_id}"),
    errors=(ProposalNotFound,),
)
def get_proposal(ctx: QueryCtx, *, proposal_id: RowId) -> SkillProposal:
    """One proposal for a new skill."""
    return known_proposal(ctx, proposal_id)


@evolution.query(scope="skills:read", rest=get("/v1/evolution/proposals"))
def list_proposals(
    ctx: QueryCtx,
    *,
    status: ProposalStatus = ProposalStatus.OPEN,
    pagination_opts: PageRequest | None = None,
) -> Page[SkillProposal]:
    """Proposals for new skills in one state, oldest first."""
    query = SkillProposal.where(status=status).order_by("created_at")
    return ctx.paginate(query, pagination_opts or PageRequest())


@evolution.mutation(
    scope="skills:admin",
    rest=post("/v1/evolution/proposals/{proposal_id}/decide"),
    errors=(ProposalNotFound, AlreadyDecided, SkillNotFound),
)
def decide_proposal(
    ctx: MutationCtx,
    *,
    proposal_id: RowId,
    approve: bool,
    reason: Reason | None = None,
    merged_skill: SkillName | None = None,
) -> SkillProposal:
    """Approve or reject a proposal; with `mergedSkill` it is done: that skill answers it."""
    proposal = known_proposal(ctx, proposal_id)
    if proposal.status in (ProposalStatus.MERGED, ProposalStatus.REJECTED):
        raise AlreadyDecided(f"the proposal has been {proposal.status}")
    status = ProposalStatus.APPROVED if approve else ProposalStatus.REJECTED
    if approve and merged_skill is not None:
        readable(ctx, merged_skill)
        status = ProposalStatus.MERGED
    return ctx.db.replace(
        proposal,
        status=status,
        reason=reason,
        decided_at=ctx.now,
        decided_by=ctx.identity.owner,
        merged_skill=merged_skill if status is ProposalStatus.MERGED else None,
    )


def known_proposal(ctx: QueryCtx, proposal_id: str) -> SkillProposal:
    """A proposal.

    Raises:
        ProposalNotFound: there is none of that id.

    """
    found = ctx.db.get(SkillProposal, proposal_id)
    if found is None:
        raise ProposalNotFound(proposal_id)
    return found
