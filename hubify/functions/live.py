"""Live queries: one run per distinct question, however many are watching.

A query's result is shared by all who ask the same function with the same arguments and, only when
the function looked at its caller, the same principal. A commit that touches what a run read makes
it stale; the first watcher who then asks runs it again, at the durable head, for all. A page keeps
the end that its first run found: from the second run on its watchers ask for just that page, while
others who come and ask for a page of so many rows are counted out their own.

Results are kept within a bound of bytes; one that was dropped is made anew when it is asked for.

Invariant: `result()` equals a fresh run of the watcher's question at the durable head, but for a
failure that may pass (a bug met by chance, a store that cannot be read): that is shown until the
question is run again, which is at the first commit or at the first look after a short while.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from hubify.core.schema import to_extension
from hubify.core.subscriptions import Token
from hubify.functions.principal import Principal
from hubify.functions.runs import QueryRun, fault, run_query
from hubify.functions.spec import FunctionSpec
from hubify.functions.wiring import Wiring
from hubify.values.errors import AppError
from hubify.wire.results import LiveResult, encode_answer, live_refusal, live_value

RETRY_S = 1.0  # from a failure that may pass to the next run; doubled for each one that fails
LONGEST_RETRY_S = 60.0
MAX_KEPT_BYTES = 128 * 1024 * 1024  # of all results; the newest may be larger alone
MAX_COUNTED = 10  # failures in a row; more wait no longer

Key = tuple[str, bytes, str | None, Principal | None]


class Question(msgspec.Struct, frozen=True):
    """What is asked: a function, its bound arguments, and the page end a client remembers."""

    spec: FunctionSpec
    arguments: dict[str, Any]
    journal: str | None

    def key(self) -> tuple[str, bytes, str | None]:
        """Equal for equal questions."""
        encoded = msgspec.msgpack.encode(
            self.arguments, enc_hook=to_extension, order="deterministic"
        )
        return self.spec.path, encoded, self.journal

    def ending_at(self, journal: str | None) -> "Question":
        """The same question, for a page with this end."""
        return Question(self.spec, self.arguments, journal)


class Shared:
    """One question's current result, its subscription and its watchers."""

    def __init__(self, key: Key, question: Question) -> None:
        self.key = key
        self.question = question
        self.watchers: set[Watcher] = set()
        self.token: Token | None = None
        self.result: LiveResult | None = None
        self.journal = question.journal
        self.personal = key[3] is not None
        self.failures = 0
        self.retry_at = 0.0


class Watcher:
    """One caller's hold on a shared question."""

    def __init__(
        self,
        live: "LiveQueries",
        question: Question,
        principal: Principal,
        on_stale: Callable[[], None],
    ) -> None:
        self.question = question
        self.principal = principal
        self.on_stale = on_stale
        self.shared: Shared | None = None
        self._live = live

    def result(self) -> LiveResult:
        """The result at the durable head; runs the query when something it read has changed."""
        return self._live.result_for(self)

    def detach(self) -> None:
        """Stop watching."""
        self._live.release(self)


