"""The one ASGI application: reads a request within its bounds, hands it on, sends the answer.

Invariant: a body over the limit is refused before it is held in memory, and whatever a handler does
the client gets a complete answer.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from hubify.transports.http import Handler, HttpRequest, HttpResponse
from hubify.values import limits

log = logging.getLogger("hubify.http")

MAX_BODY = limits.MAX_ARGUMENT_BYTES + limits.MAX_BODY_SLACK_BYTES
MAX_AGE_S = "86400"
METHODS = "GET, POST, PATCH, PUT, DELETE, OPTIONS"

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class ClientGone(Exception):
    """The client hung up before its request was complete."""


class Application:
    """Dispatches by path prefix; the longest prefix wins."""

    def __init__(self, routes: Iterable[tuple[str, Handler]]) -> None:
        self._routes = sorted(routes, key=lambda route: -len(route[0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3, `http` scopes; sockets are served below ASGI)."""
        if scope["type"] != "http":
            return
        headers = _headers(scope)
        try:
            response = await self._answer(scope, headers, receive)
        except ClientGone:
            return
        await _send(send, response, cors_headers(headers), head=scope["method"] == "HEAD")

    async def _answer(
        self, scope: Scope, headers: Mapping[str, str], receive: Receive
    ) -> HttpResponse:
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            return HttpResponse(HTTPStatus.NO_CONTENT, headers=())
        body = await _body(headers, receive)
        if body is None:
            message = f"the body is over {MAX_BODY} bytes; send less at a time"
            return failure(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
        request = _request(scope, headers, body)
        try:
            return await self._handler(request.path)(request)
        except Exception:
            log.exception("fault in %s %s", request.method, request.path)
            message = "internal error; the server's log has it"
            return failure(HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", message)

    def _handler(self, path: str) -> Handler:
        return next(handler for prefix, handler in self._routes if path.startswith(prefix))


def failure(status: int, code: str, message: str) -> HttpResponse:
    """An error that no handler came to make: readable by REST and by Convex clients."""
    error = {"code": code, "message": message}
    return HttpResponse(status, msgspec.json.encode({**error, "error": error}))


def cors_headers(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Let any page call with credentials, as Convex does; the key, not the origin, is the guard."""
    origin = headers.get("origin")
    if origin is None:
        return []
    asked = headers.get("access-control-request-headers")
    shared = [
        ("access-control-allow-origin", origin),
        ("access-control-allow-credentials", "true"),
        ("vary", "origin"),
    ]
    if "access-control-request-method" not in headers:
        return [*shared, ("access-control-expose-headers", "*, retry-after, x-request-id")]
    return [
        *shared,
        ("access-control-allow-methods", METHODS),
        ("access-control-allow-headers", asked or "*"),
        ("access-control-max-age", MAX_AGE_S),
    ]


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _request(scope: Scope, headers: Mapping[str, str], body: bytes) -> HttpRequest:
    client = scope.get("client")
    return HttpRequest(
        method=scope["method"],
        path=scope["path"],
        raw_path=scope.get("raw_path", b"").decode("latin-1"),
        query_string=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
        address=client[0] if client else "",
    )


async def _body(headers: Mapping[str, str], receive: Receive) -> bytes | None:
    """The whole body, or None when it is too large."""
    declared = headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > MAX_BODY:
        return None
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        size += len(part)
        if size > MAX_BODY:
            return None
        parts.append(part)
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def _send(
    send: Send, response: HttpResponse, more: list[tuple[str, str]], *, head: bool
) -> None:
    named = [*response.headers, *more]
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named]
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": int(response.status), "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else response.body})
