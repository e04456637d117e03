"""What is read out of one suggestion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.evidence.similarity import Suggestion, analyse
from hubify.evidence.similarity.analysis import MAX_TERMS


def stance(suggestion: Suggestion, key: str) -> float:
    return next(term.stance for term in suggestion.terms if term.key == key)


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("Skip weekends.", "weekend", -1),
        ("Don't skip weekends.", "weekend", 1),
        ("Use zzip instead of qpack.", "qpack", -1),
        ("Use zzip instead of qpack.", "zzip", 1),
        ("zzip should not be used.", "zzip", -1),
        ("Set foo_limit to 0.", "foolimit", -1),
        ("Replace zzip with qpack.", "zzip", -1),
        ("Replace zzip with qpack.", "qpack", 1),
        ("zzip is noise. Leave it out.", "zzip", -1),
        ("Verwende zzip statt qpack.", "qpack", -1),
        ("Usar zzip en lugar de qpack.", "qpack", -1),
        ("Il faut utiliser zzip au lieu de qpack.", "qpack", -1),
        ("应该使用 zzip 而不是 qpack。", "qpack", -1),
        ("It failed because zzip was missing.", "zzip", 0),
    ],
)
def test_a_word_is_wanted_or_not_as_its_clause_says(text: str, key: str, expected: int) -> None:
    assert stance(analyse(text), key) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Raise the limit.", 1),
        ("The limit is too low.", 1),
        ("8 attempts are not enough.", 1),
        ("Extend retention from 14 to 90 days.", 1),
        ("Lower the limit.", -1),
        ("Don't raise the limit.", -1),
        ("The limit is too high.", -1),
        ("Use 3 instead of 8 attempts.", -1),
        ("Sort the keys.", 0),
        ("Raise the limit, lower the delay.", 0),
        ("El límite es demasiado bajo.", 1),
        ("Das Limit ist zu hoch.", -1),
        ("Le délai est trop court.", 1),
        ("超时太长。", -1),
    ],
)
def test_a_direction_is_read_from_requests_and_complaints(text: str, expected: int) -> None:
    assert analyse(text).direction == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("retries", "retrying"),
        ("validation", "validate"),
        ("time zone", "timezones"),
        ("Zeitzone", "zona horaria"),
        ("删除", "remove"),
        ("fichiers", "files"),
        ("Fehlermeldung", "message"),
    ],
)
def test_inflections_and_languages_share_a_key(one: str, other: str) -> None:
    ours = analyse(f"Consider the {one}" if one.isascii() else one).keys
    theirs = analyse(f"Consider the {other}").keys
    assert ours & theirs


def test_flags_of_one_stem_stay_two() -> None:
    codes = analyse("Use `--force-with-lease` rather than `--force`.").codes
    assert len(codes) == 2


def test_identifiers_meet_in_any_spelling() -> None:
    assert analyse("Set max_retries to 3").codes == analyse("Set maxRetries").codes


def test_amounts_meet_in_any_unit() -> None:
    assert analyse("Wait 2 minutes.").amounts == analyse("Wait 120 s.").amounts


@given(st.text(max_size=3_000))
def test_any_text_has_bounded_features(text: str) -> None:
    suggestion = analyse(text)
    assert len(suggestion.terms) <= MAX_TERMS
    assert suggestion == analyse(text)


def test_a_long_text_counts_only_to_its_bound() -> None:
    start = "word " * 400
    assert analyse(start + "alpha " * 5_000).keys == analyse(start + "beta " * 5_000).keys
