"""Transports know no domain, and only they know the numbers of HTTP (invariants I8 and I9).

A transport is a projection of the registry: a function's name in its text would be a second list
of functions. Docstrings and comments may give examples; other strings may not.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.sources import Finding, Source, demand_none, docstring_nodes, python

TRANSPORTS = "hubify/transports"


def domain_names() -> set[str]:
    """The domains that exist, by module name."""
    modules = (source.path.split("/") for source in python("hubify/domains"))
    return {parts[2].removesuffix(".py") for parts in modules} - {"__init__"}


def domain_function(domains: set[str]) -> re.Pattern[str]:
    """What names a function of a domain: `skills:getByName`, `skills.get`, `/v1/skills/...`."""
    either = "|".join(sorted(domains))
    return re.compile(rf"\b(?:{either}):[a-z]\w*|^(?:{either})\.[a-z]\w*$|/v1/(?:{either})\b")


def named_functions(source: Source, domains: set[str]) -> Iterator[Finding]:
    """Where a transport's strings name a function of a domain."""
    pattern = domain_function(domains)
    docstrings = set(docstring_nodes(source.tree))
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Constant) or node in docstrings:
            continue
        if isinstance(node.value, str) and (match := pattern.search(node.value)):
            instead = "take it from the registry: a transport has no list of functions"
            yield source.finding(node.lineno, f"names {match[0]!r}", instead)


def http_numbers(source: Source) -> Iterator[Finding]:
    """Where a file takes the statuses of HTTP by name."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Attribute | ast.alias):
            continue
        name = node.attr if isinstance(node, ast.Attribute) else node.name
        if name == "HTTPStatus":
            instead = "raise an AppError of the right kind: the transport numbers it"
            yield source.finding(node.lineno, "names HTTPStatus", instead)


def test_no_transport_names_a_function_of_a_domain() -> None:
    domains = domain_names()
    if not domains:
        pytest.skip("there is no domain yet")
    transports = python(TRANSPORTS)
    demand_none(finding for source in transports for finding in named_functions(source, domains))


def test_numbers_of_http_live_in_the_transports() -> None:
    inside = [source for source in python("hubify") if not source.under(TRANSPORTS)]
    demand_none(finding for source in inside for finding in http_numbers(source))


@pytest.mark.parametrize(
    "planted",
    [
        'path = "skills:getByName"',
        'path = "skills.get_by_name"',
        'route = "/v1/skills/{name}"',
        'message = f"call skills:get for {name}"',
    ],
)
def test_a_planted_name_of_a_function_is_found(planted: str) -> None:
    assert list(named_functions(Source("hubify/transports/mcp.py", planted), {"skills"}))


def test_an_example_in_a_docstring_and_a_module_of_the_same_name_are_let_be() -> None:
    text = '"""Serves `skills:getByName` and the like."""\nfrom hubify.transports.sync import skin'
    source = Source("hubify/transports/mcp.py", text + '\nlabel = "skills are many"')
    assert not list(named_functions(source, {"skills", "sync"}))


@pytest.mark.parametrize("planted", ["from http import HTTPStatus", "x = http.HTTPStatus.OK"])
def test_a_planted_number_of_http_is_found(planted: str) -> None:
    assert list(http_numbers(Source("hubify/domains/skills.py", planted)))
