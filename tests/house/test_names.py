"""No module, folder or class is named for nothing in particular."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.sources import Finding, Source, demand_none, python

VAGUE = {
    "base": "name it for what its kinds have in common",
    "helper": "name it for what it does",
    "helpers": "name it for what it does",
    "manager": "name it for what it holds or decides",
    "managers": "name it for what it holds or decides",
    "service": "name it for what it offers",
    "services": "name it for what it offers",
    "util": "put each function where its subject lives",
    "utils": "put each function where its subject lives",
}


def words(name: str) -> list[str]:
    """The words of a snake_case or CamelCase name, in lower case."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)]


def vague_names(source: Source) -> Iterator[Finding]:
    """Modules, folders and classes with a name that says nothing."""
    named = [(1, part) for part in source.path.removesuffix(".py").split("/")]
    classes = (node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef))
    named.extend((node.lineno, node.name) for node in classes)
    for line, name in named:
        for word in words(name):
            if word in VAGUE:
                yield source.finding(line, f"{name!r} says {word!r}", VAGUE[word])


def test_every_name_says_what_it_names() -> None:
    demand_none(finding for source in python() for finding in vague_names(source))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("hubify/utils.py", ""),
        ("hubify/sdk/http_helpers.py", ""),
        ("hubify/services/mail.py", ""),
        ("hubify/planted.py", "class SkillManager: pass"),
        ("hubify/planted.py", "class HTTPService: pass"),
        ("hubify/planted.py", "class _Base: pass"),
    ],
)
def test_a_planted_vague_name_is_found(path: str, text: str) -> None:
    assert list(vague_names(Source(path, text)))


def test_a_word_that_holds_a_vague_one_is_let_be() -> None:
    assert not list(vague_names(Source("hubify/core/database.py", "class Base64Text: pass")))
