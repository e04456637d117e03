"""Where a sync socket may be opened, what the opening request tells about its client, and refusals.

Invariant: only `/api/sync` and `/api/<anything>/sync` are sync sockets; whoever is refused one is
told so in HTTP, with a code and a sentence in the body that all refused requests have.
"""

import re
from http import HTTPStatus
from typing import NamedTuple

from websockets.exceptions import InvalidHeader, SecurityError
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import StatusLike

from hubify.transports.http import failure
from hubify.wire.clients import UNKNOWN, Client, client_of_header, client_of_path

SYNC_PATH = re.compile(r"/api/(?:([^/?#]{1,64})/)?sync(?:[?#].*)?", re.DOTALL)
VERSION_HEADER = "Sec-WebSocket-Version"
MAX_TOLD = 200


class Refusal(NamedTuple):
    """Why there is no socket for a client."""

    status: HTTPStatus
    code: str
    message: str
    headers: tuple[tuple[str, str], ...] = ()


NO_SOCKET_HERE = Refusal(
    HTTPStatus.NOT_FOUND,
    "NOT_FOUND",
    "there is no WebSocket here; sync sockets are opened at /api/sync or /api/<version>/sync",
)


def client_of(request: Request) -> Client | None:
    """The client that asks for a sync socket; None when it asks for something else."""
    matched = SYNC_PATH.fullmatch(request.path)
    if matched is None:
        return None
    headers = request.headers.get_all("Convex-Client")
    named = client_of_header(headers[0]) if headers else UNKNOWN
    return named if named != UNKNOWN else client_of_path(matched[1] or "")


def fault_of(error: Exception) -> Refusal:
    """What is wrong with a handshake that `websockets` refuses (RFC 6455, 4.2.1 and 4.4)."""
    if isinstance(error, InvalidHeader) and error.name == VERSION_HEADER:
        message = "the header 'Sec-WebSocket-Version: 13' is needed; no other version is spoken"
        status, headers = HTTPStatus.UPGRADE_REQUIRED, ((VERSION_HEADER, "13"),)
        return Refusal(status, "VALIDATION_ERROR", message, headers)
    cause = error.__cause__ or error
    if isinstance(cause, SecurityError):
        message = f"the handshake's headers are too many or too long: {cause}"[:MAX_TOLD]
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        return Refusal(status, "PAYLOAD_TOO_LARGE", message)
    message = f"this is no WebSocket handshake: {cause}"[:MAX_TOLD]
    return Refusal(HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR", message)


class WebSocket(ServerProtocol):
    """The library's protocol, but for the body of its refusals."""

    def refuse(self, refusal: Refusal) -> Response:
        """The answer to a handshake that is refused."""
        body = failure(refusal.status, refusal.code, refusal.message).body
        response = super().reject(refusal.status, body.decode())
        del response.headers["Content-Type"]
        for name, value in (("Content-Type", "application/json"), *refusal.headers):
            response.headers[name] = value
        return response

    def reject(self, status: StatusLike, text: str) -> Response:
        """The answer to what the library itself refuses."""
        fault = self.handshake_exc
        if fault is None:
            return super().reject(status, text)
        return self.refuse(fault_of(fault))
