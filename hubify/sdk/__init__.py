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
    from hubify.sdk.signing import new_key, read_key, sign_report
    from hubify.wire.signing import sign_key

__all__ = ["Client", "HubifyError", "new_key", "read_key", "sign_key", "sign_report"]

_SIGNING = "hubify.sdk.signing"
_LATE = {
    "Client": "hubify.sdk.http",
    "new_key": _SIGNING,
    "read_key": _SIGNING,
    "sign_key": "hubify.wire.signing",
    "sign_report": _SIGNING,
}


def __getattr__(name: str) -> object:
    """Import what is named only now."""
    if name not in _LATE:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module(_LATE[name]), name)
