"""The server process: the parts joined, the loops running, an orderly stop.

Invariant: what was acknowledged is durable before the process ends, and clients are told to come
back rather than cut off.
"""

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Coroutine, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, cast

import uvicorn
import uvloop

from hubify.app.compose import Parts, bootstrap, compose, flusher_for, registry_of
from hubify.app.directory import DataDirectory
from hubify.app.settings import Settings
from hubify.dashboard.pages import Dashboard
from hubify.functions.spec import Registry
from hubify.transports.asgi import Application
from hubify.transports.connections import Bounds, connections_of
from hubify.transports.convex_http import ConvexHttp
from hubify.transports.rest.handler import RestApi
from hubify.transports.sync.backend_host import BackendHost
from hubify.transports.sync.endpoint import SyncEndpoint, SyncSettings
from hubify.transports.sync.socket import protocol_of
from hubify.values.errors import AppError
from hubify.workers.erasing import EraseLoop
from hubify.workers.jobs import JobLoop
from hubify.workers.notes import commit_notes
from hubify.workers.upkeep import Upkeep

log = logging.getLogger("hubify")
STOP_WITHIN_S = 10
WAITING_CONNECTIONS = 2_048
"""Connections that the system holds until they are taken."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
COLLECT_AFTER = 10_000
"""Objects more than at the last collection that set off the next (Python's own figure is 700)."""
OTHERS = 0o077  # what they may do with files that we make: nothing, even in a directory of theirs
HEALTH = ("/instance_name", "/instance_version", "/echo")
CONVEX_ROUTES = (
    "/api/query", "/api/query_ts", "/api/query_at_ts", "/api/query_batch", "/api/mutation",
    "/api/action", "/api/function", "/api/run/", "/api/debug_event",
)  # fmt: skip


def run_server(settings: Settings, functions: Sequence[str] = ()) -> None:
    """Serve until a signal asks to stop.

    Raises:
        Unavailable: another process serves this directory, or it cannot be written.
        InvalidInput: a setting or a file of functions does not fit.

    """
    registry = registry_of(functions)
    os.umask(OTHERS)
    allow_many_files()
    with DataDirectory(settings.path) as directory:
        uvloop.run(serve(settings, directory, registry))


async def serve(settings: Settings, directory: DataDirectory, registry: Registry) -> None:
    """Serve a locked directory from the running loop."""
    listener = listen(settings)  # first: a key minted by a start that fails would never be shown
    parts = compose(settings, directory, registry, kick=lambda: None)
    secret = bootstrap(parts, directory)
    flusher = flusher_for(parts, asyncio.get_running_loop())
    endpoint = SyncEndpoint(BackendHost(parts.backend, parts.identities), sync_settings(settings))
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{host}:{listener.getsockname()[1]}"
    directory.keep_address(url)
    announce(url, directory, secret)
    jobs = JobLoop(parts.backend)
    erasing = EraseLoop(parts.backend, flusher.quietly, settle_s=settings.erase_settle_s)
    upkeep = Upkeep(parts.backend, parts.identities, history_days=settings.history_days)
    loops = [
        started(jobs.run(), "jobs"), started(upkeep.run(), "upkeep"),
        started(upkeep.watch_store(), "recovery"), started(erasing.run(), "erasing"),
    ]  # fmt: skip
    server = web_server(settings, application(parts, settings), endpoint)
    keep_collections_short()
    try:
        await server.serve(sockets=[listener])
    finally:
        endpoint.shutdown()
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await jobs.close()
        await last_notes(parts)
        await flusher.close()
        parts.database.close()


def keep_collections_short() -> None:
    """Have the garbage collector pass over what was there from the beginning, and come less often.

    Its full rounds took 86 ms over everything that is loaded, while nobody was answered; what calls
    leave behind is mostly gone without it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


async def last_notes(parts: Parts) -> None:
    """Store what functions noted in the last minute; a full disk does not hold up a stop."""
    try:
        await commit_notes(parts.backend)
    except AppError as error:
        log.warning("notes of the last minute are lost: %s", error.message)


def application(parts: Parts, settings: Settings) -> Application:
    """Every HTTP face of the backend."""
    convex = ConvexHttp(parts.backend, parts.identities)
    committer = parts.database.committer
    rest = RestApi(
        parts.backend, parts.identities, lambda: committer.trouble,
        open_pages=parts.backend.anonymous_reads,
    )  # fmt: skip
    dashboard = Dashboard()
    routes = [
        *((route, convex.handle) for route in CONVEX_ROUTES),
        *((path, convex.plain) for path in HEALTH),
        *((path, dashboard.handle) for path in dashboard.paths),
        ("/", dashboard.before(rest.handle)),
    ]
    return Application(routes, trusted_proxies=settings.proxies)


def sync_settings(settings: Settings) -> SyncSettings:
    """The sockets' share of the settings."""
    return SyncSettings(
        max_sockets=settings.max_sockets,
        max_sockets_per_address=settings.max_sockets_per_address,
        trusted_proxies=settings.proxies,
    )


class Server(uvicorn.Server):
    """A uvicorn server that asks sockets to come back before it waits for them to close."""

    def __init__(self, config: uvicorn.Config, endpoint: SyncEndpoint) -> None:
        super().__init__(config)
        self._endpoint = endpoint

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Stop on a signal and return; uvicorn would then let it end the process there and then."""
        loop = asyncio.get_running_loop()
        for asked in STOP_SIGNALS:
            loop.add_signal_handler(asked, self.handle_exit, asked, None)
        try:
            yield
        finally:
            for asked in STOP_SIGNALS:
                loop.remove_signal_handler(asked)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop taking connections, close the open ones in order."""
        self._endpoint.shutdown()
        await super().shutdown(sockets)


def web_server(settings: Settings, app: Application, endpoint: SyncEndpoint) -> Server:
    """HTTP by uvicorn and httptools; sockets by our own skin below it."""
    sockets = cast("type[asyncio.Protocol]", protocol_of(endpoint))
    bounds = Bounds(max_connections=settings.max_connections)
    connections = cast("type[asyncio.Protocol]", connections_of(bounds))
    config = uvicorn.Config(
        app, loop="none", http=connections, ws=sockets, lifespan="off", proxy_headers=False,
        log_config=None, access_log=False, server_header=False, date_header=False,
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )  # fmt: skip
    return Server(config, endpoint)


def listen(settings: Settings) -> socket.socket:
    """Bind the address; port 0 takes a free one.

    From here on who connects waits for the server: it is announced before it answers.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.host, settings.port))
    listener.listen(WAITING_CONNECTIONS)
    return listener


def started(loop: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """A background loop whose end is logged if it was not asked for."""
    task = asyncio.create_task(loop, name=name)

    def ended(done: asyncio.Task[None]) -> None:
        if not done.cancelled() and (error := done.exception()) is not None:
            log.error("the %s loop ended", name, exc_info=error)

    task.add_done_callback(ended)
    return task


def allow_many_files() -> None:
    """Take as many open files as the machine allows: each client is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def announce(url: str, directory: DataDirectory, secret: str | None) -> None:
    """Say where the server listens, and show a fresh admin key once."""
    lines = [f"Hubify listens on {url}", f"  data   {directory.path.resolve()}"]
    if secret is not None:
        lines.append(f"  admin  {secret}   (shown once; kept in {directory.path / 'admin.key'})")
    lines.append(f"  docs   {url}/docs")
    sys.stderr.write("\n".join([*lines, ""]))
    sys.stderr.flush()
