"""What is remembered of a mutation: for whom, of which call, and what it may answer."""

from typing import Any

import pytest

from hubify.domains.system import system
from hubify.functions import Conflict, Domain, Int64, MutationCtx
from hubify.functions.backend import Answer, Call
from hubify.functions.principal import ANONYMOUS, Principal
from hubify.functions.replay import session_key
from hubify.testing.backend import InMemoryBackend, known
from hubify.values import limits
from hubify.values.errors import AppError
from tests.functions.notes import notes

KIM, LEE = known("kim"), known("lee")
echoes = Domain("echoes")


@echoes.mutation(public=True)
def echo(_ctx: MutationCtx, *, value: list[Any]) -> list[Any]:
    """Answer the argument."""
    return value


@echoes.mutation(public=True)
def shout(_ctx: MutationCtx, *, times: int) -> str:
    """Answer much."""
    return "x" * times


@pytest.fixture
def backend() -> InMemoryBackend:
    """A backend with the notes and the echoes."""
    return InMemoryBackend([system, notes, echoes])


def send(
    backend: InMemoryBackend, path: str, arguments: dict[str, Any], caller: Principal
) -> Answer | AppError:
    """Send request 0 of the session `s`, as a socket does."""
    settled: list[Answer | AppError] = []
    call = Call(path, arguments, caller, replay=session_key("s", 0, caller, path, arguments))
    backend.backend.submit(call, settled.append)
    backend.database.flush()
    return settled[0]


def test_another_caller_with_the_same_session_id_is_not_told_what_the_first_was(
    backend: InMemoryBackend,
) -> None:
    first = send(backend, "echoes:echo", {"value": ["kim's own"]}, KIM)
    assert isinstance(first, Answer)
    for other in (LEE, ANONYMOUS):
        assert isinstance(send(backend, "echoes:echo", {"value": ["kim's own"]}, other), Conflict)


def test_a_request_number_used_for_other_arguments_is_a_conflict(
    backend: InMemoryBackend,
) -> None:
    assert isinstance(send(backend, "echoes:echo", {"value": [1]}, KIM), Answer)
    assert isinstance(send(backend, "echoes:echo", {"value": [2]}, KIM), Conflict)
    assert isinstance(send(backend, "echoes:shout", {"times": 1}, KIM), Conflict)


def test_an_agent_s_name_cannot_be_taken_for_a_part_of_another_s_key(
    backend: InMemoryBackend,
) -> None:
    one, other = known("kim", agent="a:b"), known("kim", agent="a")
    backend.mutation("notes:add", {"name": "a", "idempotencyKey": "c"}, principal=one)
    with pytest.raises(Conflict, match="notes has a row with the same name"):
        backend.mutation("notes:add", {"name": "a", "idempotencyKey": "b:c"}, principal=other)


@pytest.mark.parametrize(
    "value", [None, True, 1, 0.5, "x", b"\0", Int64(5), [Int64(-1), {"a": Int64(2**62)}]]
)
def test_every_kind_of_value_is_answered_again_as_it_was(
    backend: InMemoryBackend, value: object
) -> None:
    for _time in range(2):
        answer = send(backend, "echoes:echo", {"value": [value]}, KIM)
        assert isinstance(answer, Answer)
        assert answer.value == [value]


def test_an_int64_is_not_taken_for_the_text_that_shows_it(backend: InMemoryBackend) -> None:
    assert isinstance(send(backend, "echoes:echo", {"value": [Int64(5)]}, KIM), Answer)
    assert isinstance(send(backend, "echoes:echo", {"value": [repr(Int64(5))]}, KIM), Conflict)


def test_an_answer_too_large_to_keep_is_given_once(backend: InMemoryBackend) -> None:
    wanted = {"times": 2 * limits.MAX_DOCUMENT_BYTES}
    first = send(backend, "echoes:shout", wanted, KIM)
    assert isinstance(first, Answer)
    again = send(backend, "echoes:shout", wanted, KIM)
    assert isinstance(again, Conflict)
    assert "is not kept" in again.message
