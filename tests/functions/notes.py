"""A small domain for tests of the function layer."""

from enum import StrEnum
from typing import Any

import msgspec

from hubify.functions import (
    ActionCtx,
    Domain,
    InvalidInput,
    MutationCtx,
    NotFound,
    Page,
    PageRequest,
    QueryCtx,
    RateClass,
    Row,
    index,
    unique,
)

notes = Domain("notes")


class Colour(StrEnum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


class Corner(msgspec.Struct, frozen=True):
    """A record inside an argument."""

    from_left: int
    from_top: int = 0


@notes.table("notes", unique("name"), index("owner"), index("colour", "count"))
class Note(Row, frozen=True):
    """One note."""

    name: str
    owner: str
    colour: Colour = Colour.RED
    count: int = 0


class NoteNotFound(NotFound):
    """No note has that name."""


@notes.mutation(public=True, also={"title": "name"})
def add(
    ctx: MutationCtx,
    *,
    name: str,
    colour: Colour = Colour.RED,
    corners: list[Corner] | None = None,
    first_count: int = 0,
    extra: dict[str, Any] | None = None,
) -> Note:
    """Add a note."""
    del corners, extra
    return ctx.db.insert(
        Note(name=name, owner=ctx.identity.owner, colour=colour, count=first_count)
    )


@notes.mutation(scope="notes:write", errors=(NoteNotFound,))
def count(ctx: MutationCtx, *, name: str) -> int:
    """Count one up."""
    note = find(ctx, name)
    return ctx.db.replace(note, count=note.count + 1).count


@notes.mutation(public=True)
def count_later(ctx: MutationCtx, *, name: str, after_ms: int) -> str:
    """Count one up later; answers the job's id."""
    return ctx.schedule(count, after_ms=after_ms, name=name).id


@notes.mutation(public=True)
def break_later(ctx: MutationCtx) -> None:
    """Schedule what will always be unavailable."""
    ctx.schedule(reach, after_ms=0)


@notes.mutation(public=True)
def look_later(ctx: MutationCtx, *, name: str) -> None:
    """Schedule an action that only looks."""
    ctx.schedule(look, after_ms=0, name=name)


@notes.mutation(public=True, also={"title": "name"})
def echo(ctx: MutationCtx, *, name: str, first_count: int = 0) -> dict[str, Any]:
    """What its caller sent."""
    del name, first_count
    return dict(ctx.sent)


@notes.mutation(scope="notes:write", errors=(NoteNotFound,))
def drop(ctx: MutationCtx, *, name: str) -> None:
    """Remove a note."""
    ctx.db.delete(find(ctx, name))


@notes.query(public=True, errors=(NoteNotFound,), aliases=("notes:fetch",))
def get(ctx: QueryCtx, *, name: str) -> Note:
    """One note."""
    return find(ctx, name)


@notes.query(public=True)
def whose(ctx: QueryCtx, *, name: str) -> str:
    """Looks at its caller only when the note is blue."""
    note = ctx.db.first(Note.where(name=name))
    if note is None or note.colour is Colour.RED:
        return "everybody's"
    return ctx.identity.owner


@notes.query(scope="notes:read")
def mine(ctx: QueryCtx, *, pagination_opts: PageRequest) -> Page[Note]:
    """The caller's notes."""
    return ctx.paginate(Note.where(owner=ctx.identity.owner), pagination_opts)


@notes.query(public=True, rate=RateClass.SEARCH)
def day(ctx: QueryCtx) -> list[int]:
    """Today and the hour, as data."""
    return [ctx.today, ctx.hour]


@notes.query(public=True)
def broken(_ctx: QueryCtx) -> None:
    """A fault of ours."""
    raise ZeroDivisionError


@notes.action(public=True, errors=(NoteNotFound,))
async def count_twice(ctx: ActionCtx, *, name: str) -> int:
    """Count up twice, in two transactions."""
    await ctx.run(count, name=name)
    return await ctx.run(count, name=name)


@notes.action(internal=True, errors=(NoteNotFound,))
async def look(ctx: ActionCtx, *, name: str) -> None:
    """Look at a note."""
    await ctx.run(get, name=name)


@notes.action(internal=True, retries=2)
async def reach(_ctx: ActionCtx) -> None:
    """Fail, as the world does."""
    raise ConnectionError


@notes.mutation(internal=True)
def refuse(_ctx: MutationCtx) -> None:
    """Refuse for good."""
    message = "never"
    raise InvalidInput(message)


def find(ctx: QueryCtx, name: str) -> Note:
    """The note of a name."""
    return ctx.db.one(Note.where(name=name), missing=NoteNotFound(f"no note '{name}'"))
