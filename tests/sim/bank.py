"""A small domain with every kind of read and write, for the simulator to drive.

Invariant: money is neither made nor lost; answers hold no row ids, so that a replay in another
store can be compared with them.
"""

import msgspec

from hubify.functions import (
    ActionCtx,
    AppError,
    Conflict,
    Domain,
    MutationCtx,
    NotFound,
    Page,
    PageRequest,
    QueryCtx,
    Row,
    index,
    search,
    unique,
    words,
)

bank = Domain("bank")
MAX = 200
RING_S, RING_OFFSET_S = 5, 2


@bank.table("accounts", unique("name"), index("branch", "balance"), words("motto"))
class Account(Row, frozen=True):
    """One account."""

    name: str
    branch: str
    balance: int
    motto: str


@bank.table("transfers", index("source"), index())
class Transfer(Row, frozen=True):
    """One move of money."""

    source: str
    target: str
    amount: int


@bank.table("bells", index())
class Bell(Row, frozen=True):
    """How often the bell has rung."""

    rung: int


class NoAccount(NotFound):
    """No such account."""


@bank.mutation(public=True)
def open_account(ctx: MutationCtx, *, name: str, branch: str, balance: int, motto: str) -> int:
    """Open an account; answers how many its branch has."""
    ctx.db.insert(Account(name=name, branch=branch, balance=balance, motto=motto))
    return len(ctx.db.take(Account.where(branch=branch), limit=MAX))


@bank.mutation(public=True, errors=(NoAccount,))
def transfer(ctx: MutationCtx, *, source: str, target: str, amount: int) -> list[int]:
    """Move money; answers both balances."""
    payer, payee = account(ctx, source), account(ctx, target)
    if payer.balance < amount:
        message = f"{source} has {payer.balance}"
        raise Conflict(message)
    if source == target:
        return [payer.balance, payee.balance]
    ctx.db.insert(Transfer(source=source, target=target, amount=amount))
    paid = ctx.db.replace(payer, balance=payer.balance - amount)
    received = ctx.db.replace(payee, balance=payee.balance + amount)
    return [paid.balance, received.balance]


@bank.mutation(public=True, errors=(NoAccount,))
def transfer_later(
    ctx: MutationCtx, *, source: str, target: str, amount: int, after_ms: int
) -> None:
    """Schedule a transfer."""
    account(ctx, source)
    ctx.schedule(transfer, after_ms=after_ms, source=source, target=target, amount=amount)


@bank.mutation(public=True)
def send(ctx: MutationCtx, *, errand: str, again: bool, after_ms: int) -> None:
    """Schedule an errand: one that is tried again, or one that is not."""
    ctx.schedule(carry if again else walk, after_ms=after_ms, errand=errand)


@bank.action(internal=True)
async def walk(ctx: ActionCtx, *, errand: str) -> None:
    """Run an errand that must not be run twice."""
    await ctx.ports.walk(errand)


@bank.action(internal=True, retries=3)
async def carry(ctx: ActionCtx, *, errand: str) -> None:
    """Run an errand that may be run again."""
    await ctx.ports.walk(errand)


@bank.cron(every_s=RING_S, offset_s=RING_OFFSET_S)
@bank.mutation(internal=True)
def ring(ctx: MutationCtx) -> None:
    """Ring the bell."""
    bell = ctx.db.first(Bell.where())
    if bell is None:
        ctx.db.insert(Bell(rung=1))
    else:
        ctx.db.replace(bell, rung=bell.rung + 1)


@bank.mutation(public=True, errors=(NoAccount,))
def move_branch(ctx: MutationCtx, *, name: str, branch: str, motto: str) -> str:
    """Move an account to another branch under another motto; answers the branch it left."""
    moved = account(ctx, name)
    ctx.db.replace(moved, branch=branch, motto=motto)
    return moved.branch


