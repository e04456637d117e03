"""Half-open ranges of index keys.

Invariant: `start <= key < end`; keys are byte strings in the order of `keys.encode_key`. A range
of all keys with one prefix is `prefix_interval(prefix)`: no component of a key begins with 0xFF.
"""

from typing import NamedTuple

TOP = b"\xff"


class Interval(NamedTuple):
    """All keys `k` with `start <= k < end`."""

    start: bytes
    end: bytes

    def __contains__(self, key: object) -> bool:
        return isinstance(key, bytes) and self.start <= key < self.end

    @property
    def prefix(self) -> bytes | None:
        """The prefix whose keys this range holds, or None when it is some other range."""
        return self.start if self.end == self.start + TOP else None


EVERYTHING = Interval(b"", TOP)


def prefix_interval(prefix: bytes) -> Interval:
    """Every key that begins with `prefix` (which must end where a component ends)."""
    return Interval(prefix, prefix + TOP)


def point_interval(key: bytes) -> Interval:
    """Exactly one key."""
    return Interval(key, key + b"\x00")
