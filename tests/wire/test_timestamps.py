"""Timestamps travel as eight bytes in base64 and come back the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.values.errors import InvalidInput
from hubify.wire.timestamps import decode_ts, encode_ts


@given(st.integers(0, 2**63 - 1))
def test_a_timestamp_comes_back_the_same(ts: int) -> None:
    assert decode_ts(encode_ts(ts)) == ts


def test_zero_is_written_as_clients_expect() -> None:
    assert encode_ts(0) == "AAAAAAAAAAA="


@pytest.mark.parametrize("text", ["", "AAAA", "AAAAAAAAAIA=", "AAAAAAAAAAA", "!!", "é", "A" * 999])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="not a timestamp"):
        decode_ts(text)
