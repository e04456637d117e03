"""The sync sessions' host: the backend, in the protocol's terms.

Invariant: it adds nothing to the backend but encoding; each result is encoded once for everyone.
"""

import asyncio
from collections.abc import Callable

from hubify.functions.backend import Answer, Backend, Call
from hubify.functions.identities import Identities
from hubify.functions.live import Watcher
from hubify.functions.principal import ANONYMOUS, Principal
from hubify.functions.replay import session_key
from hubify.transports.sync.host import Done
from hubify.values.errors import AppError
from hubify.wire.results import CallResult, call_refusal
from hubify.wire.styles import CONVEX, encode


class BackendHost:
    """See `Host`."""

    def __init__(self, backend: Backend, identities: Identities) -> None:
        self._backend = backend
        self._identities = identities
        self._actions: set[asyncio.Task[None]] = set()

    def head(self) -> int:
        """Timestamp of the newest durable commit."""
        return self._backend.head()

    def authenticate(self, token_type: str, value: str, address: str) -> Principal:  # noqa: ARG002
        """The principal of a token; anonymous for the type `None`."""
        return ANONYMOUS if token_type == "None" else self._identities.find(value)

    def watch_identity(
        self, principal: Principal, value: str, ended: Callable[[AppError], None]
    ) -> Callable[[], None]:
        """Be told when the token stops being valid."""
        if not principal.is_known:
            return _nothing
        guard = self._identities.guard(value, ended)
        return lambda: self._identities.release(guard)

    def attach(self, call: Call, journal: str | None, on_stale: Callable[[], None]) -> Watcher:
        """Watch a query."""
        return self._backend.attach(call, journal, on_stale)

    def start_mutation(self, call: Call, session_id: str, request_id: int, done: Done) -> None:
        """Run a mutation once for its (session, request)."""
        keyed = Call(
            call.path, call.arguments, call.principal, call.address,
            replay=session_key(session_id, request_id, call.path),
        )  # fmt: skip
        self._backend.submit(keyed, lambda outcome: done(_as_result(outcome)))

    def start_action(self, call: Call, done: Done) -> None:
        """Run an action in a task of its own."""
        task = asyncio.get_running_loop().create_task(self._act(call, done))
        self._actions.add(task)
        task.add_done_callback(self._actions.discard)

    async def _act(self, call: Call, done: Done) -> None:
        try:
            outcome: Answer | AppError = await self._backend.action(call)
        except AppError as error:
            outcome = error
        done(_as_result(outcome))


def _as_result(outcome: Answer | AppError) -> CallResult:
    if isinstance(outcome, AppError):
        return call_refusal(outcome)
    return CallResult(ok=True, ts=outcome.ts, value_json=encode(outcome.value, CONVEX))


def _nothing() -> None:
    return None
