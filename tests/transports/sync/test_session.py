"""The rules of the sync protocol, one by one (numbers: convex-protocol.md, section 0)."""

from collections.abc import Callable

import msgspec
import pytest

from hubify.transports.sync import session as session_module
from hubify.transports.sync.frames import Frames
from hubify.transports.sync.session import Closing
from hubify.values import limits
from hubify.values.errors import Conflict
from hubify.wire import server_texts
from hubify.wire.clients import Client
from hubify.wire.results import CallResult
from hubify.wire.sync_messages import (
    Add,
    Authenticate,
    Connect,
    Event,
    ModifyQuerySet,
    Mutation,
    Remove,
    Transition,
    TransitionChunk,
)
from hubify.wire.timestamps import encode_ts
from tests.transports.sync.fake_host import START_TS, FakeHost
from tests.transports.sync.model_client import (
    NPM,
    PYTHON,
    SESSION,
    ModelClient,
    framed,
    told,
    transitions,
)


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


@pytest.fixture
def client(host: FakeHost) -> ModelClient:
    connected = ModelClient(host)
    connected.settle()
    return connected


def ended(ts: int | None) -> CallResult:
    """A call that succeeded."""
    return CallResult(ok=True, ts=ts)


# Opening.


def test_rule_20_a_ping_follows_connect_at_once(host: FakeHost) -> None:
    assert told(ModelClient(host).settle()) == ["Ping"]


def test_rule_3_the_first_transition_starts_at_zero(host: FakeHost, client: ModelClient) -> None:
    client.watch(0, key="a")
    (transition,) = transitions(client.settle())
    assert transition.start_version.ts == "AAAAAAAAAAA="
    assert transition.end_version.ts == encode_ts(host.ts)
    assert client.results == {0: 0.0}


def test_an_empty_query_set_gets_an_empty_transition(client: ModelClient) -> None:
    client.modify()
    (transition,) = transitions(client.settle())
    assert transition.modifications == []
    assert client.version.query_set == 1


def test_identity_and_queries_sent_together_are_told_together(client: ModelClient) -> None:
    client.authenticate("ana")
    client.watch(0, "store:whoami")
    assert len(transitions(client.settle())) == 1
    assert client.version[:2] == (1, 1)
    assert client.results == {0: "ana"}


def test_a_client_that_saw_a_later_timestamp_is_sent_away_to_retry(host: FakeHost) -> None:
    client = ModelClient(host, connect=False)
    client.send(Connect(session_id=SESSION, max_observed_timestamp=encode_ts(START_TS + 1)))
    assert told(client.settle()) == []
    assert client.session.closing is not None
    assert client.session.closing.code == 1011
    assert client.session.closing.reason.startswith("InternalServerError")


def test_a_client_that_saw_our_head_is_welcome(host: FakeHost) -> None:
    client = ModelClient(host, connect=False)
    client.send(Connect(session_id=SESSION, max_observed_timestamp=encode_ts(START_TS)))
    assert told(client.settle()) == ["Ping"]


# Queries.


def test_a_commit_that_changes_a_watched_result_is_told(
    host: FakeHost, client: ModelClient
) -> None:
    client.watch(0, key="a")
    client.settle()
    host.commit("a", 5)
    client.settle()
    assert client.results == {0: 5.0}
    assert client.version.ts == host.ts


def test_a_commit_that_touches_nothing_watched_sends_nothing(
    host: FakeHost, client: ModelClient
) -> None:
    client.watch(0, key="a")
    client.settle()
    host.commit("b", 5)
    assert client.settle() == []


def test_an_unchanged_result_is_left_out(host: FakeHost, client: ModelClient) -> None:
    client.watch(0, key="a")
    client.settle()
    host.commit("a", 0)
    (transition,) = transitions(client.settle())
    assert transition.modifications == []
    assert client.version.ts == host.ts


