"""A deterministic host for sessions: a store of named numbers that tests commit to by hand.

Queries: `store:get {key}` answers a number, `store:fail {key}` fails with it, `store:whoami`
answers the caller's owner. Mutations and actions end when the test says so.
"""

from collections.abc import Callable
from functools import partial

from hubify.functions.backend import Call
from hubify.functions.principal import ANONYMOUS, CallerKind, Principal
from hubify.transports.sync.host import Done
from hubify.values.errors import (
    AppError,
    Conflict,
    InternalError,
    NotFound,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from hubify.wire import convex_json
from hubify.wire.results import CallResult, LiveResult, call_refusal, live_refusal, live_value

START_TS = 1_795_338_767_876_000_000
REFUSALS: dict[str, AppError] = {
    "wrong": Unauthenticated("this key is not known"),
    "down": Unavailable("the store is down"),
    "many": RateLimited("slow down", retry_after_s=1),
    "broken": InternalError("a bug"),
}


class FakeLive:
    """One watched query; runs at the head whenever it is asked and stale."""

    def __init__(self, host: "FakeHost", call: Call, on_stale: Callable[[], None]) -> None:
        self.host = host
        self.call = call
        self.on_stale = on_stale
        self.known: LiveResult | None = None

    def result(self) -> LiveResult:
        if self.known is None:
            self.host.runs += 1
            self.known = self.host.run(self.call)
        return self.known

    def detach(self) -> None:
        self.host.lives.discard(self)


class Pending:
    """A call under way."""

    def __init__(self, call: Call, done: Done, key: tuple[str, int]) -> None:
        self.call = call
        self.done = done
        self.key = key


class FakeHost:
    """See the module."""

    def __init__(self) -> None:
        self.ts = START_TS
        self.store: dict[str, int] = {}
        self.lives: set[FakeLive] = set()
        self.mutations: list[Pending] = []
        self.actions: list[Pending] = []
        self.recorded: dict[tuple[str, int], CallResult] = {}
        self.applied: list[tuple[str, int]] = []
        self.guards: dict[str, list[Callable[[AppError], None]]] = {}
        self.journals: list[str | None] = []
        self.charged: list[bool] = []
        self.limited = False
        self.runs = 0

    # What sessions call.

    def head(self) -> int:
        return self.ts

    def authenticate(self, token_type: str, value: str, address: str) -> Principal:
        assert address
        if token_type == "None":
            return ANONYMOUS
        if value in REFUSALS:
            raise REFUSALS[value]
        return Principal(CallerKind.KEY, owner=value, credential=value)

    def watch_identity(
        self, principal: Principal, value: str, ended: Callable[[AppError], None]
    ) -> Callable[[], None]:
        assert principal.owner == value
        guards = self.guards.setdefault(value, [])
        guards.append(ended)
        return partial(guards.remove, ended)

    def attach(self, call: Call, journal: str | None, on_stale: Callable[[], None]) -> FakeLive:
        self.journals.append(journal)
        self.charged.append(call.charged)
        if self.limited:
            raise RateLimited("slow down", retry_after_s=1)
        if not call.path.startswith("store:"):
            raise NotFound(f"Could not find public function for '{call.path}'.")
        live = FakeLive(self, call, on_stale)
        self.lives.add(live)
        return live

    def start_mutation(self, call: Call, session_id: str, request_id: int, done: Done) -> None:
        if call.path == "store:refuse":
            done(call_refusal(Conflict("no")))
            return
        self.mutations.append(Pending(call, done, (session_id, request_id)))

    def start_action(self, call: Call, done: Done) -> None:
        self.actions.append(Pending(call, done, ("", 0)))

    # What tests do.

    def run(self, call: Call) -> LiveResult:
        key = str(call.arguments.get("key", ""))
        if call.path == "store:whoami":
            return live_value(convex_json.encode(call.principal.owner))
        if call.path == "store:long":
            size = call.arguments.get("size", 0)
            assert isinstance(size, int)
            return live_value(convex_json.encode(key * size))
        if call.path == "store:down":
            return live_refusal(Unavailable("the store is down"))
        if call.path == "store:fail":
            return live_refusal(Conflict(f"{key} is {self.store.get(key, 0)}"))
        return live_value(convex_json.encode(self.store.get(key, 0)))

    def commit(self, key: str, value: int) -> int:
        """Store a number durably, and tell who reads it."""
        self.ts += 10
        self.store[key] = value
        for live in list(self.lives):
            if live.call.arguments.get("key") == key:
                live.known = None
                live.on_stale()
        return self.ts

    def finish_mutation(self, error: AppError | None = None) -> None:
        """End the mutation that runs: `store:set {key, value}` is applied once."""
        pending = self.mutations.pop(0)
        if error is not None:
            pending.done(call_refusal(error))
            return
        result = self.recorded.get(pending.key)
        if result is None:
            self.applied.append(pending.key)
            arguments = pending.call.arguments
            key, value = str(arguments.get("key", "")), arguments.get("value", 0)
            assert isinstance(value, int)
            result = CallResult(ok=True, ts=self.commit(key, value), value_json=b"1.0")
            self.recorded[pending.key] = result
        pending.done(result)

    def finish_action(self, which: int) -> None:
        """End one of the actions under way."""
        self.actions.pop(which).done(CallResult(ok=True, value_json=b"2.0"))

    def revoke(self, value: str) -> None:
        """End an identity."""
        for ended in list(self.guards.get(value, [])):
            ended(Unauthenticated("this key was revoked"))
