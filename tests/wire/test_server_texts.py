"""The server's texts are what clients expect, to the letter where letters matter."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.values.errors import NotFound
from hubify.wire import server_texts
from hubify.wire.results import CallResult, call_refusal, live_refusal, live_value
from hubify.wire.server_texts import ZERO, Version, chunks
from hubify.wire.sync_messages import (
    ActionResponse,
    AuthError,
    FatalError,
    MutationResponse,
    Ping,
    Transition,
    TransitionChunk,
    decode_server_message,
)
from hubify.wire.timestamps import encode_ts

WIDE = st.text(st.sampled_from("aé€😀"), max_size=200)


def test_a_transition_tells_both_versions_and_nothing_a_client_stumbles_over() -> None:
    text = server_texts.transition(
        ZERO,
        Version(1, 0, 7),
        [
            server_texts.query_result(0, live_value(b"1.0")),
            server_texts.query_result(1, live_refusal(NotFound("gone"))),
            server_texts.query_removed(2),
        ],
    )
    assert json.loads(text) == {
        "type": "Transition",
        "startVersion": {"querySet": 0, "identity": 0, "ts": "AAAAAAAAAAA="},
        "endVersion": {"querySet": 1, "identity": 0, "ts": encode_ts(7)},
        "modifications": [
            {"type": "QueryUpdated", "queryId": 0, "value": 1.0, "logLines": [], "journal": None},
            {
                "type": "QueryFailed",
                "queryId": 1,
                "errorMessage": "gone",
                "errorData": {"code": "NOT_FOUND", "message": "gone"},
                "logLines": [],
                "journal": None,
            },
            {"type": "QueryRemoved", "queryId": 2},
        ],
    }
    assert isinstance(decode_server_message(text), Transition)


def test_a_mutation_that_succeeded_tells_its_timestamp_as_a_string() -> None:
    text = server_texts.mutation_response(3, CallResult(ok=True, value_json=b"[1.0]"), 9)
    assert json.loads(text) == {
        "type": "MutationResponse",
        "requestId": 3,
        "success": True,
        "result": [1.0],
        "logLines": [],
        "ts": encode_ts(9),
    }
    assert isinstance(decode_server_message(text), MutationResponse)


def test_a_mutation_that_failed_tells_its_message_and_a_null_timestamp() -> None:
    text = server_texts.mutation_response(3, call_refusal(NotFound("gone")), 9)
    assert json.loads(text) == {
        "type": "MutationResponse",
        "requestId": 3,
        "success": False,
        "result": "gone",
        "logLines": [],
        "errorData": {"code": "NOT_FOUND", "message": "gone"},
        "ts": None,
    }


def test_error_data_is_left_out_when_there_is_none() -> None:
    failed = CallResult(ok=False, error_message="boom")
    assert "errorData" not in json.loads(server_texts.mutation_response(0, failed, 0))
    assert "errorData" not in json.loads(server_texts.action_response(0, failed))


def test_an_action_response_has_no_timestamp() -> None:
    text = server_texts.action_response(1, CallResult(ok=True))
    assert "ts" not in json.loads(text)
    assert isinstance(decode_server_message(text), ActionResponse)


def test_errors_and_pings_are_understood() -> None:
    auth = decode_server_message(server_texts.auth_error('no "key"', 2, attempted=True))
    assert auth == AuthError(error='no "key"', base_version=2, auth_update_attempted=True)
    assert decode_server_message(server_texts.fatal_error("x")) == FatalError(error="x")
    assert decode_server_message(server_texts.PING) == Ping()


def test_a_short_transition_goes_in_one_piece() -> None:
    assert list(chunks(b"abc", 3)) == [b"abc"]


@given(WIDE, st.integers(4, 50))
def test_chunks_join_to_the_text_and_none_is_too_long(text: str, size: int) -> None:
    raw = text.encode()
    parts = [decode_server_message(part) for part in chunks(raw, size)] if len(raw) > size else []
    for position, part in enumerate(parts):
        assert isinstance(part, TransitionChunk)
        assert (part.part_number, part.total_parts) == (position, len(parts))
        assert len(part.chunk.encode()) <= size
    if parts:
        joined = "".join(part.chunk for part in parts if isinstance(part, TransitionChunk))
        assert joined == text
        marks = {part.transition_id for part in parts if isinstance(part, TransitionChunk)}
        assert len(marks) == 1


@pytest.mark.parametrize("message", ["", 'a"b', "línea\n", "\u2028"])
def test_messages_of_any_text_stay_json(message: str) -> None:
    assert msgspec.json.decode(server_texts.fatal_error(message))["error"] == message
