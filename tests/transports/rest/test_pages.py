"""The server's own pages: health, version, and the functions described three ways."""

import json
import re
from html.parser import HTMLParser

import pytest

from hubify import __version__
from hubify.functions import Domain, QueryCtx, get
from tests.transports.rest.shop import Shop

VOID = {"meta", "link", "input"}


class Page(HTMLParser):
    """Checks that tags nest, and gathers what the page links and loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.inline: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self.open.append(tag)
        if tag == "a":
            self.links.append(named["href"])
        if tag in {"link", "script", "img"}:
            self.loads.append(named.get("href") or named["src"])
        self.ids += [named["id"]] if "id" in named else []
        self.inline += [name for name in named if name.startswith("on") or name == "style"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page(shop: Shop) -> tuple[Page, str]:
    text = shop.send("GET", "/docs").body.decode()
    return Page(text), text


def test_a_living_server_says_so() -> None:
    got = Shop().call("GET", "/healthz")
    assert (got.status, got.json) == (200, {"status": "ok"})
    assert got.headers["cache-control"] == "no-store"


def test_the_version_is_the_packages() -> None:
    assert Shop().call("GET", "/version").json == {"version": __version__}


def test_a_ready_server_tells_its_durable_head() -> None:
    shop = Shop()
    shop.stock("lamp")
    got = shop.call("GET", "/readyz")
    assert (got.status, got.json) == (200, {"status": "ready", "head": str(shop.backend.head())})


def test_a_server_that_cannot_write_is_not_ready() -> None:
    got = Shop(fault="disk full").call("GET", "/readyz")
    assert got.status == 503
    assert (got.json["status"], got.json["fault"]) == ("unready", "disk full")


def test_the_openapi_document_is_served() -> None:
    got = Shop().call("GET", "/openapi.json")
    assert got.json["openapi"] == "3.1.0"
    assert got.headers["content-type"] == "application/json"


def test_every_public_function_is_listed_with_all_that_is_declared() -> None:
    got = Shop().call("GET", "/api/functions").json
    listed = {each["path"]: each for each in got["functions"]}
    assert "shop:inside" not in listed
    report = listed["shop:report"]
    assert (report["kind"], report["scope"], report["rateClass"]) == (
        "mutation",
        "shop:report",
        "mutation",
    )
    assert [each["name"] for each in report["arguments"]] == ["thingName", "outcome", "version"]
    assert [each["required"] for each in report["arguments"]] == [True, True, False]
    assert report["answer"] == {"$ref": "#/schemas/Reported"}
    assert "logId" in got["schemas"]["Reported"]["properties"]
    assert report["routes"] == [
        {"method": "POST", "path": "/v1/report", "dialect": "report-page", "status": 200}
    ]
    assert {"NOT_FOUND", "VALIDATION_ERROR", "UNAUTHORIZED"} <= {
        each["code"] for each in report["errors"]
    }
    assert listed["shop:getByName"]["scope"] is None


def test_the_page_is_sound_and_every_link_leads_somewhere() -> None:
    shop = Shop()
    shown, _ = page(shop)
    assert len(set(shown.ids)) == len(shown.ids)
    for link in shown.links:
        target = link.removeprefix("#")
        assert target in shown.ids or shop.send("GET", link).status == 200


def test_the_page_loads_only_its_own_files_and_holds_no_script() -> None:
    shop = Shop()
    shown, text = page(shop)
    assert not shown.inline
    assert not re.search(r"<script(?![^>]*src=)", text)
    types = {
        "/docs/docs.css": "text/css; charset=utf-8",
        "/docs/docs.js": "text/javascript; charset=utf-8",
    }
    assert set(shown.loads) == set(types)
    for path, content_type in types.items():
        response = shop.send("GET", path)
        assert response.status == 200
        assert ("content-type", content_type) in response.headers
        assert b"http" not in response.body


def test_the_page_has_its_security_headers() -> None:
    told = dict(Shop().send("GET", "/docs").headers)
    assert told["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in told["content-security-policy"]
    assert "unsafe" not in told["content-security-policy"]
    assert told["x-content-type-options"] == "nosniff"
    assert told["referrer-policy"] == "no-referrer"


def test_the_page_tells_all_of_a_function() -> None:
    _, text = page(Shop())
    article = text.split('<article id="shop.report">')[1].split("</article>")[0]
    for told in ("thing_name", "required", "POST /v1/report", "shop:report", "THING_NOT_FOUND"):
        assert told in article
    assert "AUTH_REQUIRED" in article, "in the words of its own page"
    assert "RATE_LIMITED" not in article, "said once, for any call"
    assert "curl" in article
    assert "&quot;result&quot;" in article


def test_the_page_shows_calls_that_can_be_pasted() -> None:
    _, text = page(Shop())
    assert "/v1/things/lamp" in text, "the example of the docstring"
    assert "/api/mutation" not in text, "what has a route is shown with it"


def test_a_function_without_a_route_is_shown_on_the_protocol() -> None:
    quiet = Domain("quiet")

    @quiet.query(public=True)
    def look_up(ctx: QueryCtx, *, some_word: str) -> str:  # noqa: ARG001
        """Look up `words`."""
        return some_word

    _, text = page(Shop(quiet))
    assert "/api/query" in text
    assert "someWord" in text
    assert "<code>words</code>" in text


def test_what_a_declaration_says_is_escaped() -> None:
    nasty = Domain("nasty")

    @nasty.query(public=True, rest=get("/v1/nasty/{word}"))
    def say(ctx: QueryCtx, *, word: str = "</pre><script>alert(1)</script>'") -> str:  # noqa: ARG001
        """Say <b>"it"</b> & more."""
        return word

    shown, text = page(Shop(nasty))
    assert "<script>alert" not in text
    assert "&lt;b&gt;&quot;it&quot;&lt;/b&gt; &amp; more." in text
    assert "b" not in shown.open


@pytest.mark.parametrize("path", ["/openapi.json", "/api/functions", "/docs"])
def test_an_operator_may_close_the_descriptions(path: str) -> None:
    shop = Shop(open_pages=False)
    assert shop.call("GET", path).error[:2] == (401, "UNAUTHORIZED")
    assert shop.send("GET", path, key="bob-key").status == 200
    assert shop.send("GET", "/healthz").status == 200


def test_pages_are_read_only() -> None:
    got = Shop().call("POST", "/docs", {})
    assert got.error[:2] == (405, "METHOD_NOT_ALLOWED")
    assert json.loads(json.dumps(got.headers))["allow"] == "GET, HEAD, OPTIONS"
