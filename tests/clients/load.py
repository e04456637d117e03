"""Mutations by all official clients at once, each to happen once whatever befalls the server.

npm's live clients number their mutations within a session and send the unanswered again; the others
are given an `idempotencyKey`. A client over HTTP does not try again by itself, so it is done here.
So it is for PyPI's live client, which raises "channel closed" when the connection breaks while it
hands a request to its socket (and may send that request all the same later on).

Invariant: an order that ended in a refusal by the server fails the test; one that ended because the
connection was lost is sent again with the same key until it is acknowledged.
"""

from collections.abc import Iterator

from tests.clients.hosts import Pending, Refusal
from tests.clients.legs import NPM_LIVE_LEGS, Client
from tests.clients.server import Server, wait_until

PATIENCE_S = 30.0


class Load:
    """Numbered mutations of some clients; each client writes to a list of its own."""

    def __init__(self, server: Server, clients: list[Client]) -> None:
        self._server = server
        self._clients = clients
        self._sent = 0
        self._under_way: list[tuple[Client, str, Pending]] = []

    @property
    def acknowledged(self) -> int:
        """How many of those under way have been answered with success."""
        return sum(
            pending.told is not None and "done" in pending.told for _, _, pending in self._under_way
        )

    def send(self, count: int) -> None:
        """Let each client begin so many more mutations."""
        texts = [f"{number:06}" for number in range(self._sent, self._sent + count)]
        self._sent += count
        for text in texts:
            for client in self._clients:
                self._under_way.append((client, text, self._begin(client, text)))

    def wait_for(self, acknowledged: int) -> None:
        """Wait until so many have been acknowledged."""
        wait_until(lambda: self.acknowledged >= acknowledged, "acknowledgements", PATIENCE_S)

    def finish(self) -> None:
        """Wait until all have been acknowledged, and look that each happened once, in order."""
        while self._under_way:
            lost = [(client, text) for client, text in self._ended() if client]
            self._under_way = [(client, text, self._begin(client, text)) for client, text in lost]
        for client in self._clients:
            self._check(client)

    def _ended(self) -> Iterator[tuple[Client, str]]:
        """Wait for all; gives those whose connection was lost."""
        for client, text, pending in self._under_way:
            try:
                pending.done(PATIENCE_S)
            except Refusal as refusal:
                if client.leg in NPM_LIVE_LEGS or refusal.data is not None:
                    raise
                yield client, text

    def _begin(self, client: Client, text: str) -> Pending:
        arguments = {"list": client.name, "text": text}
        if client.leg not in NPM_LIVE_LEGS:
            arguments["idempotencyKey"] = f"{client.name} {text}"
        return client.start("mutation", "checks:append", **arguments)

    def _check(self, client: Client) -> None:
        texts = self._server.call("query", "checks:texts", {"list": client.name})
        in_order = texts if client.leg in NPM_LIVE_LEGS else sorted(texts)
        assert in_order == [f"{number:06}" for number in range(self._sent)], client.leg.name
