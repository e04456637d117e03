"""How a ticket's serial is written, and which coin of a trial it stands for.

Invariant: tickets with the same coin are always in the same arm.
"""

FREE, IN_SESSION = "t", "s"
SERIAL_DIGITS = 32
COIN_DIGITS = 20
"""Digits of a session's serial that are its coin's; the others are the session's own."""


def coin_of(serial: str) -> str:
    """The name of the coin that a ticket's arm is tossed with: some sessions of an agent share it.

    What `assign_arm` takes as the serial, so that anybody can toss it again.
    """
    return serial[: 1 + COIN_DIGITS] if serial.startswith(IN_SESSION) else serial
