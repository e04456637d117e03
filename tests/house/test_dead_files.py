"""Every module of the product is used by the product (invariant I17).

A test does not keep a module alive: what only tests import is dead weight with a test.
"""

import ast
from collections.abc import Iterable, Iterator

from tests.house.sources import Finding, Source, demand_none, python

# Reached from outside: by an installer, by `python -m`, by those who test against Hubify.
ENTRY_POINTS = {"hubify", "hubify.__main__", "hubify.cli.main"}
SHIPPED_FOR_TESTS = "hubify/testing"


def imports(source: Source) -> Iterator[str]:
    """Every dotted name that a file imports, whether it is a module or a name inside one."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def dead_files(product: Iterable[Source], users: Iterable[Source]) -> Iterator[Finding]:
    """Modules of the product that no user imports; a package lives by its modules."""
    live = ENTRY_POINTS | {name for source in users for name in imports(source)}
    for source in product:
        package = source.path.endswith("/__init__.py")
        if not (package or source.module in live or source.under(SHIPPED_FOR_TESTS)):
            yield source.finding(1, "nothing imports this module", "use it or delete it")


def test_every_module_of_the_product_is_used_by_it() -> None:
    demand_none(dead_files(python("hubify"), python("hubify", "dev", "bench")))


def test_a_planted_dead_file_is_found() -> None:
    main = Source("hubify/cli/main.py", "import hubify.core.log\nfrom hubify.core import reads")
    log = Source("hubify/core/log.py", "")
    reads = Source("hubify/core/reads.py", "")
    dead = Source("hubify/core/dead.py", "")
    findings = list(dead_files([main, log, reads, dead], [main]))
    assert [finding.path for finding in findings] == [dead.path]