@bank.mutation(public=True, errors=(NoAccount,))
def merge(ctx: MutationCtx, *, source: str, target: str) -> int:
    """Close an account and give its money to another; answers the sum."""
    if source == target:
        message = "an account cannot be merged with itself"
        raise Conflict(message)
    closed, kept = account(ctx, source), account(ctx, target)
    ctx.db.delete(closed)
    return ctx.db.replace(kept, balance=kept.balance + closed.balance).balance


@bank.mutation(public=True)
def rich(ctx: MutationCtx, *, branch: str, least: int) -> list[str]:
    """A mutation that only reads: who has at least so much (sorted: ids differ in a replay)."""
    query = Account.where(branch=branch).at_least(balance=least)
    return sorted(found.name for found in ctx.db.take(query, limit=MAX))


@bank.query(public=True)
def balance(ctx: QueryCtx, *, name: str) -> int | None:
    """One balance, or None."""
    found = ctx.db.first(Account.where(name=name))
    return found.balance if found else None


@bank.query(public=True)
def richest(ctx: QueryCtx, *, branch: str, count: int) -> list[tuple[str, int]]:
    """The accounts of a branch with the most money."""
    query = Account.where(branch=branch).order_by("balance").newest_first()
    return [(found.name, found.balance) for found in ctx.db.take(query, limit=count)]


@bank.query(public=True)
def between(ctx: QueryCtx, *, branch: str, low: int, high: int) -> list[tuple[str, int]]:
    """The accounts of a branch with low < balance <= high."""
    query = Account.where(branch=branch).above(balance=low).at_most(balance=high)
    return [(found.name, found.balance) for found in ctx.db.take(query, limit=MAX)]


@bank.query(public=True)
def with_motto(ctx: QueryCtx, *, text: str) -> list[str]:
    """Names of the accounts whose motto holds words of the text, best first."""
    found = search(ctx.db, Account, text, title=lambda row: row.name, keep=lambda _row: True)
    return [row.name for _score, row in found]


@bank.query(public=True)
def history(ctx: QueryCtx, *, count: int, pages: int) -> list[tuple[str, str, int]]:
    """The newest transfers, read page by page."""
    cursor, found = None, list[tuple[str, str, int]]()
    for _page in range(pages):
        page = ctx.db.page(Transfer.where().newest_first(), PageRequest(count, cursor))
        found += [(row.source, row.target, row.amount) for row in page.page]
        cursor = page.continue_cursor
    return found


class Line(msgspec.Struct, frozen=True):
    """An account as a list shows it."""

    name: str
    balance: int


@bank.query(public=True)
def listed(
    ctx: QueryCtx, *, branch: str, richest_first: bool, pagination_opts: PageRequest
) -> Page[Line]:
    """One page of a branch's accounts by balance, from either end; it keeps its own end."""
    query = Account.where(branch=branch).order_by("balance")
    page = ctx.paginate(query.newest_first() if richest_first else query, pagination_opts)
    lines = [Line(row.name, row.balance) for row in page.page]
    return Page(lines, page.is_done, page.continue_cursor, page.split_cursor, page.page_status)


@bank.query(public=True)
def total(ctx: QueryCtx, *, names: list[str]) -> int:
    """All money of some accounts."""
    found = [ctx.db.first(Account.where(name=name)) for name in names]
    return sum(row.balance for row in found if row)


@bank.query(public=True)
def mine(ctx: QueryCtx) -> str:
    """Who asks: a result that is never shared between callers."""
    return ctx.identity.owner


@bank.query(public=True, errors=(NoAccount,))
def must_have(ctx: QueryCtx, *, name: str) -> int:
    """One balance, or a refusal: refusals are live too."""
    return account(ctx, name).balance


def account(ctx: QueryCtx, name: str) -> Account:
    """The account of this name."""
    missing: AppError = NoAccount(f"no account {name}")
    return ctx.db.one(Account.where(name=name), missing=missing)
