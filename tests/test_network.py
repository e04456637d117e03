"""The guard that keeps every other test on this machine is itself on."""

import socket

import pytest

from tests.network import NetworkForbidden, is_loopback

ELSEWHERE = "192.0.2.1"  # reserved for documentation: nothing answers there


def test_connecting_to_another_machine_is_refused() -> None:
    with socket.socket() as tcp, pytest.raises(NetworkForbidden, match="give the code a fake"):
        tcp.connect((ELSEWHERE, 9))


def test_sending_to_another_machine_is_refused() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        pytest.raises(NetworkForbidden, match="sendto"),
    ):
        udp.sendto(b"", (ELSEWHERE, 9))


def test_looking_up_a_name_is_refused() -> None:
    with pytest.raises(NetworkForbidden, match="getaddrinfo"):
        socket.getaddrinfo("hubify.invalid", 80)


def test_connecting_to_loopback_is_allowed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with socket.create_connection(address) as client:
            assert client.getpeername() == address


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", b"localhost", None])
def test_this_machine_by_any_of_its_names_is_loopback(host: object) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", [ELSEWHERE, "198.51.100.7", "hubify.invalid", b"\xff", 7])
def test_anything_else_is_not_loopback(host: object) -> None:
    assert not is_loopback(host)
