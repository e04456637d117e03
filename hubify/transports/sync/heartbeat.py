"""One timer for all sockets: each has its beat once in every round, spread evenly over it.

Time-outs are counted in beats and not read off a clock, so a process that was suspended does not
take all of its clients for dead when it wakes.

Invariant: everything on the wheel is in exactly one slot; each turn of the wheel visits one slot.
"""

from typing import Generic, TypeVar

BEAT_S = 5.0  # one round; the protocol wants a ping frame this often
SLOTS = 20

T = TypeVar("T")


class Wheel(Generic[T]):
    """Members in slots, visited slot by slot."""

    def __init__(self, slots: int = SLOTS) -> None:
        self._slots: list[dict[T, None]] = [{} for _ in range(slots)]
        self._slot_of: dict[T, int] = {}
        self._filling = 0
        self._visiting = 0

    def __len__(self) -> int:
        return len(self._slot_of)

    def add(self, member: T) -> None:
        """Let a member be visited once a round from now on."""
        self._filling = (self._filling + 1) % len(self._slots)
        self._slots[self._filling][member] = None
        self._slot_of[member] = self._filling

    def discard(self, member: T) -> None:
        """Stop visiting it."""
        slot = self._slot_of.pop(member, None)
        if slot is not None:
            del self._slots[slot][member]

    def turn(self) -> list[T]:
        """The members whose beat it is now."""
        self._visiting = (self._visiting + 1) % len(self._slots)
        return list(self._slots[self._visiting])

    def everyone(self) -> list[T]:
        """All members."""
        return list(self._slot_of)
