"""Functions for the official clients to call: every value, every way to end."""

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


@checks.table("boxes", unique("name"))
class Box(Row, frozen=True):
    """Any value, stored."""

    name: str
    content: Any


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


@checks.mutation(public=True)
def increment(ctx: MutationCtx, *, name: str, by: int = 1) -> int:
    """Count up; answers the new number."""
    known = ctx.db.first(Counter.where(name=name))
    if known is None:
        return ctx.db.insert(Counter(name=name, value=by)).value
    return ctx.db.replace(known, value=known.value + by).value


@checks.mutation(public=True)
def refuse(_ctx: MutationCtx, *, why: str) -> None:
    """Refuse, with a code and a sentence."""
    raise Conflict(why)


@checks.query(public=True)
def refused(_ctx: QueryCtx, *, why: str) -> None:
    """A query that refuses."""
    raise Conflict(why)


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


@checks.query(scope="checks:read")
def guarded(ctx: QueryCtx) -> str:
    """The caller's owner; needs the scope `checks:read`."""
    return ctx.identity.owner


@checks.action(public=True)
async def twice(ctx: ActionCtx, *, name: str) -> int:
    """Increment a counter in two transactions."""
    await ctx.run(increment, name=name)
    return await ctx.run(increment, name=name)


@checks.query(public=True)
def large(_ctx: QueryCtx, *, size: int) -> str:
    """A text of so many characters."""
    return "x" * size
