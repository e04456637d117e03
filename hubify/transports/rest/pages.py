"""The server's own pages: its health and version, and the three descriptions of its functions.

Invariant: a description is made once, when it is first asked for, and never changes while the
server runs.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from hubify import __version__
from hubify.functions.backend import Backend
from hubify.transports.http import HttpResponse
from hubify.transports.rest.catalogue import catalogue
from hubify.transports.rest.dialects import to_json
from hubify.transports.rest.endpoints import Endpoint
from hubify.transports.rest.openapi import document
from hubify.transports.rest.reference import reference_page

READY, UNREADY = 200, 503
Readiness = Callable[[], str | None]
"""What keeps this process from taking writes just now, in a sentence; None when nothing does."""

JSON = ("content-type", "application/json")
NOT_SNIFFED = ("x-content-type-options", "nosniff")
NOT_KEPT = ("cache-control", "no-store")
BRIEFLY_KEPT = ("cache-control", "max-age=300")
OWN_FILES_ONLY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SAFE_PAGE = (
    ("content-type", "text/html; charset=utf-8"),
    ("content-security-policy", OWN_FILES_ONLY),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    NOT_SNIFFED,
    BRIEFLY_KEPT,
)


class Page(NamedTuple):
    """A page: where it stands, what it answers, and whether an operator may close it."""

    path: str
    respond: Callable[[], HttpResponse]
    describes: bool = True


def pages_of(
    backend: Backend, endpoints: Sequence[Endpoint], readiness: Readiness
) -> Iterator[Page]:
    """All of them."""
    registry = backend.wiring.registry

    @cache
    def openapi() -> HttpResponse:
        return HttpResponse(READY, document(endpoints), (JSON, NOT_SNIFFED, BRIEFLY_KEPT))

    @cache
    def functions() -> HttpResponse:
        body = to_json(catalogue(registry, endpoints))
        return HttpResponse(READY, body, (JSON, NOT_SNIFFED, BRIEFLY_KEPT))

    @cache
    def docs() -> HttpResponse:
        return HttpResponse(READY, reference_page(registry, endpoints), SAFE_PAGE)

    yield Page("/openapi.json", openapi)
    yield Page("/api/functions", functions)
    yield Page("/docs", docs)
    yield Page("/docs/docs.css", _static("docs.css", "text/css; charset=utf-8"))
    yield Page("/docs/docs.js", _static("docs.js", "text/javascript; charset=utf-8"))
    yield Page("/healthz", lambda: _plain(READY, {"status": "ok"}), describes=False)
    yield Page("/version", lambda: _plain(READY, {"version": __version__}), describes=False)
    yield Page("/readyz", lambda: _readiness(backend, readiness()), describes=False)


def _readiness(backend: Backend, fault: str | None) -> HttpResponse:
    """Whether the last flush went well, and the newest durable timestamp (ns since 1970)."""
    head = str(backend.head())  # beyond what a JSON number holds exactly
    if fault is None:
        return _plain(READY, {"status": "ready", "head": head})
    return _plain(UNREADY, {"status": "unready", "head": head, "fault": fault})


def _plain(status: int, content: Mapping[str, str]) -> HttpResponse:
    return HttpResponse(status, json.dumps(content).encode(), (JSON, NOT_KEPT))


def _static(name: str, content_type: str) -> Callable[[], HttpResponse]:
    headers = (("content-type", content_type), NOT_SNIFFED, BRIEFLY_KEPT)

    @cache
    def respond() -> HttpResponse:
        body = files("hubify.transports.rest").joinpath("static", name).read_bytes()
        return HttpResponse(READY, body, headers)

    return respond
