"""A request to a route becomes a call, and what the function answers becomes a response.

Invariant: whatever arrives is answered, in the dialect of its route, with a request id; what is not
an `AppError` is logged under that id and never described to the caller.
"""

import logging
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from hubify.functions import V1, Dialect
from hubify.functions.backend import Answer, Backend, Call
from hubify.functions.identities import Identities
from hubify.functions.principal import Principal
from hubify.functions.quota import Allowance, AllowanceSpent
from hubify.functions.replay import MAX_KEY, ReplayKey, caller_key
from hubify.functions.spec import FunctionKind, RateClass
from hubify.transports.allowance import allowance_headers
from hubify.transports.credentials import Callers
from hubify.transports.http import HttpRequest, HttpResponse
from hubify.transports.rest.arguments import Parts
from hubify.transports.rest.dialects import Meta, error_body, refusal, status_of
from hubify.transports.rest.endpoints import Endpoint, endpoints_of
from hubify.transports.rest.exchange import Clock, refusal_headers
from hubify.transports.rest.matcher import Absent, Matcher
from hubify.transports.rest.pages import Page, Readiness, pages_of
from hubify.values.durations import MS_PER_DAY
from hubify.values.errors import (
    AppError,
    InternalError,
    InvalidInput,
    Kind,
    NotFound,
)

log = logging.getLogger("hubify.rest")

KEPT_MS = MS_PER_DAY
"""How long an answer is kept for a repeated `Idempotency-Key` (product.md, "Limits")."""
NOT_ALLOWED = 405
NO_CONTENT = 204
ASCII = "".join(map(chr, range(0x21, 0x7F)))
MAX_SHOWN = 200
JSON_TYPE = ("content-type", "application/json")


class Standing:
    """One call's draw on its caller's allowance."""

    def __init__(self, backend: Backend, address: str, rate: RateClass) -> None:
        self.allowance: Allowance | None = None
        self._quota = backend.quota
        self._address = address
        self._rate = rate

    def charge(self, principal: Principal) -> None:
        """Count the call.

        Raises:
            AllowanceSpent: it is used up; where the caller stands is known all the same.

        """
        try:
            self.allowance = self._quota.charge(principal, self._address, self._rate)
        except AllowanceSpent as spent:
            self.allowance = spent.allowance
            raise


