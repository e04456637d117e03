"""Mutations and actions of one connection, each answered at most once.

Invariant: mutations run one after another in the order of arrival (and then wait for the disk
together), actions side by side; a request id is answered once per connection, however often it
comes (convex-protocol.md, 2.3 and rule 7).
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from hubify.functions.backend import Call
from hubify.transports.sync.host import Host
from hubify.values import limits
from hubify.values.errors import AppError, InternalError, RateLimited
from hubify.wire.results import CallResult, call_refusal
from hubify.wire.server_texts import action_response, mutation_response
from hubify.wire.sync_messages import ProtocolViolation

MAX_BURST = 16  # mutations that are started in one go, before others have their turn
MAX_STARTED = 256  # mutations that have run and wait for the disk
MAX_GAPS = 1_000  # in a connection's request ids; a client counts, so a few are usual
RETRY_AFTER_S = 1.0
FAULT = call_refusal(InternalError("internal error; the server's log has it"))


class Request(NamedTuple):
    """One request: a call as the identity of its moment makes it, or why it may not be made."""

    id: int
    call: Call | AppError


class Requests:
    """The requests of one connection. `answered(text, ts)` hears of each end; ts may be 0.

    A fault of the host's ends the one call that met it, and `on_fault` hears of it.
    """

    def __init__(
        self,
        host: Host,
        answered: Callable[[bytes, int], None],
        on_fault: Callable[[Exception], None],
    ) -> None:
        self._host = host
        self._on_fault = on_fault
        self._answered = answered
        self._session_id = ""
        self._waiting: deque[Request] = deque()
        self._started: dict[int, Request] = {}
        self._pumping = False
        self._acting: set[int] = set()
        self._seen = SeenIds()
        self._ended = False

    @property
    def queued(self) -> int:
        """How many mutations wait for their turn."""
        return len(self._waiting)

    @property
    def mutating(self) -> int | None:
        """The request id of the mutation that has waited longest for its end."""
        return next(iter(self._started), None)

    def begin(self, session_id: str) -> None:
        """Take the name under which mutations happen once."""
        self._session_id = session_id

    def is_new(self, request_id: int) -> bool:
        """Whether this id comes for the first time on this connection.

        Raises:
            ProtocolViolation: the ids are too scattered to be remembered.

        """
        return self._seen.add(request_id)

    def mutate(self, request: Request) -> None:
        """Run a mutation when those before it have run."""
        if len(self._waiting) >= limits.MAX_QUEUED_MUTATIONS:
            self._refuse_mutation(request.id, _too_many("TooManyConcurrentMutations", "mutations"))
            return
        self._waiting.append(request)
        self.pump()

    def act(self, request: Request) -> None:
        """Run an action now."""
        call = request.call
        if len(self._acting) >= limits.MAX_INFLIGHT_ACTIONS:
            call = _too_many("TooManyInflightActionsForSingleClient", "actions")
        if isinstance(call, AppError):
            self._answered(action_response(request.id, call_refusal(call)), 0)
            return
        self._acting.add(request.id)

        def done(result: CallResult) -> None:
            if request.id in self._acting:
                self._acting.discard(request.id)
                self._answered(action_response(request.id, result), 0)

        try:
            self._host.start_action(call, done)
        except Exception as fault:  # noqa: BLE001 - told, and answered
            self._on_fault(fault)
            done(FAULT)

    def pump(self) -> None:
        """Start the mutations that wait, in order, as far as the bounds allow."""
        if self._pumping:
            return
        self._pumping = True
        try:
            for _ in range(MAX_BURST):
                if len(self._started) >= MAX_STARTED or not self._waiting or self._ended:
                    return
                self._start(self._waiting.popleft())
        finally:
            self._pumping = False

    def end(self) -> None:
        """Forget what waits; what runs goes on, and its answer is dropped."""
        self._ended = True
        self._waiting.clear()
        self._acting.clear()

    def check(self) -> None:
        """Assert what always holds."""
        assert len(self._waiting) <= limits.MAX_QUEUED_MUTATIONS
        assert len(self._acting) <= limits.MAX_INFLIGHT_ACTIONS

    def _start(self, request: Request) -> None:
        if isinstance(request.call, AppError):
            self._refuse_mutation(request.id, request.call)
            return
        self._started[request.id] = request

        def done(result: CallResult) -> None:
            if self._started.pop(request.id, None) is not None:
                self._finish_mutation(request.id, result)
                self.pump()

        try:
            self._host.start_mutation(request.call, self._session_id, request.id, done)
        except Exception as fault:  # noqa: BLE001 - told, and answered
            self._on_fault(fault)
            done(FAULT)

    def _refuse_mutation(self, request_id: int, error: AppError) -> None:
        self._finish_mutation(request_id, call_refusal(error))

    def _finish_mutation(self, request_id: int, result: CallResult) -> None:
        if self._ended:
            return
        # A mutation that wrote nothing has no timestamp of its own; the head reflects it.
        ts = self._host.head() if result.ts is None else result.ts
        self._answered(mutation_response(request_id, result, ts), ts if result.ok else 0)


class SeenIds:
    """The request ids of a connection as ranges, since a client counts them up."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, number: int) -> bool:
        """Remember a number; whether it is new.

        Raises:
            ProtocolViolation: the numbers lie too far apart to be remembered.

        """
        at = bisect_right(self._starts, number)
        if at and number < self._ends[at - 1]:
            return False
        joins_before = at > 0 and self._ends[at - 1] == number
        joins_after = at < len(self._starts) and self._starts[at] == number + 1
        if joins_before and joins_after:
            self._ends[at - 1] = self._ends[at]
            del self._starts[at], self._ends[at]
        elif joins_before:
            self._ends[at - 1] = number + 1
        elif joins_after:
            self._starts[at] = number
        else:
            self._insert(at, number)
        return True

    def _insert(self, at: int, number: int) -> None:
        if len(self._starts) > MAX_GAPS:
            raise ProtocolViolation("request ids should count up by one")
        self._starts.insert(at, number)
        self._ends.insert(at, number + 1)


def _too_many(name: str, what: str) -> RateLimited:
    message = f"{name}: too many {what} are under way on this connection; wait for some to end"
    return RateLimited(message, retry_after_s=RETRY_AFTER_S)
