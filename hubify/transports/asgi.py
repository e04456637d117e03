"""The one ASGI application: reads a request within its bounds, hands it on, sends the answer.

Invariant: a body over the limit is refused before it is held in memory, all bodies together stay
within a bound and none may take for ever; whatever a handler does, the client gets a complete
answer.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from hubify.transports.http import Handler, HttpRequest, HttpResponse, failure
from hubify.values import limits
from hubify.wire.addresses import caller_address

log = logging.getLogger("hubify.http")

MIB = 1024 * 1024
MAX_BODY = limits.MAX_ARGUMENT_BYTES + limits.MAX_BODY_SLACK_BYTES
# A body that is a little too long is taken in to its end, and dropped, before it is refused: most
# clients that are told while they still send do not listen, and report a broken connection.
MAX_TAKEN = 2 * MAX_BODY
MAX_BODIES = 256 * MIB  # of all requests that are being read or answered
BODY_SECONDS = 60.0
MAX_DIGITS = 12  # of a declared length
MAX_AGE_S = "86400"
METHODS = "GET, POST, PATCH, PUT, DELETE, OPTIONS"
EXPOSED = (
    "etag, location, ratelimit, ratelimit-policy, retry-after, x-ratelimit-limit, "
    "x-ratelimit-remaining, x-ratelimit-reset, x-request-id"
)

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class ClientGone(Exception):
    """The client hung up before its request was complete."""


class BodyRefused(Exception):
    """A body is too long, too slow, or too much beside the others; `response` says so."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        # The rest of the body is still on its way: the connection cannot be used again.
        self.response = failure(status, code, message).with_headers(("connection", "close"))


class Application:
    """Dispatches by path: exactly, or by prefix when it ends in a slash; the longest wins."""

    def __init__(
        self,
        routes: Iterable[tuple[str, Handler]],
        *,
        trusted_proxies: frozenset[str] = frozenset(),
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._routes = sorted(routes, key=lambda route: -len(route[0]))
        self._trusted_proxies = trusted_proxies
        self._body_seconds = body_seconds
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3, `http` scopes; sockets are served below ASGI)."""
        if scope["type"] != "http":
            return
        headers = _headers(scope)
        body = _Body(self)
        try:
            response = await self._answer(scope, headers, body, receive)
        except ClientGone:
            return
        finally:
            body.release()
        await _send(send, response, cors_headers(headers), head=scope["method"] == "HEAD")

    def hold(self, change: int) -> bool:
        """Count bytes of bodies; whether all of them together stay within bounds."""
        self._held += change
        return self._held <= MAX_BODIES

    async def _answer(
        self, scope: Scope, headers: Mapping[str, str], body: "_Body", receive: Receive
    ) -> HttpResponse:
        if not _names_one_host(scope):
            message = "a request needs the header Host, and once"
            refused = failure(HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR", message)
            return refused.with_headers(("connection", "close"))
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            return HttpResponse(HTTPStatus.NO_CONTENT, headers=())
        try:
            content = await body.read(headers, receive, self._body_seconds)
        except BodyRefused as refused:
            return refused.response
        request = self._request(scope, headers, content)
        try:
            return await self._handler(request.path)(request)
        except Exception:
            log.exception("fault in %s %s", request.method, request.path)
            message = "internal error; the server's log has it"
            return failure(HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", message)

    def _handler(self, path: str) -> Handler:
        found = (handler for route, handler in self._routes if _leads_to(route, path))
        return next(found, _no_route)

    def _request(self, scope: Scope, headers: Mapping[str, str], body: bytes) -> HttpRequest:
        client = scope.get("client")
        forwarded = headers.get("x-forwarded-for")
        return HttpRequest(
            method=scope["method"],
            path=scope["path"],
            raw_path=scope.get("raw_path", b"").decode("latin-1"),
            query_string=scope["query_string"].decode("latin-1"),
            headers=headers,
            body=body,
            address=caller_address(
                client[0] if client else "",
                [forwarded] if forwarded else [],
                self._trusted_proxies,
            ),
        )


class _Body:
    """The body of one request, counted while it is held."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._size = 0

    async def read(self, headers: Mapping[str, str], receive: Receive, seconds: float) -> bytes:
        """The whole body.

        Raises:
            BodyRefused: it is too long, too slow, or too much beside the others.
            ClientGone: it will never be whole.

        """
        if "content-length" not in headers and "transfer-encoding" not in headers:
            return b""
        declared = headers.get("content-length", "0")
        if len(declared) > MAX_DIGITS or (declared.isdecimal() and int(declared) > MAX_TAKEN):
            raise _too_long()
        try:
            async with asyncio.timeout(seconds):
                return await self._read(receive)
        except TimeoutError:
            message = f"the body did not come within {seconds:g} seconds"
            raise BodyRefused(HTTPStatus.REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message) from None

    def release(self) -> None:
        """Hold it no longer."""
        self._application.hold(-self._size)
        self._size = 0

    async def _read(self, receive: Receive) -> bytes:
        parts: list[bytes] = []
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            part = message.get("body", b"")
            self._take(len(part))
            parts.append(part)
            if self._size > MAX_BODY:
                parts.clear()
            if not message.get("more_body"):
                break
        if self._size > MAX_BODY:
            raise _too_long()
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _take(self, size: int) -> None:
        self._size += size
        fits = self._application.hold(size)
        if self._size > MAX_TAKEN:
            raise _too_long()
        if not fits:
            message = "too many large requests are under way; try again later"
            raise BodyRefused(HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE", message)


def cors_headers(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Let any page call with credentials, as Convex does; the key, not the origin, is the guard."""
    origin = headers.get("origin")
    if origin is None:
        return []
    shared = [
        ("access-control-allow-origin", origin),
        ("access-control-allow-credentials", "true"),
        ("vary", "origin"),
    ]
    if "access-control-request-method" not in headers:
        return [*shared, ("access-control-expose-headers", EXPOSED)]
    return [
        *shared,
        ("access-control-allow-methods", METHODS),
        ("access-control-allow-headers", headers.get("access-control-request-headers", "*")),
        ("access-control-max-age", MAX_AGE_S),
    ]


def _too_long() -> BodyRefused:
    message = f"the body is over {MAX_BODY} bytes; send less at a time"
    return BodyRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)


async def _no_route(request: HttpRequest) -> HttpResponse:
    return failure(HTTPStatus.NOT_FOUND, "NOT_FOUND", f"there is no route {request.path[:200]}")


def _headers(scope: Scope) -> dict[str, str]:
    """Headers by name; lines of one name are joined as HTTP allows (RFC 9110, 5.3)."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def _send(
    send: Send, response: HttpResponse, more: list[tuple[str, str]], *, head: bool
) -> None:
    named = [*response.headers, *more]
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named]
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": int(response.status), "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else response.body})


def _names_one_host(scope: Scope) -> bool:
    """Whether every server on the way takes the request for the same host's (RFC 9112, 3.2)."""
    hosts = sum(name == b"host" for name, _value in scope["headers"])
    return hosts == 1 or (hosts == 0 and scope.get("http_version") != "1.1")


def _leads_to(route: str, path: str) -> bool:
    return path.startswith(route) if route.endswith("/") else path == route
