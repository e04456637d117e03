"""How a session opens, who speaks in it, and how it ends (numbers: protocol page, 0)."""

from collections.abc import Callable

import msgspec
import pytest

from hubify.transports.sync.session import Closing
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
    ("value", "closing", "version"),
    [
        ("down", Closing(1013, "TooManyConcurrentRequests"), NPM),
        ("down", Closing(1013, "TooManyConcurrentRequests"), PYTHON),
        ("many", Closing(1013, "TooManyConcurrentRequests"), NPM),
        ("broken", Closing(1011, "InternalServerError"), NPM),
        ("broken", Closing(1011, "InternalServerError"), PYTHON),
    ],
)
def test_a_passing_fault_never_costs_the_client_its_key(
    host: FakeHost, value: str, closing: Closing, version: Client
) -> None:
    client = ModelClient(host, version)
    client.authenticate(value)
    assert told(client.settle()) == ["Ping"]
    assert client.session.closing == closing


def test_one_wrong_key_too_many_fails_the_calls_of_a_client_that_would_wait(
    host: FakeHost,
) -> None:
    client = ModelClient(host, PYTHON)
    client.authenticate("many")
    client.watch(0, key="a")
    client.settle()
    assert client.session.closing is None
    assert client.failures[0][1]["code"] == "RATE_LIMITED"


def test_acting_as_another_user_is_refused(client: ModelClient) -> None:
    client.send(
        Authenticate(
            base_version=0, token_type="Admin", value="ana", impersonating={"subject": "x"}
        )
    )
    assert told(client.settle()) == ["AuthError"]


# Violations.

MODIFY = b'{"type":"ModifyQuerySet","baseVersion":%b,"newVersion":%b,"modifications":[%b]}'
REMOVE = b'{"type":"Remove","queryId":%b}'


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
        lambda client: client.modify(
            Add(query_id=0, udf_path="store:get", args=[{"key": "a"}]),
            Add(query_id=0, udf_path="store:get", args=[{"key": "b"}]),
        ),
        lambda client: client.session.receive(MODIFY % (b"-1", b"0", b"")),
        lambda client: client.session.receive(MODIFY % (b"0", b"4294967296", b"")),
        lambda client: client.session.receive(MODIFY % (b"0", b"1", REMOVE % b"-1")),
        lambda client: client.session.receive(
            MODIFY % (b"0", b"1", b",".join([REMOVE % b"1"] * 2001))
        ),
        lambda client: client.session.receive(
            b'{"type":"Action","requestId":1,"udfPath":"\xff","args":[]}'
        ),
        lambda client: client.session.receive(
            b'{"type":"Mutation","requestId":-1,"udfPath":"a:b","args":[]}'
        ),
        lambda client: client.send(Authenticate(base_version=1, token_type="None")),
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


def test_what_comes_after_the_end_is_ignored(client: ModelClient) -> None:
    client.session.end()
    client.session.receive(msgspec.json.encode(Event()))
    client.session.receive("not json")
    assert client.session.turn() == []
