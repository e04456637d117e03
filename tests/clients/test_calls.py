"""Calls by every official client: what they answer, how they refuse, what values they carry."""

import struct
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Connect
from tests.clients.legs import LEGS, NPM_HTTP, PYPI_LIVE, Leg
from tests.clients.server import Server


def int64(number: int) -> dict[str, str]:
    return {"$integer": b64encode(number.to_bytes(8, "little", signed=True)).decode()}


def special(number: float) -> dict[str, str]:
    return {"$float": b64encode(struct.pack("<d", number)).decode()}


def some_bytes(data: bytes) -> dict[str, str]:
    return {"$bytes": b64encode(data).decode()}


VALUES: dict[str, tuple[Any, Any]] = {
    "nothing": (None, "null"),
    "truths": ([True, False], ["boolean", "boolean"]),
    "floats": ([0, 1.5, -7, 2**53 - 1, 5e-324, 1.7976931348623157e308], ["float64"] * 6),
    "notNumbers": (
        list(map(special, [float("nan"), float("inf"), -float("inf")])),
        ["float64"] * 3,
    ),
    "negativeZero": (special(-0.0), "float64"),
    "int64s": (list(map(int64, [0, -1, 2**63 - 1, -(2**63), 2**53 + 1])), ["int64"] * 5),
    "texts": (["", "\x00", "Zażółć 東京 \u2028 😀", "$x"], ["string"] * 4),
    "bytes": (list(map(some_bytes, [b"", bytes(range(256))])), ["bytes"] * 2),
    "arrays": ([[], [[]], [[], [{}]]], [[], [[]], [[], [{}]]]),
    "objects": ({"": 1, "a b": {"_x-": {}}}, {"": "float64", "a b": {"_x-": {}}}),
}
SEND_ANY_PATH = [leg for leg in LEGS if leg != PYPI_LIVE]  # which looks at paths itself
SENT = {name: value for name, (value, _) in VALUES.items()}
KINDS = {name: kinds for name, (_, kinds) in VALUES.items()}


def test_a_query_a_mutation_and_an_action_answer(
    connect: Connect, hub: Server, leg: Leg, name: str
) -> None:
    client = connect(leg, hub)
    assert client.query("checks:counter", name=name) == 0
    assert client.mutation("checks:increment", name=name, by=3) == 3
    assert client.action("checks:twice", name=name) == 5
    assert client.query("checks:counter", name=name) == 5


def test_a_refusal_carries_its_code_and_sentence(connect: Connect, hub: Server, leg: Leg) -> None:
    client = connect(leg, hub)
    told = {"code": "CONFLICT", "message": "it is taken"}
    assert client.refusal("query", "checks:refused", why="it is taken").data == told
    assert client.refusal("mutation", "checks:refuse", why="it is taken").data == told
    assert client.refusal("action", "checks:refuseLater", why="it is taken").data == told
    assert client.query("checks:echo", value="and goes on") == "and goes on"


@pytest.mark.parametrize("kind", ["query", "mutation", "action"])
def test_an_unknown_function_is_refused_by_name(
    connect: Connect, hub: Server, leg: Leg, kind: str
) -> None:
    refusal = connect(leg, hub).refusal(kind, "checks:nothing")
    message = "Could not find public function for 'checks:nothing'."
    assert refusal.data == {"code": "NOT_FOUND", "message": message}


@pytest.mark.parametrize(
    ("kind", "path"),
    [("mutation", "checks:counter"), ("action", "checks:increment"), ("query", "checks:twice")],
)
def test_a_function_of_another_kind_is_refused_with_its_kind(
    connect: Connect, hub: Server, leg: Leg, kind: str, path: str
) -> None:
    refusal = connect(leg, hub).refusal(kind, path, name="a")
    assert refusal.data["code"] == "NOT_FOUND"
    assert f"'{path}' is a" in refusal.data["message"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": 1}, "name must be a string, not a whole number"),
        ({"name": "a", "by": "1"}, "by must be a whole number, not a string"),
        ({"by": 1}, "name is required"),
        ({"name": "a", "extra": 1}, "unknown argument 'extra'; this function takes: name, by"),
    ],
)
def test_wrong_arguments_are_refused_by_name(
    connect: Connect, hub: Server, leg: Leg, arguments: dict[str, Any], message: str
) -> None:
    refusal = connect(leg, hub).refusal("mutation", "checks:increment", **arguments)
    assert refusal.data == {"code": "VALIDATION_ERROR", "message": message}


def test_a_bug_in_a_function_is_told_without_describing_it(
    connect: Connect, tmp_path: Path, leg: Leg
) -> None:
    with Server(tmp_path / "data") as server:
        client = connect(leg, server)
        refusal = client.refusal("query", "checks:broken")
        assert refusal.data["code"] == "INTERNAL_ERROR"
        assert "zebra" not in refusal.message + str(refusal.data)
        assert client.query("checks:echo", value="and goes on") == "and goes on"
        assert "the secret is a zebra" in server.log()


def test_every_type_of_value_goes_there_and_back(connect: Connect, hub: Server, leg: Leg) -> None:
    client = connect(leg, hub)
    assert client.query("checks:echo", value=SENT) == SENT
    assert client.kinds == KINDS


def test_every_type_of_value_is_stored_and_loaded(
    connect: Connect, hub: Server, leg: Leg, name: str
) -> None:
    client = connect(leg, hub)
    client.mutation("checks:store", name=name, content=SENT)
    assert client.query("checks:load", name=name) == SENT
    assert client.kinds == KINDS


def test_every_spelling_of_a_path_finds_the_function(
    connect: Connect, hub: Server, leg: Leg
) -> None:
    client = connect(leg, hub)
    for path in ("checks:default", "checks.js:default", "checks", "checks.js"):
        assert client.query(path) == "default"


def test_a_reference_into_the_api_finds_the_function(
    connect: Connect, hub: Server, npm_leg: Leg
) -> None:
    client = connect(npm_leg, hub)
    assert client.query(["checks", "default"]) == "default"
    assert client.query(["checks", "echo"], value=1) == 1


@pytest.mark.parametrize("leg", SEND_ANY_PATH, ids=lambda leg: leg.name)
def test_a_text_that_is_no_path_is_refused_as_one(connect: Connect, hub: Server, leg: Leg) -> None:
    for path in ("checks:no such", "a/b.c/d:e f", ":", "checks:___"):
        refusal = connect(leg, hub).refusal("query", path)
        assert "BadConvexFunctionIdentifier" in refusal.message + str(refusal.data)


def test_consistent_queries_are_answered_as_of_the_first(
    connect: Connect, hub: Server, name: str
) -> None:
    client = connect(NPM_HTTP, hub)
    client.mutation("checks:increment", name=name)
    assert client.call("consistent", "checks:counter", name=name) == 1
    client.mutation("checks:increment", name=name)
    assert client.call("consistent", "checks:counter", name=name) == 1
    assert client.query("checks:counter", name=name) == 2
