"""How text becomes the words of a search index.

Invariant: the same text always gives the same words; indexing and searching share this file.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import cast

from hubify.values import limits

MAX_WORD = 40
WORD = re.compile(r"\w+")


def words_of(values: Iterable[object]) -> list[str]:
    """The distinct words of some texts (strings, or lists of strings), up to the bound."""
    found: dict[str, None] = {}
    for text in _texts(values):
        for word in split_words(text):
            found[word] = None
            if len(found) >= limits.MAX_INDEXED_WORDS:
                return list(found)
    return list(found)


def _texts(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif value is not None:
            yield from cast("list[str]", value)


def split_words(text: str) -> list[str]:
    """Words in order: NFKC, case-folded, split at what is not a letter, digit or underscore.

    Identifiers count whole and in parts (`read_file` gives `read_file`, `read`, `file`).
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    found: list[str] = []
    for word in WORD.findall(folded):
        found.append(word[:MAX_WORD])
        if "_" in word:
            found.extend(part[:MAX_WORD] for part in word.split("_") if part)
    return found
