"""Results are encoded once, and equal ones are recognised."""

import pytest

from hubify.values import limits
from hubify.values.errors import Conflict, InternalError, NotFound, RateLimited, TooLarge
from hubify.wire.results import (
    call_refusal,
    encode_answer,
    error_data,
    live_refusal,
    live_value,
)


def test_a_value_and_its_journal_are_the_members_of_query_updated() -> None:
    result = live_value(b"[1.0]", "cursor")
    assert result.members == b'"value":[1.0],"logLines":[],"journal":"cursor"'
    assert not result.failed


def test_a_refusal_carries_code_and_message_as_error_data() -> None:
    result = live_refusal(NotFound("Skill 'x' not found"))
    assert result.members == (
        b'"errorMessage":"Skill \'x\' not found",'
        b'"errorData":{"code":"NOT_FOUND","message":"Skill \'x\' not found"},'
        b'"logLines":[],"journal":null'
    )
    assert result.failed


def test_details_of_a_refusal_travel_with_it() -> None:
    data = error_data(RateLimited("slow down", retry_after_s=2.5))
    assert data == b'{"retryAfter":2.5,"code":"RATE_LIMITED","message":"slow down"}'


def test_equal_results_have_equal_digests_and_others_do_not() -> None:
    assert live_value(b"1.0").digest == live_value(b"1.0").digest
    assert live_value(b"1.0").digest != live_value(b"2.0").digest
    assert live_value(b"1.0").digest != live_value(b"1.0", "journal").digest
    assert live_refusal(NotFound("a")).digest != live_refusal(NotFound("b")).digest
    assert live_refusal(NotFound("a")).digest != live_refusal(Conflict("a")).digest


def test_a_bug_of_ours_counts_as_the_same_however_it_is_logged() -> None:
    first, second = (live_refusal(InternalError(f"the log has it as {n}")) for n in "12")
    assert first.digest == second.digest
    assert first.members != second.members


def test_an_answer_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_ANSWER_BYTES", 10)
    assert encode_answer("x" * 8) == b'"xxxxxxxx"'
    with pytest.raises(TooLarge, match="10 bytes"):
        encode_answer("x" * 9)


def test_a_refused_call_has_no_timestamp() -> None:
    result = call_refusal(NotFound("gone"))
    assert (result.ok, result.ts, result.error_message) == (False, None, "gone")
