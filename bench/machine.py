"""What this machine can do at best, measured beside everything else.

Invariant: these measure the kernel and the disk, and nothing of ours.
"""

import asyncio
import os
import socket
import tempfile
import threading
import time

import uvloop

SECONDS = 1.0
MESSAGE = b"x" * 1024


def flushes_per_second() -> float:
    """4 KiB written over and made durable, one after the other, as a write-ahead log is."""
    with tempfile.NamedTemporaryFile() as file:
        os.write(file.fileno(), bytes(4096))
        os.fsync(file.fileno())
        count, end = 0, time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            os.pwrite(file.fileno(), bytes([count % 256]) * 4096, 0)
            os.fdatasync(file.fileno())
            count += 1
    return count / SECONDS


def round_trips_per_second() -> float:
    """64 bytes there and back over loopback, one at a time."""
    listener = socket.create_server(("127.0.0.1", 0))

    def echo() -> None:
        peer, _address = listener.accept()
        with peer:
            while data := peer.recv(64):
                peer.sendall(data)

    threading.Thread(target=echo, daemon=True).start()
    with socket.create_connection(listener.getsockname()) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        count, end = 0, time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            client.sendall(b"x" * 64)
            client.recv(64)
            count += 1
    listener.close()
    return count / SECONDS


def socket_sends_per_second(sockets: int = 200) -> float:
    """1 KiB sent to each of many loopback sockets that are read by another thread."""
    pairs = [socket.socketpair() for _number in range(sockets)]

    def drain() -> None:
        async def read_all() -> None:
            loop = asyncio.get_running_loop()

            async def read(peer: socket.socket) -> None:
                peer.settimeout(0)
                while await loop.sock_recv(peer, 65536):
                    pass

            await asyncio.gather(*(read(peer) for _own, peer in pairs))

        uvloop.run(read_all())

    reader = threading.Thread(target=drain)
    reader.start()
    count, end = 0, time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        for own, _peer in pairs:
            own.sendall(MESSAGE)
        count += sockets
    for own, _peer in pairs:
        own.close()
    reader.join()
    return count / SECONDS
