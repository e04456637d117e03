"""Transactional code cannot wait, and cannot see time, chance or the world (invariant I3).

The inner packages and the sans-I/O sessions are plain synchronous Python; in a domain only an
action may be `async`. That is what lets a seeded scheduler drive the core.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.house.sources import Finding, Source, demand_none, dotted, python

DOMAINS = "hubify/domains"
PURE = (
    "hubify/core",
    "hubify/evidence",
    "hubify/sdk/session.py",
    "hubify/transports/sync/frames.py",
    "hubify/transports/sync/heartbeat.py",
    "hubify/transports/sync/host.py",
    "hubify/transports/sync/query_set.py",
    "hubify/transports/sync/requests.py",
    "hubify/transports/sync/session.py",
    "hubify/values",
    "hubify/wire",
)

WAITING = ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith

BYTES = "take bytes and give bytes: the skin owns the socket"
CHANCE = "take a random.Random as an argument"
CLOCK = "take the time as an argument"
PORT = "take the port as an argument (hubify/ports)"
SYNC = "write it synchronous and let the caller wait"

MODULES = {
    "anyio": SYNC,
    "asyncio": SYNC,
    "concurrent": SYNC,
    "http": "raise an AppError of the right kind: numbers of HTTP live in hubify/transports",
    "httpx": PORT,
    "multiprocessing": SYNC,
    "os": "take the value as an argument: hubify/app/settings.py reads the environment",
    "random": CHANCE,
    "secrets": CHANCE,
    "select": BYTES,
    "selectors": BYTES,
    "socket": BYTES,
    "ssl": BYTES,
    "subprocess": PORT,
    "threading": SYNC,
    "time": CLOCK,
    "urllib.request": PORT,
    "websockets": BYTES,
}
CALLS = {
    "date.today": CLOCK,
    "datetime.now": CLOCK,
    "datetime.today": CLOCK,
    "datetime.utcnow": CLOCK,
    "open": PORT,
    "uuid.uuid1": CHANCE,
    "uuid.uuid4": CHANCE,
    "uuid1": CHANCE,
    "uuid4": CHANCE,
}


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    """What a statement imports, by full dotted name."""
    prefix = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    return [f"{prefix}{alias.name}" for alias in node.names]


def ruled_out(name: str) -> Iterator[str]:
    """What to do instead of importing this, once for each ban that it meets."""
    if name == "random.Random":  # the type of a seeded source that the caller gives
        return
    for module, instead in MODULES.items():
        if f"{name}.".startswith(f"{module}."):
            yield instead


def world(source: Source) -> Iterator[Finding]:
    """Where a file asks for time, chance, a socket, a file or a thread."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in imported(node):
                for instead in ruled_out(name):
                    yield source.finding(node.lineno, f"imports {name}", instead)
        elif isinstance(node, ast.Call):
            name = ".".join(dotted(node.func).split(".")[-2:])
            if name in CALLS:
                yield source.finding(node.lineno, f"calls {name}()", CALLS[name])


def is_action(node: ast.AST) -> bool:
    """Whether a function is declared as an action, or serves one by taking its context."""
    if not isinstance(node, ast.AsyncFunctionDef):
        return False
    names = [*node.decorator_list, *(each.annotation for each in node.args.args)]
    return any(dotted(name).split(".")[-1] in {"action", "ActionCtx"} for name in names if name)


def suspensions(source: Source, *, actions_may: bool) -> Iterator[Finding]:
    """Where a file is asynchronous, leaving out whole actions when those may be."""
    instead = "declare it as an action" if actions_may else SYNC
    pending: list[ast.AST] = [source.tree]
    while pending:
        node = pending.pop()
        if actions_may and is_action(node):
            continue
        pending.extend(ast.iter_child_nodes(node))
        if isinstance(node, WAITING):
            yield source.finding(node.lineno, f"waits ({type(node).__name__})", instead)
        elif isinstance(node, ast.comprehension) and node.is_async:
            yield source.finding(node.iter.lineno, "waits (async comprehension)", instead)


def breaches(source: Source) -> list[Finding]:
    """Everything in a file that its layer's colour forbids."""
    return [*world(source), *suspensions(source, actions_may=source.under(DOMAINS))]


def test_inner_layers_and_domains_never_wait_nor_ask_the_world() -> None:
    demand_none(finding for source in python(*PURE, DOMAINS) for finding in breaches(source))


@pytest.mark.parametrize(
    "planted",
    [
        "async def f(): pass",
        "import asyncio",
        "from asyncio import sleep",
        "import os.path",
        "from time import monotonic as now",
        "from random import choice",
        "from urllib.request import urlopen",
        "import datetime\nwhen = datetime.datetime.now(datetime.UTC)",
        "from uuid import uuid4\nname = uuid4()",
        "text = open('file').read()",
    ],
)
def test_a_planted_breach_of_colour_is_found(planted: str) -> None:
    assert len(breaches(Source("hubify/core/planted.py", planted))) == 1


def test_a_domain_may_wait_in_an_action_only() -> None:
    action = "@labs.action(public=True)\nasync def push(ctx):\n    await ctx.github.put()\n"
    serving = "async def put(ctx: ActionCtx) -> None:\n    await ctx.github.put()\n"
    query = "@labs.query(public=True)\nasync def read(ctx):\n    pass\n"
    assert breaches(Source("hubify/domains/labs.py", action + serving)) == []
    assert len(breaches(Source("hubify/domains/labs.py", action + query))) == 1


def test_times_and_dates_may_be_computed_with() -> None:
    pure = "import datetime\nday = datetime.datetime.fromtimestamp(0, datetime.UTC).date()"
    assert breaches(Source("hubify/evidence/alerts.py", pure)) == []
