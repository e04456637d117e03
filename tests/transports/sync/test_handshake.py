"""A sync socket is opened at few paths, and its client is known by header or path."""

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request

from hubify.transports.sync.handshake import client_of
from hubify.wire.clients import UNKNOWN, Client


@pytest.mark.parametrize(
    ("path", "header", "client"),
    [
        ("/api/sync", "python-0.8.1", Client("python", (0, 8, 1))),
        ("/api/1.48.0/sync", None, Client("npm", (1, 48, 0))),
        ("/api/1.48.0/sync?x=1", None, Client("npm", (1, 48, 0))),
        ("/api/1.48.0/sync", "rust-0.10.0", Client("rust", (0, 10, 0))),
        ("/api/anything/sync", "nonsense", UNKNOWN),
        ("/api/sync", None, UNKNOWN),
        ("/api/a/b/sync", None, None),
        ("/api//sync", None, None),
        ("/api/syncx", None, None),
        ("/sync", None, None),
        ("/api/" + "x" * 65 + "/sync", None, None),
    ],
)
def test_a_client_is_known_by_header_or_path(
    path: str, header: str | None, client: Client | None
) -> None:
    headers = Headers() if header is None else Headers({"convex-client": header})
    assert client_of(Request(path, headers)) == client
