"""Keep tests on this machine.

Invariant: once `refuse_the_network` is an audit hook, nothing that goes through Python's socket
module leaves loopback; it fails with the address and what to do instead.
"""

import ipaddress


class NetworkForbidden(BaseException):
    """A test tried to leave this machine; not an Exception, so that no handler hides it."""


def is_loopback(host: object) -> bool:
    """Whether a host, as given to the socket module, stays on this machine."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        return False  # a name, which would have to be looked up


def refuse_the_network(event: str, arguments: tuple[object, ...]) -> None:
    """Audit hook: raise NetworkForbidden when the socket module is about to leave loopback."""
    if event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = arguments[0]
    elif event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]  # a tuple for IP; a path, which is local, for a Unix socket
        host = address[0] if isinstance(address, tuple) and address else None
    else:
        return
    if not is_loopback(host):
        reason = "tests reach 127.0.0.1 only; give the code a fake of its port instead"
        message = f"{event} {host!r}: {reason}"
        raise NetworkForbidden(message)
