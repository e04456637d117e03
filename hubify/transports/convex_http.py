"""Convex HTTP: functions called by the official clients over plain requests.

Invariant: only a bad key (401), a rate limit (429) and a request that is no call at all (400) are
HTTP errors, as `{code, message}`; whatever a function refuses is 200 with `status: "error"` and
`errorData: {code, message}` (convex-protocol.md, section 1; product.md, "Wire and shapes").
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, cast

import msgspec

from hubify import __version__
from hubify.functions.backend import Answer, Backend, Call
from hubify.functions.identities import Identities
from hubify.functions.principal import ANONYMOUS, Principal
from hubify.functions.quota import Allowance
from hubify.functions.spec import FunctionKind
from hubify.transports.allowance import allowance_headers, retry_headers
from hubify.transports.credentials import credential_of
from hubify.transports.http import HttpRequest, HttpResponse
from hubify.values.errors import AppError, InvalidInput, Kind, RateLimited, TooLarge
from hubify.wire.calls import read_arguments, read_path
from hubify.wire.clients import client_of_header
from hubify.wire.convex_json import parse
from hubify.wire.paths import run_path
from hubify.wire.results import error_data
from hubify.wire.styles import CLEAN, CONVEX, Style, encode
from hubify.wire.timestamps import decode_ts, encode_ts

MAX_BATCH = 100
TEXT = (("content-type", "text/plain; charset=utf-8"),)
Parsed = Mapping[str, Any]


class ConvexHttp:
    """Handles everything under `/api/` that belongs to Convex, and the health routes beside it."""

    def __init__(self, backend: Backend, identities: Identities) -> None:
        self._backend = backend
        self._identities = identities
        self._routes: dict[str, Callable[[HttpRequest, Principal], Awaitable[HttpResponse]]] = {
            "/api/query": self._query,
            "/api/mutation": self._mutation,
            "/api/action": self._action,
            "/api/query_at_ts": self._query_at_ts,
            "/api/query_batch": self._query_batch,
            "/api/function": self._function,
        }

    async def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer one request."""
        if request.path == "/api/query_ts":
            return HttpResponse(HTTPStatus.OK, b'{"ts":"%b"}' % self._ts())
        if request.path == "/api/debug_event":
            return HttpResponse(HTTPStatus.OK, b"null")
        try:
            principal = self._principal(request)
            route = self._routes.get(request.path)
            if route is not None:
                return await route(request, principal)
            if request.path.startswith("/api/run/"):
                return await self._run(request, principal)
        except AppError as error:
            return refusal(error)
        return failed(HTTPStatus.NOT_FOUND, "NotFound", f"there is no route {request.path[:200]}")

    def _ts(self) -> bytes:
        return encode_ts(self._backend.head()).encode()

    async def plain(self, request: HttpRequest) -> HttpResponse:
        """The health routes that Convex's own tools ask for."""
        texts = {"/instance_name": b"hubify", "/instance_version": __version__.encode()}
        if request.path == "/echo":
            return HttpResponse(HTTPStatus.OK, request.body, TEXT)
        return HttpResponse(HTTPStatus.OK, texts[request.path], TEXT)

    def _principal(self, request: HttpRequest) -> Principal:
        secret = credential_of(request)
        return self._identities.find(secret) if secret is not None else ANONYMOUS

    async def _query(self, request: HttpRequest, principal: Principal) -> HttpResponse:
        if request.method == "GET":
            return await self._one(_from_query(request), request, principal, FunctionKind.QUERY)
        return await self._one(_parsed(request), request, principal, FunctionKind.QUERY)

    async def _mutation(self, request: HttpRequest, principal: Principal) -> HttpResponse:
        return await self._one(_parsed(request), request, principal, FunctionKind.MUTATION)

    async def _action(self, request: HttpRequest, principal: Principal) -> HttpResponse:
        return await self._one(_parsed(request), request, principal, FunctionKind.ACTION)

    async def _function(self, request: HttpRequest, principal: Principal) -> HttpResponse:
        return await self._one(_parsed(request), request, principal, None)

    async def _run(self, request: HttpRequest, principal: Principal) -> HttpResponse:
        path = run_path(request.path.removeprefix("/api/run/"))
        body = {"format": "json", "args": {}, **_parsed(request), "path": path}
        return await self._one(body, request, principal, None)

    async def _query_at_ts(self, request: HttpRequest, principal: Principal) -> HttpResponse:
        body = _parsed(request)
        at = decode_ts(str(body.get("ts", "")))
        return await self._one(body, request, principal, FunctionKind.QUERY, at=at)

    async def _query_batch(self, request: HttpRequest, principal: Principal) -> HttpResponse:
        queries = _parsed(request).get("queries")
        if not isinstance(queries, list) or len(cast("list[object]", queries)) > MAX_BATCH:
            message = f"queries must be an array of at most {MAX_BATCH} calls"
            raise InvalidInput(message)
        at = self._backend.head()
        texts = [
            (await self._one(query, request, principal, FunctionKind.QUERY, at=at)).body
            for query in cast("list[Any]", queries)
        ]
        return HttpResponse(HTTPStatus.OK, b'{"results":[%b]}' % b",".join(texts))

    async def _one(
        self,
        body: Parsed,
        request: HttpRequest,
        principal: Principal,
        kind: FunctionKind | None,
        *,
        at: int | None = None,
    ) -> HttpResponse:
        style = _style(body, request.headers.get("convex-client", ""))
        try:
            path = read_path(str(body.get("path", "")), body.get("componentPath"))
            call = Call(path, read_arguments(body.get("args", {})), principal, request.address)
            answer = await self._answer(call, kind, at)
            text = b'{"status":"success","value":%b,"logLines":[]}' % encode(answer.value, style)
        except RateLimited:
            raise
        except AppError as error:
            return HttpResponse(HTTPStatus.OK, function_error(error))
        return HttpResponse(HTTPStatus.OK, text).with_headers(*_told(answer.allowance))

    async def _answer(self, call: Call, kind: FunctionKind | None, at: int | None) -> Answer:
        if kind is FunctionKind.QUERY:
            return self._backend.query(call, at=at)
        if kind is FunctionKind.MUTATION:
            return await self._backend.mutation(call)
        if kind is FunctionKind.ACTION:
            return await self._backend.action(call)
        return await self._backend.run(call)


