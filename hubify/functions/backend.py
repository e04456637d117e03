"""The one door: every face calls queries, mutations and actions here.

Invariant: past this door a call has a known function, bound arguments, a principal with the scope,
and room in its allowance; a mutation is answered only once it is durable.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from hubify.core.committer import Accepted
from hubify.core.log import Commit, RowWrite
from hubify.core.reads import ReadSet
from hubify.core.transaction import Transaction
from hubify.functions.context import ActionCtx
from hubify.functions.live import LiveQueries, Question, Watcher
from hubify.functions.principal import Principal
from hubify.functions.quota import Allowance, Quota
from hubify.functions.replay import ReplayKey, caller_key
from hubify.functions.runs import MutationRun, fault, run_mutation, run_query
from hubify.functions.spec import FunctionKind, FunctionSpec, UnknownFunction
from hubify.functions.wiring import Wiring
from hubify.values.durations import NS_PER_MS
from hubify.values.errors import AppError, InvalidInput
from hubify.values.rows import Row

IDEMPOTENCY_KEYS = ("idempotencyKey", "idempotency_key")
MAX_ACTION_SECONDS = 600.0


class Call(msgspec.Struct, frozen=True):
    """One call as a face hands it in. `spell` renames arguments for that face (see `Route`)."""

    path: str
    arguments: Mapping[str, Any]
    principal: Principal
    address: str = ""
    spell: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    replay: ReplayKey | None = None
    charged: bool = True


class Answer(msgspec.Struct, frozen=True):
    """A value, the timestamp it is true at, and where the caller's allowance stands."""

    value: Any
    ts: int
    allowance: Allowance | None = None


Settled = Callable[[Answer | AppError], None]


class Backend:
    """The functions of one process, ready to be called."""

    def __init__(
        self,
        wiring: Wiring,
        quota: Quota,
        kick: Callable[[], None],
        *,
        anonymous_reads: bool = True,
    ) -> None:
        """`kick` (later: `on_kick`) is called when a commit waits to be flushed.

        `anonymous_reads` False: public functions, too, want a caller with a valid credential.
        """
        self.wiring = wiring
        self.quota = quota
        self.anonymous_reads = anonymous_reads
        self.live = LiveQueries(wiring)
        self.on_kick = kick

    def head(self) -> int:
        """Timestamp of the newest durable commit."""
        return self.wiring.database.head

    def on_change(self, row_type: type[Row], notice: Callable[[], None]) -> None:
        """Call `notice` after each commit that wrote a row of this type."""
        number = self.wiring.database.table_of(row_type).number

        def look(commits: list[Commit], _stale: object) -> None:
            if any(write.table == number for commit in commits for write in commit.writes):
                notice()

        self.wiring.database.on_commits.append(look)

    # Queries.

    def query(
        self,
        call: Call,
        *,
        at: int | None = None,
        journal: str | None = None,
        internal: bool = False,
    ) -> Answer:
        """Run a query now, at the durable head or a past timestamp.

        Raises:
            AppError: the function's refusal, or the door's.

        """
        spec, allowance = self._enter(call, FunctionKind.QUERY, internal=internal)
        arguments = spec.binding.bind(call.arguments, call.spell)
        ts = self.head() if at is None else at
        run = run_query(self.wiring, spec, arguments, call.principal, journal=journal, at=at)
        if run.error is not None:
            raise run.error
        return Answer(run.value, ts, allowance)

    def attach(self, call: Call, journal: str | None, on_stale: Callable[[], None]) -> Watcher:
        """Watch a query; the watcher's `result()` carries refusals of the function as results.

        Raises:
            AppError: the door's refusal: unknown function, bad arguments, no allowance.

        """
        spec, _allowance = self._enter(call, FunctionKind.QUERY)
        arguments = spec.binding.bind(call.arguments)
        return self.live.attach(Question(spec, arguments, journal), call.principal, on_stale)

    # Mutations.

    def submit(
        self,
        call: Call,
        settled: Settled,
        *,
        then: Callable[[Transaction, int], None] | None = None,
        internal: bool = False,
    ) -> None:
        """Run a mutation; `settled` hears of it once it is durable, or has failed."""
        try:
            spec, allowance = self._enter(call, FunctionKind.MUTATION, internal=internal)
            sent, replay = _replay_of(call, spec)
            arguments = spec.binding.bind(sent, call.spell)
            run = partial(
                run_mutation, self.wiring, spec, arguments, call.principal,
                sent=sent, replay=replay, then=then,
            )  # fmt: skip
            ran = _accepted(
                self.wiring, spec, call.principal, run, allowance=allowance, settled=settled
            )
            self.wiring.database.accept(ran)
            self.on_kick()
        except AppError as error:
            settled(error)
        except Exception as error:  # noqa: BLE001 - a fault of the door's own ends this call alone
            settled(fault(self.wiring, self.wiring.registry.find(call.path, internal=True), error))

    async def mutation(self, call: Call, *, internal: bool = False) -> Answer:
        """Run a mutation and wait until it is durable.

        Raises:
            AppError: the function's refusal, or the door's; then nothing happened.

        """
        future, settled = settling(asyncio.get_running_loop())
        self.submit(call, settled, internal=internal)
        return await future

    # Actions.

    async def action(self, call: Call, *, internal: bool = False) -> Answer:
        """Run an action to its end.

        Raises:
            AppError: the function's refusal, or the door's.

        """
        spec, allowance = self._enter(call, FunctionKind.ACTION, internal=internal)
        self.require_access(spec, call.principal)
        sent, replay = _replay_of(call, spec) if spec.one_write else (call.arguments, None)
        arguments = spec.binding.bind(sent, call.spell)
        now_ms = self.wiring.runtime.wall_ns() // NS_PER_MS
        caller = ActionCaller(self, call.principal, replay)
        context = ActionCtx(caller, call.principal, now_ms=now_ms, ports=self.wiring.ports)
        try:
            async with asyncio.timeout(MAX_ACTION_SECONDS):
                value = await spec.function(context, **arguments)
        except AppError:
            raise
        except Exception as error:
            raise fault(self.wiring, spec, error) from error
        return Answer(value, self.head(), allowance)

    async def run(self, call: Call, *, internal: bool = False) -> Answer:
        """Run a function of any kind."""
        kind = self.wiring.registry.find(call.path, internal=internal).kind
        if kind is FunctionKind.QUERY:
            return self.query(call, internal=internal)
        if kind is FunctionKind.MUTATION:
            return await self.mutation(call, internal=internal)
        return await self.action(call, internal=internal)

    def require_access(self, spec: FunctionSpec, principal: Principal) -> None:
        """Refuse a caller who may not call this function at all.

        Raises:
            Unauthenticated: a credential is needed, and there is no valid one.
            Forbidden: it lacks the function's scope.

        """
        if spec.scope is not None:
            principal.require(spec.scope)
        elif not self.anonymous_reads:
            principal.require_known()

    def _enter(
        self, call: Call, kind: FunctionKind, *, internal: bool = False
    ) -> tuple[FunctionSpec, Allowance | None]:
        spec = self.wiring.registry.find(call.path, internal=internal)
        if spec.kind is not kind:
            raise WrongKind(call.path, spec.kind)
        allowance = (
            self.quota.charge(call.principal, call.address, spec.rate) if call.charged else None
        )
        if spec.public:
            self.require_access(spec, call.principal)
        return spec, allowance


