"""The door: kinds, scopes, replays, limits, faults, jobs, time."""

import pytest

from hubify.domains.system import system
from hubify.functions import Forbidden, InvalidInput, NotFound, RateLimited, Unauthenticated
from hubify.functions.backend import Call
from hubify.functions.principal import ANONYMOUS, Principal
from hubify.functions.quota import Quota
from hubify.functions.replay import session_key
from hubify.functions.spec import RateClass
from hubify.testing.backend import InMemoryBackend, known
from hubify.values.errors import AppError, Conflict, InternalError
from tests.functions.notes import notes

KIM, LEE = known("kim"), known("lee")


@pytest.fixture
def backend() -> InMemoryBackend:
    """A backend with the notes."""
    return InMemoryBackend([system, notes])


def test_an_alias_calls_the_same_function(backend: InMemoryBackend) -> None:
    backend.mutation("notes:add", {"name": "a"}, principal=KIM)
    assert backend.query("notes:fetch", {"name": "a"}) == backend.query("notes:get", {"name": "a"})


def test_an_unknown_function_and_an_internal_one_are_refused_alike(
    backend: InMemoryBackend,
) -> None:
    for path in ("notes:nothing", "notes:refuse"):
        with pytest.raises(NotFound, match="Could not find public function for"):
            backend.mutation(path, principal=KIM)


def test_a_function_called_as_another_kind_says_what_it_is(backend: InMemoryBackend) -> None:
    with pytest.raises(NotFound, match="'notes:add' is a mutation; call it as one"):
        backend.query("notes:add", {"name": "a"}, principal=KIM)


def test_a_scope_is_asked_for_and_a_wider_one_holds_it(backend: InMemoryBackend) -> None:
    backend.mutation("notes:add", {"name": "a"}, principal=KIM)
    with pytest.raises(Unauthenticated):
        backend.mutation("notes:count", {"name": "a"}, principal=ANONYMOUS)
    with pytest.raises(Forbidden, match="notes:write"):
        backend.mutation("notes:count", {"name": "a"}, principal=known("kim", "notes:read"))
    assert backend.mutation("notes:count", {"name": "a"}, principal=known("x", "notes:admin")) == 1


def test_a_fault_of_ours_is_not_described_to_the_caller() -> None:
    backend = InMemoryBackend([system, notes], strict=False)
    with pytest.raises(InternalError, match=r"internal error in notes:broken; the log has it as"):
        backend.query("notes:broken", principal=KIM)


def test_a_mutation_can_look_at_its_arguments_as_they_were_sent(backend: InMemoryBackend) -> None:
    sent = {"title": "a", "firstCount": 2}
    told = backend.mutation("notes:echo", {**sent, "idempotencyKey": "k"}, principal=KIM)
    assert told == sent
    assert backend.mutation("notes:echo", {"name": "a"}, principal=KIM) == {"name": "a"}


def test_an_idempotency_key_makes_a_mutation_happen_once(backend: InMemoryBackend) -> None:
    first = {"name": "a", "idempotencyKey": "once"}
    made = backend.mutation("notes:add", first, principal=KIM)
    assert backend.mutation("notes:add", first, principal=KIM) == made
    with pytest.raises(Conflict, match="idempotency key"):
        backend.mutation("notes:add", {"name": "b", "idempotencyKey": "once"}, principal=KIM)
    backend.mutation("notes:add", {"name": "b", "idempotencyKey": "once"}, principal=LEE)


def test_a_failed_mutation_may_be_tried_again_under_its_key(backend: InMemoryBackend) -> None:
    counted = {"name": "a", "idempotencyKey": "k"}
    with pytest.raises(NotFound):
        backend.mutation("notes:count", counted, principal=KIM)
    backend.mutation("notes:add", {"name": "a"}, principal=KIM)
    assert backend.mutation("notes:count", counted, principal=KIM) == 1
    assert backend.mutation("notes:count", counted, principal=KIM) == 1


def test_a_remembered_answer_is_forgotten_when_its_time_is_over(backend: InMemoryBackend) -> None:
    backend.mutation("notes:add", {"name": "a"}, principal=KIM)
    counted = {"name": "a", "idempotencyKey": "k"}
    assert backend.mutation("notes:count", counted, principal=KIM) == 1
    backend.advance(15 * 86_400_000)
    assert backend.mutation("notes:count", counted, principal=KIM) == 2


def test_a_session_request_is_answered_once_however_often_it_comes(
    backend: InMemoryBackend,
) -> None:
    outcomes: list[object] = []
    for _time in range(2):
        key = session_key("s", 0, KIM, "notes:add", {"name": "a"})
        call = Call("notes:add", {"name": "a"}, KIM, replay=key)
        backend.backend.submit(call, outcomes.append)
    backend.database.flush()
    assert [getattr(outcome, "value", outcome) for outcome in outcomes] == [
        backend.query("notes:get", {"name": "a"})
    ] * 2


