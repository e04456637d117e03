"""A host, an endpoint and lines to it, whose time a test controls; and messages of clients."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps

from hubify.transports.sync.endpoint import SyncEndpoint, SyncSettings
from hubify.wire.sync_messages import (
    Add,
    ModifyQuerySet,
    Mutation,
)
from tests.transports.sync.fake_host import FakeHost
from tests.transports.sync.fake_transport import (
    Line,
)

Test = Callable[["Stage"], Awaitable[None]]


class Stage:
    """A host, an endpoint, and lines to it."""

    def __init__(self, settings: SyncSettings | None = None) -> None:
        self.host = FakeHost()
        self.endpoint = SyncEndpoint(self.host, settings)
        # Beats come from tests alone, however slow the machine.
        self.endpoint._arrange_beat = lambda: None  # type: ignore[method-assign]

    def line(self, *, connect: bool = True) -> Line:
        return Line(self.endpoint, connect=connect)


def on_stage(test: Test) -> Callable[[], None]:
    """Run a test on an event loop, with a stage of its own."""

    @wraps(test)
    def run() -> None:
        async def play() -> None:
            await test(Stage())

        asyncio.run(play())

    del run.__wrapped__  # pytest would take the stage for a fixture
    return run


MIB = 1024 * 1024


def watch_long(key: str, size: int) -> ModifyQuerySet:
    """The first change of a client that watches something long."""
    add = Add(query_id=0, udf_path="store:long", args=[{"key": key, "size": size}])
    return ModifyQuerySet(base_version=0, new_version=1, modifications=[add])


def watch(*keys: str) -> ModifyQuerySet:
    """The first query set of a client: a query per key."""
    adds = [
        Add(query_id=number, udf_path="store:get", args=[{"key": key}])
        for number, key in enumerate(keys)
    ]
    return ModifyQuerySet(base_version=0, new_version=1, modifications=list(adds))


def set_number(request_id: int, value: int = 1) -> Mutation:
    """A mutation of `a`."""
    return Mutation(
        request_id=request_id, udf_path="store:set", args=[{"key": "a", "value": value}]
    )
