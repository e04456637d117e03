"""Bytes of one kind that all sockets of a process may hold together.

Invariant: what was taken and not given back is counted, whether or not it fitted.
"""


class Room:
    """A bound, and how much of it is taken."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.taken_bytes = 0

    def has(self, more_bytes: int) -> bool:
        """Whether so many more would fit."""
        return self.taken_bytes + more_bytes <= self.most_bytes

    def take(self, change_bytes: int) -> bool:
        """Take some, or with a negative number give some back; whether all is within the bound."""
        self.taken_bytes += change_bytes
        return self.taken_bytes <= self.most_bytes
