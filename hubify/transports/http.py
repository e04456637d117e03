"""Requests and answers as values, for every transport that speaks HTTP.

Invariant: a handler is a function of a request; only `asgi.py` knows a server.
"""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl

import msgspec

from hubify.values.errors import InvalidInput

JSON = "application/json"
MAX_PARAMETERS = 100


class HttpRequest(msgspec.Struct, frozen=True):
    """One request, body and all. Header names are lower case; `path` is percent-decoded."""

    method: str
    path: str
    raw_path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    address: str

    def query(self) -> list[tuple[str, str]]:
        """Query parameters in order, decoded.

        Raises:
            InvalidInput: there are more than `MAX_PARAMETERS`.

        """
        try:
            return parse_qsl(
                self.query_string, keep_blank_values=True, max_num_fields=MAX_PARAMETERS
            )
        except ValueError:
            message = f"the query string has more than {MAX_PARAMETERS} parts"
            raise InvalidInput(message) from None


class HttpResponse(msgspec.Struct, frozen=True):
    """One answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("content-type", JSON),)

    def with_headers(self, *more: tuple[str, str]) -> "HttpResponse":
        """The same answer with further headers."""
        return HttpResponse(self.status, self.body, (*self.headers, *more))


def failure(status: int, code: str, message: str) -> HttpResponse:
    """An error that no handler came to make: readable by REST and by Convex clients."""
    error = {"code": code, "message": message}
    return HttpResponse(status, msgspec.json.encode({**error, "error": error}))


Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]