class WrongKind(UnknownFunction):
    """The function exists, and is of another kind than it was called as."""

    def __init__(self, path: str, kind: FunctionKind) -> None:
        article = "an" if kind is FunctionKind.ACTION else "a"
        super().__init__(path, f"'{path}' is {article} {kind}; call it as one.")


class ActionCaller:
    """Calls made from inside an action, under the action's own principal, not charged again.

    `replay`: under which key the one mutation that it calls is remembered.
    """

    def __init__(
        self, backend: Backend, principal: Principal, replay: ReplayKey | None = None
    ) -> None:
        self._backend = backend
        self._principal = principal
        self._replay = replay

    async def call(self, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        """Run a declared function; its internal ones too."""
        spec = self._backend.wiring.registry.of(function)
        replay = None
        if spec.kind is FunctionKind.MUTATION:
            replay, self._replay = self._replay, None
        call = Call(spec.path, arguments, self._principal, replay=replay, charged=False)
        return (await self._backend.run(call, internal=True)).value


def _accepted(
    wiring: Wiring,
    spec: FunctionSpec,
    principal: Principal,
    run: Callable[[], MutationRun],
    *,
    allowance: Allowance | None,
    settled: Settled,
) -> Accepted:
    """Run a mutation for the first time, and say how to run it again and whom to tell."""
    latest = run()

    def rerun() -> tuple[ReadSet, tuple[RowWrite, ...]]:
        nonlocal latest
        try:
            latest = run()
        except AppError:
            raise
        except Exception as error:
            raise fault(wiring, spec, error) from error
        return latest.reads, latest.writes

    def done(ts: int) -> None:
        wiring.write_behind.add(latest.notes)
        settled(Answer(latest.value, ts, allowance))

    return Accepted(
        function=spec.path, caller=principal.label, reads=latest.reads, writes=latest.writes,
        rerun=rerun, done=done, failed=settled,
    )  # fmt: skip


def settling(loop: asyncio.AbstractEventLoop) -> tuple["asyncio.Future[Answer]", Settled]:
    """A future, and the callback that settles it (unless its waiter has gone)."""
    future: asyncio.Future[Answer] = loop.create_future()

    def settled(outcome: Answer | AppError) -> None:
        if future.done():
            return
        if isinstance(outcome, AppError):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    return future, settled


def _replay_of(call: Call, spec: FunctionSpec) -> tuple[Mapping[str, Any], ReplayKey | None]:
    """Take an `idempotencyKey` out of the arguments, unless the function declares one itself."""
    named = [name for name in IDEMPOTENCY_KEYS if name in call.arguments]
    if not named or any(item.name == "idempotency_key" for item in spec.arguments):
        return call.arguments, call.replay
    rest = {name: value for name, value in call.arguments.items() if name not in IDEMPOTENCY_KEYS}
    key = call.arguments[named[0]]
    if key is None:
        return rest, call.replay
    if not isinstance(key, str):
        message = "idempotencyKey must be a string"
        raise InvalidInput(message)
    return rest, caller_key(call.principal, call.address, key, spec.path, rest)
