"""Two messages of one fault have one signature, and others have another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.evidence.error_signatures import MAX_SIGNATURE, signature_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Timeout after 30 s", "timeout after 120.5 s"),
        ("cannot open /opt/ada/x/y.txt", "cannot open /var/lib/z.txt"),
        ("KeyError: 'alpha'", "KeyError: 'beta'"),
        ("GET https://a.example/x failed", "GET https://b.example/y?z=1 failed"),
        ("job 7f3a9c2e11 vanished", "job 00ffab12cd vanished"),
        (
            'Traceback (most recent call last):\n  File "a.py", line 3\nValueError: bad row 7',
            'Traceback (most recent call last):\n  File "b.py", line 9\nValueError: bad row 8',
        ),
    ],
)
def test_what_differs_from_run_to_run_makes_no_other_signature(one: str, other: str) -> None:
    assert signature_of(one) == signature_of(other) is not None


def test_different_faults_have_different_signatures() -> None:
    told = ("connection refused by the proxy", "permission denied", "KeyError: 'a'")
    assert len({signature_of(one) for one in told}) == 3


@pytest.mark.parametrize("message", ["", "   \n ", "500", "???", "42: 17"])
def test_a_message_that_says_nothing_has_none(message: str) -> None:
    assert signature_of(message) is None


@given(st.text(max_size=400))
def test_any_text_gives_one_short_line_or_nothing(message: str) -> None:
    found = signature_of(message)
    assert found is None or (len(found) <= MAX_SIGNATURE and "\n" not in found)
