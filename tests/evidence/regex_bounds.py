"""Look into a regular expression: how often may a part of it repeat?

Invariant: reads the parsed form that the standard library itself runs, so that no spelling escapes.
"""

import re
from collections.abc import Iterator
from typing import Any

PARSER: Any = re._parser  # type: ignore[attr-defined]
MAXREPEAT = int(PARSER.MAXREPEAT)


def longest_repeat(pattern: str) -> int:
    """The highest upper bound of a repeat in a pattern; `MAXREPEAT` means without bound."""
    return max(_bounds(PARSER.parse(pattern)), default=0)


def _bounds(node: Any) -> Iterator[int]:  # noqa: ANN401
    for name, argument in node:
        if str(name) in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            yield int(argument[1])
        yield from _inner(argument)


def _inner(argument: Any) -> Iterator[int]:  # noqa: ANN401
    if isinstance(argument, PARSER.SubPattern):
        yield from _bounds(argument)
    elif isinstance(argument, list | tuple):
        for part in argument:
            yield from _inner(part)
