"""Which address a caller is counted by.

Invariant: a caller's own word about its address counts only as far as trusted proxies passed it on,
and nobody has more addresses to be counted by than their network gives out singly.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network

MAX_FORWARDED = 16  # addresses that are looked at in a chain of proxies
MAX_ADDRESS = 64  # characters
LOCAL = "local"  # a Unix socket has no address
SUBNET_BITS = 64  # of an IPv6 address; a host chooses the others at will (RFC 4291, 2.5.4)


def caller_address(peer: str, forwarded: Iterable[str], trusted: frozenset[str]) -> str:
    """The address nearest to us that is not a trusted proxy; of an IPv6 address, its subnet.

    `forwarded` are the lines of `X-Forwarded-For`, to which each proxy adds at the end.
    """
    return _counted(_nearest(_plain(peer) or LOCAL, forwarded, trusted))


def _nearest(address: str, forwarded: Iterable[str], trusted: frozenset[str]) -> str:
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


def _plain(address: str) -> str:
    """An IPv4 address that came over an IPv6 socket as it is written otherwise."""
    return address.removeprefix("::ffff:") if "." in address else address


@lru_cache(maxsize=4096)
def _counted(address: str) -> str:
    try:
        subnet = IPv6Network((IPv6Address(address.partition("%")[0]), SUBNET_BITS), strict=False)
    except ValueError:
        return address
    return str(subnet)
