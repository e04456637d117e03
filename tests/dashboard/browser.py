"""Chromium without a window, driven through its DevTools protocol.

Invariant: it keeps to this machine, has a profile of its own that goes with the test, is waited for
by asking and never by a guess, and ends with its `with` block or with this process.
"""

import base64
import json
import os
import shutil
import subprocess
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.clients.server import spawn, wait_until

PROGRAM = "/usr/bin/chromium"
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--remote-debugging-port=0", "--lang=en-GB",
)  # fmt: skip
START_WITHIN_S = 30.0
DOMAINS = ("Page", "Runtime", "Log", "Network")
TROUBLE = {"warning", "error", "assert"}

Json = Any  # whatever the protocol answers


def need_chromium() -> None:
    """Skip the calling test where there is no browser; a run of CI has one."""
    if not shutil.which(PROGRAM) and "CI" not in os.environ:
        pytest.skip("needs chromium: apt-get install chromium")


class Tab:
    """One page: what it shows, what it asked the network for, what it complained of."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._last_id = 0
        self._events: list[Json] = []
        for domain in DOMAINS:
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Json) -> Json:
        """One command of the protocol; gives its result.

        Raises:
            AssertionError: the browser refused it.

        """
        self._last_id += 1
        command = {"id": self._last_id, "method": method, "params": parameters}
        self._connection.send(json.dumps(command))
        while True:
            message = json.loads(self._connection.recv(timeout=30))
            if message.get("id") == self._last_id:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            self._events.append(message)

    def resize(self, width: int, height: int) -> None:
        """Give the page another window."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def prefer(self, **features: str) -> None:
        """Set what the reader prefers: `prefers_color_scheme="dark"`."""
        named = [
            {"name": name.replace("_", "-"), "value": value} for name, value in features.items()
        ]
        self.call("Emulation.setEmulatedMedia", features=named)

    def go(self, url: str) -> None:
        """Load a page from the network, whatever was open before."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'")

    def evaluate(self, expression: str) -> Json:
        """The value of an expression in the page."""
        told = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def wait_for(self, expression: str, within_s: float = 20.0) -> None:
        """Ask again and again until an expression is true in the page."""
        wait_until(lambda: bool(self.evaluate(expression)), f"{expression} in the page", within_s)

    def text(self, selector: str) -> str:
        """The text that the first match shows, nothing when there is no match."""
        return self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def wait_for_text(self, selector: str, text: str, within_s: float = 20.0) -> None:
        """Wait until an element shows some text."""
        found = f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"
        self.wait_for(f"({found}).includes({json.dumps(text)})", within_s)

    def click(self, selector: str) -> None:
        """Click the first match, as a person's pointer does."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def type_into(self, selector: str, text: str) -> None:
        """Put the focus into a field and type."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Press one key where the focus is."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode={"Tab": 9, "Enter": 13}[key],
                      **({"text": "\r"} if key == "Enter" else {}))  # fmt: skip

    def screenshot(self, path: Path) -> None:
        """Keep what it looks like."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def told(self, method: str) -> list[Json]:
        """The parameters of all events of one kind so far."""
        self.evaluate("0")  # what happened before is reported before its answer
        return [event["params"] for event in self._events if event.get("method") == method]

    def addresses(self) -> list[str]:
        """Every address that the page asked the network for, sockets among them."""
        loaded = [one["request"]["url"] for one in self.told("Network.requestWillBeSent")]
        sockets = [one["url"] for one in self.told("Network.webSocketCreated")]
        return [address for address in (*loaded, *sockets) if address != "about:blank"]

    def complaints(self) -> list[str]:
        """Exceptions, and what the console or the browser warned of."""
        logged = [one["entry"]["text"] for one in self.told("Log.entryAdded")]
        raised = [
            json.dumps(one["exceptionDetails"]) for one in self.told("Runtime.exceptionThrown")
        ]
        spoken = [
            json.dumps(one["args"])
            for one in self.told("Runtime.consoleAPICalled")
            if one["type"] in TROUBLE
        ]
        return [*logged, *raised, *spoken]


class Browser:
    """One Chromium with a fresh profile."""

    def __init__(self, profile: Path) -> None:
        self._profile = profile
        command = [PROGRAM, *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        self._process = spawn(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._connections = ExitStack()

    def __enter__(self) -> Self:
        wait_until(self._listens, "the browser's start", START_WITHIN_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._process.terminate()
        self._process.wait(15)
        self._connections.close()

    def open(self) -> Tab:
        """A fresh page with an empty session."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("PUT", "/json/new?about:blank")
            told = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        # All that it tells is kept, as otherwise a page that tells much could not be closed; and
        # it answers no pings while a page keeps it busy.
        opened = connect(
            told["webSocketDebuggerUrl"], max_size=None, max_queue=None, ping_interval=None
        )
        return Tab(self._connections.enter_context(opened))

    @property
    def _port(self) -> int:
        return int(self._active()[0])

    def _listens(self) -> bool:
        assert self._process.poll() is None, "the browser ended at its start"
        return len(self._active()) == 2

    def _active(self) -> list[str]:
        told = self._profile / "DevToolsActivePort"
        return told.read_text(encoding="ascii").split() if told.exists() else []
