"""Asking for an erasure, following it, and its steps.

Invariant: from the commit that asks for it nobody can call in the name, and it goes on until a walk
through all rows finds nothing of the person's, whatever process dies in between.
"""

from typing import Annotated

import msgspec

from hubify.domains.agents import Agent
from hubify.domains.auth import ADMIN_OWNER, ApiKey, Session
from hubify.domains.erasure.pages import PAGES
from hubify.domains.erasure.tables import ErasedRows, Erasure, ErasureState, erasure
from hubify.domains.skills.erasing import begin_sweep
from hubify.domains.skills.tables import Skill, SkillStatus, Visibility
from hubify.functions import (
    Conflict,
    Forbidden,
    InvalidInput,
    MutationCtx,
    NotFound,
    Page,
    PageRequest,
    QueryCtx,
    Row,
    RowId,
    get,
    post,
)
from hubify.functions.closures import close_name, open_name
from hubify.functions.erasing import PSEUDONYM, Subject
from hubify.functions.principal import CallerKind

SCOPE = "erasure:write"
KEY_BYTES = 32
NO_PERSONS = (ADMIN_OWNER, "system", "hubify")
MAX_AT_ONCE = 100
"""Erasures that are under way at a time."""
MAX_SHOWN = 500
"""Skills that a plan names."""
GONE_LAST = ("erasures", "_closed_names")
"""Tables that hold the name until the end of the erasure, and no longer."""
CREDENTIALS = (CallerKind.KEY, CallerKind.ADMIN, CallerKind.SESSION)

OwnerName = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
AgentId = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Confirmation = Annotated[str, msgspec.Meta(max_length=300)]


class ErasureNotFound(NotFound):
    """No erasure has that id."""


class NotConfirmed(InvalidInput):
    """An erasure cannot be undone: the name must be given a second time."""


class NobodyNamedSo(NotFound):
    """No key, agent or skill has that owner: an erasure would only cost everybody the past."""


class AlreadyErasing(Conflict):
    """An erasure of this owner is under way."""


class Plan(msgspec.Struct, frozen=True):
    """What an erasure would do: which skills stay published and which go with their owner."""

    owner: str
    agent_id: str | None
    confirm: str
    """What to give as `confirm`."""
    keys: int
    published_skills: tuple[str, ...]
    hidden_skills: tuple[str, ...]


class ErasureView(Row, frozen=True):
    """An erasure, without whom it was about. Times are milliseconds since 1970.

    `erased` counts the rows it changed, with those that changed along with them, and `kept` those
    that hold the name within a text that stays, both by table; `keeps` says what stays and why.
    """

    state: ErasureState
    pseudonym: str
    requested_at: int
    finished_at: int | None
    erased: dict[str, int]
    kept: dict[str, int]
    keeps: tuple[str, ...]


KEEPS = (
    "Reports, evidence, stars, votes and credits count on under the pseudonym: every number can "
    "still be calculated from the record.\n"
    "Public skills and their versions stay published and belong to nobody: others run them, and "
    "their bytes are what their digests say.\n"
    "Suggestions for public skills stay without their author: versions were made from them.\n"
    "A name within a text (of a public skill, of a suggestion, of somebody else's) stays; these "
    "rows are counted as kept.\n"
    "The coins of a trial can no longer be tossed again for these tickets; each arm is kept.\n"
    "Copies of the data directory that were made before are not reached."
).splitlines()
"""What stays, and why."""


# Asking.


@erasure.query(scope=SCOPE, rest=get("/v1/erasures/plan"), errors=(NobodyNamedSo,))
def plan(ctx: QueryCtx, *, owner: OwnerName | None = None, agent_id: AgentId | None = None) -> Plan:
    """What an erasure of the caller (or, for administrators, of an owner) would do."""
    named = subject_of(ctx, owner, agent_id)
    require_somebody(ctx, named)
    keys = ctx.db.take(ApiKey.where(owner=named.owner), limit=MAX_SHOWN)
    held = [] if named.agent else ctx.db.take(Skill.where(owner=named.owner), limit=MAX_SHOWN)
    alive = [skill for skill in held if skill.status is not SkillStatus.DELETED]
    return Plan(
        owner=named.owner,
        agent_id=named.agent,
        confirm=confirmation(named),
        keys=sum(named.covers(key.owner, key.agent) for key in keys),
        published_skills=tuple(
            skill.name for skill in alive if skill.visibility is Visibility.PUBLIC
        ),
        hidden_skills=tuple(
            skill.name for skill in alive if skill.visibility is not Visibility.PUBLIC
        ),
    )


