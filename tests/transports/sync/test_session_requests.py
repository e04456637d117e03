"""Mutations and actions of a session: in order, once, and reflected (numbers: protocol page, 0)."""

import msgspec
import pytest

from hubify.transports.sync.requests import MAX_STARTED
from hubify.transports.sync.session import Closing
from hubify.values import limits
from hubify.values.errors import Conflict
from hubify.wire.results import CallResult
from hubify.wire.sync_messages import (
    Mutation,
)
from tests.transports.sync.fake_host import FakeHost
from tests.transports.sync.model_client import (
    SESSION,
    ModelClient,
    told,
)


def ended(ts: int | None) -> CallResult:
    """A call that succeeded."""
    return CallResult(ok=True, ts=ts)


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


def test_mutations_run_in_order_and_wait_for_the_disk_together(
    host: FakeHost, client: ModelClient
) -> None:
    for value in range(5):
        client.mutate(key="a", value=value)
    assert [started.call.arguments["value"] for started in host.mutations] == [0, 1, 2, 3, 4]
    for _value in range(5):
        host.finish_mutation()
    client.settle()
    assert list(client.answers) == [0, 1, 2, 3, 4]


def test_a_mutation_that_cannot_be_called_is_answered_without_waiting_for_the_disk(
    host: FakeHost, client: ModelClient
) -> None:
    first = client.mutate(key="a", value=1)
    wrong = client.mutate("not a path")
    client.settle()
    assert list(client.answers) == [wrong]
    host.finish_mutation()
    client.settle()
    assert client.answers[first].success
    assert not client.answers[wrong].success


def test_many_mutations_that_fail_at_once_are_all_answered(client: ModelClient) -> None:
    count = 3 * 16 + 1
    for _ in range(count):
        client.mutate("store:refuse")
    client.settle()
    assert len(client.answers) == count


def test_mutations_queue_and_all_run(host: FakeHost, client: ModelClient) -> None:
    count = 600 + MAX_STARTED
    for _ in range(count):
        client.mutate("store:set", key="a", value=1)
    assert not client.session.accepts
    for _ in range(count):
        host.finish_mutation()
    client.settle()
    assert client.session.accepts
    assert all(answer.success for answer in client.answers.values())


def test_mutations_beyond_the_queue_are_refused(host: FakeHost, client: ModelClient) -> None:
    for _ in range(MAX_STARTED + limits.MAX_QUEUED_MUTATIONS + 1):
        client.mutate(key="a", value=1)
    client.settle()
    (refused,) = client.answers.values()
    assert b"TooManyConcurrentMutations" in bytes(refused.result)
    assert len(host.mutations) == MAX_STARTED


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


# Faults of the host's.


def test_a_fault_in_starting_a_mutation_fails_that_mutation_alone(
    host: FakeHost, client: ModelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = client.mutate(key="a", value=1)
    monkeypatch.setattr(host, "start_mutation", None)
    bad = client.mutate(key="a", value=2)
    host.finish_mutation()
    client.settle()
    assert client.answers[good].success
    assert msgspec.json.decode(client.answers[bad].error_data)["code"] == "INTERNAL_ERROR"
    assert len(client.faults) == 1
    assert client.session.closing is None


def test_a_fault_in_starting_an_action_fails_that_action_alone(
    host: FakeHost, client: ModelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "start_action", None)
    request = client.act()
    client.settle()
    assert msgspec.json.decode(client.answers[request].error_data)["code"] == "INTERNAL_ERROR"


@pytest.mark.parametrize("broken", ["attach", "run"])
def test_a_fault_in_a_query_fails_that_query_until_it_is_over(
    host: FakeHost, client: ModelClient, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    client.watch(0, key="a")
    client.settle()
    with monkeypatch.context() as patch:
        patch.setattr(host, broken, None)
        client.watch(1, key="b")
        client.settle()
    assert client.results == {0: 0.0}
    assert client.failures[1][1]["code"] == "INTERNAL_ERROR"
    assert len(client.faults) == 1
    client.session.try_again()
    client.settle()
    assert client.results == {0: 0.0, 1: 0.0}
