"""Each dependency has a reason and a locked version.

The tables of docs/dependencies.md, the lists of pyproject.toml and package.json, and the lock
files name the same packages.
"""

import json
import re
import tomllib

import pytest

from hubify import __version__
from tests.house.sources import CHECKOUT, tracked

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DOCUMENT = "docs/dependencies.md"
NODE = "Node, for development only"


def declared() -> dict[str, set[str]]:
    """The packages that each part of the product declares, by the heading of its table."""
    parts = {"hubify": PROJECT["dependencies"]}
    parts |= {f"hubify[{extra}]": each for extra, each in PROJECT["optional-dependencies"].items()}
    found = {part: {package_name(each) for each in listed} for part, listed in parts.items()}
    manifests = [source for source in tracked() if source.path.endswith("package.json")]
    sections = [
        json.loads(manifest.text).get(section, {})
        for manifest in manifests
        for section in ("dependencies", "devDependencies")
    ]
    return found | {NODE: {name for section in sections for name in section}}


def package_name(requirement: str) -> str:
    """The name in a requirement such as `apsw>=3.51.3`."""
    return re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0]


def explained() -> dict[str, set[str]]:
    """The packages that each table of the document gives a reason for."""
    text = (CHECKOUT / DOCUMENT).read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    for section in text.split("\n## ")[1:]:
        heading = section.splitlines()[0].split(":")[0]
        found[heading] = set(re.findall(r"^\| `([^`]+)` \| \S.+ \|$", section, re.MULTILINE))
    return found


def locked(lock: str) -> dict[str, str]:
    """Name and version of each package in a lock file."""
    text = (CHECKOUT / "requirements" / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("part", sorted(declared()))
def test_every_dependency_is_explained_and_nothing_else(part: str) -> None:
    unexplained = declared()[part] ^ explained().get(part, set())
    assert not unexplained, f"{DOCUMENT}, {part}: add or remove the line of {sorted(unexplained)}"


def test_every_dependency_is_locked() -> None:
    parts = declared()
    server = parts["hubify"] | parts["hubify[server]"]
    for lock, wanted in (("server.txt", server), ("dev.txt", server | parts["hubify[dev]"])):
        missing = wanted - set(locked(lock))
        assert not missing, f"requirements/{lock} lacks {sorted(missing)}: run `make lock`"


def test_servers_and_developers_run_the_same_versions() -> None:
    server, developer = locked("server.txt"), locked("dev.txt")
    differing = {name for name in server if server[name] != developer.get(name)}
    assert not differing, f"the lock files differ on {sorted(differing)}: run `make lock`"


def test_the_package_says_the_version_of_the_distribution() -> None:
    assert __version__ == PROJECT["version"], "hubify/__init__.py and pyproject.toml differ"
