"""The types of arguments that functions of skills share, each with its bounds.

Invariant: everything a caller sends is bounded before a function sees it.
"""

from typing import Annotated

import msgspec

from hubify.formats.limits import MAX_SKILL_BYTES

Session = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Line = Annotated[str, msgspec.Meta(max_length=500)]
Description = Annotated[str, msgspec.Meta(min_length=1, max_length=1_024)]
Summary = Annotated[str, msgspec.Meta(max_length=2_000)]
Category = Annotated[str, msgspec.Meta(max_length=40)]
Item = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Items = Annotated[tuple[Item, ...], msgspec.Meta(max_length=100)]
SkillMd = Annotated[str, msgspec.Meta(max_length=MAX_SKILL_BYTES)]
SearchText = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Confidence = Annotated[float, msgspec.Meta(ge=0, le=100)]
SearchLimit = Annotated[int, msgspec.Meta(ge=1, le=100)]
FilePath = Annotated[str, msgspec.Meta(min_length=1, max_length=1_024)]