def test_all_queries_of_a_client_move_together(host: FakeHost, client: ModelClient) -> None:
    client.watch(0, key="a")
    client.watch(1, key="b")
    client.settle()
    host.commit("a", 1)
    host.commit("b", 2)
    assert len(transitions(client.settle())) == 1
    assert client.results == {0: 1.0, 1: 2.0}


def test_a_failing_query_is_told_with_code_and_message(client: ModelClient) -> None:
    client.watch(0, "store:fail", key="a")
    client.settle()
    assert client.failures == {0: ("a is 0", {"code": "CONFLICT", "message": "a is 0"})}


def test_a_query_may_fail_and_recover(host: FakeHost, client: ModelClient) -> None:
    client.watch(0, "store:fail", key="a")
    client.settle()
    host.commit("a", 7)
    client.settle()
    assert client.failures[0][0] == "a is 7"


def test_a_missing_function_fails_its_query_only(client: ModelClient) -> None:
    client.watch(0, "nothing:here")
    client.watch(1, key="a")
    client.settle()
    assert client.failures[0][0] == "Could not find public function for 'nothing:here'."
    assert client.results == {1: 0.0}


@pytest.mark.parametrize(
    ("path", "args", "message"),
    [
        ("not a path", [{}], "is not a function path"),
        ("store:get", [{"x": {"$set": []}}], r"args.x uses '$set'"),
        ("store:get", [1], "args must be one object"),
        ("store:get", [{}, {}], "args must be one object"),
        ("store:get", None, "args must be one object"),
    ],
)
def test_a_query_that_cannot_be_asked_fails_like_any_other(
    client: ModelClient, path: str, args: object, message: str
) -> None:
    client.modify(Add(query_id=0, udf_path=path, args=args))
    client.settle()
    assert message in client.failures[0][0]
    client.modify(Remove(query_id=0))
    client.settle()
    assert client.failures == {}


@pytest.mark.parametrize("args", [{"key": "a"}, [{"key": "a"}]])
def test_arguments_come_bare_or_in_an_array(client: ModelClient, args: object) -> None:
    client.modify(Add(query_id=0, udf_path="store:get", args=args))
    client.settle()
    assert client.results == {0: 0.0}


def test_rule_18_every_spelling_of_a_path_reaches_the_function(client: ModelClient) -> None:
    client.watch(0, "store.js:get", key="a")
    client.settle()
    assert client.results == {0: 0.0}


def test_a_journal_that_a_client_returns_reaches_the_host(
    host: FakeHost, client: ModelClient
) -> None:
    client.modify(Add(query_id=0, udf_path="store:get", args=[{}], journal="page end"))
    client.settle()
    assert host.journals == ["page end"]


def test_a_removed_query_is_let_go(host: FakeHost, client: ModelClient) -> None:
    client.watch(0, key="a")
    client.settle()
    client.modify(Remove(query_id=0))
    client.settle()
    assert client.results == {}
    assert not host.lives
    host.commit("a", 1)
    assert client.settle() == []


def test_a_query_added_and_removed_at_once_is_never_run(
    host: FakeHost, client: ModelClient
) -> None:
    client.watch(0, key="a")
    client.modify(Remove(query_id=0))
    client.settle()
    assert host.runs == 0


def test_a_query_id_may_be_used_again(host: FakeHost, client: ModelClient) -> None:
    client.watch(0, key="a")
    client.settle()
    client.modify(Remove(query_id=0), Add(query_id=0, udf_path="store:get", args=[{"key": "b"}]))
    host.store["b"] = 9
    client.settle()
    assert client.results == {0: 9.0}


def test_queries_beyond_the_limit_fail_and_say_so(client: ModelClient) -> None:
    most = limits.MAX_QUERIES_PER_SOCKET
    adds = [Add(query_id=n, udf_path="store:get", args=[{"key": "a"}]) for n in range(most + 1)]
    client.modify(*adds)
    client.settle()
    assert len(client.results) == most
    assert "more than 1000 live queries" in client.failures[most][0]


