"""Every function of a domain says what it does: its docstring is the help on all six faces."""

import ast
from collections.abc import Iterator

from tests.house.sources import Finding, Source, demand_none, dotted, python

DECLARATIONS = {"action", "mutation", "query"}


def is_declared(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function is offered on the faces by `@domain.query` and its like."""
    names = (dotted(decorator).split(".")[-1] for decorator in node.decorator_list)
    return any(name in DECLARATIONS for name in names)


def undocumented(source: Source) -> Iterator[Finding]:
    """Functions, public or declared, without a docstring."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        offered = is_declared(node) or not node.name.startswith("_")
        if offered and not ast.get_docstring(node):
            instead = "say in one sentence what it does for the caller"
            yield source.finding(node.lineno, f"{node.name}() has no docstring", instead)


def test_every_function_of_a_domain_is_documented() -> None:
    demand_none(finding for source in python("hubify/domains") for finding in undocumented(source))


def test_a_planted_undocumented_function_is_found() -> None:
    declared = "@skills.query(public=True)\ndef _get(ctx):\n    return None\n"
    rule = "def confidence(successes):\n    return 0\n"
    private = "def _half(number):\n    return number / 2\n"
    source = Source("hubify/domains/skills.py", declared + rule + private)
    assert [finding.line for finding in undocumented(source)] == [2, 4]
