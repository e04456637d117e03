"""Functions for the official clients to call: every value, every way to end.

Invariant: they know nothing of clients; what a test needs to see is in rows or in an answer.
"""

import asyncio
from typing import Any

from hubify.functions import (
    ActionCtx,
    Conflict,
    Domain,
    MutationCtx,
    Page,
    PageRequest,
    QueryCtx,
    Row,
    index,
    unique,
)

checks = Domain("checks")


@checks.table("counters", unique("name"))
class Counter(Row, frozen=True):
    """A number with a name."""

    name: str
    value: int = 0


@checks.table("entries", index("list"))
class Entry(Row, frozen=True):
    """A text in a list."""

    list: str
    text: str


@checks.table("ranked", unique("list", "rank"))
class Ranked(Row, frozen=True):
    """A member of a list that has a place, so that others can come before it."""

    list: str
    rank: int


@checks.table("boxes", unique("name"))
class Box(Row, frozen=True):
    """Any value, stored."""

    name: str
    content: Any


@checks.query(public=True)
def default(_ctx: QueryCtx) -> str:
    """What the module answers when no function of it is named."""
    return "default"


@checks.query(public=True)
def echo(_ctx: QueryCtx, *, value: Any) -> Any:  # noqa: ANN401 - every value is allowed
    """The value itself."""
    return value


@checks.mutation(public=True)
def store(ctx: MutationCtx, *, name: str, content: Any) -> None:  # noqa: ANN401
    """Keep any value under a name."""
    known = ctx.db.first(Box.where(name=name))
    if known is None:
        ctx.db.insert(Box(name=name, content=content))
    else:
        ctx.db.replace(known, content=content)


@checks.query(public=True)
def load(ctx: QueryCtx, *, name: str) -> Any:  # noqa: ANN401
    """The kept value, or null."""
    known = ctx.db.first(Box.where(name=name))
    return known.content if known else None


@checks.query(public=True)
def counter(ctx: QueryCtx, *, name: str) -> int:
    """A counter's number; 0 before its first increment."""
    known = ctx.db.first(Counter.where(name=name))
    return known.value if known else 0


@checks.query(public=True)
def below_two(ctx: QueryCtx, *, name: str) -> int:
    """A counter's number, refused from 2 on."""
    value = counter(ctx, name=name)
    if value > 1:
        message = f"{name} is {value}"
        raise Conflict(message)
    return value


@checks.mutation(public=True)
def increment(ctx: MutationCtx, *, name: str, by: int = 1) -> int:
    """Count up; answers the new number."""
    known = ctx.db.first(Counter.where(name=name))
    if known is None:
        return ctx.db.insert(Counter(name=name, value=by)).value
    return ctx.db.replace(known, value=known.value + by).value


@checks.mutation(public=True)
def increment_both(ctx: MutationCtx, *, one: str, other: str) -> None:
    """Count two counters up together."""
    increment(ctx, name=one)
    increment(ctx, name=other)


@checks.mutation(public=True)
def refuse(_ctx: MutationCtx, *, why: str) -> None:
    """Refuse, with a code and a sentence."""
    raise Conflict(why)


@checks.query(public=True)
def refused(_ctx: QueryCtx, *, why: str) -> None:
    """A query that refuses."""
    raise Conflict(why)


@checks.action(public=True)
async def refuse_later(_ctx: ActionCtx, *, why: str) -> None:
    """An action that refuses."""
    await asyncio.sleep(0)
    raise Conflict(why)


@checks.query(public=True)
def broken(_ctx: QueryCtx) -> None:
    """A query with a bug."""
    message = "the secret is a zebra"
    raise RuntimeError(message)


@checks.mutation(public=True)
def append(ctx: MutationCtx, *, list: str, text: str) -> str:  # noqa: A002
    """Add a text to a list; answers its id."""
    return ctx.db.insert(Entry(list=list, text=text)).id


@checks.mutation(public=True)
def remove_first(ctx: MutationCtx, *, list: str) -> bool:  # noqa: A002
    """Remove the oldest text of a list."""
    first = ctx.db.first(Entry.where(list=list))
    if first is not None:
        ctx.db.delete(first)
    return first is not None


@checks.query(public=True)
def entries(
    ctx: QueryCtx,
    *,
    list: str,  # noqa: A002
    pagination_opts: PageRequest,
) -> Page[Entry]:
    """A list's texts, oldest first, in pages."""
    return ctx.paginate(Entry.where(list=list), pagination_opts)


@checks.query(public=True)
def texts(ctx: QueryCtx, *, list: str) -> list[str]:  # noqa: A002
    """All of a list's texts, oldest first."""
    return [entry.text for entry in ctx.db.take(Entry.where(list=list), limit=8_000)]


@checks.mutation(public=True)
def place(ctx: MutationCtx, *, list: str, ranks: tuple[int, ...]) -> None:  # noqa: A002
    """Add members at these places."""
    for rank in ranks:
        ctx.db.insert(Ranked(list=list, rank=rank))


@checks.mutation(public=True)
def displace(ctx: MutationCtx, *, list: str, ranks: tuple[int, ...]) -> None:  # noqa: A002
    """Remove the members at these places."""
    for rank in ranks:
        member = ctx.db.first(Ranked.where(list=list, rank=rank))
        if member is not None:
            ctx.db.delete(member)


@checks.query(public=True)
def ranked(
    ctx: QueryCtx,
    *,
    list: str,  # noqa: A002
    pagination_opts: PageRequest,
) -> Page[Ranked]:
    """A list's members by place, in pages."""
    return ctx.paginate(Ranked.where(list=list), pagination_opts)


@checks.query(public=True)
def whoami(ctx: QueryCtx) -> str:
    """What kind of caller asks."""
    return ctx.identity.kind


@checks.query(scope="checks:read")
def guarded(ctx: QueryCtx) -> str:
    """The caller's owner; needs the scope `checks:read`."""
    return ctx.identity.owner


@checks.action(public=True)
async def twice(ctx: ActionCtx, *, name: str) -> int:
    """Increment a counter in two transactions."""
    await ctx.run(increment, name=name)
    return await ctx.run(increment, name=name)


@checks.action(public=True)
async def outlast(ctx: ActionCtx, *, name: str, value: int) -> int:
    """Wait until a counter has reached a value."""
    while (reached := await ctx.run(counter, name=name)) < value:  # noqa: ASYNC110 - rows wake nobody
        await asyncio.sleep(0.01)
    return reached


@checks.query(public=True)
def length(_ctx: QueryCtx, *, value: str) -> int:
    """How many characters were sent."""
    return len(value)


@checks.mutation(public=True)
def measure(_ctx: MutationCtx, *, value: str) -> int:
    """How many characters were sent, to a mutation."""
    return len(value)


@checks.mutation(public=True)
def keep_nothing(_ctx: MutationCtx, *, value: Any) -> Any:  # noqa: ANN401
    """The value itself, from a mutation."""
    return value


@checks.query(public=True)
def padded(ctx: QueryCtx, *, name: str, size: int) -> str:
    """A counter's number, filled up to so many characters."""
    return str(counter(ctx, name=name)).rjust(size)


@checks.query(public=True)
def large(_ctx: QueryCtx, *, size: int) -> str:
    """A text of so many characters."""
    return "x" * size
