"""Hostile texts: stored and answered as they are, or refused clearly; never acted upon."""

import json
import re
from urllib.parse import quote

import pytest

from tests.clients.server import Server
from tests.server.wire import JSON, ask, call, exchange, request, sync_socket

NAMES = {
    "path traversal": "../../../../etc/passwd",
    "absolute path": "/etc/passwd",
    "Windows path": "C:\\..\\x\\NUL",
    "NUL": "a\0b",
    "controls": "".join(map(chr, range(1, 32))) + "\x7f\x85",
    "line ends": "a\r\nSet-Cookie: x=1\r\n\r\n<b>",
    "bidi": "\u202egpj.exe\u2066\u2069",
    "invisible": "a\u200b\u200d\ufeffb\u00ad",
    "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467\U0001f3ff",
    "combining": "Z" + "\u0335" * 500,
    "not normalised": "\u0041\u030a \u00c5 \u212b",
    "noncharacters": "\ufffe\uffff\U0010ffff",
    "SQL": "x'; DROP TABLE rows; --",
    "HTML": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "template": "{{7*7}}${7*7}%s%n{0.__class__}",
    "shell": "$(touch /tmp/x)`id`; rm -rf *",
    "log injection": "x\n2026-01-01 00:00:00 ERROR hubify: Traceback",
    "prototype": "__proto__",
    "empty": "",
    "spaces": "   ",
}
PLAIN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
FIELDS = ["__proto__", "constructor", "toString", "_id", "", "a" * 1_024, "a b", "<b>", "'; --"]


@pytest.fixture(params=NAMES)
def hostile(request: pytest.FixtureRequest) -> str:
    return NAMES[request.param]


def test_a_hostile_text_is_stored_and_answered_as_it_is(server: Server, hostile: str) -> None:
    stored = {"name": hostile, "content": {"text": hostile, "list": [hostile]}}
    server.call("mutation", "checks:store", stored)
    assert server.call("query", "checks:load", {"name": hostile}) == stored["content"]
    with sync_socket(server) as socket:
        assert socket.watch("checks:load", {"name": hostile})["value"] == stored["content"]
        assert socket.call("mutation", "checks:store", stored)["success"] is True


def test_a_hostile_error_is_told_as_it_is(server: Server, hostile: str) -> None:
    answer = call(server, "mutation", "checks:refuse", {"why": hostile})
    assert (answer.status, answer.code, answer.message) == (200, "CONFLICT", hostile)
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("field", FIELDS)
def test_a_hostile_field_is_stored_and_answered_as_it_is(
    server: Server, name: str, field: str
) -> None:
    content = {field: {field: 1}}
    server.call("mutation", "checks:store", {"name": name, "content": content})
    assert server.call("query", "checks:load", {"name": name}) == content


def test_a_hostile_name_of_a_skill_is_refused_on_each_route(server: Server, hostile: str) -> None:
    escaped = quote(hostile, safe="")
    for method, path in (
        ("GET", f"/v1/skills/{escaped}-"),
        ("GET", f"/v1/skills/{escaped}/versions/{escaped}"),
        ("GET", f"/v1/skills/{escaped}/file?path={escaped}"),
        ("GET", f"/v1/evolution/{escaped}/status"),
        ("POST", f"/v1/skills/{escaped}/star"),
    ):
        answer = ask(server, method, path, {} if method == "POST" else None, server.admin_key)
        assert (answer.status, answer.code) in {
            (404, "NOT_FOUND"), (404, "SKILL_NOT_FOUND"), (400, "VALIDATION_ERROR"),
            (405, "METHOD_NOT_ALLOWED"),
        }  # fmt: skip
        assert answer.headers["content-type"] == "application/json"


def test_a_skill_is_published_under_a_plain_name_only(server: Server, hostile: str) -> None:
    skill_md = f"---\nname: {json.dumps(hostile)}\ndescription: A test.\n---\n\n# A test\n"
    answer = ask(server, "POST", "/v1/skills", {"skill_md": skill_md}, server.admin_key)
    if answer.status == 201:
        assert PLAIN.fullmatch(answer.json["data"]["name"])
    else:
        assert answer.status in {400, 409}
        assert answer.code in {"GATEWAY_REFUSED", "NAME_TAKEN", "CONFLICT", "VALIDATION_ERROR"}


