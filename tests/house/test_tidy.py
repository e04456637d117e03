"""Nothing stray in the repository: no note to self, no address of one machine (invariant I17).

Each rule is a function from one file to its breaches, and is shown a planted breach as well.
The patterns, and the planted breaches with their `~`, are spelt so that this file passes itself.
"""

import ast
import re
from collections.abc import Callable, Iterator

import pytest

from tests.house.sources import CHECKOUT, Finding, Source, demand_none, python, tracked

Rule = Callable[[Source], Iterator[Finding]]

NOTE_TO_SELF = re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X])\b")
MACHINE_PATH = re.compile(r"(?<![\w/.:}>)-])/(?:home|mnt|root|Users|work|workspace)/[\w.-]+")
REGISTRY = re.compile(
    r"(?:pypi|pythonhosted|pypa|yarnpkg|npmjs|golang|debian)[.](?:org|com|io)", re.IGNORECASE
)


def matches(source: Source, pattern: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """The number of each line where a pattern occurs, and what matched."""
    for number, line in enumerate(source.text.splitlines(), start=1):
        if match := pattern.search(line):
            yield number, match[0]


def notes_to_self(source: Source) -> Iterator[Finding]:
    """Work left lying in the text."""
    for line, note in matches(source, NOTE_TO_SELF):
        yield source.finding(line, f"{note} left behind", "do it now, or delete the note")


def machine_paths(source: Source) -> Iterator[Finding]:
    """Paths that exist on one machine only."""
    instead = "start from the file's own place, or take the path as an argument"
    for line, path in matches(source, MACHINE_PATH):
        yield source.finding(line, f"names {path}, a path of one machine", instead)
    for line, _ in matches(source, re.compile(re.escape(f"{CHECKOUT}/"))):
        yield source.finding(line, "names the path of this checkout", instead)


def registry_hosts(source: Source) -> Iterator[Finding]:
    """Addresses of package registries: those are settings of each machine's clients."""
    for line, host in matches(source, REGISTRY):
        yield source.finding(line, f"names {host}", "leave the registry to the package client")


def not_python(source: Source) -> Iterator[Finding]:
    """A file that the oldest supported Python cannot read."""
    try:
        ast.parse(source.text, source.path)
    except SyntaxError as error:
        yield source.finding(error.lineno or 1, error.msg, "write it for Python 3.11")


def undocumented(source: Source) -> Iterator[Finding]:
    """A module that does not say what it is for; an empty one need not."""
    if source.tree.body and not ast.get_docstring(source.tree):
        instead = "say what the file is for, and the one invariant it keeps"
        yield source.finding(1, "the module has no docstring", instead)


@pytest.mark.parametrize("rule", [notes_to_self, machine_paths, registry_hosts])
def test_no_file_has(rule: Rule) -> None:
    demand_none(finding for source in tracked() for finding in rule(source))


@pytest.mark.parametrize("rule", [not_python, undocumented])
def test_no_python_file_is(rule: Rule) -> None:
    demand_none(finding for source in python() for finding in rule(source))


@pytest.mark.parametrize(
    ("rule", "planted"),
    [
        (notes_to_self, "x = 1  # TO~DO: think"),
        (notes_to_self, "see FIX~ME"),
        (machine_paths, "DATA = '/ho~me/me/data'"),
        (machine_paths, f"cd {CHECKOUT}/hubify"),
        (registry_hosts, "resolved: https://regi~stry.npm~js.org/left-pad"),
        (registry_hosts, "index-u~rl = https://py~pi.org/simple"),
        (not_python, "def f[T](x: T) -> T: return x"),
        (undocumented, "x = 1"),
    ],
)
def test_a_planted_breach_is_found(rule: Rule, planted: str) -> None:
    assert list(rule(Source("planted.py", planted.replace("~", ""))))


@pytest.mark.parametrize(
    "innocent",
    ["method", "GET /v1/home/feed", "see docs/work/first.md", "https://example.org/home/page"],
)
def test_what_only_looks_like_a_breach_is_let_be(innocent: str) -> None:
    source = Source("innocent.md", innocent)
    assert not [*notes_to_self(source), *machine_paths(source), *registry_hosts(source)]


def test_an_empty_module_needs_no_docstring() -> None:
    assert not list(undocumented(Source("hubify/planted/__init__.py", "")))
