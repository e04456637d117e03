"""Sessions over the real function layer: the same rules hold with a database behind them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps

import msgspec
import pytest

from hubify.functions.identities import Identities
from hubify.functions.spec import RateClass
from hubify.transports.sync.backend_host import BackendHost
from hubify.transports.sync.session import Closing
from hubify.values.errors import AppError
from tests.transports.counters import Counters, authenticate
from tests.transports.sync.fake_transport import settle
from tests.transports.sync.model_client import NPM, PYTHON, ModelClient, told


class Stage:
    """A database of counters, and a host over it."""

    def __init__(self, limits: Mapping[RateClass, int] | None = None) -> None:
        self.counters = Counters(limits)
        self.database = self.counters.world.database
        self.backend = self.counters.backend
        self.host = BackendHost(self.backend, Identities(self.backend.wiring, authenticate))


def on_stage(test: Callable[[Stage], Awaitable[None]]) -> Callable[[], None]:
    """Run a test on an event loop, with a stage of its own."""

    @wraps(test)
    def run() -> None:
        async def play() -> None:
            await test(Stage())

        asyncio.run(play())

    del run.__wrapped__  # pytest would take the stage for a fixture
    return run


def code_of(client: ModelClient, request: int) -> str:
    """The code of the refusal that answered a request."""
    return msgspec.json.decode(client.answers[request].error_data)["code"]


@on_stage
async def test_a_mutation_is_answered_once_durable_and_then_reflected(stage: Stage) -> None:
    client = ModelClient(stage.host)
    client.watch(0, "counters:valueOf", name="a")
    client.settle()
    assert client.results == {0: 0.0}
    client.mutate("counters:add", name="a", amount=5)
    assert client.settle() == []
    stage.database.flush()
    assert told(client.settle()) == ["MutationResponse", "Transition"]
    assert client.results == {0: 5.0}
    assert not client.unreflected


@on_stage
async def test_a_refused_mutation_is_answered_with_its_code(stage: Stage) -> None:
    client = ModelClient(stage.host)
    first = client.mutate("counters:add", name="a", amount=100)
    second = client.mutate("counters:add", name="a", amount=1)
    stage.database.flush()
    client.settle()
    assert client.answers[first].success
    assert code_of(client, second) == "CONFLICT"


@on_stage
async def test_a_mutation_sent_again_after_a_reconnect_happens_once(stage: Stage) -> None:
    for _ in range(2):
        client = ModelClient(stage.host)
        client.mutate("counters:add", name="a", amount=5)
        stage.database.flush()
        client.settle()
        assert client.answers[0].success
        client.session.end()
    assert stage.counters.world.query("counters:valueOf", {"name": "a"}) == 5


@on_stage
async def test_an_action_is_answered_when_it_ends(stage: Stage) -> None:
    loop = asyncio.get_running_loop()
    stage.backend.on_kick = lambda: loop.call_soon(stage.database.flush) and None
    client = ModelClient(stage.host)
    request = client.act("counters:addTwice", name="a")
    await settle()
    client.settle()
    assert client.answers[request].success
    assert bytes(client.answers[request].result) == b"2.0"


@pytest.mark.parametrize("name", ["keys", "object"])
def test_an_answer_that_cannot_be_sent_is_an_internal_error(name: str) -> None:
    stage = Stage()
    client = ModelClient(stage.host)
    request = client.mutate("counters:break", name=name)
    stage.database.flush()
    client.settle()
    assert code_of(client, request) == "INTERNAL_ERROR"
    assert client.session.closing is None


@on_stage
async def test_an_action_that_cannot_even_begin_is_answered(stage: Stage) -> None:
    stage.backend.action = None  # type: ignore[method-assign, assignment]
    client = ModelClient(stage.host)
    request = client.act("counters:addTwice", name="a")
    await settle()
    client.settle()
    assert code_of(client, request) == "INTERNAL_ERROR"


@on_stage
async def test_a_known_key_opens_what_it_may_open(stage: Stage) -> None:
    client = ModelClient(stage.host)
    client.watch(0, "counters:secret")
    client.settle()
    assert client.failures[0][1]["code"] == "UNAUTHORIZED"
    client.authenticate("hk_live_ana")
    client.settle()
    assert client.results == {0: "42"}


@pytest.mark.parametrize(("version", "ends"), [(NPM, True), (PYTHON, False)])
def test_a_wrong_key_is_refused_as_each_client_needs_it(version: object, ends: bool) -> None:  # noqa: FBT001
    client = ModelClient(Stage().host, PYTHON if version == PYTHON else NPM)
    client.authenticate("wrong")
    client.settle()
    assert (client.session.closing is not None) == ends


def test_wrong_keys_are_counted_together_with_those_of_other_faces() -> None:
    stage = Stage({RateClass.WRONG_KEY: 2})
    ModelClient(stage.host).authenticate("wrong")
    body = {"path": "counters:echo", "args": {"value": 1}}
    address = ModelClient(stage.host).session._address
    wrong = {"authorization": "Bearer wrong", "address": address}
    assert stage.counters.post("/api/query", body, **wrong)[0] == 401
    assert stage.counters.post("/api/query", body, **wrong)[0] == 429
    client = ModelClient(stage.host)
    client.authenticate("wrong")
    client.settle()
    assert client.session.closing == Closing(1013, "TooManyConcurrentRequests")
    right = ModelClient(stage.host)
    right.authenticate("hk_live_ana")
    right.watch(0, "counters:secret")
    right.settle()
    assert right.results == {0: "42"}


def test_where_strangers_may_not_read_their_queries_fail_until_they_show_a_key() -> None:
    stage = Stage()
    stage.backend.anonymous_reads = False
    client = ModelClient(stage.host)
    client.watch(0, "counters:valueOf", name="a")
    client.settle()
    assert client.failures[0][1]["code"] == "UNAUTHORIZED"
    client.authenticate("hk_live_ana")
    client.settle()
    assert client.results == {0: 0.0}


def test_a_refusal_is_the_same_on_every_face() -> None:
    stage = Stage()
    client = ModelClient(stage.host)
    client.watch(0, "counters:valueOf")
    client.settle()
    _, answer = stage.counters.post("/api/query", {"path": "counters:valueOf", "args": {}})
    assert client.failures[0] == (answer["errorMessage"], answer["errorData"])
    with pytest.raises(AppError, match=answer["errorMessage"]):
        stage.counters.world.query("counters:valueOf", {})
