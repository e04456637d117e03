"""The bounds of one call: just under they pass, over they are refused, and the client goes on."""

import pytest

from tests.clients.conftest import Connect
from tests.clients.hosts import Refusal
from tests.clients.legs import Leg
from tests.clients.server import Server

MIB = 1024 * 1024
UNDER = 16 * MIB - 1000
EDGE = 16 * MIB - 2  # with its quotes, as JSON, exactly 16 MiB
OVER = 16 * MIB + 4000
TOO_LARGE = "PAYLOAD_TOO_LARGE"


@pytest.mark.parametrize(("kind", "path"), [("query", "length"), ("mutation", "measure")])
def test_arguments_just_under_sixteen_mebibytes_pass(
    connect: Connect, hub: Server, leg: Leg, kind: str, path: str
) -> None:
    assert connect(leg, hub).call(kind, f"checks:{path}", value="x" * UNDER) == UNDER


@pytest.mark.parametrize(("kind", "path"), [("query", "length"), ("mutation", "measure")])
def test_arguments_over_sixteen_mebibytes_are_refused_and_the_client_goes_on(
    connect: Connect, hub: Server, leg: Leg, kind: str, path: str
) -> None:
    client = connect(leg, hub)
    refusal = client.refusal(kind, f"checks:{path}", value="x" * OVER)
    assert_refused(refusal, TOO_LARGE)
    assert client.query("checks:echo", value="and goes on") == "and goes on"


@pytest.mark.parametrize("size", [UNDER, EDGE])
def test_an_answer_of_up_to_sixteen_mebibytes_arrives(
    connect: Connect, hub: Server, leg: Leg, size: int
) -> None:
    assert connect(leg, hub).query("checks:large", size=size) == "x" * size


def test_an_answer_over_sixteen_mebibytes_is_refused_and_the_client_goes_on(
    connect: Connect, hub: Server, leg: Leg
) -> None:
    client = connect(leg, hub)
    refusal = client.refusal("query", "checks:large", size=OVER)
    assert refusal.data["code"] == TOO_LARGE
    assert client.query("checks:echo", value="and goes on") == "and goes on"


NESTED: object = "x"
for _ in range(100):
    NESTED = [NESTED]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param(NESTED, TOO_LARGE, id="nested"),
        pytest.param([[0.5] * 8_000] * 40, TOO_LARGE, id="many values"),
        pytest.param([0.5] * 9_000, TOO_LARGE, id="long array"),
    ],
)
def test_values_of_an_unfit_shape_are_refused_and_the_client_goes_on(
    connect: Connect, hub: Server, leg: Leg, value: object, code: str
) -> None:
    client = connect(leg, hub)
    for kind, path in (("query", "checks:echo"), ("mutation", "checks:keepNothing")):
        assert_refused(client.refusal(kind, path, value=value), code)
    assert client.query("checks:echo", value="and goes on") == "and goes on"


def test_half_an_emoji_is_refused_and_the_client_goes_on(
    connect: Connect, hub: Server, npm_leg: Leg
) -> None:
    client = connect(npm_leg, hub)
    for kind, path in (("query", "checks:echo"), ("mutation", "checks:keepNothing")):
        refusal = client.refusal(kind, path, value="so much \ud83d")
        assert_refused(refusal, "VALIDATION_ERROR")
        assert "lone surrogate" in refusal.message
    assert client.query("checks:echo", value="and goes on") == "and goes on"


def assert_refused(refusal: Refusal, code: str) -> None:
    """A client over HTTP is told of it before a function is called, as plain text."""
    assert code in refusal.message or refusal.data["code"] == code
