"""The repository's own files, read once, for tests that hold them to the house rules.

Invariant: a rule sees each file that git tracks or would track, and nothing else; what a rule
finds is reported as `path:line: what is wrong; what to do instead`.
"""

import ast
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Finding:
    """One breach of a house rule."""

    path: str
    line: int
    what: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}; {self.instead}"


@dataclass(frozen=True)
class Source:
    """One file of the repository: its path from the root, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The file as Python; empty when it is not, which test_tidy.py reports once."""
        try:
            return ast.parse(self.text, self.path)
        except SyntaxError:
            return ast.Module([], [])

    @property
    def module(self) -> str:
        """The dotted name under which the file is imported."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def under(self, *tops: str) -> bool:
        """Whether the file is one of these, or lies in one of these folders."""
        return any(self.path == top or self.path.startswith(f"{top}/") for top in tops)

    def finding(self, line: int, what: str, instead: str) -> Finding:
        """A breach in this file."""
        return Finding(self.path, line, what, instead)


@cache
def tracked() -> tuple[Source, ...]:
    """Every text file that git tracks, or would after `git add`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=True).stdout
    names = sorted(name for name in set(listed.decode().split("\0")) if name)
    return tuple(source for name in names if (source := read(name)))


def read(name: str) -> Source | None:
    """One file, or nothing when it is gone, a link or not text."""
    path = CHECKOUT / name
    if path.is_symlink() or not path.is_file():
        return None
    try:
        return Source(name, path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        return None


def python(*tops: str) -> tuple[Source, ...]:
    """The Python files in these folders, or all of them."""
    found = (source for source in tracked() if source.path.endswith(".py"))
    return tuple(source for source in found if not tops or source.under(*tops))


def docstring_nodes(tree: ast.AST) -> Iterator[ast.Constant]:
    """Every docstring in a file, as the node that holds it."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        match node.body:
            case [ast.Expr(value=ast.Constant(value=str()) as docstring), *_]:
                yield docstring
            case _:
                pass


def dotted(node: ast.AST) -> str:
    """The dotted name that an expression spells, or an empty string."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr) if prefix := dotted(value):
            return f"{prefix}.{attr}"
        case ast.Call(func=func):
            return dotted(func)
        case _:
            return ""


def demand_none(findings: Iterable[Finding]) -> None:
    """Fail, naming every breach, unless there is none."""
    if found := sorted(findings, key=lambda finding: (finding.path, finding.line)):
        pytest.fail("\n".join(["", *map(str, found)]), pytrace=False)
