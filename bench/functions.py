"""Functions to be measured: a plain create, a point read, a live value."""

from hubify.functions import Domain, MutationCtx, QueryCtx, Row, index, unique

bench = Domain("bench")


@bench.table("documents", index("owner"))
class Document(Row, frozen=True):
    """A document of about 400 bytes."""

    owner: str
    text: str


@bench.table("values", unique("name"))
class Cell(Row, frozen=True):
    """A number under a name, with some weight beside it."""

    name: str
    number: int
    text: str


@bench.mutation(public=True)
def create(ctx: MutationCtx, *, owner: str, text: str) -> str:
    """Insert one document."""
    return ctx.db.insert(Document(owner=owner, text=text)).id


@bench.mutation(public=True)
def put(ctx: MutationCtx, *, name: str, number: int, text: str = "") -> None:
    """Set a cell."""
    known = ctx.db.first(Cell.where(name=name))
    if known is None:
        ctx.db.insert(Cell(name=name, number=number, text=text))
    else:
        ctx.db.replace(known, number=number)


@bench.query(public=True)
def read(ctx: QueryCtx, *, name: str) -> Cell | None:
    """One cell."""
    return ctx.db.first(Cell.where(name=name))