def test_far_too_many_queries_end_the_connection(client: ModelClient) -> None:
    for start in (0, 1500):
        adds = [
            Add(query_id=n, udf_path="store:get", args=[{}]) for n in range(start, start + 1500)
        ]
        client.modify(*adds)
    client.turn()
    assert client.session.closing == Closing(1013, "TooManyQueries")


def test_a_query_refused_for_now_is_asked_again(host: FakeHost, client: ModelClient) -> None:
    host.limited = True
    client.watch(0, key="a")
    client.settle()
    assert client.failures[0][1]["code"] == "RATE_LIMITED"
    host.limited = False
    client.session.try_again()
    client.settle()
    assert client.results == {0: 0.0}
    client.session.try_again()
    assert client.settle() == []


def test_a_long_turn_yields_and_still_tells_one_moment(host: FakeHost, client: ModelClient) -> None:
    client.modify(
        *(Add(query_id=n, udf_path="store:get", args=[{"key": str(n)}]) for n in range(3))
    )
    client.turn(lambda: False)
    assert transitions(client.read()) == []
    host.commit("0", 1)
    assert len(transitions(client.settle())) == 1
    assert client.results == {0: 1.0, 1: 0.0, 2: 0.0}


def test_a_query_removed_while_its_transition_is_interrupted_is_not_told(
    client: ModelClient,
) -> None:
    client.watch(0, key="a")
    client.watch(1, key="b")
    client.turn(lambda: False)
    client.modify(Remove(query_id=0))
    client.settle()
    assert client.results == {1: 0.0}


def test_a_transition_that_is_interrupted_too_often_is_finished_in_one_go(
    host: FakeHost, client: ModelClient
) -> None:
    client.watch(0, key="a")
    client.watch(1, key="b")
    for value in range(session_module.MAX_PARTIAL_TURNS + 1):
        host.commit("a", value)
        host.commit("b", value)
        client.turn(lambda: False)
    assert len(transitions(client.read())) == 1


# Slow clients.


def test_at_most_two_transitions_wait_for_a_client_that_does_not_read(
    host: FakeHost, client: ModelClient
) -> None:
    client.watch(0, key="a")
    client.settle()
    for value in range(1, 10):
        host.commit("a", value)
        client.turn()
    runs = host.runs
    assert len(transitions(client.read())) == 2
    assert client.results == {0: 2.0}
    assert len(transitions(client.settle())) == 1
    assert client.results == {0: 9.0}
    assert host.runs == runs + 1, "states in between are skipped, not computed"


def test_responses_reach_a_client_that_has_two_transitions_unread(
    host: FakeHost, client: ModelClient
) -> None:
    client.watch(0, key="a")
    client.settle()
    for value in (1, 2, 3):
        host.commit("a", value)
        client.turn()
    client.mutate(key="a", value=9)
    host.finish_mutation()
    client.turn()
    assert told(client.read()) == ["Transition", "Transition", "MutationResponse"]
    assert client.unreflected
    client.settle()
    assert not client.unreflected
    assert client.results == {0: 9.0}


def test_responses_that_nobody_reads_end_the_connection(
    host: FakeHost, client: ModelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "MAX_UNSENT_BYTES", 1000)
    for value in range(20):
        client.mutate(key="a", value=value)
        if client.session.closing is None:
            host.finish_mutation()
        client.turn()
    assert client.session.closing == Closing(1013, "TooManyUnreadResponses")


def test_a_client_that_reads_may_have_any_number_of_responses(
    host: FakeHost, client: ModelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "MAX_UNSENT_BYTES", 1000)
    for value in range(20):
        client.mutate(key="a", value=value)
        host.finish_mutation()
        client.settle()
    assert client.session.closing is None


# Mutations.


def test_rule_5_a_transition_follows_a_mutation_that_changes_nothing_watched(
    host: FakeHost, client: ModelClient
) -> None:
    client.mutate(key="a", value=1)
    host.finish_mutation()
    assert told(client.settle()) == ["MutationResponse", "Transition"]
    assert not client.unreflected


