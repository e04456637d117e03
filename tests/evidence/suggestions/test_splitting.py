"""One request or several."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.evidence.suggestions.splitting import split_requests


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Two things: cache the wheels; pin the base image", 2),
        ("1) Cache the wheels 2) Pin the base image 3) Drop root rights", 3),
        ("Cache the wheels. Also, pin the base image by digest.", 2),
        ("Return the line items and validate the IBAN checksum.", 2),
        ("Cachear las ruedas. Además, fijar la imagen base.", 2),
    ],
)
def test_a_text_that_says_so_is_cut(text: str, parts: int) -> None:
    found = split_requests(text)
    assert len(found) == parts
    assert all(part in text for part in found)


@pytest.mark.parametrize(
    "text",
    [
        "Group identical stack traces and show a count.",
        "Add unique and not_null tests for the key.",
        "Read the file and close it.",
        "Models should only rename and cast columns.",
        "Don't silence warnings and fix the code instead.",
        "Use zzip because qpack fails and loses data.",
    ],
)
def test_one_request_stays_whole(text: str) -> None:
    assert split_requests(text) == (text,)


@pytest.mark.parametrize(
    "text",
    [
        "Two things: log it; retry a failed upload up to three times",
        "Cache the wheels. Also, no sudo.",
        "1) Cache the wheels 2) fewer logs",
    ],
)
def test_a_text_stays_whole_rather_than_lose_a_short_part(text: str) -> None:
    assert split_requests(text) == (text,)


def test_a_long_list_keeps_its_end_with_its_last_request() -> None:
    text = "1) Cache the wheels 2) Pin the base image 3) Drop root rights 4) Sign the image"
    *_, last = split_requests(text)
    assert last == "Drop root rights 4) Sign the image"


PIECES = (
    "add cache retry the timeout `--force` 3 two things: also, and ; 1) 2. - • (e.g. Latin-1) 忽"
)
WORDS = st.sampled_from(PIECES.split())


@given(st.lists(WORDS, max_size=40).map(" ".join))
def test_requests_are_pieces_of_the_text_in_their_order(text: str) -> None:
    place = 0
    for request in split_requests(text):
        place = text.index(request, place) + len(request)
    assert place <= len(text)


def test_steps_of_one_request_are_not_split() -> None:
    text = "Describe how to recover the ledger: (1) stop all writers, (2) restore the newest dump."
    assert split_requests(text) == (text,)


def test_a_noun_after_and_is_no_second_request() -> None:
    text = "Check slides for wrong content and structure when the converter fails halfway."
    assert split_requests(text) == (text,)
