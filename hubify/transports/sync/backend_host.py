"""The sync sessions' host: the backend, in the protocol's terms.

Invariant: it adds nothing to the backend but encoding; each result is encoded once for everyone.
"""

import asyncio
import logging
from collections.abc import Callable

from hubify.functions.backend import Answer, Backend, Call
from hubify.functions.identities import Identities
from hubify.functions.live import Watcher
from hubify.functions.principal import ANONYMOUS, Principal
from hubify.functions.replay import session_key
from hubify.transports.credentials import Callers
from hubify.transports.sync.host import Done
from hubify.values.errors import AppError, InternalError
from hubify.wire.results import CallResult, call_refusal, encode_answer

NO_TOKEN = "None"  # noqa: S105 - how the protocol names the lack of one

log = logging.getLogger("hubify.sync")


class BackendHost:
    """See `Host`."""

    def __init__(self, backend: Backend, identities: Identities) -> None:
        self._backend = backend
        self._identities = identities
        self._callers = Callers(identities, backend.quota)
        self._actions: set[asyncio.Task[None]] = set()

    def head(self) -> int:
        """Timestamp of the newest durable commit."""
        return self._backend.head()

    def authenticate(self, token_type: str, value: str, address: str) -> Principal:
        """The principal of a token; anonymous for the type `None`."""
        return ANONYMOUS if token_type == NO_TOKEN else self._callers.of_secret(value, address)

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
            replay=session_key(
                session_id, request_id, call.principal, call.path, call.arguments
            ),
        )  # fmt: skip
        self._backend.submit(keyed, lambda outcome: done(_as_result(call.path, outcome)))

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
        except Exception as error:  # noqa: BLE001 - the caller waits for an end, of any kind
            outcome = _fault(call.path, error)
        done(_as_result(call.path, outcome))


def _as_result(path: str, outcome: Answer | AppError) -> CallResult:
    """The outcome on the wire. Never raises: whoever tells it has others to tell as well."""
    if isinstance(outcome, AppError):
        return call_refusal(outcome)
    try:
        return CallResult(ok=True, ts=outcome.ts, value_json=encode_answer(outcome.value))
    except AppError as error:
        return call_refusal(error)
    except Exception as error:  # noqa: BLE001 - a function's answer that is not a value
        return call_refusal(_fault(path, error))


def _fault(path: str, error: Exception) -> InternalError:
    log.error("fault in answering %s", path, exc_info=error)
    return InternalError("internal error; the server's log has it")


def _nothing() -> None:
    return None