def test_an_allowance_is_counted_by_class_and_caller_and_begins_anew() -> None:
    now = [0]
    quota = Quota({RateClass.QUERY: 2}, lambda: now[0])
    for caller in (KIM, LEE):
        assert [_remaining(quota, caller) for _call in range(2)] == [1, 0]
        with pytest.raises(RateLimited, match="try again in 60 s"):
            quota.charge(caller, "", RateClass.QUERY)
    assert quota.charge(KIM, "", RateClass.MUTATION) is None
    now[0] = 60_000_000_000
    assert _remaining(quota, KIM) == 1


def test_anonymous_callers_are_counted_by_address() -> None:
    quota = Quota({RateClass.QUERY: 1}, lambda: 0)
    assert _remaining(quota, ANONYMOUS, "10.0.0.1") == 0
    assert _remaining(quota, ANONYMOUS, "10.0.0.2") == 0
    with pytest.raises(RateLimited):
        quota.charge(ANONYMOUS, "10.0.0.1", RateClass.QUERY)


def _remaining(quota: Quota, caller: Principal, address: str = "") -> int:
    allowance = quota.charge(caller, address, RateClass.QUERY)
    assert allowance is not None
    return allowance.remaining


def test_a_scheduled_mutation_runs_once_at_its_time(backend: InMemoryBackend) -> None:
    backend.mutation("notes:add", {"name": "a"}, principal=KIM)
    backend.mutation("notes:countLater", {"name": "a", "afterMs": 5_000}, principal=KIM)
    backend.advance(4_999)
    assert backend.query("notes:get", {"name": "a"}).count == 0
    backend.advance(10_000)
    assert backend.query("notes:get", {"name": "a"}).count == 1


def test_a_cancelled_job_does_not_run(backend: InMemoryBackend) -> None:
    backend.mutation("notes:add", {"name": "a"}, principal=KIM)
    job = backend.mutation("notes:countLater", {"name": "a", "afterMs": 5_000}, principal=KIM)
    assert backend.mutation("system:cancelJob", {"jobId": job}, principal=KIM)
    backend.advance(10_000)
    assert backend.query("notes:get", {"name": "a"}).count == 0


def test_a_hopeless_job_fails_at_once_and_says_why(backend: InMemoryBackend) -> None:
    backend.mutation("notes:countLater", {"name": "missing", "afterMs": 1}, principal=KIM)
    backend.advance(10)
    (failed,) = backend.query("system:listJobs", {"state": "failed"}).page
    assert failed.last_error == "NOT_FOUND: no note 'missing'"


def test_an_action_that_fails_is_tried_again_with_back_off_as_often_as_it_says() -> None:
    backend = InMemoryBackend([system, notes], strict=False)
    backend.mutation("notes:breakLater", principal=KIM)
    backend.advance(60_000)
    (failed,) = backend.query("system:listJobs", {"state": "failed"}).page
    assert failed.attempts == 3
    assert "INTERNAL_ERROR" in failed.last_error


def test_an_action_calls_mutations_in_transactions_of_their_own(
    backend: InMemoryBackend,
) -> None:
    backend.mutation("notes:add", {"name": "a"}, principal=KIM)
    assert backend.action("notes:countTwice", {"name": "a"}, principal=KIM) == 2
    with pytest.raises(NotFound):
        backend.action("notes:countTwice", {"name": "b"}, principal=KIM)


def test_time_enters_queries_as_data_that_moves_with_a_cron(backend: InMemoryBackend) -> None:
    backend.run_due()
    day, hour = backend.query("notes:day")
    backend.advance(25 * 3_600_000)
    assert backend.query("notes:day") == [day + 1, hour + 25]


def test_a_past_state_is_read_at_its_timestamp(backend: InMemoryBackend) -> None:
    backend.mutation("notes:add", {"name": "a"}, principal=KIM)
    before = backend.head()
    backend.mutation("notes:count", {"name": "a"}, principal=KIM)
    assert backend.query("notes:get", {"name": "a"}, at=before).count == 0
    assert backend.query("notes:get", {"name": "a"}).count == 1


def test_pages_of_a_live_query_keep_their_end(backend: InMemoryBackend) -> None:
    for name in "acdefg":
        backend.mutation("notes:add", {"name": name}, principal=KIM)
    call = Call("notes:mine", {"paginationOpts": {"numItems": 2, "cursor": None}}, KIM)
    first = backend.backend.query(call).value
    again = backend.backend.query(call, journal=first.continue_cursor).value
    assert again == first


def test_a_bad_idempotency_key_is_refused(backend: InMemoryBackend) -> None:
    for key in ("", "x" * 300, 5):
        with pytest.raises(InvalidInput):
            backend.mutation("notes:add", {"name": "a", "idempotencyKey": key}, principal=KIM)


def test_every_refusal_has_a_code_and_a_sentence(backend: InMemoryBackend) -> None:
    with pytest.raises(AppError) as caught:
        backend.query("notes:get", {"name": "none"})
    assert (caught.value.code, caught.value.message) == ("NOT_FOUND", "no note 'none'")
