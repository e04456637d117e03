"""Frames are built as the standard says, shared by key, and not kept without bound."""

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from hubify.transports.sync import frames as frames_module
from hubify.transports.sync.frames import Frames, text_frame
from hubify.wire.server_texts import ZERO, Version
from tests.transports.sync.fake_transport import split


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 200_000])
def test_a_frame_carries_a_text_of_any_size(size: int) -> None:
    text = b"x" * size
    assert split(text_frame(text)) == [(1, text)]


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_long_text_goes_in_frames_that_every_client_takes(
    monkeypatch: pytest.MonkeyPatch, frames: int
) -> None:
    monkeypatch.setattr(frames_module, "MAX_FRAME_BYTES", 10)
    text = bytes(range(9 * frames + 1))
    sent = text_frame(text)
    client = ClientProtocol(parse_uri("ws://a/"), state=State.OPEN)
    client.receive_data(sent)
    parts = [event for event in client.events_received() if isinstance(event, Frame)]
    assert b"".join(part.data for part in parts) == text
    assert [part.opcode for part in parts] == [Opcode.TEXT, *[Opcode.CONT] * (frames - 1)]
    assert [part.fin for part in parts] == [False] * (frames - 1) + [True]
    assert max(len(part.data) for part in parts) <= 10


def built(frames: Frames, ts: int, size: int = 10) -> list[int]:
    """Ask for a transition; says when it had to be built."""
    calls: list[int] = []

    def modifications() -> list[bytes]:
        calls.append(ts)
        return [b'"%b"' % (b"x" * size)]

    frames.transition(ZERO, Version(0, 0, ts), (), modifications, in_chunks=False)
    return calls


def test_what_was_built_is_not_built_again() -> None:
    frames = Frames()
    assert built(frames, 1) == [1]
    assert built(frames, 1) == []


def test_chunks_are_kept_apart_from_whole_texts() -> None:
    frames = Frames()
    whole = frames.transition(ZERO, ZERO, (), lambda: [b"1"] * 3_000_000, in_chunks=False)
    parts = frames.transition(ZERO, ZERO, (), lambda: [b"1"] * 3_000_000, in_chunks=True)
    assert len(split(whole)) == 1
    assert len(split(parts)) == 2


def test_the_number_of_frames_is_bounded() -> None:
    frames = Frames()
    for ts in range(2 * frames_module.MAX_FRAMES):
        built(frames, ts)
    assert len(frames) == frames_module.MAX_FRAMES
    assert built(frames, 0) == [0], "the oldest went first"


def test_their_bytes_are_bounded_save_for_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames_module, "MAX_BYTES", 1000)
    frames = Frames()
    built(frames, 1, size=400)
    built(frames, 2, size=400)
    assert len(frames) == 1
    built(frames, 3, size=5000)
    assert len(frames) == 1
    assert built(frames, 3) == []
