"""Programs that hold official clients, and the orders that drive them over pipes.

Invariant: every order ends in its answer, in a failure or in `NotInTime`; a host that dies fails
whoever waits for it, and all of them end with the test run.
"""

import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.clients.server import Json, NotInTime, spawn

HERE = Path(__file__).parent
WAIT_S = 30.0
Told = dict[str, Any]


class Refusal(Exception):
    """What a client raised: its message, and the data of a ConvexError (else None)."""

    def __init__(self, told: Told) -> None:
        super().__init__(told["message"])
        self.name: str = told["name"]
        self.message: str = told["message"]
        self.data: Any = told.get("data")


class HostDied(AssertionError):
    """The program that holds the client ended; it says why."""


class Pending:
    """An order under way."""

    def __init__(self, host: "Host", what: str) -> None:
        self._host = host
        self._what = what
        self.told: Told | None = None

    def done(self, within_s: float = WAIT_S) -> Json:
        """Wait for the answer.

        Raises:
            Refusal: the client raised.
            NotInTime: it did not come.

        """
        self._host.wait(lambda: self.told is not None, self._what, within_s)
        assert self.told is not None, "it was awaited"
        if "failed" in self.told:
            raise Refusal(self.told["failed"])
        return self.told["done"]


class Host:
    """One such program."""

    def __init__(self, *command: str) -> None:
        self._process = spawn(
            list(command), cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1
        )
        self._news = threading.Condition()
        self._pending: dict[int, Pending] = {}
        self._orders = 0
        self._death = ""
        self.events: dict[tuple[str, str], deque[Told]] = {}
        self.logged: deque[str] = deque(maxlen=10_000)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def is_idle(self) -> bool:
        """Whether it lives, and no order is under way."""
        with self._news:
            return not self._pending and not self._death

    def order(self, op: str, **fields: Json) -> Pending:
        """Send an order without waiting for its answer."""
        pending = Pending(self, f"the answer to {op} {str(fields)[:200]}")
        with self._news:
            self._orders += 1
            number = self._orders
            self._pending[number] = pending
        assert self._process.stdin is not None, "it was opened with pipes"
        try:
            self._process.stdin.write(json.dumps({"id": number, "op": op, **fields}) + "\n")
        except OSError:
            self.wait(lambda: False, "an order", WAIT_S)
        return pending

    def wait(self, happened: Callable[[], bool], what: str, within_s: float) -> None:
        """Wait for something that the reader brings.

        Raises:
            HostDied: the program has ended.
            NotInTime: it did not come.

        """
        with self._news:
            self._news.wait_for(lambda: happened() or self._death, within_s)
            if happened():
                return
            if self._death:
                raise HostDied(self._death)
        message = f"{what}: not within {within_s:g} s; the client said: {[*self.logged][-5:]}"
        raise NotInTime(message)

    def close(self) -> None:
        """End the program."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None, "it was opened with pipes"
            try:
                stream.close()
            except BrokenPipeError:
                continue

    def _read(self) -> None:
        assert self._process.stdout is not None, "it was opened with pipes"
        for line in self._process.stdout:
            with self._news:
                self._take(json.loads(line))
                self._news.notify_all()
        with self._news:
            self._death = self._death or "the host ended"
            self._news.notify_all()

    def _take(self, told: Told) -> None:
        if "id" in told:
            self._pending.pop(told["id"]).told = told
        elif "log" in told:
            self.logged.append(f"[{told['log']}] {told['text']}")
        elif "fatal" in told:
            self._death = f"a client threw where nobody can catch it: {told['fatal']}"
        else:
            about = told.get("sub", "auth")
            self.events.setdefault((told["client"], about), deque()).append(told)


def node_host(*arguments: str) -> Host:
    """A host of JavaScript clients; `react` for the React client."""
    return Host("node", str(HERE / "js" / "host.mjs"), *arguments)


def python_host() -> Host:
    """A host of one Python client."""
    return Host(sys.executable, str(HERE / "python_host.py"))
