"""A socket's time, order and back-pressure, on a transport that the test controls."""

from websockets.frames import Opcode

from hubify.transports.sync import socket as socket_module
from hubify.transports.sync.socket import SyncSocket
from hubify.values.errors import AppError
from hubify.wire.results import CallResult
from hubify.wire.server_texts import PING
from hubify.wire.sync_messages import (
    Authenticate,
    MutationResponse,
    Ping,
    Transition,
)
from tests.transports.sync.fake_transport import (
    REQUEST,
    FakeTransport,
    client_frame,
    settle,
    split,
)
from tests.transports.sync.model_client import told
from tests.transports.sync.stage import Stage, on_stage, set_number, watch


@on_stage
async def test_what_arrives_together_is_answered_together(stage: Stage) -> None:
    line = stage.line()
    line.send(watch("a"))
    await settle()
    assert len(line.transport.writes) == 1
    assert told(line.heard()) == ["Ping", "Transition"]


@on_stage
async def test_an_answer_and_its_transition_leave_in_one_write(stage: Stage) -> None:
    line = stage.line()
    line.send(watch("a"), set_number(0))
    await settle()
    line.heard()
    stage.host.finish_mutation()
    await settle()
    assert len(line.transport.writes) == 1
    assert told(line.heard()) == ["MutationResponse", "Transition"]


@on_stage
async def test_equal_news_reach_many_sockets_as_the_same_bytes(stage: Stage) -> None:
    lines = [stage.line() for _ in range(3)]
    for line in lines:
        line.send(watch("a"))
    await settle()
    for line in lines:
        line.heard()
    sent: list[object] = []
    for line in lines:
        line.transport.write = sent.append  # type: ignore[method-assign, assignment]
    stage.host.commit("a", 5)
    await settle()
    assert len(sent) == 3
    assert len({id(each) for each in sent}) == 1


@on_stage
async def test_a_commit_turns_each_socket_once(stage: Stage) -> None:
    line = stage.line()
    line.send(watch("a", "b"))
    await settle()
    line.heard()
    stage.host.commit("a", 1)
    stage.host.commit("b", 1)
    await settle()
    assert told(line.heard()) == ["Transition"]


@on_stage
async def test_nothing_is_computed_for_a_client_that_does_not_read(stage: Stage) -> None:
    line = stage.line()
    line.send(watch("a"))
    await settle()
    line.heard()
    line.transport.stuck = True
    for value in range(1, 10):
        stage.host.commit("a", value)
        await settle()
    assert told(line.heard()) == ["Transition", "Transition"]
    runs = stage.host.runs
    line.transport.let_go()
    await settle()
    (last,) = line.heard()
    assert isinstance(last, Transition)
    assert stage.host.runs == runs + 1


@on_stage
async def test_a_pong_is_not_kept_for_a_client_that_does_not_read(stage: Stage) -> None:
    line = stage.line()
    await settle()
    line.socket.data_received(client_frame(b"x", Opcode.PING))
    assert (10, b"x") in line.control_frames()
    line.transport.stuck = True
    line.transport.write(b"")
    line.socket.data_received(client_frame(b"x", Opcode.PING) * 1000)
    assert line.control_frames() == []


@on_stage
async def test_reading_stops_while_many_mutations_wait_and_none_is_refused(stage: Stage) -> None:
    line = stage.line()
    count = 3000
    line.socket.data_received(b"".join(client_frame(set_number(n)) for n in range(count)))
    assert not line.transport.reading
    await settle(200)
    assert not line.transport.reading
    for _ in range(count):
        stage.host.finish_mutation()
        await settle(3)
    await settle()
    answers = [each for each in line.heard() if isinstance(each, MutationResponse)]
    assert [answer.request_id for answer in answers] == list(range(count))
    assert all(answer.success for answer in answers)
    assert line.transport.reading