@erasure.mutation(
    scope=SCOPE,
    rest=post("/v1/erasures", status=202),
    errors=(NotConfirmed, NobodyNamedSo, AlreadyErasing),
)
def request(
    ctx: MutationCtx,
    *,
    confirm: Confirmation,
    owner: OwnerName | None = None,
    agent_id: AgentId | None = None,
) -> ErasureView:
    """Erase the caller's data, or that of one of its agents, everywhere and through history.

    `confirm` repeats the owner's name, or `<owner>/<agent>`. Cannot be undone. All keys and
    sessions of the name end at once; the rest takes some minutes at least, and past states from
    before can no longer be read by anybody. Other owners are erased by administrators.
    """
    subject = subject_of(ctx, owner, agent_id)
    if confirm != confirmation(subject):
        message = f"an erasure cannot be undone: give confirm as '{confirmation(subject)}'"
        raise NotConfirmed(message)
    require_somebody(ctx, subject)
    for other in unfinished(ctx):
        if (other.owner, other.agent) == (subject.owner, subject.agent):
            message = f"the data of '{confirm}' is being erased already, as {other.id}"
            raise AlreadyErasing(message)
    subject = Subject(subject.owner, subject.agent, ctx.secret_bytes(KEY_BYTES))
    close_name(ctx.db, subject.owner, subject.agent, ctx.now)
    begun = Erasure(
        state=ErasureState.RUNNING,
        owner=subject.owner,
        agent=subject.agent,
        key=subject.key,
        pseudonym=subject.alias(subject.names[-1]),
        requested_at=ctx.now,
        changed_at=ctx.now,
    )
    return view_of(ctx.db.insert(begun))


@erasure.query(
    name="get", public=True, rest=get("/v1/erasures/{erasure_id}"), errors=(ErasureNotFound,)
)
def get_erasure(ctx: QueryCtx, *, erasure_id: RowId) -> ErasureView:
    """How far an erasure is, and what it changed; for whoever was given its id."""
    found = ctx.db.get(Erasure, erasure_id)
    if found is None:
        message = f"no erasure has the id '{erasure_id[:40]}'"
        raise ErasureNotFound(message)
    return view_of(found)


@erasure.query(name="list", scope="*", rest=get("/v1/erasures"))
def list_erasures(
    ctx: QueryCtx, *, pagination_opts: PageRequest | None = None
) -> Page[ErasureView]:
    """All erasures, newest first; for administrators."""
    found = ctx.paginate(Erasure.where().newest_first(), pagination_opts or PageRequest())
    shown = [view_of(row) for row in found.page]
    return found.of(shown)


def subject_of(ctx: QueryCtx, owner: str | None, agent_id: str | None) -> Subject:
    """Whom a caller may erase: itself, one of its agents, or as an administrator anybody.

    Raises:
        Forbidden: it is another owner, or the key speaks for another agent.
        InvalidInput: nobody is behind that name.

    """
    caller = ctx.identity
    named = owner or caller.owner
    if named != caller.owner:
        caller.require("*")
    elif caller.agent is not None and agent_id != caller.agent:
        message = f"this key speaks for the agent '{caller.agent}' only"
        raise Forbidden(message)
    if named in NO_PERSONS or named.startswith(PSEUDONYM):
        message = f"'{named}' is no person's name and cannot be erased"
        raise InvalidInput(message)
    return Subject(named, agent_id, b"")


def require_somebody(ctx: QueryCtx, subject: Subject) -> None:
    """Refuse a name that nobody has, or has any more.

    Raises:
        NobodyNamedSo: no key, agent or skill is of that owner, or no key or agent of that agent.

    """
    owner, agent = subject.owner, subject.agent
    keys = ctx.db.take(ApiKey.where(owner=owner), limit=MAX_SHOWN)
    if agent is not None:
        is_known = bool(ctx.db.first(Agent.where(owner=owner, agent_id=agent)))
        is_known = is_known or any(key.agent == agent for key in keys)
    else:
        is_known = owner == ctx.identity.owner or bool(keys)
        is_known = is_known or ctx.db.first(Agent.where(owner=owner)) is not None
        is_known = is_known or ctx.db.first(Skill.where(owner=owner)) is not None
    if not is_known:
        message = f"nobody is named '{confirmation(subject)[:200]}' here; nothing was changed"
        raise NobodyNamedSo(message)


def confirmation(subject: Subject) -> str:
    """What somebody must repeat who asks for an erasure."""
    return "/".join(subject.names)


def unfinished(ctx: QueryCtx) -> list[Erasure]:
    """The erasures that are under way."""
    states = [state for state in ErasureState if state is not ErasureState.DONE]
    return [
        row
        for state in states
        for row in ctx.db.take(Erasure.where(state=state), limit=MAX_AT_ONCE)
    ]


def view_of(row: Erasure) -> ErasureView:
    """An erasure as anybody may see it."""
    return ErasureView(
        id=row.id,
        state=row.state,
        pseudonym=row.pseudonym,
        requested_at=row.requested_at,
        finished_at=row.finished_at,
        erased=row.erased,
        kept=row.kept,
        keeps=tuple(KEEPS),
    )


