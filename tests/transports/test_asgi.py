"""Requests are read within bounds, and every one is answered in full."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from hubify.transports import asgi
from hubify.transports.asgi import MAX_TAKEN, Application
from hubify.transports.http import HttpRequest, HttpResponse

Message = Mapping[str, Any]


async def tell(request: HttpRequest) -> HttpResponse:
    """Answer with what arrived."""
    told = {
        "method": request.method,
        "path": request.path,
        "query": request.query_string,
        "headers": dict(request.headers),
        "size": len(request.body),
        "address": request.address,
    }
    return HttpResponse(200, json.dumps(told).encode())


async def fail(_request: HttpRequest) -> HttpResponse:
    """A bug."""
    message = "a secret of ours"
    raise RuntimeError(message)


class Exchange:
    """One request through the application, and what came back."""

    def __init__(
        self,
        method: str = "GET",
        path: str = "/x",
        *,
        headers: Iterable[tuple[str, str]] = (),
        parts: Iterable[bytes] = (),
        ends: bool = True,
        application: Application | None = None,
    ) -> None:
        self.sent: list[Message] = []
        self.left = list(parts)
        self.ends = ends
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"a=1",
            "headers": [(name.encode(), value.encode()) for name, value in headers],
            "client": ("10.0.0.9", 1234),
        }
        self.application = application or Application([("/", tell), ("/fail", fail)])
        asyncio.run(self._run(scope))

    async def _run(self, scope: Message) -> None:
        await self.application(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if not self.left:
            if self.ends:
                return {"type": "http.disconnect"}
            await asyncio.Event().wait()
        part = self.left.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(self.left) or not self.ends}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.sent[1]["body"])


def test_a_request_reaches_its_handler_whole() -> None:
    exchange = Exchange(
        "POST", "/y", headers=[("x-a", "1"), ("content-length", "6")], parts=[b"abc", b"def"]
    )
    assert exchange.json == {
        "method": "POST",
        "path": "/y",
        "query": "a=1",
        "headers": {"x-a": "1", "content-length": "6"},
        "size": 6,
        "address": "10.0.0.9",
    }
    assert exchange.headers["content-length"] == str(len(exchange.sent[1]["body"]))


def test_lines_of_one_header_are_joined() -> None:
    exchange = Exchange(headers=[("x-a", "1"), ("x-a", "2")])
    assert exchange.json["headers"] == {"x-a": "1, 2"}


def test_a_head_request_is_answered_without_a_body() -> None:
    exchange = Exchange("HEAD")
    assert exchange.sent[1]["body"] == b""
    assert int(exchange.headers["content-length"]) > 0


@pytest.mark.parametrize("length", [str(MAX_TAKEN + 1), "9" * 5000])
def test_a_body_that_is_declared_far_too_long_is_not_read(length: str) -> None:
    exchange = Exchange("POST", headers=[("content-length", length)], parts=[b"x"])
    assert exchange.status == 413
    assert exchange.json["code"] == exchange.json["error"]["code"] == "PAYLOAD_TOO_LARGE"
    assert exchange.headers["connection"] == "close"
    assert exchange.left == [b"x"]


@pytest.mark.parametrize(("parts", "left"), [(3, 0), (4, 0), (9, 4)])
def test_a_body_that_turns_out_too_long_is_read_on_for_a_while_so_that_its_client_listens(
    monkeypatch: pytest.MonkeyPatch, parts: int, left: int
) -> None:
    monkeypatch.setattr(asgi, "MAX_BODY", 10)
    monkeypatch.setattr(asgi, "MAX_TAKEN", 20)
    chunked = [("transfer-encoding", "chunked")]
    exchange = Exchange("POST", headers=chunked, parts=[b"12345"] * parts)
    assert exchange.status == 413
    assert len(exchange.left) == left


def test_a_body_that_takes_for_ever_is_refused() -> None:
    application = Application([("/", tell)], body_seconds=0)
    headers = [("content-length", "9")]
    exchange = Exchange("POST", headers=headers, parts=[b"x"], ends=False, application=application)
    assert (exchange.status, exchange.json["code"]) == (408, "REQUEST_TIMEOUT")


def test_bodies_of_all_requests_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "MAX_BODIES", 10)
    application = Application([("/", tell)])
    headers = [("transfer-encoding", "chunked")]
    exchange = Exchange("POST", headers=headers, parts=[b"x" * 11], application=application)
    assert (exchange.status, exchange.json["code"]) == (503, "UNAVAILABLE")
    again = Exchange("POST", headers=headers, parts=[b"x" * 10], application=application)
    assert again.status == 200, "what was refused is not counted any more"


def test_a_client_that_hangs_up_is_not_answered() -> None:
    exchange = Exchange("POST", headers=[("content-length", "9")], parts=[])
    assert exchange.sent == []


def test_a_fault_is_answered_without_its_story(caplog: pytest.LogCaptureFixture) -> None:
    exchange = Exchange(path="/fail")
    assert (exchange.status, exchange.json["code"]) == (500, "INTERNAL_ERROR")
    assert "secret" not in exchange.sent[1]["body"].decode()
    assert "a secret of ours" in caplog.text


def test_the_longest_prefix_decides_and_what_nobody_serves_is_not_found() -> None:
    application = Application([("/a/", fail), ("/a/b/", tell), ("/exact", tell)])
    assert Exchange(path="/a/b/c", application=application).status == 200
    assert Exchange(path="/exact", application=application).status == 200
    assert Exchange(path="/exactly", application=application).status == 404
    assert Exchange(path="/c", application=application).status == 404


def test_forwarded_addresses_count_only_from_trusted_proxies() -> None:
    headers = [("x-forwarded-for", "9.9.9.9, 1.2.3.4")]
    assert Exchange(headers=headers).json["address"] == "10.0.0.9"
    trusting = Application([("/", tell)], trusted_proxies=frozenset({"10.0.0.9"}))
    assert Exchange(headers=headers, application=trusting).json["address"] == "1.2.3.4"


def test_a_preflight_mirrors_what_a_browser_asks_for() -> None:
    exchange = Exchange(
        "OPTIONS",
        headers=[
            ("origin", "https://app.example"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,convex-client"),
        ],
    )
    assert exchange.status == 204
    assert exchange.headers["access-control-allow-origin"] == "https://app.example"
    assert exchange.headers["access-control-allow-headers"] == "authorization,convex-client"
    assert exchange.headers["access-control-allow-credentials"] == "true"
    assert exchange.headers["access-control-max-age"] == "86400"
    assert "PATCH" in exchange.headers["access-control-allow-methods"]


def test_answers_to_a_page_may_be_read_by_it_with_their_limits() -> None:
    exchange = Exchange(headers=[("origin", "https://app.example")])
    assert exchange.headers["access-control-allow-origin"] == "https://app.example"
    assert exchange.headers["vary"] == "origin"
    assert "x-ratelimit-remaining" in exchange.headers["access-control-expose-headers"]


def test_requests_from_no_page_get_no_permission() -> None:
    assert not any(name.startswith("access-control") for name in Exchange().headers)


def test_other_scopes_are_let_be() -> None:
    asyncio.run(Application([])({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
