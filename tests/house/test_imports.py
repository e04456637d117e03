"""The import contracts hold for the whole tree that the architecture draws, and they bite.

`make check` runs the contracts on the real code. Here they are run on a skeleton of every
package, sound and with one breach of each contract planted.
"""

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import CHECKOUT

# The tree by its imports: module, and what it imports. Everything that is named exists.
SOUND = {
    "values.keys": ["values.ids"],
    "evidence.confidence": ["values.ids"],
    "wire.convex_json": ["values.ids"],
    "dashboard.files": [],
    "formats.document": ["values.ids"],
    "ports.clock": [],
    "sdk.http": ["sdk.session", "wire.convex_json"],
    "storage.memory": ["storage.engine", "values.keys"],
    "storage.sqlite": ["storage.engine"],
    "core.reads": ["core.log", "values.keys"],
    "core.log": ["storage.engine"],
    "functions.backend": ["core.reads", "functions.declare"],
    "domains.learning": ["domains.evolution", "evidence.confidence", "functions.declare"],
    "domains.evolution": ["domains.skills"],
    "domains.skills": ["domains.users"],
    "transports.mcp": ["functions.backend", "wire.convex_json"],
    "transports.rest.routes": ["functions.backend"],
    "transports.sync.session": ["functions.backend"],
    "workers.jobs": ["functions.backend"],
    "app.compose": [
        "app.settings",
        "storage.memory",
        "adapters.github",
        "core.log",
        "domains.learning",
    ],
    "cli.main": ["app.compose", "sdk.http"],
    "testing.engine": ["storage.memory", "app.compose", "core.log"],
}

BREACHES = {
    "Imports point down": ("values.ids", "core.log"),
    "Domains stand in tiers": ("domains.users", "domains.skills"),
    "Engines and adapters by name": ("cli.main", "adapters.github"),
    "The core through functions": ("cli.main", "core.log"),
    "Storage through the core": ("functions.backend", "storage.engine"),
    "The SDK needs only the wire": ("sdk.http", "evidence.confidence"),
    "Transports know no other transport": ("transports.mcp", "transports.rest.routes"),
    "No cycles at any depth": ("core.log", "core.reads"),
}


def write_skeleton(root: Path, imports: dict[str, list[str]]) -> None:
    """Lay out the packages with these imports, under the contracts of the real project."""
    for name in {*imports, *itertools.chain.from_iterable(imports.values())}:
        path = root / "hubify" / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"import hubify.{target}" for target in imports.get(name, [])]
        path.write_text("\n".join(lines), encoding="utf-8")
    for folder in [root / "hubify", *(root / "hubify").rglob("*")]:
        if folder.is_dir():
            (folder / "__init__.py").touch()
    contracts = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
    (root / "pyproject.toml").write_text(contracts, encoding="utf-8")


def verdict(root: Path) -> str:
    """What import-linter says about a tree."""
    program = Path(sys.executable).parent / "lint-imports"
    command = [str(program), "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout


def test_the_drawn_tree_keeps_every_contract(tmp_path: Path) -> None:
    write_skeleton(tmp_path, SOUND)
    assert f"{len(BREACHES)} kept, 0 broken" in verdict(tmp_path)


@pytest.mark.parametrize("contract", BREACHES)
def test_a_planted_breach_breaks_the_contract(tmp_path: Path, contract: str) -> None:
    importer, target = BREACHES[contract]
    write_skeleton(tmp_path, SOUND | {importer: [*SOUND.get(importer, []), target]})
    assert f"{contract} BROKEN" in verdict(tmp_path)


@pytest.mark.parametrize("path", ["hubify/extras.py", "hubify/domains/extras.py"])
def test_what_is_not_placed_on_purpose_is_refused(tmp_path: Path, path: str) -> None:
    write_skeleton(tmp_path, SOUND)
    (tmp_path / path).touch()
    assert "1 broken" in verdict(tmp_path)
