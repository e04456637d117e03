"""Whatever bytes arrive, in whatever pieces: no fault of ours, and nothing kept once it is over."""

import asyncio
import logging

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from hubify.transports.sync.endpoint import SyncEndpoint
from hubify.wire.sync_messages import Action, Add, Event, ModifyQuerySet, Mutation
from tests.transports.sync.fake_host import FakeHost
from tests.transports.sync.fake_transport import Line, settle, split

texts = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            msgspec.json.encode(message)
            for message in (
                Event(),
                Mutation(request_id=1, udf_path="store:refuse", args=[{}]),
                Action(request_id=2, udf_path="store:act", args=[{}]),
                ModifyQuerySet(
                    base_version=0,
                    new_version=1,
                    modifications=[Add(query_id=0, udf_path="store:get", args=[{"key": "a"}])],
                ),
            )
        ]
    ),
)
whole_frames = st.builds(
    Frame,
    st.sampled_from([Opcode.TEXT, Opcode.CONT, Opcode.BINARY]),
    texts,
    st.booleans(),
) | st.builds(
    Frame,
    st.sampled_from([Opcode.PING, Opcode.PONG, Opcode.CLOSE]),
    st.binary(max_size=10),
)
arriving = st.lists(whole_frames.map(lambda frame: frame.serialize(mask=True)) | st.binary())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arriving, st.lists(st.integers(1, 20), max_size=10), st.booleans())
def test_any_bytes_at_all(
    caplog: pytest.LogCaptureFixture,
    parts: list[bytes],
    cuts: list[int],
    connect: bool,  # noqa: FBT001 - drawn by name
) -> None:
    async def play() -> None:
        host = FakeHost()
        endpoint = SyncEndpoint(host)
        line = Line(endpoint, connect=connect)
        data = b"".join(parts)
        for cut in cuts:
            line.socket.data_received(data[:cut])
            data = data[cut:]
            await settle(2)
        line.socket.data_received(data)
        host.commit("a", 1)
        line.socket.beat()
        await settle()
        split(b"".join(line.transport.writes))
        line.lose()
        assert not host.lives
        assert endpoint.unfinished.taken_bytes == 0
        assert len(endpoint) == 0

    caplog.set_level(logging.ERROR)
    asyncio.run(play())
    assert caplog.records == []
