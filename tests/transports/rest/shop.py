"""A small domain with every sort of route, and a REST face over it that is called by hand."""

import asyncio
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from hubify.functions import (
    API_V1,
    ActionCtx,
    AppError,
    Conflict,
    Dialect,
    Domain,
    Forbidden,
    Int64,
    InvalidInput,
    MutationCtx,
    NotFound,
    Page,
    PageRequest,
    PreconditionFailed,
    QueryCtx,
    RateLimited,
    Row,
    RowId,
    TooLarge,
    Unauthenticated,
    Unavailable,
    delete,
    get,
    index,
    post,
    unique,
)
from hubify.functions.context import Reader
from hubify.functions.identities import Authenticated, Identities
from hubify.functions.principal import CallerKind, Principal
from hubify.functions.quota import Quota
from hubify.functions.route import Case
from hubify.functions.spec import RateClass
from hubify.testing.backend import InMemoryBackend
from hubify.transports.http import HttpRequest, HttpResponse
from hubify.transports.rest.handler import RestApi
from hubify.values.errors import InternalError

shop = Domain("shop")
Json = Any

REPORT_PAGE = Dialect(
    "report-page",
    Case.CAMEL,
    enveloped=True,
    codes={"UNAUTHORIZED": "AUTH_REQUIRED", "NOT_FOUND": "THING_NOT_FOUND"},
    messages={"UNAUTHORIZED": "Valid API key required"},
)
REFUSALS: dict[str, AppError] = {
    "invalid": InvalidInput("bad"),
    "unauthenticated": Unauthenticated("who"),
    "forbidden": Forbidden("no"),
    "not_found": NotFound("none"),
    "conflict": Conflict("taken"),
    "precondition_failed": PreconditionFailed("stale"),
    "too_large": TooLarge("big"),
    "rate_limited": RateLimited("slow", retry_after_s=7),
    "unavailable": Unavailable("later"),
    "internal": InternalError("ours"),
}


class Outcome(StrEnum):
    SUCCESS = "success"
    PARTIAL = "partial"
    FAIL = "fail"

    @classmethod
    def _missing_(cls, value: object) -> "Outcome | None":
        return cls.FAIL if value == "failure" else None


class Point(msgspec.Struct, frozen=True):
    """Where a thing stands."""

    from_left: int
    from_top: int = 0


@shop.table("things", unique("name"), index())
class Thing(Row, frozen=True):
    """Something to be had."""

    name: str
    unit_price: float = 1.0
    sold_out: bool = False


class ThingNotFound(NotFound):
    """No thing has that name."""


class Asked(msgspec.Struct, frozen=True):
    """What a search was asked."""

    __wire_hidden__ = frozenset({"secret"})

    query: str
    limit: int
    min_price: float | None
    tags: list[str] | None
    in_stock: bool | None
    near: Point | None
    wanted: Outcome | None
    serial: Int64 | None
    secret: str = "hidden"


class Reported(msgspec.Struct, frozen=True):
    """What a report did."""

    log_id: str
    thing_id: str
    outcome: Outcome
    price_change: float


@shop.query(public=True, rest=get("/v1/things/{name}"), errors=(ThingNotFound,))
def get_by_name(ctx: QueryCtx, *, name: str) -> Thing:
    """One thing, by its name.

    Example:
        {"name": "lamp"} -> {"id": "0000", "name": "lamp", "unit_price": 2, "sold_out": false}
    """
    missing = ThingNotFound(f"Thing '{name}' not found")
    return ctx.db.one(Thing.where(name=name), missing=missing)


@shop.query(public=True, rest=(get("/v1/things"), get("/api/v1/things", API_V1)), name="list")
def list_things(ctx: QueryCtx, *, pagination_opts: PageRequest | None = None) -> Page[Thing]:
    """Things in the order they came."""
    return ctx.paginate(Thing.where(), pagination_opts or PageRequest())


@shop.query(public=True, rest=get("/v1/things/search"), rate=RateClass.SEARCH)
def search(
    ctx: QueryCtx,  # noqa: ARG001 - it echoes
    *,
    query: str,
    limit: int = 10,
    min_price: float | None = None,
    tags: list[str] | None = None,
    in_stock: bool | None = None,
    near: Point | None = None,
    wanted: Outcome | None = None,
    serial: Int64 | None = None,
) -> Asked:
    """Say what was asked."""
    return Asked(query, limit, min_price, tags, in_stock, near, wanted, serial)


@shop.mutation(
    scope="shop:write",
    rest=(post("/v1/things", status=201), post("/api/v1/things", API_V1)),
    errors=(Conflict,),
)
def add(ctx: MutationCtx, *, name: str, unit_price: float = 1.0, note: str | None = None) -> Thing:  # noqa: ARG001
    """Put a thing on the shelf."""
    return ctx.db.insert(Thing(name=name, unit_price=unit_price))


class Kept(msgspec.Struct, frozen=True):
    """A thing on the shelf, and whether it was put there just now."""

    name: str
    is_new: bool


@shop.mutation(
    scope="shop:write", rest=post("/v1/things/{name}/keep", status=201, created_by="is_new")
)
def keep(ctx: MutationCtx, *, name: str) -> Kept:
    """See to it that a thing is on the shelf."""
    is_new = ctx.db.first(Thing.where(name=name)) is None
    if is_new:
        ctx.db.insert(Thing(name=name))
    return Kept(name, is_new)


