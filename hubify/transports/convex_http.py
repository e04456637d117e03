"""Convex HTTP: functions called by the official clients over plain requests.

Invariant: only a bad key (401), a rate limit (429) and a request that is no call at all (400) are
HTTP errors, as `{code, message}`; whatever a function refuses is 200 with `status: "error"` and
`errorData: {code, message}` (convex-protocol.md, section 1; product.md, "Wire and shapes").
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple, assert_never, cast

import msgspec

from hubify import __version__
from hubify.functions.backend import Answer, Backend, Call
from hubify.functions.identities import Identities
from hubify.functions.principal import Principal
from hubify.functions.quota import AllowanceSpent
from hubify.functions.spec import FunctionKind
from hubify.transports.allowance import allowance_headers, retry_headers
from hubify.transports.credentials import Callers
from hubify.transports.http import HttpRequest, HttpResponse
from hubify.values.errors import AppError, InvalidInput, Kind, RateLimited
from hubify.wire.calls import read_arguments, read_path
from hubify.wire.clients import client_of_header
from hubify.wire.convex_json import parse
from hubify.wire.paths import run_path
from hubify.wire.results import encode_answer, error_data
from hubify.wire.styles import CLEAN, CONVEX, Style
from hubify.wire.timestamps import decode_ts, encode_ts

MAX_BATCH = 100
TEXT = (("content-type", "text/plain; charset=utf-8"), ("x-content-type-options", "nosniff"))
FORMATS = {"json": CLEAN, "convex_encoded_json": CONVEX}
CALL_SHAPE = 'a call is a JSON object: {"path": "module:function", "args": {}}'
to_json = msgspec.json.Encoder().encode

Parsed = Mapping[str, Any]


class BadCall(InvalidInput):
    """A request that is not a call: its form, not what it asks for, is wrong."""

    code = "BadRequest"


class Wanted(NamedTuple):
    """One call as it was sent: arguments not yet read, so that they can be refused as a call's."""

    path: str
    args: object
    style: Style


class ConvexHttp:
    """Handles everything under `/api/` that belongs to Convex, and the health routes beside it."""

    def __init__(self, backend: Backend, identities: Identities) -> None:
        self._backend = backend
        self._callers = Callers(identities, backend.quota)
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
            ts = encode_ts(self._backend.head())
            return HttpResponse(HTTPStatus.OK, b'{"ts":"%b"}' % ts.encode())
        if request.path == "/api/debug_event":
            return HttpResponse(HTTPStatus.OK, b"null")
        try:
            principal = self._callers.of_request(request, or_in_query=True)
            route = self._routes.get(request.path)
            if route is not None:
                return await route(request, principal)
            if request.path.startswith("/api/run/"):
                return await self._run(request, principal)
        except AppError as error:
            return refusal(error)
        return failed(HTTPStatus.NOT_FOUND, "NotFound", f"there is no route {request.path[:200]}")

    async def plain(self, request: HttpRequest) -> HttpResponse:
        """The health routes that Convex's own tools ask for."""
        texts = {"/instance_name": b"hubify", "/instance_version": __version__.encode()}
        return HttpResponse(HTTPStatus.OK, texts.get(request.path, request.body), TEXT)

    async def _query(self, request: HttpRequest, principal: Principal) -> HttpResponse:
        body = _from_query(request) if request.method == "GET" else _parsed(request)
        return await self._respond(_wanted(body, request), request, principal, FunctionKind.QUERY)

    async def _mutation(self, request: HttpRequest, principal: Principal) -> HttpResponse:
        wanted = _wanted(_parsed(request), request)
        return await self._respond(wanted, request, principal, FunctionKind.MUTATION)

    async def _action(self, request: HttpRequest, principal: Principal) -> HttpResponse:
        wanted = _wanted(_parsed(request), request)
        return await self._respond(wanted, request, principal, FunctionKind.ACTION)

    async def _function(self, request: HttpRequest, principal: Principal) -> HttpResponse:
        return await self._respond(_wanted(_parsed(request), request), request, principal, None)

    async def _run(self, request: HttpRequest, principal: Principal) -> HttpResponse:
        path = run_path(request.path.removeprefix("/api/run/"))
        body = {"format": "json", **_parsed(request), "path": path}
        return await self._respond(_wanted(body, request), request, principal, None)

    async def _query_at_ts(self, request: HttpRequest, principal: Principal) -> HttpResponse:
        body = _parsed(request)
        at = decode_ts(str(body.get("ts", "")))
        wanted = _wanted(body, request)
        return await self._respond(wanted, request, principal, FunctionKind.QUERY, at=at)

    async def _query_batch(self, request: HttpRequest, principal: Principal) -> HttpResponse:
        queries = _parsed(request).get("queries")
        if not isinstance(queries, list) or len(cast("list[object]", queries)) > MAX_BATCH:
            raise BadCall(f"queries must be an array of at most {MAX_BATCH} calls")
        wanted = [_wanted(_object(query), request) for query in cast("list[object]", queries)]
        at = self._backend.head()
        texts = [
            (await self._respond(each, request, principal, FunctionKind.QUERY, at=at)).body
            for each in wanted
        ]
        return HttpResponse(HTTPStatus.OK, b'{"results":[%b]}' % b",".join(texts))

    async def _respond(
        self,
        wanted: Wanted,
        request: HttpRequest,
        principal: Principal,
        kind: FunctionKind | None,
        *,
        at: int | None = None,
    ) -> HttpResponse:
        """Make one call. Its refusals are its answer, but for the one that concerns the caller."""
        try:
            arguments = read_arguments(wanted.args)
            call = Call(wanted.path, arguments, principal, request.address)
            answer = await self._call(call, kind, at)
            value = encode_answer(answer.value, wanted.style)
        except RateLimited:
            raise
        except AppError as error:
            return HttpResponse(HTTPStatus.OK, function_error(error))
        response = HttpResponse(HTTPStatus.OK, b'{"status":"success","value":%b}' % value)
        allowance = answer.allowance
        return response.with_headers(*allowance_headers(allowance)) if allowance else response

    async def _call(self, call: Call, kind: FunctionKind | None, at: int | None) -> Answer:
        match kind:
            case FunctionKind.QUERY:
                return self._backend.query(call, at=at)
            case FunctionKind.MUTATION:
                return await self._backend.mutation(call)
            case FunctionKind.ACTION:
                return await self._backend.action(call)
            case None:
                return await self._backend.run(call)
            case _:
                assert_never(kind)


