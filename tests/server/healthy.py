"""A well-behaved client beside the abuse: it must be answered all the while, and soon.

Invariant: what it saw is judged when it ends: at least one round trip, none failed, none slow.
"""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.clients.server import Server

PACE_S = 0.01
PROMPT_S = 3.0  # generous: two cores are shared by everything that a test run does
BODIES = [
    ("/api/mutation", {"path": "checks:increment", "args": {"name": "healthy"}}),
    ("/api/query", {"path": "checks:counter", "args": {"name": "healthy"}}),
]


class _Client:
    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=15)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.rounds = 0
        self.slowest_s = 0.0
        self.trouble: object = None

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        self._thread.join(20)
        self._connection.close()

    def _work(self) -> None:
        while self.trouble is None:
            began = time.monotonic()
            self._round()
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            if self._stop.wait(PACE_S):
                return

    def _round(self) -> None:
        try:
            for path, body in BODIES:
                headers = {"Content-Type": "application/json"}
                self._connection.request("POST", path, json.dumps(body), headers)
                answer = json.loads(self._connection.getresponse().read())
                if answer.get("status") != "success":
                    self.trouble = answer
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.trouble = error
        self.rounds += 1


@contextmanager
def others_are_served(server: Server, *, prompt_s: float = PROMPT_S) -> Iterator[None]:
    """Within the block a healthy client reads and writes; afterwards it must have been well."""
    client = _Client(server)
    client.start()
    try:
        yield
    finally:
        client.end()
    assert client.trouble is None, client.trouble
    assert client.rounds > 0
    assert client.slowest_s < prompt_s


@contextmanager
def memory_stays_within(server: Server, mib: int) -> Iterator[None]:
    """The server holds at most so much more while the block runs and at its end."""
    before, most = server.resident_kib, 0
    ended = threading.Event()

    def look() -> None:
        nonlocal most
        while not ended.wait(PACE_S):
            most = max(most, server.resident_kib)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join(20)
    grown = max(most, server.resident_kib) - before
    assert grown < mib * 1024, f"{grown // 1024} MiB more"
