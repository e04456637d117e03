"""One request or several."""

import pytest

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
