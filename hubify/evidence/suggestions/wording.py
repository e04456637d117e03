"""A suggestion's own words in one line, as they are stored, compared and shown.

Invariant: every character that can be seen stays, in its place; only white space is joined, and
what cannot be seen (controls, marks of direction, halves of a pair) is left out.
"""

import unicodedata
from typing import Final

UNSEEN: Final = frozenset({"Cc", "Cf", "Cs"})
"""Categories of Unicode without a look of their own; white space is dealt with before."""


def one_line(text: str, limit: int) -> str:
    """At most `limit` characters of the text, its white space as single spaces."""
    joined = " ".join(text[: 2 * limit].split())
    seen = (letter for letter in joined if unicodedata.category(letter) not in UNSEEN)
    return " ".join("".join(seen).split())[:limit].rstrip()
