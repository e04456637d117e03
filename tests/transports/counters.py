"""A small domain, and Convex HTTP over it, called by hand."""

import asyncio
import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from hubify.functions import ActionCtx, Conflict, Domain, MutationCtx, QueryCtx, Row, unique
from hubify.functions.context import Reader
from hubify.functions.identities import Authenticated, Identities
from hubify.functions.principal import Principal
from hubify.functions.quota import Quota
from hubify.functions.spec import RateClass
from hubify.testing.backend import InMemoryBackend, known
from hubify.transports.convex_http import ConvexHttp
from hubify.transports.http import HttpRequest, HttpResponse
from hubify.values.errors import Unauthenticated

counters = Domain("counters")


@counters.table("counters", unique("name"))
class Counter(Row, frozen=True):
    """A number with a name."""

    name: str
    value: int = 0


class TooHigh(Conflict):
    """A counter may not go that far."""


@counters.query(public=True)
def value_of(ctx: QueryCtx, *, name: str) -> int:
    """The number; 0 when there is none."""
    counter = ctx.db.first(Counter.where(name=name))
    return 0 if counter is None else counter.value


@counters.query(public=True)
def echo(_ctx: QueryCtx, *, value: Any) -> Any:  # noqa: ANN401 - every value is allowed
    """The value itself."""
    return value


@counters.query(scope="counters:read")
def secret(_ctx: QueryCtx) -> str:
    """For those with a key."""
    return "42"


@counters.mutation(public=True, errors=(TooHigh,))
def add(ctx: MutationCtx, *, name: str, amount: int = 1) -> Counter:
    """Count up to a hundred."""
    counter = ctx.db.first(Counter.where(name=name))
    if counter is None:
        return ctx.db.insert(Counter(name=name, value=amount))
    if counter.value + amount > 100:
        raise TooHigh(f"{name} may not pass 100")
    return ctx.db.replace(counter, value=counter.value + amount)


@counters.action(public=True)
async def add_twice(ctx: ActionCtx, *, name: str) -> int:
    """Count by two steps."""
    await ctx.run(add, name=name)
    counter = await ctx.run(add, name=name)
    return counter.value


@counters.query(public=True)
def broken(_ctx: QueryCtx) -> Any:  # noqa: ANN401 - a bug
    """Answer what cannot be sent."""
    return object()


@counters.mutation(name="break", public=True)
def break_it(ctx: MutationCtx, *, name: str) -> Any:  # noqa: ANN401 - a bug
    """Count, and answer what cannot be sent (`keys`), or not even be kept."""
    ctx.db.insert(Counter(name=name))
    return {1: 2} if name == "keys" else object()


def authenticate(db: Reader, secret: str) -> Authenticated:
    """One key is known."""
    assert db
    if secret != "hk_live_ana":
        raise Unauthenticated("this key is not known")
    return Authenticated(principal())


def principal() -> Principal:
    """Whom the key stands for."""
    return known("ana")


class Counters:
    """The Convex face of the counters."""

    def __init__(self, limits: Mapping[RateClass, int] | None = None) -> None:
        self.world = InMemoryBackend([counters])
        self.backend = self.world.backend
        self.backend.quota = Quota(limits, self.backend.wiring.runtime.wall_ns)
        self.http = ConvexHttp(self.backend, Identities(self.backend.wiring, authenticate))

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        address: str = "10.0.0.1",
        **headers: str,
    ) -> HttpResponse:
        """Send a request; a body that is not bytes goes as JSON."""
        path, _, query = path.partition("?")
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        if body is None:
            content = b""
        request = HttpRequest(method, path, path, query, sent, content, address)
        return asyncio.run(self._handled(request))

    def post(
        self, path: str, body: object = None, *, address: str = "10.0.0.1", **headers: str
    ) -> tuple[int, Any]:
        """Status and JSON of a POST."""
        response = self.send("POST", path, body, address=address, **headers)
        return response.status, json.loads(response.body)

    async def _handled(self, request: HttpRequest) -> HttpResponse:
        loop = asyncio.get_running_loop()
        self.backend.on_kick = partial(self._flush_soon, loop)
        return await self.http.handle(request)

    def _flush_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_soon(self.world.database.flush)
