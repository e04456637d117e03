"""Agents: who reports, for which owner, and how far each one's word has held so far.

An agent belongs to one owner, and its id is unique among that owner's agents; the first report in
its name creates it. What rarely changes (`Agent`) lies apart from what each report moves
(`AgentStanding`), so that a report does not rewrite a profile.

Invariant: a standing's sums change only through `count_report` and `credit`, and `reputation` is
always the rule of `reputation_of` over them.
"""

from typing import Annotated

import msgspec

from hubify.domains.arguments import IN_ONE_LINE, SEEN, AgentId, OwnerName
from hubify.evidence.reports import Outcome
from hubify.functions import (
    Conflict,
    Domain,
    Forbidden,
    MutationCtx,
    NotFound,
    Page,
    PageRequest,
    Principal,
    Query,
    QueryCtx,
    Row,
    RowId,
    get,
    index,
    patch,
    post,
    unique,
)
from hubify.functions.erasing import Erasers, Subject

agents = Domain("agents")

Platform = Annotated[
    str, msgspec.Meta(min_length=1, max_length=64, pattern=SEEN, description=IN_ONE_LINE)
]
DisplayName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Bio = Annotated[str, msgspec.Meta(max_length=500)]
Capability = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Capabilities = Annotated[tuple[Capability, ...], msgspec.Meta(max_length=50)]

EVERYTHING = "*"
MAX_PLATFORMS = 20

# Tables.


@agents.table("agents", unique("owner", "agent_id"), index())
class Agent(Row, frozen=True):
    """One agent of one owner: what it says of itself, and when it was first seen (ms).

    `canary_opt_in`: it takes part in trials of skills that limit these to agents that opted in.
    """

    owner: str
    agent_id: str
    platform: str
    first_seen: int
    display_name: str | None = None
    bio: str | None = None
    capabilities: tuple[str, ...] = ()
    canary_opt_in: bool = False


@agents.table("agent_standings", unique("owner", "agent_id"))
class AgentStanding(Row, frozen=True):
    """What an agent's reports and suggestions add up to; `agent` is the id of its `Agent` row.

    The six sums before `reputation` are in thousandths and halve every `HALF_LIFE_DAYS`, counted
    up to `day` (days since 1970); the counts before them are whole and never fade.
    """

    agent: RowId
    owner: str
    agent_id: str
    last_active: int
    day: int
    hour: int
    reports_this_hour: int = 0
    burst_today: bool = False
    reports: int = 0
    successes: int = 0
    partials: int = 0
    failures: int = 0
    platforms: tuple[str, ...] = ()
    agreed: int = 0
    compared: int = 0
    steady_days: int = 0
    active_days: int = 0
    accepted: int = 0
    judged: int = 0
    reputation: float = 0.3


class Profile(msgspec.Struct, frozen=True):
    """An agent as others see it; the four figures lie between 0 and 1, times are ms since 1970."""

    id: RowId
    agent_id: str
    owner: str
    platform: str
    display_name: str | None
    bio: str | None
    capabilities: tuple[str, ...]
    canary_opt_in: bool
    first_seen: int
    last_active: int
    reports_submitted: int
    successful_reports: int
    partial_reports: int
    failed_reports: int
    platforms_used: tuple[str, ...]
    reputation: float
    accuracy: float
    consistency: float
    contribution: float


# Errors.


class AgentNotFound(NotFound):
    """No agent of that owner has that id."""


class AgentExists(Conflict):
    """The owner has an agent of that id already; update it instead."""


# Rules.

NEWCOMER = 0.3
"""Every figure of an agent nothing is known of (surface.md 5.3)."""
PRIOR_TRIALS = 10
"""How many trials' worth of `NEWCOMER` each figure starts with."""
WEIGHT_ACCURACY, WEIGHT_CONSISTENCY, WEIGHT_CONTRIBUTION = 0.4, 0.3, 0.3
HALF_LIFE_DAYS = 90
OLDEST_DAYS = 1_800
BURST_REPORTS = 60
"""Reports within one hour of the clock beyond which an agent's day does not count as steady."""
ONE = 1_000

