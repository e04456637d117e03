"""What every test runs under: bounded examples, no network, and one way to keep golden files.

Invariant: a test's outcome depends on the checkout alone, not on the world around it.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.network import refuse_the_network

GOLDEN = Path(__file__).parent / "golden"

# `dev` is for a quick look, `ci` for what must hold, `thorough` for a long search: choose with
# --hypothesis-profile. A shared machine may stall at any moment, so no example has a deadline.
settings.register_profile("dev", deadline=None, max_examples=25)
settings.register_profile(
    "ci",
    deadline=None,
    derandomize=False,
    max_examples=100,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", deadline=None, max_examples=5_000)
settings.load_profile("ci" if "CI" in os.environ else "dev")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--rewrite-golden`, which `make golden` gives."""
    parser.addoption("--rewrite-golden", action="store_true", help="write golden files anew")


def pytest_configure() -> None:
    """Close the network for the whole run: an audit hook cannot be taken away again."""
    sys.addaudithook(refuse_the_network)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare text with a file under tests/golden: `golden("openapi.json", text)`."""

    def compare(name: str, actual: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--rewrite-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(actual, encoding="utf-8")
        expected = path.read_text(encoding="utf-8") if path.exists() else ""
        assert actual == expected, f"tests/golden/{name} is out of date: `make golden` rewrites it"

    return compare
