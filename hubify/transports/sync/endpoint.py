"""What all sync sockets of a process share: the host, the frames, the timer and the bounds.

Invariant: sockets in all, sockets of one address, bytes of unfinished messages, of the arguments of
live queries and of what clients leave unread stay within the settings; every socket that was opened
is forgotten when it closes.
"""

import asyncio
from collections import Counter
from http import HTTPStatus
from typing import Protocol

import msgspec

from hubify.transports.sync.frames import Frames
from hubify.transports.sync.handshake import Refusal
from hubify.transports.sync.heartbeat import BEAT_S, SLOTS, Wheel
from hubify.transports.sync.host import Host
from hubify.transports.sync.room import Room
from hubify.transports.sync.turns import TurnQueue

MIB = 1024 * 1024
RETRY = (("Retry-After", "5"),)


class SyncSettings(msgspec.Struct, frozen=True):
    """What an operator may change about sync sockets."""

    max_sockets: int = 20_000
    max_sockets_per_address: int = 2_000
    max_unfinished_bytes: int = 256 * MIB  # of messages that are not complete
    max_watched_bytes: int = 256 * MIB  # of the arguments of live queries
    max_unsent_bytes: int = 512 * MIB  # that clients have not read; a text for many counts for each
    trusted_proxies: frozenset[str] = frozenset()


class Member(Protocol):
    """A socket, as the endpoint knows it."""

    def beat(self) -> None:
        """Some five seconds have passed."""
        ...

    def shutdown(self) -> None:
        """Ask the client to come back later."""
        ...


class SyncEndpoint:
    """The sync sockets of one process, on one event loop."""

    def __init__(self, host: Host, settings: SyncSettings | None = None) -> None:
        self.host = host
        self.settings = settings or SyncSettings()
        self.frames = Frames()
        self.unfinished = Room(self.settings.max_unfinished_bytes)
        self.watched = Room(self.settings.max_watched_bytes)
        self.unsent = Room(self.settings.max_unsent_bytes)
        self._turns: TurnQueue | None = None
        self._wheel: Wheel[Member] = Wheel()
        self._timer: asyncio.TimerHandle | None = None
        self._by_address: Counter[str] = Counter()
        self._stopping = False

    def __len__(self) -> int:
        return len(self._wheel)

    @property
    def turns(self) -> TurnQueue:
        """The queue of turns on the running loop."""
        if self._turns is None:
            self._turns = TurnQueue(asyncio.get_running_loop())
        return self._turns

    def opened(self, socket: Member) -> None:
        """A socket has come."""
        self._wheel.add(socket)
        if self._timer is None:
            self._arrange_beat()

    def refusal(self, address: str) -> Refusal | None:
        """Why an address may not have one more socket now; None when it may."""
        if self._stopping:
            return _unavailable("the server is stopping; try again in a moment")
        if len(self._wheel) > self.settings.max_sockets:
            return _unavailable("the server has all the sockets it can hold; try again later")
        if self._by_address[address] >= self.settings.max_sockets_per_address:
            message = "this address has all the sockets it may have; close some"
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "RATE_LIMITED", message, RETRY)
        return None

    def admitted(self, address: str) -> None:
        """Count a socket for its address."""
        self._by_address[address] += 1

    def closed(self, socket: Member, address: str | None) -> None:
        """A socket has gone; `address` is where it was counted."""
        self._wheel.discard(socket)
        if address is not None:
            self._by_address[address] -= 1
            if self._by_address[address] <= 0:
                del self._by_address[address]

    def shutdown(self) -> None:
        """Ask every client to come back later, and take no more."""
        self._stopping = True
        for socket in self._wheel.everyone():
            socket.shutdown()

    def _arrange_beat(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(BEAT_S / SLOTS, self._beat)

    def _beat(self) -> None:
        self._timer = None
        for socket in self._wheel.turn():
            socket.beat()
        if len(self._wheel):
            self._arrange_beat()


def _unavailable(message: str) -> Refusal:
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE", message, RETRY)
