"""What a function is given: rows, a frozen clock, randomness, the caller.

Invariant: queries and mutations can reach nothing else, so they can be run again at will. A query
has no clock; time enters it as the tick rows that a cron commits (product.md, "Time in queries").
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, Protocol, TypeVar

from hubify.core.pages import InvalidCursor, Page, PageRequest
from hubify.core.transaction import Transaction
from hubify.functions.principal import Principal
from hubify.functions.schedule import Job, JobState, Tick
from hubify.functions.sealing import NO_KEYS, NONCE_BYTES, NOTHING, Sealer, about, sealed_fields
from hubify.functions.spec import FunctionSpec
from hubify.functions.write_behind import Note
from hubify.values import limits
from hubify.values.durations import MS_PER_DAY, MS_PER_HOUR
from hubify.values.errors import AppError, TooLarge
from hubify.values.rows import Query, Row

R = TypeVar("R", bound=Row)
NOTHING_SENT: Mapping[str, Any] = {}


class Reader(Protocol):
    """What a query may do with rows. Each read names an index, each list has a limit."""

    def get(self, row_type: type[R], row_id: str) -> R | None:
        """The row with this id, or None."""
        ...

    def take(self, query: Query[R], *, limit: int) -> list[R]:
        """At most `limit` rows, in index order."""
        ...

    def first(self, query: Query[R]) -> R | None:
        """The first row in index order, or None."""
        ...

    def one(self, query: Query[R], *, missing: AppError) -> R:
        """The first row; raises `missing` when there is none."""
        ...

    def page(self, query: Query[R], request: PageRequest) -> Page[R]:
        """One page between two cursors, which tell what they hold; `paginate` for those to show."""
        ...

    @property
    def bytes_left(self) -> int:
        """How many bytes of rows may still be read."""
        ...

    def words_in(self, row: Row) -> list[str]:
        """The words that a row is found by."""
        ...

    def holders(
        self,
        row_type: type[R],
        word: str,
        *,
        within: Sequence[object] = (),
        prefix: bool = False,
        limit: int = limits.MAX_WORD_POSTINGS,
    ) -> list[R]:
        """At most `limit` rows whose indexed texts hold a word, the highest and newest first."""
        ...


class QueryCtx:
    """A query's world: `db` to read, `identity` of the caller, `today` and `hour` as data."""

    def __init__(
        self,
        transaction: Transaction,
        principal: Principal,
        journal: str | None,
        sealer: Sealer = NO_KEYS,
        *,
        present: Transaction | None = None,
    ) -> None:
        """`present`: the durable head, where `transaction` is of a past time."""
        self._transaction = transaction
        self._principal = principal
        self._journal_in = journal
        self._sealer = sealer
        self._present = present
        self.journal_out: str | None = None
        self.looked_at_identity = False

    @property
    def db(self) -> Reader:
        """Rows, read only."""
        return self._transaction

    @property
    def identity(self) -> Principal:
        """The caller. Looking makes the result this caller's own, not shared with others."""
        self.looked_at_identity = True
        return self._principal

    @property
    def today(self) -> int:
        """Days since 1970 (UTC) as of the newest tick; the query re-runs when the day changes."""
        tick = self._transaction.first(Tick.where(name="day"))
        return tick.value if tick else 0

    @property
    def hour(self) -> int:
        """Hours since 1970 as of the newest tick; the query re-runs each hour."""
        tick = self._transaction.first(Tick.where(name="hour"))
        return tick.value if tick else 0

    def current(self, row: R) -> R | None:
        """A row as it stands now: the same one unless the past is read, None when it is gone.

        Whoever decides who may see a row asks of both: what was hidden since is hidden in the past.
        """
        return row if self._present is None else self._present.get(type(row), row.id)

    def label(self, *name: str) -> str:
        """A text that stands for a name: the same for the same one, and nobody can undo it."""
        return self._sealer.labels.label(*name)

    def unseal(self, row: Row, field: str) -> bytes | None:
        """The secret in a row's field of type `Sealed`; None when there is none (any more).

        A secret is given up when its key is lost, so a function must know what to do without.

        Raises:
            NotOpened: its key is not known here, or its bytes were changed (`UNAVAILABLE`).

        """
        assert field in sealed_fields(type(row)), f"{field} is no field of type Sealed"
        held = getattr(row, field)
        return None if held == NOTHING else self._sealer.unseal(held, about(row, field))

    def paginate(self, query: Query[R], request: PageRequest) -> Page[R]:
        """One page, kept gapless for live clients; at most one paginated read per function."""
        assert self.journal_out is None, "a function paginates once; use take() for other lists"
        page = self._kept_page(query, request)
        if page is None:
            page = self._transaction.page(query, request, self._sealer.cursors)
        self.journal_out = page.continue_cursor
        return page

    def _kept_page(self, query: Query[R], request: PageRequest) -> Page[R] | None:
        """The page up to the end that it had before, unless that end is of another list."""
        if request.end_cursor is not None or self._journal_in is None:
            return None
        kept = PageRequest(request.num_items, request.cursor, self._journal_in, request.id)
        try:
            return self._transaction.page(query, kept, self._sealer.cursors)
        except InvalidCursor:
            return None


