"""The same call gives the same answer on every face, up to that face's declared spelling.

Every query that REST offers is asked over REST, Convex HTTP, a sync socket and the command line, by
the administrator and by a stranger; so a new function is held to it without a line here, but for
the value of an argument that it asks for.
"""

import json
import re
import subprocess
import sys
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import pytest

from tests.clients.server import Server
from tests.server.wire import Json, ask, call, sync_socket

SKILL_MD = "---\nname: faces\ndescription: Shows each face. Use in tests.\n---\n\n# Faces\n"
NOT_KEPT = "0000000000000000"
VALUES: dict[str, Any] = {
    "name": "faces", "skillName": "faces", "path": "SKILL.md", "query": "faces", "agentId": "me",
    "token": "hs_none", "version": "1.0.0", "groupId": NOT_KEPT,
}  # fmt: skip
"""What is sent for an argument that is required or in the path; an id of nothing for the rest."""
RESPELLED = re.compile(r"(?<=[a-z0-9])([A-Z])")


class Query(NamedTuple):
    """One query with its route."""

    path: str
    route: str
    required: tuple[str, ...]
    paged: bool


@pytest.fixture(scope="module")
def filled(server: Server) -> Server:
    """The server with a skill, a report, an agent and a suggestion."""
    key = server.admin_key
    assert not call(server, "action", "skills:publish", {"skillMd": SKILL_MD}, key).code
    report = {"skillName": "faces", "outcome": "success", "agentId": "me", "platform": "x",
              "improvement": "Ask for the name before greeting"}  # fmt: skip
    assert not call(server, "mutation", "learning:report", report, key).code
    return server


def queries(server: Server) -> list[Query]:
    """Every query that REST offers, of the product's own."""
    listed = ask(server, "GET", "/api/functions").json["functions"]
    found: list[Query] = []
    for function in listed:
        names = [argument["name"] for argument in function["arguments"]]
        required = tuple(each["name"] for each in function["arguments"] if each["required"])
        for route in function["routes"]:
            if function["kind"] == "query" and not function["path"].startswith("checks:"):
                paged = "paginationOpts" in names
                found.append(Query(function["path"], route["path"], required, paged))
    return found


def arguments(query: Query) -> dict[str, Any]:
    in_path = {_camel(name) for name in re.findall(r"{(\w+)}", query.route)}
    return {name: VALUES.get(name, NOT_KEPT) for name in {*query.required, *in_path}}


def over_rest(server: Server, query: Query, sent: dict[str, Any], key: str) -> Json:
    left = {_snake(name): value for name, value in sent.items()}
    route = re.sub(r"{(\w+)}", lambda found: quote(str(left.pop(found[1])), safe=""), query.route)
    answer = ask(server, "GET", f"{route}?{urlencode(left)}", None, key)
    if answer.code:
        return {"refused": answer.message}
    told = answer.json["data"] if route.startswith("/v1/") else answer.json
    return plain(told)


def over_convex(server: Server, query: Query, sent: dict[str, Any], key: str) -> Json:
    answer = call(server, "query", query.path, sent, key)
    return {"refused": answer.message} if answer.code else plain(_page(answer.json["value"], query))


def over_socket(server: Server, query: Query, sent: dict[str, Any], key: str) -> Json:
    with sync_socket(server) as socket:
        if key:
            socket.authenticate(key)
        told = socket.watch(query.path, sent)
    if "errorData" in told:
        return {"refused": told["errorData"]["message"]}
    return plain(_page(told["value"], query))


def by_command(server: Server, query: Query, sent: dict[str, Any], key: str) -> Json:
    finished = subprocess.run(
        [sys.executable, "-m", "hubify", "call", query.path, json.dumps(sent)],
        capture_output=True, text=True, timeout=60, check=False,
        env={"HUBIFY_URL": server.url, "HUBIFY_API_KEY": key},
    )  # fmt: skip
    if finished.returncode:
        return {"refused": finished.stderr.partition(": ")[2].partition(": ")[2].partition(" (")[0]}
    return plain(_page(json.loads(finished.stdout), query))


def _page(value: Json, query: Query) -> Json:
    return value["page"] if query.paged and isinstance(value, dict) and "page" in value else value


def plain(value: Json) -> Json:
    """A value without what faces declare to spell otherwise: case, `_id`, whole numbers, times."""
    if isinstance(value, dict):
        return {
            name.replace("_", "").lower(): plain(each)
            for name, each in value.items()
            if name not in {"_creationTime", "page_status", "pageStatus", "split_cursor"}
        }
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _snake(name: str) -> str:
    return RESPELLED.sub(lambda found: f"_{found[1].lower()}", name)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


@pytest.mark.parametrize("stranger", [False, True], ids=["administrator", "stranger"])
def test_every_query_answers_alike_on_every_face(filled: Server, *, stranger: bool) -> None:
    key = "" if stranger else filled.admin_key
    asked = queries(filled)
    assert len(asked) > 30
    different: dict[str, list[Any]] = {}
    for query in asked:
        sent = arguments(query)
        faces = (over_rest, over_convex, over_socket)
        answers = [face(filled, query, sent, key) for face in faces]
        if any(answer != answers[0] for answer in answers):
            different[query.path] = answers
    assert different == {}


@pytest.mark.parametrize("path", ["skills:getByName", "skills:list", "learning:getStats"])
def test_the_command_line_answers_as_the_others_do(filled: Server, path: str) -> None:
    query = next(each for each in queries(filled) if each.path == path)
    sent, key = arguments(query), filled.admin_key
    assert by_command(filled, query, sent, key) == over_convex(filled, query, sent, key)
