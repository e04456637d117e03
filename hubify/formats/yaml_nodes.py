"""YAML from strangers: parsed into plain nodes with line numbers, bounded in every direction.

Invariant: nothing is constructed but text, lists and maps of nodes; an unquoted scalar gets its
meaning only in `plain`, so dates, versions like 1.10 and words like `no` stay as written.
"""

import re
from collections.abc import Iterator
from typing import Protocol, TypeAlias, cast

import yaml
from msgspec import Struct
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from hubify.formats.findings import Finding, Refused, quoted, refused, repaired
from hubify.formats.limits import (
    MAX_NUMBER_DIGITS,
    MAX_YAML_ALIASES,
    MAX_YAML_DEPTH,
    MAX_YAML_NODES,
    MAX_YAML_TEXT,
)

YamlValue: TypeAlias = "bool | int | float | str | list[YamlValue] | dict[str, YamlValue] | None"


class Scalar(Struct, frozen=True):
    """A single value as text; `quoted` when its author made it text with quotes or a block."""

    text: str
    quoted: bool
    line: int


class Sequence(Struct, frozen=True):
    """A list."""

    items: "tuple[Node, ...]"
    line: int


class Mapping(Struct, frozen=True):
    """A map with the keys' text in the order of the file; `key_lines` tells where each stands."""

    entries: "dict[str, Node]"
    key_lines: dict[str, int]
    line: int


Node: TypeAlias = Scalar | Sequence | Mapping


class Parsed(Struct, frozen=True):
    """A document's root, None when it is empty, and what had to be repaired."""

    root: Node | None
    findings: tuple[Finding, ...]


class NotYaml(ValueError):
    """The text breaks YAML's grammar at `line`, inside something begun at `context_line` (or 0)."""

    def __init__(self, problem: str, line: int, context_line: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.context_line = context_line


def parse_yaml(text: str, *, first_line: int = 1) -> Parsed:
    """Parse one YAML document whose first line is line `first_line` of its file.

    A key given twice with the same value is REPAIRED, and so is a second name of the document.

    Raises:
        NotYaml: the grammar is broken, or an alias or a tag is nobody's; a repair may help.
        Refused: tags that ask for more than YAML's core, a key given twice with two values,
            several documents, too deep, too many aliases or values.
    """
    builder = _Builder(_events(text, first_line), first_line)
    root = builder.document()
    return Parsed(root, tuple(builder.findings))


NAME, TOP = "name", 1
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_WHOLE = re.compile(rf"[-+]?[0-9]{{1,{MAX_NUMBER_DIGITS}}}")
_EXPONENT = r"[eE][-+]?[0-9]{1,2}"
_REAL = re.compile(rf"[-+]?(?:[0-9]*\.[0-9]+(?:{_EXPONENT})?|[0-9]+{_EXPONENT})")


def plain(node: Node) -> YamlValue:
    """Return the value by YAML 1.2's core rules; numbers that a float64 would change stay text."""
    if isinstance(node, Scalar):
        return _scalar(node)
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, value in node.entries.items()}


def is_null(node: Node) -> bool:
    """Whether nothing is given."""
    return isinstance(node, Scalar) and not node.quoted and node.text in _NULL


def _scalar(node: Scalar) -> YamlValue:
    text = node.text
    if node.quoted:
        return text
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _WHOLE.fullmatch(text):
        return int(text)
    exact = len(text) <= MAX_NUMBER_DIGITS
    return float(text) if exact and _REAL.fullmatch(text) else text


class _EventSource(Protocol):
    """The part of PyYAML's loader that parses and constructs nothing."""

    def check_event(self) -> bool: ...
    def get_event(self) -> Event: ...


def _events(text: str, first_line: int) -> Iterator[Event]:
    """Yield the parser's events, turning whatever it raises into `NotYaml`."""
    try:
        loader = cast("_EventSource", yaml.SafeLoader(text))
        while loader.check_event():
            yield loader.get_event()
    except yaml.MarkedYAMLError as error:
        problem = error.problem or error.context or "not YAML"
        inside = not (error.context or "").startswith("while parsing a block")
        context = error.context_mark if inside else None  # else it is where the whole map begins
        raise NotYaml(
            problem, _line(error.problem_mark, first_line), _line(context, first_line)
        ) from error
    except yaml.YAMLError as error:  # the reader, on characters that YAML forbids
        raise NotYaml("it holds characters that YAML does not allow", first_line, 0) from error
    except (ValueError, OverflowError) as error:  # an escape or a directive out of range
        raise NotYaml("it holds an escape that is no character", first_line, 0) from error


def _line(mark: yaml.Mark | None, first_line: int) -> int:
    return mark.line + first_line if mark is not None else 0


_TEXT_TAGS = frozenset({"!", "tag:yaml.org,2002:str"})
_CORE_TAGS = _TEXT_TAGS | {
    f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "int", "float", "bool", "null")
}


