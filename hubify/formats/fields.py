"""Reading named fields out of a front matter map, whatever their author made of them.

Invariant: a field of the wrong kind is never guessed at: it is left out of the reading with a
finding, and stays among the rest.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import TypeVar

from hubify.formats.findings import Finding, quoted, repaired
from hubify.formats.limits import MAX_FIELD, MAX_ITEM, MAX_ITEMS
from hubify.formats.yaml_nodes import Mapping, Node, Scalar, Sequence, YamlValue, is_null, plain

_ITEM = re.compile(r"(?:\([^()]*\)|[^,(])+|\(")  # commas inside brackets do not divide
_WORD = re.compile(r"(?:\([^()]*\)|[^,\s(])+|\(")
_YES = frozenset({"true", "yes", "on"})
_NO = frozenset({"false", "no", "off"})
_BREAKS = frozenset("\n\t")
_T = TypeVar("_T")


class Fields:
    """Takes fields out of one map; what nobody took is the `rest`.

    Keys are found whatever their case, and with `-`, `_` or neither; another spelling than the
    one asked for is REPAIRED. A field that is null counts as absent.
    """

    def __init__(self, mapping: Mapping, findings: list[Finding], *, within: str = "") -> None:
        self._entries = dict(mapping.entries)
        self._lines = mapping.key_lines
        self._findings = findings
        self._within = within  # "trust." inside the map `trust`, for findings
        self._spellings: dict[str, str] = {}
        for key in mapping.entries:
            self._spellings.setdefault(_canonical(key), key)

    def text(self, key: str, limit: int = MAX_FIELD) -> str | None:
        """Take a field as text as it is written, at most `limit` characters of it."""
        node = self._given(key)
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self._unfit(key, node, "text")
            return None
        self._take(key)
        return self._clean(key, node, limit) or None

    def texts(self, key: str) -> tuple[str, ...]:
        """Take a list of texts; a single text is divided at commas."""
        return self._list_of_texts(key, _ITEM)

    def words(self, key: str) -> tuple[str, ...]:
        """Take a list of texts; a single text is divided at spaces and commas, as it should be."""
        return self._list_of_texts(key, _WORD)

    def flag(self, key: str) -> bool | None:
        """Take a field that is true or false; YAML 1.1's yes, no, on and off count too."""
        node = self._given(key)
        if node is None:
            return None
        word = node.text.lower() if isinstance(node, Scalar) else ""
        if word not in _YES | _NO:
            self._unfit(key, node, "true or false")
            return None
        self._take(key)
        return word in _YES

    def number(self, key: str, low: float, high: float) -> float | None:
        """Take a finite number between `low` and `high`."""
        node = self._given(key)
        if node is None:
            return None
        value = plain(node)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self._unfit(key, node, "a number")
            return None
        if not low <= value <= high:
            self._unfit(key, node, f"from {low:g} to {high:g}")
            return None
        self._take(key)
        return float(value)

    def inside(self, key: str) -> "Fields | None":
        """Take a map, to read its fields in turn."""
        node = self._given(key)
        if node is None:
            return None
        if not isinstance(node, Mapping):
            self._unfit(key, node, "a map")
            return None
        self._take(key)
        return self._within_map(key, node)

    def items(self, key: str, limit: int = MAX_ITEMS) -> tuple[Node, ...]:
        """Take a list of anything, at most `limit` of it."""
        node = self._given(key)
        if node is None:
            return ()
        if not isinstance(node, Sequence):
            self._unfit(key, node, "a list")
            return ()
        self._take(key)
        return self._bounded(key, node, node.items, limit)

    def maps(self, key: str, limit: int = MAX_ITEMS) -> Iterator["Fields"]:
        """Take a list of maps, to read each one's fields; anything else in it is left out."""
        for node in self.items(key, limit):
            if isinstance(node, Mapping):
                yield self._within_map(key, node)
            else:
                self.unfit(key, node.line, "a list of maps")

    def map_values(self, key: str) -> dict[str, YamlValue]:
        """Take a map as plain values."""
        node = self._given(key)
        if node is None:
            return {}
        if not isinstance(node, Mapping):
            self._unfit(key, node, "a map")
            return {}
        self._take(key)
        return {name: plain(value) for name, value in node.entries.items()}

    def rest(self) -> dict[str, YamlValue]:
        """Return what nobody took, as plain values."""
        return {key: plain(node) for key, node in self._entries.items()}

    def unfit(self, key: str, line: int, expected: str) -> None:
        """Say that something inside a field is not what it should be, and was left out."""
        what = f"{self._name(key)} is not {expected}; left out."
        self._findings.append(repaired("field-unfit", what, line=line))

    def line(self, key: str) -> int:
        """Return the line of a key, 0 when it is absent."""
        return self._lines.get(self._spelling(key), 0)

    def is_map(self, key: str) -> bool:
        """Whether the field is there, not taken yet, and a map."""
        return isinstance(self._entries.get(self._spelling(key)), Mapping)

    def is_list(self, key: str) -> bool:
        """Whether the field is there, not taken yet, and a list."""
        return isinstance(self._entries.get(self._spelling(key)), Sequence)

    def _spelling(self, key: str) -> str:
        return key if key in self._lines else self._spellings.get(_canonical(key), key)

    def _given(self, key: str) -> Node | None:
        """Return the field's node; a field that is there but null counts as taken."""
        node = self._entries.get(self._spelling(key))
        if node is None or not is_null(node):
            return node
        self._take(key)
        return None

    def _take(self, key: str) -> None:
        spelling = self._spelling(key)
        del self._entries[spelling]
        if spelling != key:
            what = f"The field {quoted(spelling)} is read as {quoted(key)}."
            self._findings.append(repaired("field-spelling", what, line=self._lines[spelling]))

    def _unfit(self, key: str, node: Node, expected: str) -> None:
        self.unfit(key, self.line(key) or node.line, expected)

    def _within_map(self, key: str, node: Mapping) -> "Fields":
        return Fields(node, self._findings, within=f"{self._within}{key}.")

    def _name(self, key: str) -> str:
        return f"The field {quoted(self._within + key)}"

    def _clean(self, key: str, node: Scalar, limit: int) -> str:
        """Strip the text, drop control characters, cut what is too long; say so."""
        text = clean_text(node.text)
        if any(is_control(char) for char in node.text):
            what = f"{self._name(key)} holds control characters; read as spaces."
            self._findings.append(repaired("field-characters", what, line=node.line))
        if len(text) <= limit:
            return text
        what = f"{self._name(key)} has {len(text)} characters; the first {limit} are listed."
        self._findings.append(repaired("field-too-long", what, line=node.line))
        return text[:limit].rstrip()

    def _list_of_texts(self, key: str, divider: re.Pattern[str]) -> tuple[str, ...]:
        node = self._given(key)
        if node is None:
            return ()
        if isinstance(node, Scalar):
            return self._divided(key, node, divider)
        scalars = _scalars(node)
        if scalars is None:
            self._unfit(key, node, "a list of texts")
            return ()
        self._take(key)
        return self._distinct(key, node, [self._clean(key, item, MAX_ITEM) for item in scalars])

    def _divided(self, key: str, node: Scalar, divider: re.Pattern[str]) -> tuple[str, ...]:
        self._take(key)
        text = self._clean(key, node, MAX_ITEM * MAX_ITEMS).removeprefix("[").removesuffix("]")
        parts = [part.strip().strip("\"'") for part in divider.findall(text)]
        if divider is _ITEM:
            what = f"{self._name(key)} is one text; read as a list divided at commas."
            self._findings.append(repaired("field-divided", what, line=node.line))
        return self._distinct(key, node, [part[:MAX_ITEM] for part in parts])

    def _distinct(self, key: str, node: Node, texts: list[str]) -> tuple[str, ...]:
        kept = tuple(dict.fromkeys(text for text in texts if text))
        return self._bounded(key, node, kept, MAX_ITEMS)

    def _bounded(self, key: str, node: Node, items: tuple[_T, ...], limit: int) -> tuple[_T, ...]:
        if len(items) > limit:
            what = f"{self._name(key)} has {len(items)} entries; the first {limit} are kept."
            self._findings.append(repaired("field-too-many", what, line=node.line))
        return items[:limit]


def is_control(char: str) -> bool:
    """Whether a character is a control other than newline and tab."""
    return char not in _BREAKS and unicodedata.category(char) == "Cc"


def clean_text(text: str) -> str:
    """Return text with each control character a space, stripped."""
    return "".join(" " if is_control(char) else char for char in text).strip()


def _scalars(node: Node) -> list[Scalar] | None:
    """Return the items of a list of scalars, None when the node is anything else."""
    if not isinstance(node, Sequence):
        return None
    scalars = [item for item in node.items if isinstance(item, Scalar)]
    return scalars if len(scalars) == len(node.items) else None


def _canonical(key: str) -> str:
    """Return one spelling for `displayName`, `display-name`, `Display_Name` alike."""
    return key.replace("-", "").replace("_", "").lower()
