"""Time and randomness as values that are handed in.

Invariant: nothing below `app` reads a clock or makes randomness except through one of these, so a
seeded one makes a whole run reproducible.
"""

from collections.abc import Callable

import msgspec


class Runtime(msgspec.Struct, frozen=True):
    """`wall_ns`: nanoseconds since 1970; `monotonic_s`: seconds; `entropy(n)`: n secret bytes."""

    wall_ns: Callable[[], int]
    monotonic_s: Callable[[], float]
    entropy: Callable[[int], bytes]
