"""Live queries: shared, re-run once, right at every head."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest

from hubify.domains.system import system
from hubify.functions import live
from hubify.functions.backend import Call
from hubify.functions.context import QueryCtx
from hubify.functions.live import LiveQueries, Watcher
from hubify.functions.principal import Principal
from hubify.testing.backend import InMemoryBackend, known
from hubify.values.errors import AppError, Conflict, InternalError, Unavailable
from tests.functions.notes import notes

KIM, LEE = known("kim"), known("lee")


@pytest.fixture
def backend() -> InMemoryBackend:
    """A backend with one note."""
    made = InMemoryBackend([system, notes])
    made.mutation("notes:add", {"name": "a"}, principal=KIM)
    return made


def watch(
    backend: InMemoryBackend,
    path: str,
    arguments: dict[str, Any],
    principal: Principal = KIM,
    on_stale: Callable[[], None] = lambda: None,
) -> Watcher:
    """Attach a watcher."""
    return backend.backend.attach(Call(path, arguments, principal), None, on_stale)


def test_a_watcher_is_told_once_and_then_sees_the_new_result(backend: InMemoryBackend) -> None:
    told: list[str] = []
    watcher = watch(backend, "notes:get", {"name": "a"}, on_stale=lambda: told.append("stale"))
    before = watcher.result()
    backend.mutation("notes:count", {"name": "a"}, principal=KIM)
    assert told == ["stale"]
    assert watcher.result().digest != before.digest
    assert b'"count":1.0' in watcher.result().members


def test_a_change_elsewhere_tells_nobody(backend: InMemoryBackend) -> None:
    told: list[str] = []
    watch(backend, "notes:get", {"name": "a"}, on_stale=lambda: told.append("stale")).result()
    backend.mutation("notes:add", {"name": "b"}, principal=KIM)
    assert told == []


def test_a_missing_row_is_watched_as_well(backend: InMemoryBackend) -> None:
    watcher = watch(backend, "notes:get", {"name": "b"})
    assert watcher.result().failed
    backend.mutation("notes:add", {"name": "b"}, principal=KIM)
    assert not watcher.result().failed


def test_callers_share_one_run_until_the_function_looks_at_them(backend: InMemoryBackend) -> None:
    watchers = [watch(backend, "notes:whose", {"name": "a"}, caller) for caller in (KIM, LEE)]
    assert len({watcher.result().digest for watcher in watchers}) == 1
    assert len(backend.backend.live) == 1
    backend.mutation("notes:add", {"name": "b", "colour": "blue"}, principal=KIM)
    blue = [watch(backend, "notes:whose", {"name": "b"}, caller) for caller in (KIM, LEE)]
    assert [b'"kim"' in blue[0].result().members, b'"lee"' in blue[1].result().members] == [
        True,
        True,
    ]
    assert len(backend.backend.live) == 3


def test_a_shared_result_that_becomes_personal_is_taken_apart(backend: InMemoryBackend) -> None:
    watchers = [watch(backend, "notes:whose", {"name": "b"}, caller) for caller in (KIM, LEE)]
    assert len({watcher.result().digest for watcher in watchers}) == 1
    backend.mutation("notes:add", {"name": "b", "colour": "blue"}, principal=KIM)
    assert b'"kim"' in watchers[0].result().members
    assert b'"lee"' in watchers[1].result().members


def test_a_scoped_query_is_never_shared_with_a_caller_who_lacks_the_scope(
    backend: InMemoryBackend,
) -> None:
    opts = {"paginationOpts": {"numItems": 5, "cursor": None}}
    assert not watch(backend, "notes:mine", opts, KIM).result().failed
    refused = watch(backend, "notes:mine", opts, known("kim", "other:read")).result()
    assert refused.failed
    assert b"FORBIDDEN" in refused.members


def test_nothing_is_kept_when_the_last_watcher_leaves(backend: InMemoryBackend) -> None:
    watchers = [watch(backend, "notes:get", {"name": "a"}, caller) for caller in (KIM, LEE)]
    for watcher in watchers:
        watcher.result()
    for watcher in watchers:
        watcher.detach()
    assert len(backend.backend.live) == 0
    assert len(backend.database.subscriptions) == 0


def names(watcher: Watcher) -> list[str]:
    """The names on a page, as its watcher sees it now."""
    shown = json.loads(b"{%b}" % watcher.result().members)
    return [note["name"] for note in shown["value"]["page"]]


class Failing:
    """A live query over a store that can be read only when a test says so, and a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 0.0
        self.runs = 0
        self.error: AppError | None = None
        self.answer: object = None
        self.told: list[str] = []
        self.backend = InMemoryBackend([system, notes])
        wiring = self.backend.backend.wiring
        runtime = msgspec.structs.replace(wiring.runtime, monotonic_s=lambda: self.now_s)
        self.backend.backend.live = LiveQueries(
            msgspec.structs.replace(wiring, runtime=runtime, strict=False)
        )
        spec = wiring.registry.find("notes:get")
        self._get = spec.function
        monkeypatch.setattr(spec, "function", self._run)

    def _run(self, ctx: QueryCtx, *, name: str) -> Any:  # noqa: ANN401 - a row
        self.runs += 1
        if self.error is not None:
            raise self.error
        if self.answer is not None:
            return self.answer
        return self._get(ctx, name=name)

    def watch(self) -> Watcher:
        return watch(
            self.backend, "notes:get", {"name": "a"}, on_stale=partial(self.told.append, "stale")
        )

    def commit_elsewhere(self, name: str) -> None:
        self.backend.mutation("notes:add", {"name": name}, principal=KIM)