def function_error(error: AppError) -> bytes:
    """The body of a function's refusal."""
    message = msgspec.json.encode(error.message)
    data = error_data(error)
    return b'{"status":"error","errorMessage":%b,"errorData":%b,"logLines":[]}' % (message, data)


def refusal(error: AppError) -> HttpResponse:
    """A refusal before any function ran, as the clients read it: `{code, message}`."""
    if isinstance(error, RateLimited):
        limited = failed(HTTPStatus.TOO_MANY_REQUESTS, error.code, error.message)
        return limited.with_headers(*retry_headers(error))
    if error.kind is Kind.UNAUTHENTICATED:
        return failed(HTTPStatus.UNAUTHORIZED, error.code, error.message)
    if isinstance(error, TooLarge):
        return failed(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error.code, error.message)
    if error.kind is Kind.UNAVAILABLE:
        return failed(HTTPStatus.SERVICE_UNAVAILABLE, error.code, error.message)
    return failed(HTTPStatus.BAD_REQUEST, error.code, error.message)


def failed(status: HTTPStatus, code: str, message: str) -> HttpResponse:
    """An HTTP error in Convex's shape."""
    return HttpResponse(status, msgspec.json.encode({"code": code, "message": message}))


def _told(allowance: Allowance | None) -> tuple[tuple[str, str], ...]:
    return allowance_headers(allowance) if allowance is not None else ()


def _parsed(request: HttpRequest) -> Parsed:
    if request.method != "POST":
        message = f"{request.path} is called with POST"
        raise InvalidInput(message)
    parsed = parse(request.body, "the body") if request.body else {}
    if not isinstance(parsed, dict):
        message = "the body must be a JSON object: {path, args, format}"
        raise InvalidInput(message)
    return cast("Parsed", parsed)


def _from_query(request: HttpRequest) -> Parsed:
    given = dict(request.query())
    args = parse(given.get("args", "{}"), "args")
    return {"path": given.get("path", ""), "format": given.get("format"), "args": args}


def _style(body: Parsed, client: str) -> Style:
    """Encoded when asked for, or when an old client does not say; clean otherwise."""
    wanted = body.get("format")
    if wanted == "convex_encoded_json":
        return CONVEX
    if wanted is not None:
        return CLEAN
    return CONVEX if client_of_header(client).expects_tagged_values else CLEAN
