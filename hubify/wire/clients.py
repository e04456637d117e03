"""Which client speaks, as far as the server must treat clients differently.

Invariant: what is not understood is an unknown client, which gets the plainest treatment: no
chunks, and values in clean JSON unless it asks otherwise.
"""

import re
from typing import NamedTuple

VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:[-+].{0,64})?", re.ASCII)
NAMED_VERSION = re.compile(r"([a-z][a-z-]{0,30}?)-(\d.{0,80})", re.ASCII)
CHUNKS_SINCE = (1, 28, 0)
NO_VERSION = (0, 0, 0)


class Client(NamedTuple):
    """A client library and its version, e.g. `Client("npm", (1, 48, 0))`."""

    name: str
    version: tuple[int, int, int]

    @property
    def joins_chunks(self) -> bool:
        """Whether it can join the parts of a long transition; others loop when they meet one."""
        return self.name == "npm" and self.version >= CHUNKS_SINCE

    @property
    def loops_on_auth_error(self) -> bool:
        """Whether an AuthError makes it reconnect for ever while its calls block."""
        return self.name in {"python", "rust"}

    @property
    def expects_tagged_values(self) -> bool:
        """Whether it is so old that it reads tagged values without having asked for them."""
        return (self.name == "npm" and self.version <= (1, 4, 0)) or (
            self.name == "python" and self.version[:2] <= (0, 4)
        )


UNKNOWN = Client("", NO_VERSION)


def client_of_header(header: str) -> Client:
    """The client that sent a `Convex-Client` header: `npm-1.48.0`, `python-0.8.1`."""
    named = NAMED_VERSION.fullmatch(header.strip().lower())
    if named is None:
        return UNKNOWN
    return Client(named[1], _version(named[2]))


def client_of_path(segment: str) -> Client:
    """The client that opened `/api/<segment>/sync`; only npm's names its version there."""
    version = _version(segment)
    return UNKNOWN if version == NO_VERSION else Client("npm", version)


def _version(text: str) -> tuple[int, int, int]:
    numbers = VERSION.fullmatch(text)
    if numbers is None:
        return NO_VERSION
    major, minor, patch = map(int, numbers.groups())
    return major, minor, patch
