"""What a command is given of the world: variables, streams, a way to reach servers.

Invariant: commands touch nothing of the process but through here, so a test hands in another; and
what others wrote never reaches a terminal with its control characters.
"""

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import msgspec

if TYPE_CHECKING:
    import httpx

    from hubify.sdk.http import Client

FALLBACK_WIDTH = 100
CONTROL_CHARACTERS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
RETRIES = 4  # three seconds in all: a server that restarts is found, one that is not is told
SAID_FROM_S = 2.0  # a shorter wait is over before anybody wonders


class Misuse(Exception):
    """A command line that asks for what cannot be; ends with exit status 2."""


class World(msgspec.Struct, frozen=True):
    """One run of the program: where it reads and writes, and how it waits."""

    environment: Mapping[str, str]
    out: TextIO
    err: TextIO
    source: TextIO
    transport: "httpx.BaseTransport | None" = None
    sleep: Callable[[float], None] = time.sleep

    @property
    def width(self) -> int | None:
        """Columns of the terminal that results go to; None: no terminal, nothing is cut."""
        if not self.out.isatty():
            return None
        return shutil.get_terminal_size((FALLBACK_WIDTH, 24)).columns

    def print(self, text: str) -> None:
        """Write a result, for people and programs."""
        print(visible(text), file=self.out)

    def say(self, text: str) -> None:
        """Write what only a person wants to know."""
        print(visible(text), file=self.err, flush=True)

    def hush(self) -> None:
        """Let what is still to be written go nowhere: whoever read our output has gone."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.out.fileno())
        os.close(nowhere)

    def print_json(self, value: object) -> None:
        """Write a result as indented JSON; integers and bytes as in clean Convex JSON."""
        from hubify.wire.styles import CLEAN, encode

        self.print(msgspec.json.format(encode(value, CLEAN), indent=2).decode())

    def client(self, url: str, key: str | None) -> "Client":
        """A client of a server, which says so when it has to wait."""
        from hubify.sdk.http import Client
        from hubify.sdk.patience import Patience

        def notice(error: Exception, seconds: float) -> None:
            if seconds >= SAID_FROM_S:
                self.err.write("\r" if self.err.isatty() else "")  # over a line of progress
                self.say(f"{error}; going on in {seconds:.0f} s")

        return Client(
            url, key, patience=Patience(retries=RETRIES), notice=notice,
            transport=self.transport, sleep=self.sleep,
        )  # fmt: skip


def real_world() -> World:
    """The process's own; a stream that was closed before it began leads nowhere."""
    streams: list[TextIO | None] = [sys.stdout, sys.stderr, sys.stdin]
    out, err, source = (stream or _nowhere() for stream in streams)
    return World(os.environ, out, err, source)


def _nowhere() -> TextIO:
    return Path(os.devnull).open("r+", encoding="utf-8")


def visible(text: str) -> str:
    """A text whose control characters (but line ends) can be seen instead of obeyed."""
    return CONTROL_CHARACTERS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