class _Builder:
    """Turns events into nodes and counts what they cost, aliases at their full price."""

    def __init__(self, events: Iterator[Event], first_line: int) -> None:
        self.findings: list[Finding] = []
        self._events = events
        self._first_line = first_line
        self._anchors: dict[str, tuple[Node, int, int]] = {}  # node, values and characters in it
        self._aliases = 0
        self._nodes = 0
        self._characters = 0

    def document(self) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._refusal(
                        event,
                        "yaml-documents",
                        "A second document begins here.",
                        "Keep one document.",
                    )
            elif isinstance(event, NodeEvent):
                root = self._node(event, 1)
            elif isinstance(event, (StreamStartEvent, StreamEndEvent)):
                continue
        return root

    def _node(self, event: Event, depth: int) -> Node:
        if isinstance(event, AliasEvent):
            return self._alias(event)
        nodes, characters = self._nodes, self._characters
        self._spend(event, 1, 0)
        self._check(event, depth)
        node = self._content(event, depth)
        anchor: str | None = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = (node, self._nodes - nodes, self._characters - characters)
        return node

    def _content(self, event: Event, depth: int) -> Node:
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        if isinstance(event, SequenceStartEvent):
            return Sequence(tuple(self._items(depth)), self._at(event))
        return self._mapping(event, depth)

    def _scalar(self, event: ScalarEvent) -> Scalar:
        text: str = event.value
        self._spend(event, 0, len(text))
        if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
            text = self._joined(event, text)
        quoted_by_author = event.style is not None or event.tag in _TEXT_TAGS
        return Scalar(text, quoted_by_author, self._at(event))

    def _joined(self, event: ScalarEvent, text: str) -> str:
        """Return a text whose characters in halves, as JSON escapes them, are whole."""
        try:
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            raise self._refusal(
                event,
                "yaml-characters",
                "An escape stands for half a character.",
                "Write the character itself.",
            ) from None

    def _items(self, depth: int) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, SequenceEndEvent):
                return
            yield self._node(event, depth + 1)

    def _mapping(self, start: Event, depth: int) -> Mapping:
        entries: dict[str, Node] = {}
        lines: dict[str, int] = {}
        for event in self._events:
            if isinstance(event, MappingEndEvent):
                break
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar) or is_null(key):
                raise self._refusal(
                    event, "yaml-key", "A key is missing or is not text.", "Write `key: value`."
                )
            value = self._node(next(self._events), depth + 1)
            if key.text in entries:
                self._twice(key, entries[key.text], value, lines[key.text], depth=depth)
            entries.setdefault(key.text, value)
            lines.setdefault(key.text, key.line)
        return Mapping(entries, lines, self._at(start))

    def _twice(self, key: Scalar, before: Node, after: Node, line: int, *, depth: int) -> None:
        if repr(plain(before)) == repr(plain(after)):
            what = f"The key {quoted(key.text)} is given twice with one value; read once."
            self.findings.append(repaired("yaml-key-twice", what, line=key.line))
            return
        if key.text == NAME and depth == TOP:
            # A skill goes by the name it is registered under; real records have two in the text.
            what = f"The key 'name' has another value on line {line}; the first is read."
            self.findings.append(repaired("yaml-name-twice", what, line=key.line))
            return
        what = f"The key {quoted(key.text)} has another value on line {line}."
        raise Refused(refused("yaml-key-twice", what, "Keep one of the two.", line=key.line))

    def _alias(self, event: AliasEvent) -> Node:
        self._aliases += 1
        if self._aliases > MAX_YAML_ALIASES:
            raise self._refusal(
                event,
                "yaml-aliases",
                f"More than {MAX_YAML_ALIASES} aliases.",
                "Write the values out.",
            )
        if event.anchor not in self._anchors:
            raise NotYaml("an alias names nothing that stands before", self._at(event), 0)
        node, nodes, characters = self._anchors[event.anchor]
        self._spend(event, nodes, characters)
        return node

    def _check(self, event: Event, depth: int) -> None:
        tag: str | None = getattr(event, "tag", None)
        if tag is not None and tag not in _CORE_TAGS:
            if tag.startswith("!"):  # somebody's text that begins with an exclamation mark
                raise NotYaml("a tag of no known kind", self._at(event), 0)
            raise self._refusal(
                event, "yaml-tag", f"The tag {quoted(tag)} is not allowed.", "Remove the tag."
            )
        if depth > MAX_YAML_DEPTH:
            raise self._refusal(
                event, "yaml-depth", f"More than {MAX_YAML_DEPTH} levels.", "Nest less."
            )

    def _spend(self, event: Event, nodes: int, characters: int) -> None:
        self._nodes += nodes
        self._characters += characters
        if self._nodes > MAX_YAML_NODES or self._characters > MAX_YAML_TEXT:
            what = f"More than {MAX_YAML_NODES} values or {MAX_YAML_TEXT} characters."
            raise self._refusal(event, "yaml-size", what, "Move content into the body.")

    def _at(self, event: Event) -> int:
        return _line(event.start_mark, self._first_line)

    def _refusal(self, event: Event, code: str, what: str, fix: str) -> Refused:
        return Refused(refused(code, what, fix, line=self._at(event)))
