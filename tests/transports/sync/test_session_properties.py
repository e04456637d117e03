"""Whatever happens in whatever order, a client sees the truth of one moment after another.

A machine interleaves what clients do, what the host commits and how fast the network is. After each
step the session must agree with itself and the client must have accepted everything it was sent; in
the end, once all is read, the client must know exactly what the host knows.
"""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from hubify.transports.sync.frames import Frames
from hubify.values.errors import Conflict
from hubify.wire.sync_messages import Add, Remove
from tests.transports.sync.fake_host import FakeHost
from tests.transports.sync.model_client import NPM, PYTHON, ModelClient, framed

KEYS = st.sampled_from("abc")
VALUES = st.integers(0, 3)
QUERY_IDS = st.integers(0, 5)
CLIENTS = st.integers(0, 1)
TOKENS = st.sampled_from(["ana", "bo", None])


class Conversation(RuleBasedStateMachine):
    """Two clients of one host, sharing frames; one of them npm's, one Python's."""

    @initialize()
    def connect(self) -> None:
        self.host = FakeHost()
        frames = Frames(framed)
        self.clients = [
            ModelClient(self.host, NPM, frames=frames),
            ModelClient(self.host, PYTHON, frames=frames, first_request=1000),
        ]
        self.tokens: list[str | None] = [None, None]

    @rule(which=CLIENTS, query_id=QUERY_IDS, key=KEYS, kind=st.sampled_from(["get", "fail"]))
    def watch(self, which: int, query_id: int, key: str, kind: str) -> None:
        client = self.clients[which]
        if query_id not in client.watching:
            client.watch(query_id, f"store:{kind}", key=key)

    @rule(which=CLIENTS, query_id=QUERY_IDS)
    def watch_who(self, which: int, query_id: int) -> None:
        client = self.clients[which]
        if query_id not in client.watching:
            client.watch(query_id, "store:whoami")

    @rule(which=CLIENTS, query_id=QUERY_IDS)
    def unwatch(self, which: int, query_id: int) -> None:
        client = self.clients[which]
        if query_id in client.watching:
            client.modify(Remove(query_id=query_id))

    @rule(which=CLIENTS, query_id=QUERY_IDS, key=KEYS)
    def rewatch(self, which: int, query_id: int, key: str) -> None:
        client = self.clients[which]
        if query_id in client.watching:
            add = Add(query_id=query_id, udf_path="store:get", args=[{"key": key}])
            client.modify(Remove(query_id=query_id), add)

    @rule(which=CLIENTS, token=TOKENS)
    def authenticate(self, which: int, token: str | None) -> None:
        self.clients[which].authenticate(token)
        self.tokens[which] = token

    @rule(which=CLIENTS, key=KEYS, value=VALUES)
    def mutate(self, which: int, key: str, value: int) -> None:
        self.clients[which].mutate(key=key, value=value)

    @rule(which=CLIENTS)
    def mutate_in_vain(self, which: int) -> None:
        self.clients[which].mutate("store:refuse")

    @rule(which=CLIENTS)
    def act(self, which: int) -> None:
        self.clients[which].act()

    @rule(key=KEYS, value=VALUES)
    def commit(self, key: str, value: int) -> None:
        self.host.commit(key, value)

    @precondition(lambda self: self.host.mutations)
    @rule(fails=st.booleans())
    def finish_mutation(self, fails: bool) -> None:  # noqa: FBT001 - drawn by name
        self.host.finish_mutation(Conflict("no") if fails else None)

    @precondition(lambda self: self.host.actions)
    @rule(data=st.data())
    def finish_action(self, data: st.DataObject) -> None:
        which = data.draw(st.integers(0, len(self.host.actions) - 1))
        self.host.finish_action(which)

    @rule(which=CLIENTS, patience=st.integers(0, 5))
    def turn(self, which: int, patience: int) -> None:
        left = iter([True] * patience)
        self.clients[which].turn(lambda: next(left, False))

    @rule(which=CLIENTS)
    def read(self, which: int) -> None:
        self.clients[which].read()

    def teardown(self) -> None:
        if not hasattr(self, "host"):
            return
        while self.host.mutations or self.host.actions:
            if self.host.mutations:
                self.host.finish_mutation()
            if self.host.actions:
                self.host.finish_action(0)
        for client, token in zip(self.clients, self.tokens, strict=True):
            client.settle()
            self.must_know_the_truth(client, token)

    def must_know_the_truth(self, client: ModelClient, token: str | None) -> None:
        assert client.session.closing is None
        assert client.open_requests == set()
        assert client.unreflected == {}
        assert client.version.query_set == client.query_set
        assert client.version.identity == client.identity
        assert client.version.ts <= self.host.ts
        results = {
            query_id: self.truth(add, token)
            for query_id, add in client.watching.items()
            if add.udf_path != "store:fail"
        }
        assert client.results == results
        failing = {
            query_id: f"{add.args[0]['key']} is {self.host.store.get(add.args[0]['key'], 0)}"
            for query_id, add in client.watching.items()
            if add.udf_path == "store:fail"
        }
        assert {query_id: text for query_id, (text, _) in client.failures.items()} == failing

    def truth(self, add: Add, token: str | None) -> Any:  # noqa: ANN401 - JSON
        if add.udf_path == "store:whoami":
            return token or ""
        return self.host.store.get(add.args[0]["key"], 0)


TestConversation = Conversation.TestCase
TestConversation.settings = settings(stateful_step_count=60)
