"""A made-up terminal and a made-up server, to run commands in this process."""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import httpx

from hubify.cli.main import run
from hubify.cli.world import World

URL = "http://127.0.0.1:3210"
WITH_SERVER = {"HUBIFY_URL": URL, "HUBIFY_API_KEY": "hk_live_test"}


class Finished(NamedTuple):
    """What a command wrote, and its exit status."""

    status: int
    out: str
    err: str


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def hubify(
    *argv: str,
    environment: Mapping[str, str] = WITH_SERVER,
    server: "FakeServer | None" = None,
    source: str = "",
    terminal: bool = False,
) -> Finished:
    """Run a command; without a server, nothing listens."""
    stream = Terminal if terminal else io.StringIO
    out, err = stream(), stream()
    transport = httpx.MockTransport(server or _nobody)
    world = World(environment, out, err, io.StringIO(source), transport, sleep=lambda _s: None)
    return Finished(run(argv, world), out.getvalue(), err.getvalue())


def _nobody(_request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


class Call(NamedTuple):
    """One call that the server got."""

    kind: str
    path: str
    arguments: dict[str, Any]
    key: str


class Refusal(Exception):
    """What a fake function raises to refuse."""

    def __init__(self, code: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.data = {"code": code, "message": message, **details}


Function = Callable[[dict[str, Any]], object]


class FakeServer:
    """Answers calls from functions by path; a value instead of a function is always answered."""

    def __init__(
        self, answers: Mapping[str, object], kinds: Mapping[str, str] | None = None
    ) -> None:
        self.answers = answers
        self.kinds = kinds or {}
        self.calls: list[Call] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"functions": [*map(self._listed, self.kinds)]})
        body = json.loads(request.content)
        kind = request.url.path.rpartition("/")[2]
        body["args"].pop("idempotencyKey", None)
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.calls.append(Call(kind, body["path"], body["args"], key))
        answer = self.answers[body["path"]]
        try:
            value = answer(body["args"]) if callable(answer) else answer
        except Refusal as refusal:
            failed = {"status": "error", "errorMessage": "no", "errorData": refusal.data}
            return httpx.Response(200, json=failed)
        return httpx.Response(200, json={"status": "success", "value": value})

    def _listed(self, path: str) -> dict[str, object]:
        return {
            "path": path, "kind": self.kinds[path], "summary": f"What {path} does.",
            "description": "More of it.", "scope": None, "aliases": [],
            "arguments": [{"name": "name", "required": True}, {"name": "limit", "required": False}],
        }  # fmt: skip
