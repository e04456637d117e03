"""The types of arguments that functions of all domains share, each with its bounds.

Invariant: a name that one function takes for an owner or an agent, every other takes too.
"""

from typing import Annotated

import msgspec

UNSEEN = r"\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
"""Characters that nobody sees, or that change how others are shown, for a regular expression."""

AgentId = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=f"^[^{UNSEEN}]+$")]
OwnerName = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
