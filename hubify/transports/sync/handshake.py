"""Where a sync socket may be opened, and what the opening request tells about its client.

Invariant: only `/api/sync` and `/api/<anything>/sync` are sync sockets.
"""

import re

from websockets.http11 import Request

from hubify.wire.clients import UNKNOWN, Client, client_of_header, client_of_path

SYNC_PATH = re.compile(r"/api/(?:([^/?#]{1,64})/)?sync(?:[?#].*)?", re.DOTALL)


def client_of(request: Request) -> Client | None:
    """The client that asks for a sync socket; None when it asks for something else."""
    matched = SYNC_PATH.fullmatch(request.path)
    if matched is None:
        return None
    headers = request.headers.get_all("Convex-Client")
    named = client_of_header(headers[0]) if headers else UNKNOWN
    return named if named != UNKNOWN else client_of_path(matched[1] or "")