@shop.mutation(
    scope="shop:write",
    rest=delete("/v1/things/{name}", status=204),
    errors=(ThingNotFound,),
)
def remove(ctx: MutationCtx, *, name: str, force: bool = False) -> None:  # noqa: ARG001
    """Take a thing off the shelf."""
    ctx.db.delete(get_by_name(ctx, name=name))


@shop.mutation(
    scope="shop:report",
    rest=post(
        "/v1/report",
        REPORT_PAGE,
        spell={"outcome": "result"},
        require=("version",),
        fields=("log_id", "thing_id", "price_change"),
    ),
    also={"result": "outcome", "edition": "version"},
    errors=(ThingNotFound,),
)
def report(
    ctx: MutationCtx, *, thing_name: str, outcome: Outcome, version: str | None = None
) -> Reported:
    """Tell how a thing did."""
    thing = get_by_name(ctx, name=thing_name) if version else Thing(name=thing_name)
    return Reported("log", thing.id, outcome, 0.5)


@shop.mutation(public=True, rest=post("/v1/knock"))
def knock(ctx: MutationCtx, *, word: str) -> int:
    """Count the things, after adding one; anybody may."""
    ctx.db.insert(Thing(name=f"{word}-{ctx.random.random()}"))
    return len(ctx.db.take(Thing.where(), limit=100))


@shop.query(
    public=True, rest=get("/v1/refusals/{kind}"), errors=tuple(map(type, REFUSALS.values()))
)
def refuse(ctx: QueryCtx, *, kind: str) -> None:  # noqa: ARG001
    """Refuse in one way or another."""
    raise REFUSALS[kind]


@shop.query(public=True, rest=get("/v1/nothing"))
def nothing(ctx: QueryCtx) -> None:
    """Answer nothing."""


@shop.query(public=True, rest=get("/v1/much"))
def much(ctx: QueryCtx) -> str:  # noqa: ARG001
    """Answer more than there is room for."""
    return "x" * (17 * 1024 * 1024)


@shop.action(public=True, rest=post("/v1/reach"))
async def reach(ctx: ActionCtx, *, far: float) -> list[float]:  # noqa: ARG001
    """Reach the world."""
    await asyncio.sleep(0)
    return [far]


@shop.mutation(internal=True)
def inside(ctx: MutationCtx, *, thing_id: RowId) -> None:
    """Not to be called from outside."""


KEYS = {
    "admin-key": Principal(CallerKind.ADMIN, "admin", None, frozenset({"*"}), "a"),
    "ada-key": Principal(
        CallerKind.KEY, "ada", None, frozenset({"shop:write", "shop:report"}), "k1"
    ),
    "bob-key": Principal(CallerKind.KEY, "bob", None, frozenset({"shop:report"}), "k2"),
}


def authenticate(db: Reader, secret: str) -> Authenticated:  # noqa: ARG001
    """The made-up keys."""
    if secret not in KEYS:
        message = "Valid API key required"
        raise Unauthenticated(message)
    return Authenticated(KEYS[secret])


class Got(NamedTuple):
    """A response, taken apart."""

    status: int
    json: Json
    headers: dict[str, str]

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, code and sentence of a refusal."""
        assert set(self.json) == {"error"}
        assert set(self.json["error"]) == {"code", "message"}
        return self.status, self.json["error"]["code"], self.json["error"]["message"]


class Shop:
    """The REST face of the shop."""

    def __init__(
        self,
        *domains: Domain,
        limits: Mapping[RateClass, int] | None = None,
        fault: str | None = None,
        open_pages: bool = True,
    ) -> None:
        self.world = InMemoryBackend(domains or [shop])
        self.backend = self.world.backend
        self.backend.quota = Quota(limits, self.backend.wiring.runtime.wall_ns)
        identities = Identities(self.backend.wiring, authenticate)
        self.fault = fault
        self.api = RestApi(
            self.backend, identities, readiness=lambda: self.fault, open_pages=open_pages
        )

    def stock(self, *names: str) -> None:
        """Put things on the shelf."""
        for name in names:
            self.world.mutation("shop:add", {"name": name})

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        address: str = "10.0.0.1",
        **headers: str,
    ) -> HttpResponse:
        """Send a request; a body that is not bytes goes as JSON."""
        raw_path, _, query = path.partition("?")
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            sent["authorization"] = f"Bearer {key}"
        if body is not None and not isinstance(body, bytes):
            sent.setdefault("content-type", "application/json")
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        request = HttpRequest(method, raw_path, raw_path, query, sent, content, address)
        return asyncio.run(self._handled(request))

    def call(self, method: str, path: str, body: object = None, **more: Json) -> Got:
        """Send a request and read the response."""
        response = self.send(method, path, body, **more)
        headers = dict(response.headers)
        assert len(headers) == len(response.headers), "a header is there once"
        parsed = json.loads(response.body) if response.body else None
        return Got(response.status, parsed, headers)

    async def _handled(self, request: HttpRequest) -> HttpResponse:
        loop = asyncio.get_running_loop()

        def kick() -> None:
            loop.call_soon(self.world.database.flush)

        self.backend.on_kick = kick
        try:
            return await self.api.handle(request)
        finally:
            self.backend.on_kick = lambda: None