class RestApi:
    """Every route of the registry, and the server's own pages."""

    def __init__(
        self,
        backend: Backend,
        identities: Identities,
        readiness: Readiness,
        *,
        open_pages: bool = True,
    ) -> None:
        """`open_pages` False: the descriptions of the API want a credential too.

        Raises:
            ValueError: two routes collide, or one is malformed.

        """
        self._backend = backend
        self._callers = Callers(identities, backend.quota)
        self._clock = Clock(backend.wiring.runtime)
        self._open_pages = open_pages
        self._matcher = Matcher[Endpoint | Page]()
        endpoints = list(endpoints_of(backend.wiring.registry))
        for endpoint in endpoints:
            self._matcher.add(endpoint.route.method, endpoint.route.path, endpoint)
        for page in pages_of(backend, endpoints, readiness):
            self._matcher.add("GET", page.path, page)

    async def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        meta = self._clock.meta(request.headers)
        try:
            response = await self._respond(request, meta)
        except AppError as error:
            response = self._refuse(error, V1, request)
        except Exception:
            log.exception("fault in request %s", meta.request_id)
            fault = InternalError(f"internal error; the log has it as {meta.request_id}")
            response = self._refuse(fault, V1, request)
        return response.with_headers(("x-request-id", meta.request_id))

    async def _respond(self, request: HttpRequest, meta: Meta) -> HttpResponse:
        method = "GET" if request.method == "HEAD" else request.method
        found = self._matcher.find(method, _ascii(request.raw_path or quote(request.path)))
        if isinstance(found, Absent):
            return _absent(request, found.allow)
        if isinstance(found.target, Page):
            return self._show(found.target, request)
        return await self._call(found.target, found.values, request, meta)

    def _show(self, page: Page, request: HttpRequest) -> HttpResponse:
        if page.describes and not self._open_pages:
            self._callers.of_request(request).require_known()
        return page.respond()

    async def _call(
        self, endpoint: Endpoint, values: dict[str, str], request: HttpRequest, meta: Meta
    ) -> HttpResponse:
        standing = Standing(self._backend, request.address, endpoint.spec.rate)
        try:
            principal = self._identify(request, standing)
            answer = await self._run(endpoint, values, request, principal)
            body = endpoint.answers.body(answer.value, meta)
            status = endpoint.route.status_of(answer.value)
            response = HttpResponse(status, b"" if status == NO_CONTENT else body)
        except AppError as error:
            response = self._refuse(error, endpoint.route.dialect, request)
        allowance = standing.allowance
        if allowance is None:
            return response
        return response.with_headers(*allowance_headers(allowance))

    def _identify(self, request: HttpRequest, standing: Standing) -> Principal:
        """The caller, counted."""
        try:
            principal = self._callers.of_request(request)
        except AllowanceSpent as spent:
            standing.allowance = spent.allowance
            raise
        standing.charge(principal)
        return principal

    async def _run(
        self, endpoint: Endpoint, values: dict[str, str], request: HttpRequest, principal: Principal
    ) -> Answer:
        spec = endpoint.spec
        # Before its arguments: strangers learn nothing of those.
        self._backend.require_access(spec, principal)
        content_type = request.headers.get("content-type", "")
        query = _ascii(request.query_string)
        arguments = endpoint.arguments.read(Parts(values, query, request.body, content_type))
        call = Call(
            spec.path,
            arguments,
            principal,
            request.address,
            spell=endpoint.arguments.spell,
            replay=_replay(endpoint, arguments, request, principal),
            charged=False,
        )
        if spec.kind is FunctionKind.QUERY:
            return self._backend.query(call)
        return await self._backend.run(call)

    def _refuse(self, error: AppError, dialect: Dialect, request: HttpRequest) -> HttpResponse:
        shown = "authorization" in request.headers
        headers = refusal_headers(error, credential_shown=shown)
        return HttpResponse(status_of(error.kind), refusal(error, dialect), (JSON_TYPE, *headers))


def _absent(request: HttpRequest, methods: tuple[str, ...]) -> HttpResponse:
    """No such path, or not by this method; `OPTIONS` asks which there are."""
    if not methods:
        message = f"nothing is at '{request.path[:MAX_SHOWN]}'; /docs lists every route"
        return HttpResponse(status_of(Kind.NOT_FOUND), error_body(NotFound.code, message))
    also = ("HEAD", "OPTIONS") if "GET" in methods else ("OPTIONS",)
    allow = ("allow", ", ".join(sorted((*methods, *also))))
    if request.method == "OPTIONS":
        return HttpResponse(NO_CONTENT, headers=(allow,))
    message = f"{request.method[:MAX_SHOWN]} is not possible here; use {allow[1]}"
    body = error_body("METHOD_NOT_ALLOWED", message)
    return HttpResponse(NOT_ALLOWED, body, (JSON_TYPE, allow))


def _replay(
    endpoint: Endpoint, arguments: Mapping[str, object], request: HttpRequest, principal: Principal
) -> ReplayKey | None:
    """Under which key a write is remembered, if its caller sent one.

    Raises:
        InvalidInput: the key is malformed, or the call cannot be made to happen once.

    """
    key = request.headers.get("idempotency-key")
    if key is None or endpoint.spec.kind is FunctionKind.QUERY:
        return None
    if not endpoint.replayable:
        message = f"{endpoint.spec.path} may do several things; leave Idempotency-Key out"
        raise InvalidInput(message)
    if not 1 <= len(key) <= MAX_KEY:
        message = f"Idempotency-Key must be 1 to {MAX_KEY} characters"
        raise InvalidInput(message)
    made = caller_key(principal, request.address, key, endpoint.spec.path, arguments)
    return msgspec.structs.replace(made, kept_ms=KEPT_MS)


def _ascii(text: str) -> str:
    """A path or query with what its sender left unescaped escaped; it was read as Latin-1."""
    return text if text.isascii() else quote(text.encode("latin-1", "replace"), safe=ASCII)
