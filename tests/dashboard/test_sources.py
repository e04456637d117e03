"""What the live page's sources may hold (invariant I19): the public protocol and nothing else."""

import re
from collections.abc import Iterator
from importlib.resources import files

import pytest

from hubify.app.compose import registry_of
from hubify.functions.spec import FunctionKind

MOST_LINES = 400
SOURCES = {
    item.name: item.read_text(encoding="utf-8")
    for item in files("hubify.dashboard").joinpath("static").iterdir()
}
SCRIPTS = {name: text for name, text in SOURCES.items() if name.endswith(".js")}
OTHER_WAYS_OUT = (
    "fetch(", "XMLHttpRequest", "EventSource", "sendBeacon", "WebTransport", "import(",
    "serviceWorker", "setInterval", "window.open",
)  # fmt: skip
MARKUP_FROM_TEXT = (
    "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "createContextualFragment",
    "DOMParser", "eval(", "new Function", "srcdoc",
)  # fmt: skip
NAMESPACE = "http://www.w3.org/2000/svg"


def calls(of: str) -> Iterator[str]:
    """Paths of functions that the scripts hand to one of the client's methods."""
    for text in SCRIPTS.values():
        yield from re.findall(rf'\.{of}\(\s*"([^"]+)"', text)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_talks_through_the_sync_socket_only(name: str) -> None:
    text = SCRIPTS[name]
    assert [way for way in OTHER_WAYS_OUT if way in text] == []
    assert ("new WebSocket(" in text) == (name == "sync.js")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_never_makes_markup_of_text(name: str) -> None:
    assert [way for way in MARKUP_FROM_TEXT if way in SCRIPTS[name]] == []


@pytest.mark.parametrize("name", SOURCES)
def test_no_file_names_another_host(name: str) -> None:
    code = re.sub(r"(?m)(^|\s)//.*", "", SOURCES[name].replace(NAMESPACE, ""))
    assert "//" not in code


@pytest.mark.parametrize("name", SOURCES)
def test_a_file_fits_a_mind_and_says_what_it_is_for(name: str) -> None:
    text = SOURCES[name]
    assert len(text.splitlines()) <= MOST_LINES
    assert not name.endswith((".js", ".css")) or text.startswith(("// ", "/* "))


def test_the_page_holds_no_script_or_style_of_its_own() -> None:
    page = SOURCES["index.html"]
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", page) == []


def test_every_function_that_it_asks_for_is_a_public_one() -> None:
    registry = registry_of(())
    decided = re.findall(r'"(evolution:[a-z]+)"', SCRIPTS["decide.js"])
    asked = dict.fromkeys(calls("watch"), FunctionKind.QUERY)
    asked |= dict.fromkeys(decided, FunctionKind.MUTATION)
    assert len(asked) >= 12, "the pattern finds them"
    assert {path: registry.find(path).kind for path in asked} == asked
