"""Single runs of queries and mutations: a transaction, a context, the function, the outcome.

Invariant: an `AppError` is the caller's to see; anything else is ours, is logged under an id, and
leaves as `InternalError` without describing itself.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from hubify.core.log import RowWrite, StorageFailed
from hubify.core.reads import ReadSet
from hubify.core.transaction import Transaction
from hubify.functions.context import NOTHING_SENT, MutationCtx, QueryCtx
from hubify.functions.principal import Principal
from hubify.functions.replay import Recorded, ReplayKey, find, record
from hubify.functions.spec import FunctionSpec
from hubify.functions.wiring import Wiring, log
from hubify.functions.write_behind import Note
from hubify.values import limits
from hubify.values.durations import NS_PER_MS
from hubify.values.errors import (
    AppError,
    Conflict,
    Forbidden,
    InternalError,
    InvalidInput,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

ALWAYS_DECLARED = (
    InvalidInput, Unauthenticated, Forbidden, RateLimited, TooLarge, Unavailable, Conflict,
    InternalError,
)  # fmt: skip


class QueryRun(msgspec.Struct, frozen=True):
    """What a query answered (or raised), what it read, and whether it looked at its caller."""

    value: Any
    error: AppError | None
    reads: ReadSet
    personal: bool
    journal: str | None


class MutationRun(msgspec.Struct, frozen=True):
    """What a mutation answered, did, and noted to be written later."""

    value: Any
    reads: ReadSet
    writes: tuple[RowWrite, ...]
    notes: tuple[Note, ...] = ()


def run_query(
    wiring: Wiring,
    spec: FunctionSpec,
    arguments: dict[str, Any],
    principal: Principal,
    *,
    journal: str | None = None,
    at: int | None = None,
) -> QueryRun:
    """Run a query at the durable head, or at a past timestamp; refusals come as a value.

    Raises:
        InvalidInput: `at` cannot be read (see `Database.begin_read`).

    """
    check = watch(wiring)
    transaction = wiring.database.begin_read(check, at=at)
    present = None if at is None else wiring.database.begin_read(check)
    context = QueryCtx(transaction, principal, journal, wiring.sealer, present=present)
    value: Any = None
    error: AppError | None = None
    personal = not spec.public
    try:
        if spec.scope is not None:
            principal.require(spec.scope)
        value = call(wiring, spec, context, arguments)
    except AppError as refusal:
        error = refusal
    if at is not None:  # another process may have dropped that past meanwhile
        wiring.database.refuse_dropped(at)
    personal = personal or context.looked_at_identity
    return QueryRun(value, error, transaction.reads, personal, context.journal_out)


def run_mutation(
    wiring: Wiring,
    spec: FunctionSpec,
    arguments: dict[str, Any],
    principal: Principal,
    *,
    sent: Mapping[str, Any] = NOTHING_SENT,
    replay: ReplayKey | None = None,
    then: Callable[[Transaction, int], None] | None = None,
) -> MutationRun:
    """Run a mutation on the newest accepted state; `then` may add writes of the door's own.

    `sent`: the arguments before they were bound.

    Raises:
        AppError: what the function refused; nothing of it remains.

    """
    if spec.scope is not None:
        principal.require(spec.scope)
    transaction = wiring.database.begin_write(watch(wiring))
    now_ms = wiring.runtime.wall_ns() // NS_PER_MS
    if replay is not None:
        known = find(transaction, replay, spec)
        if isinstance(known, Recorded):
            return MutationRun(known.value, transaction.reads, ())
    context = MutationCtx(
        transaction, principal, now_ms=now_ms,
        entropy=wiring.runtime.entropy, spec_of=wiring.registry.of, sealer=wiring.sealer,
        sent=sent,
    )  # fmt: skip
    value = call(wiring, spec, context, arguments)
    if replay is not None:
        record(transaction, replay, spec, value, now_ms)
    if then is not None:
        then(transaction, now_ms)
    return MutationRun(value, transaction.reads, transaction.changes(), tuple(context.notes))


def call(wiring: Wiring, spec: FunctionSpec, context: object, arguments: dict[str, Any]) -> Any:
    """Call the function itself, sorting what it raises into refusals and our own faults."""
    try:
        value = spec.function(context, **arguments)
        assert not inspect.isawaitable(value), "a transactional function does not wait"
    except AppError as error:
        if wiring.strict and not isinstance(error, (*ALWAYS_DECLARED, *spec.errors)):
            message = f"{spec.path} raised {type(error).__name__} without declaring it"
            raise AssertionError(message) from error
        raise
    except Exception as error:
        raise fault(wiring, spec, error) from error
    return value


def fault(wiring: Wiring, spec: FunctionSpec, error: Exception) -> AppError:
    """Log a fault of ours under a fresh id; the error tells the caller only the id.

    A store that cannot be read is no fault of ours and is said to be unavailable.
    """
    if isinstance(error, StorageFailed):
        return Unavailable(str(error))
    if wiring.strict:
        raise error
    fault_id = wiring.runtime.entropy(6).hex()
    log.error("fault %s in %s", fault_id, spec.path, exc_info=error)
    return InternalError(f"internal error in {spec.path}; the log has it as {fault_id}")


def watch(wiring: Wiring) -> Callable[[], None]:
    """A check of the wall-clock limit, called at each use of a context."""
    monotonic = wiring.runtime.monotonic_s
    deadline = monotonic() + limits.MAX_FUNCTION_SECONDS

    def check() -> None:
        if monotonic() > deadline:
            message = (
                f"a function may run {limits.MAX_FUNCTION_SECONDS:g} s; "
                "read less at once, or split the work into jobs"
            )
            raise TooLarge(message)

    return check