@on_stage
async def test_a_flood_of_one_socket_lets_others_speak_in_between(stage: Stage) -> None:
    flooding, calm = stage.line(), stage.line()
    await settle()
    flood = client_frame(b'{"type":"Event"}')
    flooding.socket.data_received(flood * (10 * socket_module.SLICE_BYTES // len(flood)))
    calm.send(watch("a"))
    calm.heard()
    await settle(2)
    assert not flooding.transport.reading, "the flood is still being taken in"
    assert told(calm.heard()) == ["Transition"]
    await settle()
    assert flooding.transport.reading


@on_stage
async def test_a_message_may_come_in_any_number_of_pieces(stage: Stage) -> None:
    line = stage.line()
    for byte in client_frame(watch("a")):
        line.socket.data_received(bytes([byte]))
    await settle()
    assert told(line.heard()) == ["Ping", "Transition"]
    assert stage.endpoint.unfinished.taken_bytes == 0


@on_stage
async def test_control_frames_leave_nothing_counted(stage: Stage) -> None:
    line = stage.line()
    for _ in range(100):
        line.socket.data_received(client_frame(b"", Opcode.PONG))
    assert stage.endpoint.unfinished.taken_bytes == 0


@on_stage
async def test_binary_messages_are_refused(stage: Stage) -> None:
    line = stage.line()
    await settle()
    line.heard()
    line.socket.data_received(client_frame(b"x", Opcode.BINARY))
    assert line.control_frames() == [(8, b"\x03\xebTextExpected")]


@on_stage
async def test_a_violation_is_said_before_the_socket_closes(stage: Stage) -> None:
    line = stage.line()
    await settle()
    line.heard()
    line.socket.data_received(client_frame(b"[]"))
    await settle()
    frames = split(b"".join(line.transport.writes))
    assert [opcode for opcode, _ in frames] == [1, 8]
    assert b"FatalError" in frames[0][1]
    assert frames[1][1] == b"\x03\xf0PROTOCOL_VIOLATION"
    line.socket.data_received(client_frame(frames[1][1], Opcode.CLOSE))
    assert line.transport.closed


@on_stage
async def test_nothing_follows_a_close_frame(stage: Stage) -> None:
    line = stage.line()
    line.send(watch("a"))
    await settle()
    line.socket.shutdown()
    line.heard()
    stage.host.commit("a", 1)
    line.send(set_number(0))
    line.socket.beat()
    await settle()
    assert line.transport.writes == []


@on_stage
async def test_a_fault_in_a_query_is_logged_and_answered(stage: Stage) -> None:
    line = stage.line()
    stage.host.run = None  # type: ignore[method-assign, assignment]
    line.send(watch("a"))
    await settle()
    assert told(line.heard()) == ["Ping", "Transition"]


@on_stage
async def test_a_fault_of_one_session_ends_that_connection_only(stage: Stage) -> None:
    broken, fine = stage.line(), stage.line()
    fine.send(watch("b"))
    await settle()
    broken.heard()
    authenticate = stage.host.authenticate
    stage.host.authenticate = None  # type: ignore[method-assign, assignment]
    broken.send(Authenticate(base_version=0, token_type="User", value="ana"))
    stage.host.authenticate = authenticate  # type: ignore[method-assign]
    stage.host.commit("b", 1)
    await settle()
    assert broken.control_frames() == [(8, b"\x03\xf3InternalServerError")]
    assert told(fine.heard())[-1] == "Transition"


@on_stage
async def test_a_host_that_cannot_welcome_anyone_drops_the_connection(stage: Stage) -> None:
    stage.host.authenticate = None  # type: ignore[method-assign, assignment]
    transport = FakeTransport()
    socket = SyncSocket(stage.endpoint)
    socket.connection_made(transport)
    socket.data_received(REQUEST)
    assert transport.aborted


# Time.


@on_stage
async def test_a_client_that_never_connects_is_let_go(stage: Stage) -> None:
    line = stage.line(connect=False)
    for _ in range(socket_module.CONNECT_BEATS):
        line.socket.beat()
    await settle()
    assert line.control_frames()[-1] == (8, b"\x03\xf0ConnectTimeout")


@on_stage
async def test_a_connection_that_never_asks_for_anything_is_cut(stage: Stage) -> None:
    transport = FakeTransport()
    socket = SyncSocket(stage.endpoint)
    socket.connection_made(transport)
    socket.data_received(REQUEST[:20])
    for _ in range(socket_module.CONNECT_BEATS):
        socket.beat()
    assert transport.aborted


@on_stage
async def test_every_beat_pings_and_quiet_ones_say_that_the_server_lives(stage: Stage) -> None:
    line = stage.line()
    await settle()
    line.heard()
    frames: list[tuple[int, bytes]] = []
    for _ in range(6):
        line.socket.beat()
        frames += split(b"".join(line.transport.writes))
        line.transport.writes.clear()
    alive = (1, PING)
    assert frames == [(9, b""), (9, b""), alive, (9, b""), (9, b""), alive]


@on_stage
async def test_output_puts_off_the_word_that_the_server_lives(stage: Stage) -> None:
    line = stage.line()
    line.send(watch("a"))
    await settle()
    for value in range(6):
        line.socket.beat()
        stage.host.commit("a", value + 1)
        await settle()
    assert Ping() not in line.heard()[1:]


@on_stage
async def test_a_silent_client_is_given_up(stage: Stage) -> None:
    line = stage.line()
    for _ in range(socket_module.SILENT_BEATS):
        line.socket.beat()
    assert not line.transport.aborted
    line.socket.beat()
    assert line.transport.aborted


@on_stage
async def test_any_frame_is_a_sign_of_life(stage: Stage) -> None:
    line = stage.line()
    for _ in range(3 * socket_module.SILENT_BEATS):
        line.socket.data_received(client_frame(b"", Opcode.PONG))
        line.socket.beat()
    assert not line.transport.aborted


@on_stage
async def test_taking_bytes_in_is_a_sign_of_life(stage: Stage) -> None:
    line = stage.line()
    line.transport.stuck = True
    line.transport.write(b"x" * 1000)
    for _ in range(3 * socket_module.SILENT_BEATS):
        line.transport.buffered -= 1
        line.socket.beat()
    assert not line.transport.aborted


@on_stage
async def test_a_mutation_that_takes_a_minute_sends_the_client_away(stage: Stage) -> None:
    line = stage.line()
    line.send(set_number(0))
    await settle()
    for _ in range(socket_module.OVERDUE_BEATS):
        line.socket.beat()
    line.socket.data_received(client_frame(b"", Opcode.PONG))
    assert stage.endpoint
    line.socket.beat()
    await settle()
    assert line.control_frames()[-1] == (8, b"\x03\xf5SystemTimeoutError")
    stage.host.finish_mutation()


@on_stage
async def test_many_quick_mutations_are_no_slow_one(stage: Stage) -> None:
    line = stage.line()
    for number in range(3 * socket_module.OVERDUE_BEATS):
        line.send(set_number(number))
        await settle(3)
        line.socket.beat()
        stage.host.mutations.pop().done(CallResult(ok=True))
    await settle()
    assert all(opcode == 9 for opcode, _ in line.control_frames())


@on_stage
async def test_a_closing_socket_is_cut_when_the_client_does_not_answer(stage: Stage) -> None:
    line = stage.line()
    line.socket.shutdown()
    line.socket.beat()
    assert not line.transport.aborted
    line.socket.beat()
    assert line.transport.aborted


@on_stage
async def test_what_was_refused_for_now_is_asked_again_with_the_beat(stage: Stage) -> None:
    stage.host.limited = True
    line = stage.line()
    line.send(watch("a"))
    await settle()
    line.heard()
    stage.host.limited = False
    line.socket.beat()
    await settle()
    (transition,) = line.heard()
    assert isinstance(transition, Transition)


@on_stage
async def test_a_revoked_key_closes_the_socket(stage: Stage) -> None:
    line = stage.line()
    await settle()
    line.heard()
    error = AppError("the key was revoked")
    session = line.socket._session
    assert session is not None
    session.identity_ended(error)
    await settle()
    opcodes = [opcode for opcode, _ in split(b"".join(line.transport.writes))]
    assert opcodes == [1, 8]


# The endpoint.


@on_stage
async def test_a_socket_that_is_gone_is_forgotten(stage: Stage) -> None:
    line = stage.line()
    line.send(watch("a"))
    await settle()
    assert len(stage.endpoint) == 1
    line.lose()
    assert len(stage.endpoint) == 0
    assert not stage.host.lives
    stage.host.commit("a", 1)
    await settle()


@on_stage
async def test_a_stopping_endpoint_sends_everyone_away(stage: Stage) -> None:
    lines = [stage.line() for _ in range(3)]
    await settle()
    for line in lines:
        line.heard()
    stage.endpoint.shutdown()
    for line in lines:
        assert line.control_frames() == [(8, b"\x03\xe9ServerRestart")]
    assert stage.endpoint.refusal("127.0.0.1")