def test_rule_5_a_transition_follows_even_when_its_timestamp_was_sent_already(
    host: FakeHost, client: ModelClient
) -> None:
    client.watch(0, key="a")
    client.settle()
    client.mutate(key="a", value=1)
    (pending,) = host.mutations
    host.mutations.clear()
    ts = host.commit("a", 1)
    assert told(client.settle()) == ["Transition"]
    pending.done(ended(ts))
    assert told(client.settle()) == ["MutationResponse", "Transition"]
    assert not client.unreflected


def test_a_response_leaves_before_the_transition_that_reflects_it(
    host: FakeHost, client: ModelClient
) -> None:
    client.watch(0, key="a")
    client.settle()
    client.mutate(key="a", value=3)
    host.finish_mutation()
    assert told(client.settle()) == ["MutationResponse", "Transition"]
    assert client.results == {0: 3.0}


def test_rule_6_a_transition_follows_a_failed_mutation(host: FakeHost, client: ModelClient) -> None:
    request = client.mutate(key="a", value=1)
    host.finish_mutation(Conflict("the name is taken"))
    assert told(client.settle()) == ["MutationResponse", "Transition"]
    answer = client.answers[request]
    assert not answer.success
    assert msgspec.json.decode(answer.result) == "the name is taken"
    assert msgspec.json.decode(answer.error_data) == {
        "code": "CONFLICT",
        "message": "the name is taken",
    }


def test_rule_8_a_mutation_that_wrote_nothing_still_has_a_timestamp(
    host: FakeHost, client: ModelClient
) -> None:
    request = client.mutate(key="a", value=1)
    host.mutations.pop().done(ended(None))
    client.settle()
    assert client.answers[request].success
    assert not client.unreflected


def test_mutations_run_one_at_a_time_in_order(host: FakeHost, client: ModelClient) -> None:
    for value in range(5):
        client.mutate(key="a", value=value)
    for value in range(5):
        (running,) = host.mutations
        assert running.call.arguments["value"] == value
        host.finish_mutation()
    client.settle()
    assert list(client.answers) == [0, 1, 2, 3, 4]


def test_a_mutation_that_cannot_be_called_is_answered_in_its_turn(
    host: FakeHost, client: ModelClient
) -> None:
    first = client.mutate(key="a", value=1)
    wrong = client.mutate("not a path")
    client.settle()
    assert client.answers == {}
    host.finish_mutation()
    client.settle()
    assert list(client.answers) == [first, wrong]
    assert not client.answers[wrong].success


def test_many_mutations_that_fail_at_once_are_all_answered(client: ModelClient) -> None:
    count = 3 * 16 + 1
    for _ in range(count):
        client.mutate("store:refuse")
    client.settle()
    assert len(client.answers) == count


def test_mutations_queue_and_all_run(host: FakeHost, client: ModelClient) -> None:
    count = 600
    for _ in range(count):
        client.mutate("store:set", key="a", value=1)
    assert not client.session.accepts
    for _ in range(count):
        host.finish_mutation()
    client.settle()
    assert client.session.accepts
    assert all(answer.success for answer in client.answers.values())


def test_mutations_beyond_the_queue_are_refused(host: FakeHost, client: ModelClient) -> None:
    for _ in range(limits.MAX_QUEUED_MUTATIONS + 2):
        client.mutate(key="a", value=1)
    client.settle()
    (refused,) = client.answers.values()
    assert b"TooManyConcurrentMutations" in bytes(refused.result)
    assert len(host.mutations) == 1


def test_rule_7_a_request_id_is_answered_once_per_connection(
    host: FakeHost, client: ModelClient
) -> None:
    client.mutate(key="a", value=1)
    again = Mutation(request_id=0, udf_path="store:set", args=[{"key": "a", "value": 1}])
    client.send(again)
    host.finish_mutation()
    client.send(again)
    client.settle()
    assert host.mutations == []
    assert len(client.answers) == 1


