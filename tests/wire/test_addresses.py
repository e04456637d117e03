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
    ],
)
def test_only_trusted_proxies_are_believed(peer: str, forwarded: list[str], address: str) -> None:
    assert caller_address(peer, forwarded, PROXIES) == address
