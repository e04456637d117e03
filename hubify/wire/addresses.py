"""Which address a caller is counted by.

Invariant: a caller's own word about its address counts only as far as trusted proxies passed it on.
"""

from collections.abc import Iterable

MAX_FORWARDED = 16  # addresses that are looked at in a chain of proxies
MAX_ADDRESS = 64  # characters
LOCAL = "local"  # a Unix socket has no address


def caller_address(peer: str, forwarded: Iterable[str], trusted: frozenset[str]) -> str:
    """The address nearest to us that is not a trusted proxy.

    `forwarded` are the lines of `X-Forwarded-For`, to which each proxy adds at the end.
    """
    address = peer or LOCAL
    if address not in trusted:
        return address
    chain = [part.strip() for line in forwarded for part in line.split(",")]
    for before in chain[: -MAX_FORWARDED - 1 : -1]:
        if not before or len(before) > MAX_ADDRESS:
            return address
        address = before
        if address not in trusted:
            return address
    return address