def test_a_host_that_answers_twice_is_heard_once(host: FakeHost, client: ModelClient) -> None:
    client.mutate(key="a", value=1)
    (pending,) = host.mutations
    pending.done(ended(None))
    pending.done(ended(None))
    client.settle()
    assert len(client.answers) == 1


def test_a_mutation_sent_again_on_a_new_connection_happens_once(host: FakeHost) -> None:
    first = ModelClient(host)
    first.mutate(key="a", value=1)
    host.finish_mutation()
    first.session.end()
    second = ModelClient(host)
    second.mutate(key="a", value=1)
    host.finish_mutation()
    second.settle()
    assert host.applied == [(SESSION, 0)]
    assert second.answers[0].success
    assert not second.unreflected


def test_a_mutation_that_takes_too_long_sends_the_client_to_a_new_connection(
    client: ModelClient,
) -> None:
    client.mutate(key="a", value=1)
    assert client.session.mutating == 0
    client.session.mutation_overdue()
    assert client.settle() == []
    assert client.session.closing == Closing(1013, "SystemTimeoutError")


# Actions.


def test_actions_run_side_by_side_and_are_answered_as_they_end(
    host: FakeHost, client: ModelClient
) -> None:
    first, second = client.act(), client.act()
    host.actions[1].done(ended(None))
    client.settle()
    assert list(client.answers) == [second]
    host.actions[0].done(ended(None))
    client.settle()
    assert list(client.answers) == [second, first]


def test_actions_beyond_the_limit_are_refused(host: FakeHost, client: ModelClient) -> None:
    for _ in range(limits.MAX_INFLIGHT_ACTIONS + 1):
        client.act()
    client.settle()
    (refused,) = client.answers.values()
    assert b"TooManyInflightActionsForSingleClient" in bytes(refused.result)
    assert len(host.actions) == limits.MAX_INFLIGHT_ACTIONS


# Identity.


def test_an_identity_is_confirmed_by_a_transition(client: ModelClient) -> None:
    client.authenticate("ana")
    assert told(client.settle()) == ["Transition"]
    assert client.version.identity == 1


def test_a_change_of_identity_runs_every_query_again(client: ModelClient) -> None:
    client.watch(0, "store:whoami")
    client.watch(1, key="a")
    client.settle()
    assert client.results == {0: "", 1: 0.0}
    client.authenticate("ana")
    (transition,) = transitions(client.settle())
    assert client.results == {0: "ana", 1: 0.0}
    assert len(transition.modifications) == 1, "what did not change is left out"
    client.authenticate(None)
    client.settle()
    assert client.results[0] == ""


def test_a_mutation_runs_as_whoever_sent_it(host: FakeHost, client: ModelClient) -> None:
    client.authenticate("ana")
    client.mutate(key="a", value=1)
    client.mutate(key="a", value=2)
    client.authenticate("bo")
    host.finish_mutation()
    (second,) = host.mutations
    assert second.call.principal.owner == "ana"


def test_rule_17_a_wrong_key_is_an_auth_error_to_npm(client: ModelClient) -> None:
    client.watch(0, key="a")
    client.settle()
    client.authenticate("wrong")
    assert told(client.settle()) == ["AuthError"]
    assert client.auth_error is not None
    assert client.auth_error.auth_update_attempted
    assert client.auth_error.base_version == 0
    assert client.session.closing == Closing(1000, "UNAUTHORIZED")


def test_rule_17_a_wrong_key_fails_every_call_of_a_python_client(host: FakeHost) -> None:
    client = ModelClient(host, PYTHON)
    client.authenticate("wrong")
    client.watch(0, key="a")
    mutation, action = client.mutate(key="a", value=1), client.act()
    client.settle()
    assert client.version[:2] == (1, 1)
    refusal = {"code": "UNAUTHORIZED", "message": "this key is not known"}
    assert client.failures == {0: ("this key is not known", refusal)}
    for request in (mutation, action):
        assert msgspec.json.decode(client.answers[request].error_data) == refusal
    assert host.mutations == host.actions == []
    client.authenticate("ana")
    client.settle()
    assert client.results == {0: 0.0}