def function_error(error: AppError) -> bytes:
    """The body of a function's refusal."""
    return b'{"status":"error","errorMessage":%b,"errorData":%b}' % (
        to_json(error.message),
        error_data(error),
    )


def refusal(error: AppError) -> HttpResponse:
    """A refusal of the request or of its caller, as the clients read it: `{code, message}`."""
    if isinstance(error, RateLimited):
        limited = failed(HTTPStatus.TOO_MANY_REQUESTS, error.code, error.message)
        spent = allowance_headers(error.allowance) if isinstance(error, AllowanceSpent) else ()
        return limited.with_headers(*retry_headers(error), *spent)
    match error.kind:
        case Kind.UNAUTHENTICATED:
            status = HTTPStatus.UNAUTHORIZED
        case Kind.TOO_LARGE:
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        case Kind.UNAVAILABLE:
            status = HTTPStatus.SERVICE_UNAVAILABLE
        case _:
            status = HTTPStatus.BAD_REQUEST
    return failed(status, error.code, error.message)


def failed(status: HTTPStatus, code: str, message: str) -> HttpResponse:
    """An HTTP error in Convex's shape."""
    return HttpResponse(status, to_json({"code": code, "message": message}))


def _parsed(request: HttpRequest) -> Parsed:
    if request.method != "POST":
        raise BadCall(f"{request.path} is called with POST")
    if not request.body:
        return {}
    content_type = request.headers.get("content-type", "application/json")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise BadCall("send the call as JSON, with the header 'Content-Type: application/json'")
    return _object(parse(request.body, "the body"))


def _from_query(request: HttpRequest) -> Parsed:
    given = dict(request.query())
    return {**given, "args": parse(given.get("args", "{}"), "args")}


def _object(parsed: object) -> Parsed:
    if not isinstance(parsed, dict):
        raise BadCall(CALL_SHAPE)
    return cast("Parsed", parsed)


def _wanted(body: Parsed, request: HttpRequest) -> Wanted:
    path = body.get("path")
    if not isinstance(path, str):
        raise BadCall(CALL_SHAPE)
    component = body.get("componentPath")
    return Wanted(read_path(path, component), body.get("args", {}), _style(body, request))


def _style(body: Parsed, request: HttpRequest) -> Style:
    """Encoded when asked for, or when an old client does not say; clean otherwise."""
    wanted = body.get("format")
    if wanted is None:
        client = client_of_header(request.headers.get("convex-client", ""))
        return CONVEX if client.expects_tagged_values else CLEAN
    style = FORMATS.get(wanted) if isinstance(wanted, str) else None
    if style is None:
        raise BadCall(f"format must be one of: {', '.join(FORMATS)}")
    return style
