"""Live queries of a session: what is told, when, of which moment (numbers: protocol page, 0)."""

import msgspec
import pytest

from hubify.transports.sync import session as session_module
from hubify.transports.sync.frames import Frames
from hubify.transports.sync.room import Room
from hubify.transports.sync.session import Closing
from hubify.values import limits
from hubify.wire.clients import Client
from hubify.wire.sync_messages import (
    Add,
    Connect,
    Remove,
    Transition,
    TransitionChunk,
)
from tests.transports.sync.fake_host import FakeHost
from tests.transports.sync.model_client import (
    MIB,
    PYTHON,
    SESSION,
    ModelClient,
    framed,
    told,
    transitions,
)

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


def test_a_run_that_failed_for_now_is_looked_at_again_without_being_asked_anew(
    host: FakeHost, client: ModelClient
) -> None:
    client.watch(0, "store:down", key="a")
    client.settle()
    assert client.failures[0][1]["code"] == "UNAVAILABLE"
    (live,) = host.lives
    for _ in range(2):
        live.known = None  # what the function layer does by itself, after a while
        client.session.try_again()
        client.settle()
        assert host.lives == {live}
    assert client.session.closing is None
    live.call = msgspec.structs.replace(live.call, path="store:get")
    live.known = None
    client.session.try_again()
    client.settle()
    assert client.results == {0: 0.0}


def test_arguments_of_all_clients_share_a_bound_and_each_may_have_a_few(host: FakeHost) -> None:
    room = Room(100_000)
    first, second = ModelClient(host, room=room), ModelClient(host, room=room)
    first.watch(0, key="a" * 99_000)
    second.watch(0, key="b" * 60_000)
    second.watch(1, key="c" * 10_000)
    second.settle()
    assert second.results.keys() == {0}
    assert second.failures[1][1]["code"] == "UNAVAILABLE"
    first.session.end()
    second.modify(Remove(query_id=1))
    second.watch(2, key="c" * 10_000)
    second.settle()
    assert second.results.keys() == {0, 2}
    second.session.end()
    assert room.taken_bytes == 0


def test_what_one_client_is_shown_is_bounded(host: FakeHost, client: ModelClient) -> None:
    for query_id in range(5):
        client.watch(query_id, "store:long", key=str(query_id), size=8 * MIB)
    client.settle()
    assert len(client.results) == 3
    assert len(host.lives) == 3
    (code, *others) = {failure[1]["code"] for failure in client.failures.values()}
    assert (code, others) == ("PAYLOAD_TOO_LARGE", [])
    shown, refused = min(client.results), min(client.failures)
    client.modify(Remove(query_id=shown), Remove(query_id=refused))
    client.watch(9, "store:long", key="9", size=8 * MIB)
    client.settle()
    assert client.results[9] == "9" * 8 * MIB


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


def test_a_query_is_charged_once_and_not_when_it_is_asked_anew(
    host: FakeHost, client: ModelClient
) -> None:
    client.watch(0, key="a")
    client.settle()
    host.commit("a", 1)
    client.authenticate("ana")
    client.settle()
    assert host.charged == [True, False]


def test_queries_that_come_back_with_their_client_are_not_charged(host: FakeHost) -> None:
    client = ModelClient(host, connect=False)
    client.send(Connect(session_id=SESSION, connection_count=1))
    client.watch(0, key="a")
    client.watch(1, key="b")
    client.settle()
    assert sorted(host.charged) == [False, True]


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
