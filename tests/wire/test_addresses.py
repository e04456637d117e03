"""Callers are counted by an address that they cannot choose."""

import pytest

from hubify.wire.addresses import LOCAL, caller_address

PROXIES = frozenset({"10.0.0.1", "10.0.0.2"})


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("1.2.3.4", [], "1.2.3.4"),
        ("1.2.3.4", ["9.9.9.9"], "1.2.3.4"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["9.9.9.9, 1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["9.9.9.9", "1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["1.2.3.4, 10.0.0.2"], "1.2.3.4"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["x" * 65], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4" + ", 10.0.0.2" * 16], "10.0.0.2"),
        ("", ["1.2.3.4"], LOCAL),
        ("::ffff:1.2.3.4", [], "1.2.3.4"),
        ("::ffff:10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["[2001:db8::1]:80"], "[2001:db8::1]:80"),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str, forwarded: list[str], address: str) -> None:
    assert caller_address(peer, forwarded, PROXIES) == address


@pytest.mark.parametrize("address", ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:DB8:1:2::%2"])
def test_the_hosts_of_one_subnet_are_counted_as_one(address: str) -> None:
    assert caller_address(address, [], PROXIES) == "2001:db8:1:2::/64"
    assert caller_address("10.0.0.1", [address], PROXIES) == "2001:db8:1:2::/64"