# Steps, called by `workers/erasing.py`.


@erasure.query(internal=True)
def due(ctx: QueryCtx) -> list[Erasure]:
    """The erasures that are under way, oldest step first."""
    return unfinished(ctx)


@erasure.query(internal=True)
def written_rows(ctx: QueryCtx, *, erasure_id: RowId, place: int, limit: int) -> list[ErasedRows]:
    """What the steps of an erasure wrote, from a place on."""
    query = ErasedRows.where(erasure_id=erasure_id).at_least(place=place)
    return ctx.db.take(query, limit=limit)


@erasure.mutation(internal=True)
def erase_rows(
    ctx: MutationCtx, *, erasure_id: RowId, table: str, ids: list[RowId], turn: int = 0
) -> int:
    """Take the subject out of some rows of a table; how many rows that changed, others included.

    A `Conflict` says that a row under the pseudonym is there already: another `turn` gives others.
    """
    row = ctx.db.get(Erasure, erasure_id)
    page = PAGES.get(table)
    if (
        row is None
        or page is None
        or row.state not in (ErasureState.RUNNING, ErasureState.SETTLING)
    ):
        return 0
    subject = msgspec.structs.replace(row.subject, turn=turn)
    for row_id in ids:
        found = ctx.db.get(page.row_type, row_id)
        if found is None:
            continue
        after = page.eraser(ctx, found, subject)
        if after is None:
            ctx.db.delete(found)
        elif after != found:
            ctx.db.replace(after)
    written = ctx.db.changes()
    if written:
        _remember(ctx, row, table, [write.id for write in written], ids)
    return len(written)


@erasure.mutation(internal=True)
def end_walk(
    ctx: MutationCtx, *, erasure_id: RowId, kept: dict[str, int], settle_ms: int
) -> ErasureState:
    """Take note that a whole walk found nothing to change; what is to be done next.

    `kept` counts rows by table that hold the name all the same. The next step comes when nothing
    has been changed for `settle_ms`, and contents that nobody needs have gone.
    """
    row = ctx.db.get(Erasure, erasure_id)
    if row is None or row.state not in (ErasureState.RUNNING, ErasureState.SETTLING):
        return ErasureState.DONE if row is None else row.state
    kept = {table: rows for table, rows in kept.items() if table not in GONE_LAST}
    waits = begin_sweep(ctx) or ctx.now < row.changed_at + settle_ms
    state = ErasureState.SETTLING if waits else ErasureState.CLEARING
    if not waits:
        open_name(ctx.db, row.owner, row.agent)
    if (state, kept) != (row.state, row.kept):
        ctx.db.replace(row, state=state, kept=kept)
    return state


@erasure.mutation(internal=True)
def forget_subject(ctx: MutationCtx, *, erasure_id: RowId) -> None:
    """Drop whom an erasure is about, and the key of the pseudonyms, once the log is cleared."""
    row = ctx.db.get(Erasure, erasure_id)
    if row is not None and row.state is ErasureState.CLEARING:
        ctx.db.replace(row, state=ErasureState.SHREDDING, owner="", agent=None, key=b"")


@erasure.mutation(internal=True)
def finish(ctx: MutationCtx, *, erasure_id: RowId) -> None:
    """Say that an erasure is done; which rows it wrote is dropped, in jobs."""
    row = ctx.db.get(Erasure, erasure_id)
    if row is not None and row.state is ErasureState.SHREDDING:
        ctx.db.replace(row, state=ErasureState.DONE, finished_at=ctx.now)
        ctx.schedule(forget_rows, erasure_id=row.id)


@erasure.mutation(internal=True)
def forget_rows(ctx: MutationCtx, *, erasure_id: RowId) -> None:
    """Drop some of what the steps of an erasure wrote down."""
    found = ctx.db.take(ErasedRows.where(erasure_id=erasure_id), limit=MAX_AT_ONCE)
    for batch in found:
        ctx.db.delete(batch)
    if len(found) == MAX_AT_ONCE:
        ctx.schedule(forget_rows, erasure_id=erasure_id)


def _remember(
    ctx: MutationCtx, row: Erasure, table: str, numbers: list[int], ids: list[RowId]
) -> None:
    is_credential = PAGES[table].row_type in (ApiKey, Session)
    callers = [f"{kind}:{one}" for kind in CREDENTIALS for one in ids] if is_credential else []
    batch = ErasedRows(
        erasure_id=row.id, place=row.batches, numbers=tuple(numbers), callers=tuple(callers)
    )
    ctx.db.insert(batch)
    erased = row.erased | {table: row.erased.get(table, 0) + len(numbers)}
    ctx.db.replace(
        row,
        state=ErasureState.RUNNING,
        batches=row.batches + 1,
        erased=erased,
        changed_at=ctx.now,
    )
