"""A registry of skills in memory, as tests of it want to speak of it.

Invariant: whatever it does goes through declared functions, but for reports, which are counted the
way the learning domain counts them.
"""

from typing import Any

import msgspec

from hubify.domains.contents import contents
from hubify.domains.evolution import evolution
from hubify.domains.gateway import gateway
from hubify.domains.skills import (
    Run,
    count_report,
    require_version,
    skill_named,
    skills,
    stable_version,
    version_standing,
)
from hubify.domains.skills.channels import begin_canary, end_canary, make_stable, set_share
from hubify.domains.skills.exposures import IssuedTicket, tell_tickets
from hubify.domains.skills.tables import (
    CELL_DAYS,
    DayTally,
    EvidenceCell,
    OwnerEvidence,
    VersionStanding,
    VersionStatus,
)
from hubify.domains.skills.tickets import spend_ticket
from hubify.domains.system import system
from hubify.domains.verification import verification
from hubify.evidence.confidence import Evidence
from hubify.evidence.reports import Binding, Outcome
from hubify.functions import Domain, MutationCtx, Principal, QueryCtx
from hubify.storage.engine import Engine
from hubify.testing.backend import InMemoryBackend, known

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
SECRET = b"sixteen bytes or more of secret"

probe = Domain("probe")


class Counted(msgspec.Struct, frozen=True):
    """What a report moved."""

    version_before: float
    version_after: float
    skill_before: float
    skill_after: float


@probe.mutation(internal=True)
def report(
    ctx: MutationCtx,
    *,
    name: str,
    version: str | None,
    owner: str,
    agent: str,
    platform: str,
    outcome: Outcome,
    binding: Binding,
    ticket: str | None,
) -> Counted:
    """Count one report the way learning does, using its ticket up."""
    skill = skill_named(ctx, name)
    assert skill is not None
    if ticket is not None:
        spend_ticket(ctx, skill, ticket, owner=owner, agent=agent)
    number = version or skill.stable_version
    assert number is not None
    run = Run(owner, agent, platform, outcome, binding)
    found = require_version(ctx, skill, number)
    moved = count_report(ctx, skill, found, run=run, day=ctx.today)
    return Counted(*moved[:4])


@probe.query(internal=True)
def standing(ctx: QueryCtx, *, name: str) -> VersionStanding | None:
    """How a skill's stable version stands, as it is stored."""
    skill = skill_named(ctx, name)
    assert skill is not None
    return version_standing(ctx, stable_version(ctx, skill).id)


@probe.mutation(internal=True)
def remember(ctx: MutationCtx, *, name: str, owners: int, months: int, first: int) -> None:
    """Store what a few of many owners reported, one success in each of the months before."""
    skill = skill_named(ctx, name)
    assert skill is not None
    version = stable_version(ctx, skill)
    month = ctx.today // CELL_DAYS
    for owner in range(first, min(first + 40, owners)):
        label, last = f"o{owner:04}", DayTally(0, (1, 0, 0, 0, 0, 0))
        ctx.db.insert(OwnerEvidence(version_id=version.id, owner=label, evidence=Evidence()))
        for back in range(months):
            cell = EvidenceCell(
                version_id=version.id, owner=label, platform="p", month=month - back, days=(last,)
            )
            ctx.db.insert(cell)


@probe.mutation(internal=True)
def begin(ctx: MutationCtx, *, name: str, version: str, share: float) -> None:
    """Begin a trial the way the evolution does."""
    skill = skill_named(ctx, name)
    assert skill is not None
    found = require_version(ctx, skill, version)
    begin_canary(ctx, skill, found, canary_id=f"c-{version}", share=share, secret=SECRET)


@probe.mutation(internal=True)
def share(ctx: MutationCtx, *, name: str, share: float) -> None:
    """Change a trial's share."""
    skill = skill_named(ctx, name)
    assert skill is not None
    set_share(ctx, skill, share)


@probe.mutation(internal=True)
def tell(ctx: MutationCtx, *, canary_id: str, until: int, limit: int) -> list[IssuedTicket]:
    """Take the tickets that were handed out until a time, the way the evolution does."""
    return tell_tickets(ctx, canary_id, until=until, limit=limit)


@probe.mutation(internal=True)
def end(ctx: MutationCtx, *, name: str, promote: bool) -> None:
    """Promote what is on trial, or roll it back."""
    skill = skill_named(ctx, name)
    assert skill is not None
    assert skill.canary_version is not None
    if promote:
        make_stable(ctx, skill, require_version(ctx, skill, skill.canary_version))
    else:
        end_canary(ctx, skill, status=VersionStatus.ROLLED_BACK)


def skill_md(name: str = "greet", body: str = "Say hello.", **fields: str) -> str:
    """A SKILL.md with these fields."""
    told = {"name": name, "description": f"What {name} is for.", **fields}
    head = "\n".join(f"{field}: {value}" for field, value in told.items())
    return f"---\n{head}\n---\n\n# {name}\n\n{body}\n"


class SkillRegistry:
    """An in-memory backend with the domains of skills, and one owner, `ada`, who publishes."""

    def __init__(self, *, engine: Engine | None = None, alone: bool = True) -> None:
        domains = [system, contents, gateway, skills, verification, evolution, probe]
        self.backend = InMemoryBackend(domains, engine=engine, alone=alone)
        self.ada = known("ada", "skills:read", "skills:write")
        self.bob = known("bob", "skills:read", "skills:write")

    def publish(
        self, text: str | None = None, *, by: Principal | None = None, **more: object
    ) -> Any:  # noqa: ANN401 - a function's own answer
        """Publish a version; `more` are further arguments of `skills:publish`."""
        arguments = {"skillMd": text or skill_md(), **more}
        if "files" in more:
            del arguments["skillMd"]
        return self.backend.action("skills:publish", arguments, principal=by or self.ada)

    def query(self, path: str, /, *, by: Principal | None = None, **arguments: object) -> Any:  # noqa: ANN401 - a function's own answer
        """Call a query as somebody (default: `ada`)."""
        return self.backend.query(path, arguments, principal=by or self.ada)

    def mutate(self, path: str, /, *, by: Principal | None = None, **arguments: object) -> Any:  # noqa: ANN401 - a function's own answer
        """Call a mutation as somebody (default: `ada`)."""
        return self.backend.mutation(path, arguments, principal=by or self.ada)

    def report(self, name: str = "greet", **more: object) -> Counted:
        """Count a report; by default a ticketed success of one owner's agent."""
        arguments = {
            "name": name,
            "version": None,
            "owner": "carol",
            "agent": "c-1",
            "platform": "claude-code",
            "outcome": "success",
            "binding": "ticketed",
            "ticket": None,
            **more,
        }
        return self.backend.mutation("probe:report", arguments)

    def resolve(self, name: str = "greet", *, by: Principal | None = None, **more: object) -> Any:  # noqa: ANN401 - a function's own answer
        """Resolve a skill as an agent of somebody's."""
        arguments = {"agentId": "a-1", **more}
        return self.mutate("skills:resolve", by=by, name=name, **arguments)