FADING = tuple(round(1_000_000 * 2 ** (-age / HALF_LIFE_DAYS)) for age in range(OLDEST_DAYS + 1))
"""Millionths that are left of a sum after so many whole days."""
FADING_SUMS = ("agreed", "compared", "steady_days", "active_days", "accepted", "judged")


def figure(hits: int, trials: int) -> float:
    """A share in thousandths of trials as a figure from 0 to 1, held near `NEWCOMER` while few."""
    assert 0 <= hits <= trials
    prior = PRIOR_TRIALS * ONE
    return (NEWCOMER * prior + hits) / (prior + trials)


def reputation_of(standing: AgentStanding) -> float:
    """Accuracy 40 %, consistency 30 %, contribution 30 % (evolution-and-trust 3), four decimals."""
    return round(
        WEIGHT_ACCURACY * figure(standing.agreed, standing.compared)
        + WEIGHT_CONSISTENCY * figure(standing.steady_days, standing.active_days)
        + WEIGHT_CONTRIBUTION * figure(standing.accepted, standing.judged),
        4,
    )


def faded(standing: AgentStanding, today: int) -> AgentStanding:
    """The standing with its sums faded to a day; unchanged within one day."""
    age = today - standing.day
    if age <= 0:
        return standing
    left = FADING[age] if age <= OLDEST_DAYS else 0
    sums = {name: getattr(standing, name) * left // 1_000_000 for name in FADING_SUMS}
    return standing.changed(day=today, burst_today=False, **sums)


def with_activity(standing: AgentStanding, hour: int, today: int) -> AgentStanding:
    """The standing with one more report at this hour: a day is one trial, a burst spoils it."""
    first_today = standing.reports == 0 or standing.hour // 24 != today
    current = faded(standing, today)
    this_hour = current.reports_this_hour + 1 if current.hour == hour else 1
    steady = current.steady_days + (ONE if first_today else 0)
    burst = current.burst_today or this_hour > BURST_REPORTS
    if burst and not current.burst_today:
        steady = max(0, steady - ONE)
    return current.changed(
        hour=hour,
        reports_this_hour=this_hour,
        burst_today=burst,
        steady_days=steady,
        active_days=current.active_days + (ONE if first_today else 0),
    )


def with_report(
    standing: AgentStanding, outcome: Outcome, platform: str, *, agreed: bool | None
) -> AgentStanding:
    """The standing with one more outcome; `agreed` None: there was nobody to compare it with."""
    platforms = standing.platforms
    if platform not in platforms and len(platforms) < MAX_PLATFORMS:
        platforms = (*platforms, platform)
    return standing.changed(
        reports=standing.reports + 1,
        successes=standing.successes + (outcome is Outcome.SUCCESS),
        partials=standing.partials + (outcome is Outcome.PARTIAL),
        failures=standing.failures + (outcome is Outcome.FAIL),
        platforms=platforms,
        agreed=standing.agreed + (ONE if agreed else 0),
        compared=standing.compared + (ONE if agreed is not None else 0),
    )


def profile_of(agent: Agent, standing: AgentStanding) -> Profile:
    """What is shown of an agent."""
    return Profile(
        id=agent.id,
        agent_id=agent.agent_id,
        owner=agent.owner,
        platform=agent.platform,
        display_name=agent.display_name,
        bio=agent.bio,
        capabilities=agent.capabilities,
        canary_opt_in=agent.canary_opt_in,
        first_seen=agent.first_seen,
        last_active=standing.last_active,
        reports_submitted=standing.reports,
        successful_reports=standing.successes,
        partial_reports=standing.partials,
        failed_reports=standing.failures,
        platforms_used=standing.platforms,
        reputation=standing.reputation,
        accuracy=round(figure(standing.agreed, standing.compared), 4),
        consistency=round(figure(standing.steady_days, standing.active_days), 4),
        contribution=round(figure(standing.accepted, standing.judged), 4),
    )


# Functions.


@agents.query(
    name="get", scope="agents:read", rest=get("/v1/agents/{agent_id}"), errors=(AgentNotFound,)
)
def get_profile(ctx: QueryCtx, *, agent_id: AgentId, owner: OwnerName | None = None) -> Profile:
    """An agent's profile and reputation; of the caller's own agents, another owner's with `*`.

    The reputation is a first version: an agent's own reports and accepted suggestions move its own
    figure at once. What others report later about the same version does not move it yet.
    """
    whose = owner or ctx.identity.owner
    if whose != ctx.identity.owner:
        ctx.identity.require(EVERYTHING)
    require_agent(ctx.identity, agent_id)
    agent = known_agent(ctx, whose, agent_id)
    return profile_of(agent, standing_of(ctx, agent))


@agents.query(name="list", scope="agents:read", rest=get("/v1/agents"))
def list_agents(
    ctx: QueryCtx, *, owner: OwnerName | None = None, pagination_opts: PageRequest | None = None
) -> Page[Profile]:
    """The caller's agents in order of id; with `*` another owner's, or all by their first report.

    A key that names an agent sees that one.
    """
    found = ctx.paginate(listed_agents(ctx.identity, owner), pagination_opts or PageRequest())
    profiles = [profile_of(agent, standing_of(ctx, agent)) for agent in found.page]
    return found.of(profiles)


@agents.mutation(scope="agents:write", rest=post("/v1/agents", status=201), errors=(AgentExists,))
def register(
    ctx: MutationCtx,
    *,
    agent_id: AgentId,
    platform: Platform,
    display_name: DisplayName | None = None,
    bio: Bio | None = None,
    capabilities: Capabilities | None = None,
    canary_opt_in: bool = False,
) -> Profile:
    """Introduce an agent of the caller before its first report."""
    require_agent(ctx.identity, agent_id)
    owner = ctx.identity.owner
    if find_standing(ctx, owner, agent_id) is not None:
        message = f"you have an agent '{agent_id}' already; update it instead"
        raise AgentExists(message)
    introduced = Agent(
        owner=owner,
        agent_id=agent_id,
        platform=platform,
        first_seen=ctx.now,
        display_name=display_name,
        bio=bio,
        capabilities=tuple(capabilities or ()),
        canary_opt_in=canary_opt_in,
    )
    standing = introduce(ctx, introduced)
    return profile_of(introduced.changed(id=standing.agent), standing)


@agents.mutation(scope="agents:write", rest=patch("/v1/agents/{agent_id}"), errors=(AgentNotFound,))
def update(
    ctx: MutationCtx,
    *,
    agent_id: AgentId,
    display_name: DisplayName | None = None,
    bio: Bio | None = None,
    capabilities: Capabilities | None = None,
    canary_opt_in: bool | None = None,
) -> Profile:
    """Change what one of the caller's own agents says of itself; what is left out stays."""
    require_agent(ctx.identity, agent_id)
    agent = known_agent(ctx, ctx.identity.owner, agent_id)
    told = {
        "display_name": display_name,
        "bio": bio,
        "capabilities": capabilities,
        "canary_opt_in": canary_opt_in,
    }
    changes = {name: value for name, value in told.items() if value is not None}
    return profile_of(ctx.db.replace(agent, **changes), standing_of(ctx, agent))


def listed_agents(caller: Principal, owner: str | None) -> Query[Agent]:
    """The agents that a caller lists.

    Raises:
        Forbidden: another owner's, without the scope `*`.

    """
    if caller.agent is not None:
        return Agent.where(owner=caller.owner, agent_id=caller.agent)
    if owner is None and caller.allows(EVERYTHING):
        return Agent.where()
    if owner not in (None, caller.owner):
        caller.require(EVERYTHING)
    return Agent.where(owner=owner or caller.owner).order_by("agent_id")


def require_agent(caller: Principal, agent_id: str) -> None:
    """Refuse a caller whose key names another agent than this one.

    Raises:
        Forbidden: naming the agent that it may act for.

    """
    if caller.agent not in (None, agent_id):
        message = f"this key acts as '{caller.agent}' only"
        raise Forbidden(message)


def known_agent(ctx: QueryCtx, owner: str, agent_id: str) -> Agent:
    """An owner's agent.

    Raises:
        AgentNotFound: the owner has none of that id.

    """
    missing = AgentNotFound(f"Agent '{agent_id}' not found")
    return ctx.db.one(Agent.where(owner=owner, agent_id=agent_id), missing=missing)


def standing_of(ctx: QueryCtx, agent: Agent) -> AgentStanding:
    """An agent's standing; it is inserted together with the agent."""
    found = find_standing(ctx, agent.owner, agent.agent_id)
    assert found is not None, "an agent is inserted together with its standing"
    return found


def find_standing(ctx: QueryCtx, owner: str, agent_id: str) -> AgentStanding | None:
    """The standing of an owner's agent, or None when there is no such agent."""
    return ctx.db.first(AgentStanding.where(owner=owner, agent_id=agent_id))


def opted_in(ctx: QueryCtx, owner: str, agent_id: str) -> bool:
    """Whether an owner's agent takes part in trials that are for those who asked for it."""
    agent = ctx.db.first(Agent.where(owner=owner, agent_id=agent_id))
    return agent is not None and agent.canary_opt_in


def find_or_create(ctx: MutationCtx, owner: str, agent_id: str, platform: str) -> AgentStanding:
    """The standing of an owner's agent; its first appearance creates both."""
    known = find_standing(ctx, owner, agent_id)
    if known is not None:
        return known
    fresh = Agent(owner=owner, agent_id=agent_id, platform=platform, first_seen=ctx.now)
    return introduce(ctx, fresh)


def introduce(ctx: MutationCtx, agent: Agent) -> AgentStanding:
    """Store a new agent and the standing that it begins with."""
    stored = ctx.db.insert(agent)
    standing = AgentStanding(
        agent=stored.id,
        owner=stored.owner,
        agent_id=stored.agent_id,
        last_active=ctx.now,
        day=ctx.today,
        hour=ctx.hour,
    )
    return ctx.db.insert(standing)


def count_report(
    ctx: MutationCtx, known: AgentStanding, outcome: Outcome, platform: str, *, agreed: bool | None
) -> AgentStanding:
    """Fold one report into its agent's standing and reputation.

    `agreed`: whether the outcome is what most others found on the same version before, or None
    where too few others have reported. Costs one row.
    """
    active = with_activity(known, ctx.hour, ctx.today)
    told = with_report(active, outcome, platform, agreed=agreed)
    return ctx.db.replace(told, last_active=ctx.now, reputation=reputation_of(told))


def credit(ctx: MutationCtx, known: AgentStanding, *, accepted: bool) -> AgentStanding:
    """Count one of an agent's suggestions as accepted or refused."""
    current = faded(known, ctx.today)
    judged = current.changed(
        accepted=current.accepted + (ONE if accepted else 0), judged=current.judged + ONE
    )
    return ctx.db.replace(judged, reputation=reputation_of(judged))


# Erasing.

erasers = Erasers()


@erasers.of(Agent)
def erase_agent(ctx: MutationCtx, row: Agent, subject: Subject) -> Agent:
    """An agent stays under a pseudonym with its standing, without what it said of itself."""
    if not subject.covers(row.owner, row.agent_id):
        return row
    owner, agent_id = subject.pair(row.owner, row.agent_id)
    standing = find_standing(ctx, row.owner, row.agent_id)
    if standing is not None:
        ctx.db.replace(standing, owner=owner, agent_id=agent_id)
    return row.changed(owner=owner, agent_id=agent_id, display_name=None, bio=None, capabilities=())


@erasers.of(AgentStanding)
def erase_standing(_ctx: MutationCtx, row: AgentStanding, subject: Subject) -> AgentStanding:
    """A standing changes with its agent, so that the two are never apart."""
    owner, agent_id = subject.pair(row.owner, row.agent_id)
    return row.changed(owner=owner, agent_id=agent_id)