def test_a_file_of_a_skill_stays_within_its_folder(server: Server, hostile: str) -> None:
    for path in (hostile, f"a/{hostile}", f"{hostile}/a"):
        skill = f"kind-{abs(hash(path))}"
        head = f"---\nname: {skill}\ndescription: A test.\n---\n\n# A\n"
        files = [{"path": "SKILL.md", "content": head}, {"path": path, "content": "x"}]
        answer = call(server, "action", "skills:create", {"files": files}, server.admin_key)
        if answer.code:
            assert answer.code in {"GATEWAY_REFUSED", "VALIDATION_ERROR"}
            continue
        listed = ask(server, "GET", f"/v1/skills/{skill}/files").json["data"]["files"]
        (kept,) = [each["path"] for each in listed if each["path"] != "SKILL.md"]
        steps = kept.split("/")
        assert not {"", ".", ".."}.intersection(steps)
        assert not [sign for sign in kept if sign in "\\\0\n\r\u202e\u2066"]


def test_a_hostile_report_is_stored_or_refused(server: Server, hostile: str) -> None:
    report = {
        "skill_name": hostile, "result": "success", "platform": hostile, "agent_id": hostile,
        "note": hostile, "improvement": hostile, "error_message": hostile,
    }  # fmt: skip
    answer = ask(server, "POST", "/v1/learning/report", report, server.admin_key)
    assert (answer.status, answer.code) in {(404, "SKILL_NOT_FOUND"), (400, "VALIDATION_ERROR")}


def test_a_hostile_name_of_a_key_is_kept_as_it_is(server: Server, hostile: str) -> None:
    wish = {"name": hostile, "scopes": ["skills:read"], "owner": "hostile"}
    made = ask(server, "POST", "/v1/auth/tokens", wish, server.admin_key)
    if not (1 <= len(hostile) <= 100 and hostile.isprintable()):
        assert (made.status, made.code) == (400, "VALIDATION_ERROR")
        return
    assert made.json["data"]["name"] == hostile
    listed = ask(server, "GET", "/v1/auth/tokens?owner=hostile", None, server.admin_key)
    assert hostile in {each["name"] for each in listed.json["data"]["tokens"]}


def test_a_hostile_owner_is_refused(server: Server, hostile: str) -> None:
    wish = {"name": "x", "scopes": ["skills:read"], "owner": hostile}
    refused = ask(server, "POST", "/v1/auth/tokens", wish, server.admin_key)
    assert (refused.status, refused.code) == (400, "VALIDATION_ERROR")


def test_a_search_for_anything_answers(server: Server, hostile: str) -> None:
    answer = ask(server, "GET", f"/v1/skills/search?query={quote(hostile, safe='')}")
    assert (answer.status, answer.code) in {(200, ""), (400, "VALIDATION_ERROR")}


def test_a_name_of_ten_megabytes_is_refused_shortly(server: Server) -> None:
    long = "x" * 10 * 1024 * 1024
    key = {"Authorization": f"Bearer {server.admin_key}"}
    for path, body in (
        ("/v1/auth/tokens", {"name": long, "scopes": ["skills:read"]}),
        ("/v1/auth/tokens", {"name": "x", "scopes": [long]}),
        ("/v1/auth/tokens", {"name": "x", "scopes": ["skills:read"], "owner": long}),
        ("/v1/auth/tokens", {"name": "x", "scopes": ["skills:read"], "agent": long}),
        ("/v1/auth/sessions", {"agent_id": long, "ttl": 60}),
        ("/v1/auth/session/end", {"token": long}),
        ("/v1/learning/report", {"skill_name": long, "result": "success", "agent_id": "a"}),
        ("/v1/skills", {"skill_md": long}),
        ("/v1/auth/tokens", {long: 1}),
    ):
        sent = request("POST", path, json.dumps(body).encode(), {**JSON, **key})
        answer = exchange(server, sent)
        assert 200 <= answer.status < 500
        assert len(answer.body) < 5_000
    body = {"path": long, "args": {}}
    answer = exchange(server, request("POST", "/api/query", json.dumps(body).encode(), JSON))
    assert answer.code == "BadConvexFunctionIdentifier"
    assert len(answer.body) < 1_000


def test_the_documentation_names_nothing_that_callers_sent(server: Server) -> None:
    for path in ("/docs", "/openapi.json", "/api/functions", "/"):
        answer = exchange(server, request("GET", path))
        assert b"alert(1)" not in answer.body
        assert "x-request-id" in answer.headers
