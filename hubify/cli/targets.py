"""Which hub a command means: a server by its address, or a data directory.

Invariant: pure; the same command line and variables mean the same hub.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from hubify.values.values import Value

URL, KEY, DATA, FUNCTIONS = "HUBIFY_URL", "HUBIFY_API_KEY", "HUBIFY_DATA", "HUBIFY_FUNCTIONS"
DEFAULT_DATA = "data"


class Hub(Protocol):
    """The functions of a hub, wherever they run; each raises HubifyError."""

    def query(self, path: str, arguments: Mapping[str, object] | None = None) -> Value:
        """What a query answers."""
        ...

    def mutation(self, path: str, arguments: Mapping[str, object] | None = None) -> Value:
        """Do something once."""
        ...

    def action(self, path: str, arguments: Mapping[str, object] | None = None) -> Value:
        """Run an action."""
        ...

    def functions(self) -> bytes:
        """What there is to call, as the JSON text of `GET /api/functions`."""
        ...


class Remote(msgspec.Struct, frozen=True):
    """A server by its address, and the key to call it with."""

    url: str
    key: str | None


class Directory(msgspec.Struct, frozen=True):
    """A data directory; without a key, whoever may read its files is its administrator."""

    path: Path
    key: str | None
    functions: tuple[str, ...] = ()


def target_of(environment: Mapping[str, str], data: str | None) -> Remote | Directory:
    """Which hub the command line and the variables mean; `--data` goes before HUBIFY_URL."""
    key = environment.get(KEY, "").strip() or None
    url = environment.get(URL, "").strip()
    if url and data is None:
        return Remote(url, key)
    path = Path(data or environment.get(DATA) or DEFAULT_DATA)
    return Directory(path, key, listed_functions(environment))


def listed_functions(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The files and modules in HUBIFY_FUNCTIONS, which commas separate."""
    names = environment.get(FUNCTIONS, "").split(",")
    return tuple(name.strip() for name in names if name.strip())