def test_a_revoked_key_ends_an_npm_connection(host: FakeHost, client: ModelClient) -> None:
    client.authenticate("ana")
    client.watch(0, key="a")
    client.settle()
    host.revoke("ana")
    assert told(client.settle()) == ["AuthError"]
    assert client.auth_error is not None
    assert not client.auth_error.auth_update_attempted
    assert client.auth_error.base_version == 1


def test_a_revoked_key_fails_the_queries_of_a_python_client(host: FakeHost) -> None:
    client = ModelClient(host, PYTHON)
    client.authenticate("ana")
    client.watch(0, key="a")
    client.settle()
    host.revoke("ana")
    client.settle()
    assert client.failures[0][1] == {"code": "UNAUTHORIZED", "message": "this key was revoked"}
    assert client.session.closing is None


def test_a_key_that_is_no_longer_shown_is_no_longer_watched(
    host: FakeHost, client: ModelClient
) -> None:
    client.authenticate("ana")
    client.authenticate("bo")
    assert host.guards["ana"] == []
    client.session.end()
    assert host.guards["bo"] == []


@pytest.mark.parametrize(
    ("value", "closing"),
    [
        ("down", Closing(1013, "TooManyConcurrentRequests")),
        ("many", Closing(1013, "TooManyConcurrentRequests")),
        ("broken", Closing(1011, "InternalServerError")),
    ],
)
@pytest.mark.parametrize("version", [NPM, PYTHON])
def test_a_passing_fault_never_costs_the_client_its_key(
    host: FakeHost, value: str, closing: Closing, version: Client
) -> None:
    client = ModelClient(host, version)
    client.authenticate(value)
    assert told(client.settle()) == ["Ping"]
    assert client.session.closing == closing


def test_acting_as_another_user_is_refused(client: ModelClient) -> None:
    client.send(
        Authenticate(
            base_version=0, token_type="Admin", value="ana", impersonating={"subject": "x"}
        )
    )
    assert told(client.settle()) == ["AuthError"]


# Violations.


@pytest.mark.parametrize(
    "break_it",
    [
        lambda client: client.session.receive("not json"),
        lambda client: client.session.receive('{"type":"Unknown"}'),
        lambda client: client.session.receive("[" * 100_000),
        lambda client: client.send(Connect(session_id=SESSION)),
        lambda client: client.send(ModifyQuerySet(base_version=1, new_version=2, modifications=[])),
        lambda client: client.send(ModifyQuerySet(base_version=0, new_version=2, modifications=[])),
        lambda client: (
            client.authenticate("ana")
            or client.send(Authenticate(base_version=0, token_type="User", value="ana"))
        ),
        lambda client: client.watch(0, key="a") or client.watch(0, key="b"),
        lambda client: [
            client.send(Mutation(request_id=n, udf_path="store:refuse", args=[]))
            for n in range(0, 4000, 2)
        ],
    ],
)
def test_rule_16_a_violation_is_fatal_and_ends_the_connection(
    client: ModelClient, break_it: Callable[[ModelClient], object]
) -> None:
    client.open_requests = set(range(4000))
    break_it(client)
    messages = client.settle()
    assert told(messages)[-1:] == ["FatalError"]
    assert client.session.closing == Closing(1008, "PROTOCOL_VIOLATION")
    client.watch(7, key="a")
    assert client.settle() == []


def test_nothing_may_come_before_connect(host: FakeHost) -> None:
    client = ModelClient(host, connect=False)
    client.send(Event())
    assert told(client.settle()) == ["FatalError"]


def test_a_timestamp_that_is_none_is_a_violation(host: FakeHost) -> None:
    client = ModelClient(host, connect=False)
    client.send(Connect(session_id=SESSION, max_observed_timestamp="x"))
    assert told(client.settle()) == ["FatalError"]


def test_telemetry_is_ignored(client: ModelClient) -> None:
    client.send(Event())
    assert client.settle() == []


