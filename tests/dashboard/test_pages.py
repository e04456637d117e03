"""How the live page's files are handed out."""

import asyncio
import re
from importlib.resources import files

import pytest

from hubify.dashboard.pages import Dashboard
from hubify.transports.http import HttpRequest, HttpResponse

STATIC = files("hubify.dashboard").joinpath("static")
NAMES = sorted(item.name for item in STATIC.iterdir())
dashboard = Dashboard()


def answer(path: str, method: str = "GET", **headers: str) -> HttpResponse:
    """What the dashboard answers to one request."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = HttpRequest(method, path, path, "", named, b"", "127.0.0.1")
    return asyncio.run(dashboard.handle(request))


def front(path: str, **headers: str) -> HttpResponse:
    """What is answered where the dashboard stands before another handler."""

    async def otherwise(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(418)

    request = HttpRequest("GET", path, path, "", headers, b"", "127.0.0.1")

    async def ask() -> HttpResponse:
        return await dashboard.before(otherwise)(request)

    return asyncio.run(ask())


def test_the_folder_is_the_page() -> None:
    assert answer("/live/") == answer("/live/index.html")
    assert answer("/live/").status == 200
    assert answer("/live").status == 302
    assert dict(answer("/live").headers)["location"] == "/live/"


@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_answered_with_its_type_and_the_policy(name: str) -> None:
    response = answer(f"/live/{name}")
    headers = dict(response.headers)
    assert response.body == STATIC.joinpath(name).read_bytes()
    assert headers["content-type"].startswith(("text/", "image/svg+xml"))
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-cache"
    directives = dict(one.split(" ", 1) for one in headers["content-security-policy"].split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["connect-src"] == directives["script-src"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]


def test_a_browser_that_has_the_bytes_gets_them_once() -> None:
    etag = dict(answer("/live/app.js").headers)["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = answer("/live/app.js", if_none_match=known)
        assert (again.status, again.body) == (304, b"")
    assert answer("/live/app.js", if_none_match='"other"').status == 200


@pytest.mark.parametrize(
    "path", ["/live/pages.py", "/live/../pages.py", "/live/static/", "/live/%2e"]
)
def test_nothing_but_its_files_is_answered(path: str) -> None:
    assert answer(path).status == 404


def test_it_is_read_only() -> None:
    assert answer("/live/app.js", "POST").status == 405


def test_browsers_that_open_the_server_are_led_to_the_page_and_programs_are_not() -> None:
    led = front("/", accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert (led.status, dict(led.headers)["location"]) == (302, "/live/")
    assert front("/", accept="*/*").status == 418
    assert front("/").status == 418
    assert front("/docs", accept="text/html").status == 418


def test_all_that_the_page_loads_is_there_and_nothing_else_is() -> None:
    """The files that name each other, from the page on, are all files there are."""
    reached, waiting = set[str](), ["index.html"]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        text = STATIC.joinpath(name).read_text(encoding="utf-8")
        waiting += re.findall(r'from "\./([a-z_]+\.js)"', text)
        waiting += re.findall(r'(?:src|href)="([a-z_]+\.(?:js|css|svg))"', text)
    assert sorted(reached) == NAMES
