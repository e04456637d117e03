"""A server with a skill on it, and a browser to look at it.

Invariant: the page a test looked at has asked nothing of anybody but its own server.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.server import Server
from tests.dashboard.browser import Browser, Tab, need_chromium


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One Chromium for all tests."""
    need_chromium()
    with Browser(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own."""
    with Server(tmp_path / "data") as server:
        yield server
        assert server.faults() == []


@pytest.fixture
def tab(browser: Browser, hub: Server) -> Iterator[Tab]:
    """An empty page."""
    tab = browser.open()
    tab.resize(1280, 900)
    yield tab
    own = (hub.url + "/", hub.url.replace("http", "ws", 1) + "/api/sync")
    strangers = [one for one in tab.addresses() if not one.startswith(own)]
    assert strangers == [], "the page asks its own server only (I19)"
