"""The client of a Hubify server, for Python programs.

    from hubify.sdk import Client, HubifyError

    with Client("http://127.0.0.1:3210", "hk_live_...") as client:
        skill = client.query("skills:getByName", {"name": "tidy-imports"})

Invariant: importing it needs nothing of a server's, and reads the network libraries only when a
client is first asked for.
"""

import importlib
from typing import TYPE_CHECKING

from hubify.sdk.errors import HubifyError

if TYPE_CHECKING:
    from hubify.sdk.http import Client

__all__ = ["Client", "HubifyError"]

_LATE = {"Client": "hubify.sdk.http"}


def __getattr__(name: str) -> object:
    """Import what is named only now."""
    if name not in _LATE:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module(_LATE[name]), name)