def test_no_connect_in_time_closes_the_connection(host: FakeHost) -> None:
    client = ModelClient(host, connect=False)
    client.session.connect_overdue()
    assert client.settle() == []
    assert client.session.closing == Closing(1008, "ConnectTimeout")


def test_the_first_reason_to_close_stands(client: ModelClient) -> None:
    client.session.overloaded("TooManyConcurrentRequests")
    client.session.failed()
    client.session.mutation_overdue()
    assert client.session.closing == Closing(1013, "TooManyConcurrentRequests")


# Its end, and life on the line.


def test_a_connection_that_is_gone_holds_nothing(host: FakeHost, client: ModelClient) -> None:
    client.authenticate("ana")
    client.watch(0, key="a")
    client.settle()
    client.mutate(key="a", value=1)
    client.act()
    client.session.end()
    assert not host.lives
    assert host.guards["ana"] == []
    host.finish_mutation()
    host.actions[0].done(ended(None))
    assert client.session.turn() == []


def test_rule_14_an_idle_client_can_be_told_that_the_server_lives(host: FakeHost) -> None:
    client = ModelClient(host, connect=False)
    assert client.session.keep_alive() == b""
    client.send(Connect(session_id=SESSION))
    assert client.session.keep_alive() == framed(server_texts.PING)
    client.session.overloaded("TooManyConcurrentRequests")
    assert client.session.keep_alive() == b""


# Long transitions and shared frames.


def test_a_long_transition_goes_in_chunks_to_npm(host: FakeHost) -> None:
    client = ModelClient(host)
    watch_something_long(client)
    messages = client.settle()
    chunks = [message for message in messages if isinstance(message, TransitionChunk)]
    assert len(chunks) > 1
    assert len(client.failures) == 120


@pytest.mark.parametrize("version", [PYTHON, Client("npm", (1, 27, 0)), Client("", (0, 0, 0))])
def test_rule_12_a_long_transition_goes_whole_to_others(host: FakeHost, version: Client) -> None:
    client = ModelClient(host, version)
    watch_something_long(client)
    assert [type(message) for message in client.settle()[1:]] == [Transition]


def test_equal_transitions_are_built_once_and_shared(host: FakeHost) -> None:
    frames = Frames(framed)
    clients = [ModelClient(host, frames=frames) for _ in range(3)]
    for client in clients:
        client.watch(0, key="a")
        client.settle()
    host.commit("a", 4)
    for client in clients:
        client.turn()
    assert len({id(client.wire[-1]) for client in clients}) == 1
    for client in clients:
        client.read()
        assert client.results == {0: 4.0}


def test_differing_transitions_are_not_shared(host: FakeHost) -> None:
    frames = Frames(framed)
    host.store = {"0": 10, "1": 11}
    for number in range(2):
        client = ModelClient(host, frames=frames)
        client.watch(0, key=str(number))
        client.settle()
        assert client.results == {0: number + 10.0}


def watch_something_long(client: ModelClient) -> None:
    """Queries whose failures together are over five million bytes: each names its key."""
    for start in range(0, 120, 40):
        adds = [
            Add(query_id=n, udf_path="store:fail", args=[{"key": "é" * 12_000 + str(n)}])
            for n in range(start, start + 40)
        ]
        client.modify(*adds)


def test_what_comes_after_the_end_is_ignored(client: ModelClient) -> None:
    client.session.end()
    client.session.receive(msgspec.json.encode(Event()))
    client.session.receive("not json")
    assert client.session.turn() == []


def test_a_fault_in_starting_the_next_mutation_spares_whoever_ended_the_last(
    host: FakeHost, client: ModelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.mutate(key="a", value=1)
    client.mutate(key="a", value=2)
    monkeypatch.setattr(host, "start_mutation", None)
    host.finish_mutation()
    with pytest.raises(TypeError):
        client.turn()
    client.session.failed()
    assert told(client.settle()) == ["MutationResponse"]
    assert client.session.closing == Closing(1011, "InternalServerError")