@pytest.fixture(params=[Unavailable("the store is down"), InternalError("a bug")])
def failing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Failing:
    """A query that fails for now."""
    made = Failing(monkeypatch)
    made.commit_elsewhere("a")
    made.error = request.param
    return made


def test_results_are_kept_within_a_bound_and_made_anew_when_asked_for(
    failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing.error = None
    monkeypatch.setattr(live, "MAX_KEPT_BYTES", 1_000)
    for number in range(20):
        failing.commit_elsewhere(f"n{number}")
    watchers = [watch(failing.backend, "notes:get", {"name": f"n{n}"}) for n in range(20)]
    digests = [watcher.result().digest for watcher in watchers]
    queries = failing.backend.backend.live
    assert failing.runs == 20
    assert queries.kept_bytes <= 1_000
    assert [watcher.result().digest for watcher in watchers] == digests
    assert failing.runs > 30
    failing.backend.mutation("notes:count", {"name": "n0"}, principal=KIM)
    assert watchers[0].result().digest != digests[0]
    for watcher in watchers:
        watcher.detach()
    assert (len(queries), queries.kept_bytes) == (0, 0)
    assert len(failing.backend.database.subscriptions) == 0


def test_a_failure_that_may_pass_is_gone_after_the_next_commit(failing: Failing) -> None:
    watcher = failing.watch()
    assert watcher.result().failed
    failing.error = None
    failing.now_s = 2
    failing.commit_elsewhere("b")
    assert failing.told == ["stale"]
    assert not watcher.result().failed
    failing.commit_elsewhere("c")
    assert failing.told == ["stale"]


def test_a_failure_that_may_pass_is_gone_when_somebody_looks_after_a_while(
    failing: Failing,
) -> None:
    watchers = [failing.watch() for _ in range(3)]
    assert all(watcher.result().failed for watcher in watchers)
    assert failing.runs == 1
    failing.error = None
    assert watchers[0].result().failed
    failing.now_s = 1
    assert not any(watcher.result().failed for watcher in watchers)
    assert failing.runs == 2


def test_what_goes_on_failing_is_asked_less_and_less_often(failing: Failing) -> None:
    watcher = failing.watch()
    for second in range(600):
        failing.now_s = second
        failing.commit_elsewhere(f"n{second}")
        assert watcher.result().failed
    assert 10 <= failing.runs <= 20
    watcher.detach()
    failing.told.clear()
    failing.now_s = 10_000
    failing.commit_elsewhere("last")
    assert failing.told == []
    assert len(failing.backend.database.subscriptions) == 0


def test_an_answer_that_cannot_be_sent_is_a_failure_too(failing: Failing) -> None:
    failing.error, failing.answer = None, object()
    watcher = failing.watch()
    assert b"INTERNAL_ERROR" in watcher.result().members
    assert watcher.result().failed
    assert failing.runs == 1
    failing.answer, failing.now_s = None, 1
    assert not watcher.result().failed


def test_a_refusal_of_the_function_is_kept_until_what_it_read_changes(failing: Failing) -> None:
    failing.error = Conflict("no")
    watcher = failing.watch()
    assert watcher.result().failed
    failing.now_s = 100
    failing.commit_elsewhere("b")
    assert watcher.result().failed
    assert failing.runs == 1


@pytest.fixture
def letters(backend: InMemoryBackend) -> InMemoryBackend:
    """A backend with the notes a to f, all of one owner."""
    for name in "bcdef":
        backend.mutation("notes:add", {"name": name}, principal=KIM)
    return backend


FIRST_THREE = {"paginationOpts": {"numItems": 3, "cursor": None}}


def test_a_live_page_keeps_the_end_of_its_first_run(letters: InMemoryBackend) -> None:
    watcher = watch(letters, "notes:mine", FIRST_THREE)
    assert names(watcher) == ["a", "b", "c"]
    letters.mutation("notes:drop", {"name": "b"}, principal=KIM)
    assert names(watcher) == ["a", "c"]
    letters.mutation("notes:drop", {"name": "c"}, principal=KIM)
    assert names(watcher) == ["a"]


def test_who_comes_later_is_counted_out_a_page_anew(letters: InMemoryBackend) -> None:
    early = watch(letters, "notes:mine", FIRST_THREE)
    assert names(early) == ["a", "b", "c"]
    letters.mutation("notes:drop", {"name": "b"}, principal=KIM)
    assert names(early) == ["a", "c"]
    late = watch(letters, "notes:mine", FIRST_THREE)
    assert names(late) == ["a", "c", "d"]
    letters.mutation("notes:drop", {"name": "a"}, principal=KIM)
    assert (names(early), names(late)) == (["c"], ["c", "d"])


def test_watchers_of_one_page_go_on_to_share_it(letters: InMemoryBackend) -> None:
    watchers = [watch(letters, "notes:mine", FIRST_THREE) for _ in range(3)]
    for gone in ("b", "c"):
        assert len({watcher.result().digest for watcher in watchers}) == 1
        assert len(letters.backend.live) == 1
        letters.mutation("notes:drop", {"name": gone}, principal=KIM)
    assert [names(watcher) for watcher in watchers] == [["a"]] * 3
    for watcher in watchers:
        watcher.detach()
    assert len(letters.backend.live) == 0
    assert len(letters.database.subscriptions) == 0


def test_a_page_end_of_another_list_is_forgotten(letters: InMemoryBackend) -> None:
    end = watch(letters, "notes:mine", FIRST_THREE).result().journal
    assert end is not None
    letters.mutation("notes:add", {"name": "x"}, principal=LEE)
    call = Call("notes:mine", FIRST_THREE, LEE)
    assert names(letters.backend.attach(call, end, lambda: None)) == ["x"]
