"""A Hubify server in a process of its own, for clients to meet: started, killed, started again.

Invariant: it listens on loopback, is waited for by asking and never by a guess, and never outlives
the test run: it ends with the `with` block, and the kernel ends it with its parent.
"""

import ctypes
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

FUNCTIONS = Path(__file__).with_name("functions.py")
CHECKOUT = FUNCTIONS.parents[2]
SERVE = (sys.executable, "-m", "hubify", "serve")
START_WITHIN_S = 30.0
STOP_WITHIN_S = 15.0
POLL_S = 0.01
PR_SET_PDEATHSIG = 1
KIB = 1024

Json = Any  # a value as Convex's JSON spells it

_libc = ctypes.CDLL(None)


class NotInTime(AssertionError):
    """Something that was awaited did not happen."""


def wait_until(happened: Callable[[], bool], what: str, within_s: float = 15.0) -> None:
    """Ask again and again until it happened.

    Raises:
        NotInTime: it did not, within so many seconds.

    """
    deadline = time.monotonic() + within_s
    while not happened():
        if time.monotonic() > deadline:
            message = f"{what}: not within {within_s:g} s"
            raise NotInTime(message)
        time.sleep(POLL_S)


def spawn(command: list[str], **options: Json) -> "subprocess.Popen[str]":
    """Start a program that the kernel ends when this process ends, however that happens."""
    assert threading.current_thread() is threading.main_thread(), "its end would end the program"
    return subprocess.Popen(command, text=True, preexec_fn=_end_with_parent, **options)  # noqa: PLW1509


def _end_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Server:
    """One data directory and the process that serves it, if any."""

    def __init__(self, data: Path, **settings: str) -> None:
        """`settings` become `HUBIFY_*` variables."""
        self.data = data
        self.url = ""
        self._settings = {"rate_limits": "off", **settings}
        self._process: subprocess.Popen[str] | None = None
        self._log = data.with_suffix(".log")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self.kill()

    @property
    def port(self) -> int:
        """Where it listens; stays the same over restarts."""
        return int(self.url.rpartition(":")[2]) if self.url else 0

    @property
    def admin_key(self) -> str:
        """The key that the first start minted."""
        return (self.data / "admin.key").read_text(encoding="utf-8").strip()

    @property
    def resident_kib(self) -> int:
        """Memory that the process holds now."""
        assert self._process is not None, "the server runs"
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        return int(status.partition("VmRSS:")[2].split()[0])

    def start(self) -> None:
        """Start the process and wait until it answers."""
        (self.data / "server.url").unlink(missing_ok=True)
        port = str(self.port)
        command = [*SERVE, "--data", str(self.data), "--port", port, "--functions", str(FUNCTIONS)]
        with self._log.open("a", encoding="utf-8") as log:
            self._process = spawn(command, cwd=CHECKOUT, env=self._environment(), stderr=log)
        wait_until(self._answers, "the server's start", START_WITHIN_S)

    def kill(self) -> None:
        """End the process at once, as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask the process to end in order, and wait for it."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """Stop in order, and start on the same port and data."""
        self.stop()
        self.start()

    def call(self, kind: str, path: str, arguments: Mapping[str, Any], key: str = "") -> Json:
        """Call a function as plain HTTP, without any client of Convex's; gives its value.

        Raises:
            AssertionError: it did not succeed.

        """
        body = {"path": path, "args": dict(arguments), "format": "json"}
        headers = {"Content-Type": "application/json"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        status, answer = self.post(f"/api/{kind}", json.dumps(body).encode(), headers)
        assert (status, answer.get("status")) == (200, "success"), answer
        return answer["value"]

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, Any]:
        """One request on a connection of its own; gives its status and what it answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", path, body, dict(headers))
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def faults(self) -> list[str]:
        """Lines of the server's log that tell of a fault of its own."""
        signs = ("Traceback", "ERROR", "CRITICAL")
        lines = self._log.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if any(sign in line for sign in signs)]

    def log(self) -> str:
        """All that the server has said."""
        return self._log.read_text(encoding="utf-8")

    def _environment(self) -> dict[str, str]:
        named = {f"HUBIFY_{name.upper()}": value for name, value in self._settings.items()}
        inherited = {name: value for name, value in os.environ.items() if name[:7] != "HUBIFY_"}
        return {**inherited, **named}

    def _answers(self) -> bool:
        assert self._process is not None, "it was started"
        if self._process.poll() is not None:
            message = f"the server ended with {self._process.returncode}:\n{self.log()}"
            raise AssertionError(message)
        address = self.data / "server.url"
        if not address.exists():
            return False
        self.url = address.read_text(encoding="utf-8").strip()
        try:
            return self.post("/api/query_ts", b"", {})[0] == 200
        except (OSError, ValueError, http.client.HTTPException):
            return False

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            message = f"the server did not end within {STOP_WITHIN_S:g} s of {how.name}"
            raise NotInTime(message) from None
