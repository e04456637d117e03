"""Which allowance a call draws on: what may cost the server much has one of its own."""

import pytest

from hubify.app.compose import DOMAINS
from hubify.functions import build_registry
from hubify.functions.quota import DEFAULT_LIMITS
from hubify.functions.spec import RateClass


@pytest.mark.parametrize("path", ["skills:explainConfidence", "learning:recheckCanary"])
def test_what_weighs_a_whole_record_is_allowed_less_often_than_a_read(path: str) -> None:
    rate = build_registry(DOMAINS).find(path).rate
    assert DEFAULT_LIMITS[rate] <= DEFAULT_LIMITS[RateClass.QUERY] // 5


def test_every_class_of_calls_has_a_limit() -> None:
    assert {*DEFAULT_LIMITS} == {*RateClass} - {RateClass.NONE}