class LiveQueries:
    """All live queries of a process."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._shared: dict[Key, Shared] = {}
        self._by_token: dict[Token, Shared] = {}
        self._failing: dict[Shared, None] = {}
        self._kept: dict[Shared, int] = {}
        self.kept_bytes = 0
        wiring.database.on_commits.append(lambda _commits, stale: self._mark_stale(stale))

    def __len__(self) -> int:
        return len(self._shared)

    def attach(
        self, question: Question, principal: Principal, on_stale: Callable[[], None]
    ) -> Watcher:
        """Begin to watch; `on_stale` is called after a commit that may change the result."""
        return Watcher(self, question, principal, on_stale)

    def result_for(self, watcher: Watcher) -> LiveResult:
        """The shared result, joining or moving to the right sharing first."""
        shared = watcher.shared or self._join(watcher)
        if shared.result is None or self._is_due(shared):
            run = self._run(shared, watcher.principal)
            if run.personal and not shared.personal:
                # It looks at its caller now: what was one question becomes one per principal.
                self._scatter(shared)
                return self.result_for(watcher)
        assert shared.result is not None, "a run leaves a result"
        return shared.result

    def release(self, watcher: Watcher) -> None:
        """Let go of a shared question; the last to leave drops it."""
        shared, watcher.shared = watcher.shared, None
        if shared is None:
            return
        shared.watchers.discard(watcher)
        if not shared.watchers:
            self._drop(shared)

    def _join(self, watcher: Watcher) -> Shared:
        asked = watcher.question.key()
        shared = self._shared.get((*asked, watcher.principal)) or self._shared.get((*asked, None))
        if shared is None or (shared.result is None and not shared.personal):
            shared = self._open(watcher, asked)
        shared.watchers.add(watcher)
        watcher.shared = shared
        return shared

    def _open(self, watcher: Watcher, asked: tuple[str, bytes, str | None]) -> Shared:
        """Run for the first time, to learn whether the answer depends on who asks."""
        trial = Shared((*asked, watcher.principal), watcher.question)
        run = self._run(trial, watcher.principal)
        if not run.personal:
            trial.key = (*asked, None)
            trial.personal = False
            known = self._shared.get(trial.key)
            if known is not None:
                self._unsubscribe(known)
                known.token, known.journal = trial.token, trial.journal
                self._keep(known, trial.result)
                self._keep(trial, None)
                if known.token is not None:
                    self._by_token[known.token] = known
                self._note_failure(known)
                self._failing.pop(trial, None)
                return known
        self._shared[trial.key] = trial
        return trial

    def _run(self, shared: Shared, principal: Principal) -> QueryRun:
        question = shared.question
        run = run_query(
            self._wiring, question.spec, question.arguments, principal, journal=question.journal
        )
        self._keep(shared, self._as_result(run, question.spec))
        self._note_failure(shared)
        if run.journal is not None:
            shared.journal = run.journal
        self._unsubscribe(shared)
        shared.token = Token(run.reads)
        self._by_token[shared.token] = shared
        self._wiring.database.subscriptions.add(shared.token)
        return run

    def _unsubscribe(self, shared: Shared) -> None:
        if shared.token is not None:
            self._wiring.database.subscriptions.drop(shared.token)
            self._by_token.pop(shared.token, None)
            shared.token = None

    def _scatter(self, shared: Shared) -> None:
        """Let each watcher find its place again, asking for the page that it was shown."""
        self._drop(shared)
        question = shared.question.ending_at(shared.journal)
        for watcher in list(shared.watchers):
            watcher.question = question
            watcher.shared = None
            watcher.on_stale()

    def _mark_stale(self, stale: set[Token]) -> None:
        for token in stale:
            shared = self._by_token.pop(token, None)
            if shared is not None:
                self._stale(shared)
        for shared in [shared for shared in self._failing if self._is_due(shared)]:
            self._unsubscribe(shared)
            self._stale(shared)

    def _as_result(self, run: QueryRun, spec: FunctionSpec) -> LiveResult:
        try:
            return as_result(run)
        except Exception as error:  # noqa: BLE001 - an answer that is no value is a bug of its function
            return live_refusal(fault(self._wiring, spec, error), run.journal)

    def _note_failure(self, shared: Shared) -> None:
        """After a run: remember a question that failed for now, and when to run it again."""
        if shared.result is None or not shared.result.passing:
            shared.failures = 0
            self._failing.pop(shared, None)
            return
        wait_s = min(LONGEST_RETRY_S, RETRY_S * 2**shared.failures)
        shared.failures = min(shared.failures + 1, MAX_COUNTED)
        shared.retry_at = self._wiring.runtime.monotonic_s() + wait_s
        self._failing[shared] = None

    def _is_due(self, shared: Shared) -> bool:
        """Whether a failure has been shown for long enough."""
        failed_for_now = shared.result is not None and shared.result.passing
        return failed_for_now and self._wiring.runtime.monotonic_s() >= shared.retry_at

    def _drop(self, shared: Shared) -> None:
        self._unsubscribe(shared)
        self._keep(shared, None)
        self._shared.pop(shared.key, None)
        self._failing.pop(shared, None)

    def _keep(self, shared: Shared, result: LiveResult | None) -> None:
        """Set a question's result; beyond the bound those set longest ago are dropped."""
        self.kept_bytes -= self._kept.pop(shared, 0)
        shared.result = result
        if result is None:
            return
        size = self._kept[shared] = len(result.members)
        self.kept_bytes += size
        while self.kept_bytes > MAX_KEPT_BYTES and len(self._kept) > 1:
            self._keep(next(iter(self._kept)), None)

    def _stale(self, shared: Shared) -> None:
        shared.token = None
        self._keep(shared, None)
        if shared.journal != shared.question.journal:
            self._scatter(shared)
            return
        for watcher in list(shared.watchers):
            watcher.on_stale()


def as_result(run: QueryRun) -> LiveResult:
    """A run as the sync protocol carries it."""
    if run.error is not None:
        return live_refusal(run.error, run.journal)
    try:
        return live_value(encode_answer(run.value), run.journal)
    except AppError as too_large:
        return live_refusal(too_large, run.journal)
