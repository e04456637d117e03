"""Real sockets on this machine: the `websockets` client, uvicorn, Convex's own Python client."""

import asyncio
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hubify.functions.backend import Call
from hubify.transports.sync.endpoint import SyncEndpoint
from hubify.transports.sync.host import Done
from hubify.transports.sync.socket import SyncSocket, protocol_of
from hubify.values.errors import Conflict
from hubify.wire.results import call_refusal
from hubify.wire.sync_messages import (
    Add,
    ClientMessage,
    Connect,
    ModifyQuerySet,
    Ping,
    ServerMessage,
    Transition,
    decode_server_message,
)
from hubify.wire.timestamps import decode_ts
from tests.transports.sync.fake_host import FakeHost
from tests.transports.sync.model_client import SESSION

PYTHON_CLIENT = str(Path(__file__).with_name("python_client.py"))
Run = Callable[[Awaitable[None]], None]


class PromptHost(FakeHost):
    """A host whose mutations and actions end at once; `store:refuse` fails either."""

    def start_mutation(self, call: Call, session_id: str, request_id: int, done: Done) -> None:
        super().start_mutation(call, session_id, request_id, done)
        if self.mutations:
            self.finish_mutation()

    def start_action(self, call: Call, done: Done) -> None:
        super().start_action(call, done)
        if call.path == "store:refuse":
            self.actions.pop().done(call_refusal(Conflict("no")))
        else:
            self.finish_action(0)


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    return request.param


@asynccontextmanager
async def serving(endpoint: SyncEndpoint) -> AsyncIterator[str]:
    """A server of sync sockets alone; gives its address."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SyncSocket(endpoint), "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()
        yield f"ws://{host}:{port}"
    finally:
        server.close()
        endpoint.shutdown()


@asynccontextmanager
async def serving_with_uvicorn(endpoint: SyncEndpoint) -> AsyncIterator[str]:
    """Uvicorn with our sockets; gives its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app=_no_http, ws=protocol_of(endpoint), log_config=None, lifespan="off"  # type: ignore[arg-type]
    )  # fmt: skip
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"  # it listens, whether served yet or not
    finally:
        server.should_exit = True
        await task


async def _no_http(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
    assert receive
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def say(client: ClientConnection, *messages: ClientMessage) -> None:
    for message in messages:
        await client.send(msgspec.json.encode(message).decode())


async def hear(client: ClientConnection) -> ServerMessage:
    """The next message that is not a ping."""
    while True:
        message = decode_server_message(await client.recv())
        if message != Ping():
            return message


def watch(path: str = "store:get", **arguments: object) -> ModifyQuerySet:
    add = Add(query_id=0, udf_path=path, args=[arguments])
    return ModifyQuerySet(base_version=0, new_version=1, modifications=[add])


def test_a_client_watches_over_a_real_socket(run: Run) -> None:
    async def play() -> None:
        host = FakeHost()
        async with (
            serving(SyncEndpoint(host)) as address,
            connect(f"{address}/api/1.48.0/sync", compression=None) as client,
        ):
            await say(client, Connect(session_id=SESSION), watch(key="a"))
            first = await hear(client)
            host.commit("a", 7)
            second = await hear(client)
            assert isinstance(first, Transition)
            assert isinstance(second, Transition)
            assert second.start_version == first.end_version
            assert decode_ts(second.end_version.ts) == host.ts

    run(play())


def test_compression_that_is_offered_is_declined(run: Run) -> None:
    async def play() -> None:
        async with (
            serving(SyncEndpoint(FakeHost())) as address,
            connect(f"{address}/api/sync", subprotocols=["any"]) as client,  # type: ignore[list-item]
        ):
            assert client.response is not None
            assert "Sec-WebSocket-Extensions" not in client.response.headers
            assert "Sec-WebSocket-Protocol" not in client.response.headers

    run(play())


@pytest.mark.parametrize("path", ["/", "/api/x/y/sync", "/api/synch", "/sync"])
def test_other_paths_have_no_socket(path: str) -> None:
    async def play() -> None:
        async with serving(SyncEndpoint(FakeHost())) as address:
            with pytest.raises(InvalidStatus) as refused:
                await connect(address + path)
            assert refused.value.response.status_code == 404

    asyncio.run(play())


def test_a_message_may_be_fragmented_and_long(run: Run) -> None:
    async def play() -> None:
        async with (
            serving(SyncEndpoint(FakeHost())) as address,
            connect(f"{address}/api/sync", max_size=None) as client,
        ):
            await say(client, Connect(session_id=SESSION))
            key = "x" * 3_000_000
            text = msgspec.json.encode(watch("store:fail", key=key)).decode()
            await client.send(text[at : at + 500_000] for at in range(0, len(text), 500_000))
            message = await hear(client)
            assert isinstance(message, Transition)

    run(play())


def test_a_client_that_does_not_read_costs_little_and_catches_up(run: Run) -> None:
    async def play() -> None:
        host = FakeHost()
        endpoint = SyncEndpoint(host)
        padding = "x" * 100_000
        async with (
            serving(endpoint) as address,
            connect(f"{address}/api/sync", compression=None, max_size=None) as client,
        ):
            await say(client, Connect(session_id=SESSION), watch("store:fail", key=padding))
            await hear(client)
            client.transport.pause_reading()
            commits = 1000
            for value in range(1, commits + 1):
                host.commit(padding, value)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            assert host.runs < commits, "states that nobody reads are skipped"
            (member,) = endpoint._wheel.everyone()
            assert isinstance(member, SyncSocket)
            assert member._transport.get_write_buffer_size() < 1_000_000
            client.transport.resume_reading()
            while b"x is %d" % commits not in (await client.recv(decode=False)):
                pass

    run(play())


def test_a_server_that_stops_says_so() -> None:
    async def play() -> None:
        endpoint = SyncEndpoint(FakeHost())
        async with serving(endpoint) as address, connect(f"{address}/api/sync") as client:
            await say(client, Connect(session_id=SESSION))
            await client.recv()
            endpoint.shutdown()
            with pytest.raises(ConnectionClosed) as closed:
                await hear(client)
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, "ServerRestart")

    asyncio.run(play())


def test_uvicorn_hands_its_upgrades_over_and_stops_in_order() -> None:
    async def play() -> None:
        host = FakeHost()
        endpoint = SyncEndpoint(host)
        async with serving_with_uvicorn(endpoint) as address:
            client = await connect(f"ws://{address}/api/sync", compression=None)
            await say(client, Connect(session_id=SESSION), watch(key="a"))
            assert isinstance(await hear(client), Transition)
        with pytest.raises(ConnectionClosed) as closed:
            await hear(client)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        assert len(endpoint) == 0

    asyncio.run(play())


@pytest.mark.parametrize("scene", ["converse", "wrong-key"])
def test_the_official_python_client_works_unmodified(scene: str) -> None:
    async def play() -> None:
        async with serving_with_uvicorn(SyncEndpoint(PromptHost())) as address:
            program = await asyncio.create_subprocess_exec(
                sys.executable, PYTHON_CLIENT, f"http://{address}", scene, stderr=PIPE
            )
            _, said = await program.communicate()
            assert program.returncode == 0, said.decode()

    asyncio.run(play())
