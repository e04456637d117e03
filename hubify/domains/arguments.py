"""The arguments that functions of all domains share, each with its bounds.

Invariant: a name that one function takes for an owner, an agent, a skill or a version, every other
takes too.
"""

import re
from typing import Annotated, Any

import msgspec

from hubify.formats.names import is_owner
from hubify.functions import InvalidInput
from hubify.values.values import check_storable

MAX_OBJECT_BYTES = 4_096
UNSEEN = r"\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
"""Characters that nobody sees, or that change how others are shown, for a regular expression."""

_UNSEEN = re.compile(f"[{UNSEEN}]+")
SEEN = f"^[^{UNSEEN}]+$"
IN_ONE_LINE = "a text of visible characters in one line"

AgentId = Annotated[
    str, msgspec.Meta(min_length=1, max_length=128, pattern=SEEN, description=IN_ONE_LINE)
]
OwnerName = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
SkillName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
VersionText = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
Cursor = Annotated[str, msgspec.Meta(max_length=4_000)]
"""Where a list goes on: what the page before it answered."""


def in_one_line(text: str) -> str:
    """A text without unseen characters, its words one space apart."""
    return " ".join(_UNSEEN.sub(" ", text).split())


def checked_owner(owner: str) -> str:
    """An owner's name: lower case, digits, dots, hyphens and underscores, up to 64 characters.

    Raises:
        InvalidInput: it is none.

    """
    if not is_owner(owner):
        message = f"'{owner[:80]}' cannot be an owner's name; use a-z, 0-9, '.', '_' and '-'"
        raise InvalidInput(message)
    return owner


def check_object(value: dict[str, Any], name: str) -> None:
    """Refuse an object of a caller's that may not be kept with a row.

    Raises:
        InvalidInput: it is too large, or a field's name or value cannot be stored.
        TooLarge: it is nested too deep.

    """
    check_storable(value, name)
    size = len(msgspec.msgpack.encode(value, enc_hook=repr))
    if size > MAX_OBJECT_BYTES:
        message = f"{name} takes {size} bytes; keep it within {MAX_OBJECT_BYTES}"
        raise InvalidInput(message)
