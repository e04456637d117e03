"""Hands out the live page's files under `/live/`, and leads browsers there from `/`.

Invariant: only the package's own files are answered, each looked up by its whole name in a table
made at the start; the page may load nothing from elsewhere and run nothing that is not such a file.
"""

import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from hubify.transports.http import Handler, HttpRequest, HttpResponse

PREFIX = "/live/"
ENTRANCES = ("/", "/live")
INDEX = "index.html"
OK, FOUND, NOT_MODIFIED, NOT_FOUND, NOT_ALLOWED = 200, 302, 304, 404, 405
METHODS = ("GET", "HEAD")
TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
PLAIN = ("content-type", "text/plain; charset=utf-8")
SAFE = (
    ("content-security-policy", POLICY),
    ("cross-origin-opener-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
)
ASKED_EACH_TIME = ("cache-control", "no-cache")  # files name each other without their versions


class StaticFile(NamedTuple):
    """One file as it is answered."""

    body: bytes
    content_type: str
    etag: str


class Dashboard:
    """The files of the live page, read once."""

    paths = ("/live", PREFIX)
    """What it answers, as `Application` takes routes."""

    def __init__(self) -> None:
        folder = files("hubify.dashboard").joinpath("static")
        self._files = {PREFIX + item.name: static_file(item) for item in folder.iterdir()}
        self._files[PREFIX] = self._files[PREFIX + INDEX]

    async def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer one file, or that the browser has it already."""
        if request.path in ENTRANCES:
            return HttpResponse(FOUND, headers=(("location", PREFIX), ("vary", "accept")))
        found = self._files.get(request.path)
        if found is None:
            return HttpResponse(NOT_FOUND, b"no such page; /live/ is one\n", (PLAIN, *SAFE))
        if request.method not in METHODS:
            return HttpResponse(NOT_ALLOWED, headers=(("allow", ", ".join(METHODS)),))
        kept = (("etag", found.etag), ASKED_EACH_TIME, *SAFE)
        if has_already(request, found.etag):
            return HttpResponse(NOT_MODIFIED, headers=kept)
        return HttpResponse(OK, found.body, (("content-type", found.content_type), *kept))

    def before(self, otherwise: Handler) -> Handler:
        """`otherwise`, but for browsers that open `/`: they are led to the live page."""

        async def handle(request: HttpRequest) -> HttpResponse:
            if request.path == "/" and request.method in METHODS and wants_html(request):
                return await self.handle(request)
            return await otherwise(request)

        return handle


def static_file(item: Traversable) -> StaticFile:
    """Read a file of the package; its tag is the digest of its bytes."""
    body = item.read_bytes()
    content_type = TYPES[item.name.rpartition(".")[2]]
    return StaticFile(body, content_type, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def wants_html(request: HttpRequest) -> bool:
    """Whether a person's browser asks; programs ask for JSON or for anything."""
    return "text/html" in request.headers.get("accept", "")


def has_already(request: HttpRequest, etag: str) -> bool:
    """Whether the browser holds these very bytes (RFC 9110, 13.1.2: the weak comparison)."""
    told = request.headers.get("if-none-match", "")
    return any(tag.strip().removeprefix("W/") in {etag, "*"} for tag in told.split(","))
