"""From a method and a path to what stands there, through templates such as `/v1/things/{name}`.

Invariant: what is found depends on the templates alone, not on their order; at each segment a
literal wins over a parameter, and a template without the method gives way to one that has it.
"""

import re
from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import unquote_to_bytes

from hubify.values.errors import InvalidInput

T = TypeVar("T")

MAX_PATH_CHARACTERS = 8_192
MAX_SEGMENTS = 32
LITERAL = re.compile(r"[A-Za-z0-9._~-]+")
PARAMETER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class Found(NamedTuple, Generic[T]):
    """What stands at a path, and the path's parameters, decoded."""

    target: T
    values: dict[str, str]


class Absent(NamedTuple):
    """Nothing answers; `allow` names the methods that would, none for an unknown path."""

    allow: tuple[str, ...]


class _Leaf(NamedTuple, Generic[T]):
    target: T
    names: tuple[str, ...]


class _Node(Generic[T]):
    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.parameter: _Node[T] | None = None
        self.leaves: dict[str, _Leaf[T]] = {}

    def through(self, literal: str) -> "_Node[T]":
        return self.literals.setdefault(literal, _Node())

    def through_parameter(self) -> "_Node[T]":
        if self.parameter is None:
            self.parameter = _Node()
        return self.parameter


class Matcher(Generic[T]):
    """All templates, as a tree of segments; those without parameters also as whole paths."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()
        self._whole: dict[tuple[str, str], Found[T]] = {}

    def add(self, method: str, template: str, target: T) -> None:
        """Place a target.

        Raises:
            ValueError: the template is malformed, or something stands there already.

        """
        node, names = self._root, list[str]()
        for segment in _template_segments(template):
            if parameter := PARAMETER.fullmatch(segment):
                names.append(parameter[1])
                node = node.through_parameter()
            else:
                node = node.through(segment)
        if method in node.leaves or len(set(names)) != len(names):
            message = f"{method} {template}: this route is taken, or names a parameter twice"
            raise ValueError(message)
        node.leaves[method] = _Leaf(target, tuple(names))
        if not names:
            self._whole[method, template] = Found(target, {})

    def find(self, method: str, path: str) -> Found[T] | Absent:
        """What answers a method at a path as it was sent: percent-encoded, so in ASCII.

        One trailing slash is no difference.

        Raises:
            InvalidInput: the path is too long, or is not UTF-8 once decoded.

        """
        whole = self._whole.get((method, path))
        if whole is not None:
            return whole
        segments = _path_segments(path)
        allow: dict[str, None] = {}
        for node, values in _reached(self._root, segments, 0):
            leaf = node.leaves.get(method)
            if leaf is not None:
                return Found(leaf.target, dict(zip(leaf.names, values, strict=True)))
            allow.update(dict.fromkeys(node.leaves))
        return Absent(tuple(sorted(allow)))


def parameters_of(template: str) -> tuple[str, ...]:
    """The names in braces."""
    return tuple(PARAMETER.findall(template))


def _reached(
    node: _Node[T], segments: list[str], at: int
) -> Iterator[tuple[_Node[T], tuple[str, ...]]]:
    """Every node that the segments lead to, literals first, with the parameters on the way."""
    if at == len(segments):
        yield node, ()
        return
    literal = node.literals.get(segments[at])
    if literal is not None:
        yield from _reached(literal, segments, at + 1)
    if node.parameter is not None and segments[at]:
        for end, values in _reached(node.parameter, segments, at + 1):
            yield end, (segments[at], *values)


def _template_segments(template: str) -> list[str]:
    first, *segments = template.split("/")
    sound = all(LITERAL.fullmatch(each) or PARAMETER.fullmatch(each) for each in segments)
    if first or not segments or not sound:
        message = f"'{template}' is not a path template; write '/v1/things/{{name}}/parts'"
        raise ValueError(message)
    return segments


def _path_segments(path: str) -> list[str]:
    if len(path) > MAX_PATH_CHARACTERS:
        message = f"the path is over {MAX_PATH_CHARACTERS} characters; send long values in the body"
        raise InvalidInput(message)
    segments = path.removeprefix("/").removesuffix("/").split("/", MAX_SEGMENTS)
    if "%" not in path:
        return segments
    return [_decoded(segment) for segment in segments]


def _decoded(segment: str) -> str:
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeError:
        message = "the path is not UTF-8 once its %-escapes are decoded"
        raise InvalidInput(message) from None
