"""A server of its own for each measurement, on a fresh directory, in a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START_WITHIN_S = 30
FUNCTIONS = Path(__file__).with_name("functions.py")
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Served:
    """A running server: its port, its admin key, its process."""

    def __init__(self, process: "subprocess.Popen[bytes]", directory: Path) -> None:
        self.process = process
        self.directory = directory
        self.url = (directory / "server.url").read_text().strip()
        self.port = int(self.url.rpartition(":")[2])
        self.key = (directory / "admin.key").read_text().strip()

    def call(self, kind: str, path: str, arguments: dict[str, Any], key: str | None = None) -> Any:
        """One call over Convex HTTP."""
        body = json.dumps({"path": path, "args": arguments, "format": "json"}).encode()
        headers = {
            "Content-Type": "application/json", "Authorization": f"Bearer {key or self.key}",
        }  # fmt: skip
        request = urllib.request.Request(f"{self.url}/api/{kind}", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            told = json.loads(answer.read())
        if told["status"] != "success":
            raise RuntimeError(told["errorMessage"])
        return told["value"]

    def cpu_s(self) -> float:
        """Processor seconds used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def memory_kib(self) -> int:
        """Proportional set size."""
        for line in Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
        return 0


@contextmanager
def server(*, rate_limits: str = "off") -> Iterator[Served]:
    """Start a server, end it afterwards."""
    with tempfile.TemporaryDirectory(prefix="hubify-bench-") as directory:
        command = [
            sys.executable, "-m", "hubify", "serve", "--data", directory, "--port", "0",
            "--functions", str(FUNCTIONS),
        ]  # fmt: skip
        environment = {**os.environ, "HUBIFY_RATE_LIMITS": rate_limits}
        log = Path(directory) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=environment, stderr=output, stdout=output)
        try:
            _await_ready(process, Path(directory), log)
            yield Served(process, Path(directory))
        finally:
            process.terminate()
            process.wait(30)


def _await_ready(process: "subprocess.Popen[bytes]", directory: Path, log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if (directory / "server.url").exists() and (directory / "admin.key").exists():
            try:
                urllib.request.urlopen(
                    (directory / "server.url").read_text().strip() + "/healthz", timeout=1
                ).close()
            except OSError:
                pass
            else:
                return
        time.sleep(0.05)
    message = f"the server did not start:\n{log.read_text()}"
    raise RuntimeError(message)
