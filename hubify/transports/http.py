"""Requests and answers as values, for every transport that speaks HTTP.

Invariant: a handler is a function of a request; only `asgi.py` knows a server.
"""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl

import msgspec

JSON = "application/json"


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
        """Query parameters in order, decoded; at most 100."""
        return parse_qsl(self.query_string, keep_blank_values=True, max_num_fields=100)


class HttpResponse(msgspec.Struct, frozen=True):
    """One answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("content-type", JSON),)

    def with_headers(self, *more: tuple[str, str]) -> "HttpResponse":
        """The same answer with further headers."""
        return HttpResponse(self.status, self.body, (*self.headers, *more))


Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]