class MutationCtx(QueryCtx):
    """A mutation's world: as a query's, and `db` writes, `now`, `random`, `schedule`."""

    def __init__(
        self,
        transaction: Transaction,
        principal: Principal,
        *,
        now_ms: int,
        entropy: Callable[[int], bytes],
        spec_of: Callable[[Callable[..., Any]], FunctionSpec],
        sealer: Sealer = NO_KEYS,
        sent: Mapping[str, Any] = NOTHING_SENT,
    ) -> None:
        super().__init__(transaction, principal, None, sealer)
        self.now = now_ms
        """Milliseconds since 1970, fixed when the mutation began."""
        self.sent = sent
        """The arguments with the names and values that the caller sent, before they were bound.

        For what was signed by its sender: nothing of them has been checked, and an idempotency key
        is none of them. A query has them not, since callers who ask the same share its answer.
        """
        self._entropy = entropy
        self._spec_of = spec_of
        self._random: Random | None = None
        self._scheduled = 0
        self.notes: list[Note] = []
        """What `note` was told; the door takes it when the answer is delivered."""

    @property
    def db(self) -> Transaction:
        """Rows, to read and write."""
        return self._transaction

    @property
    def today(self) -> int:
        """Days since 1970 (UTC) by the mutation's own clock."""
        return self.now // MS_PER_DAY

    @property
    def hour(self) -> int:
        """Hours since 1970 by the mutation's own clock."""
        return self.now // MS_PER_HOUR

    @property
    def random(self) -> Random:
        """Randomness for choices (not for secrets), seeded per run."""
        if self._random is None:
            self._random = Random(self._entropy(16))  # noqa: S311 - choices, not secrets
        return self._random

    def secret_bytes(self, count: int) -> bytes:
        """Unguessable bytes, for keys and tokens."""
        return self._entropy(count)

    def seal(self, row: R, **secrets: bytes) -> R:
        """Store secrets in a row's fields of type `Sealed`; answers the row as it now is.

        The row has been inserted: its id is part of the seal, so no other row can use it.
        """
        assert secrets.keys() <= {*sealed_fields(type(row))}, "only a Sealed field holds a secret"
        sealed = {
            field: self._sealer.seal(plain, about(row, field), self._entropy(NONCE_BYTES))
            for field, plain in secrets.items()
        }
        return self.db.replace(row, **sealed)

    def schedule(self, function: Callable[..., Any], *, after_ms: int = 0, **arguments: Any) -> Job:
        """Run a function later, as the system, if and only if this mutation commits.

        A mutation so scheduled runs exactly once; an action at most once, or again after a failure
        when it is declared with `retries`.
        """
        self._scheduled += 1
        if self._scheduled > limits.MAX_SCHEDULED:
            message = (
                f"one mutation may schedule {limits.MAX_SCHEDULED} jobs; schedule one that goes on"
            )
            raise TooLarge(message)
        spec = self._spec_of(function)
        job = Job(
            path=spec.path,
            arguments=dict(arguments),
            due_at=self.now + int(after_ms),  # a caller's own function may pass a fraction
            state=JobState.PENDING,
            requested_by=self._principal.label,
            created_at=self.now,
        )
        return self._transaction.insert(job)

    def note(self, function: Callable[..., Any], key: str, item: dict[str, Any]) -> None:
        """Hand an item to a mutation within a minute or so, at the cost of no commit of its own.

        The mutation takes `items`, a list of these, and knows by the key an item that it has seen.
        A crash loses what was noted in the last minute; nothing is noted by a call that fails.
        """
        assert len(self.notes) < limits.MAX_NOTES, "a call notes a few things, not a list"
        self.notes.append(Note(self._spec_of(function).path, key, item))

    def cancel(self, job_id: str) -> bool:
        """Cancel a job that has not begun; whether it was still pending."""
        job = self._transaction.get(Job, job_id)
        if job is None or job.state is not JobState.PENDING:
            return False
        self._transaction.replace(job, state=JobState.CANCELED, finished_at=self.now)
        return True


class Caller(Protocol):
    """How an action calls queries and mutations: through the same door as everybody."""

    async def call(self, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        """Run a query, mutation or action as the action's own caller; answers its value."""
        ...


class ActionCtx:
    """An action's world: it may wait and reach out; rows only through queries and mutations."""

    def __init__(self, caller: Caller, principal: Principal, *, now_ms: int, ports: Any) -> None:
        self._caller = caller
        self.identity = principal
        self.now = now_ms
        """Milliseconds since 1970 when the action began."""
        self.ports = ports
        """The outside world as the composition root gave it (see `hubify/ports`)."""

    async def run(self, function: Callable[..., Any], **arguments: Any) -> Any:
        """Call a declared function and wait for its value.

        Raises:
            AppError: what the function raised.

        """
        return await self._caller.call(function, arguments)
