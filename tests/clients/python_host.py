"""Convex's own Python clients, driven by orders that come as JSON lines on standard input.

The twin of js/host.mjs, with the same orders; each client has a process of its own, since the live
one waits with the interpreter's lock held. A subscription is not told of by events: the order
`next` waits for its next value.

Invariant: one line out for each line in, in the same order.
"""

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from convex import ConvexClient, ConvexError, ConvexInt64, convex_to_json, json_to_convex
from convex.http_client import ConvexHttpClient

Json = Any
Order = dict[str, Json]
KINDS = {
    type(None): "null",
    bool: "boolean",
    float: "float64",
    ConvexInt64: "int64",
    str: "string",
    bytes: "bytes",
}
OPEN = {"live": ConvexClient, "http": ConvexHttpClient}


def kinds(value: object) -> object:
    """What kind of value the client handed over, so that a float is not taken for an integer."""
    if isinstance(value, list):
        return [kinds(item) for item in value]
    if isinstance(value, dict):
        return {name: kinds(item) for name, item in value.items()}
    return KINDS[type(value)]


def arguments_of(order: Order) -> Json:
    """The arguments in the client's own types."""
    return json_to_convex(as_floats(order["args"]))


def as_floats(parsed: object) -> Json:
    """JSON as a Convex server writes it: numbers are floats."""
    if isinstance(parsed, dict):
        return {name: as_floats(item) for name, item in parsed.items()}
    if isinstance(parsed, list):
        return [as_floats(item) for item in parsed]
    if isinstance(parsed, int) and not isinstance(parsed, bool):
        return float(parsed)
    return parsed


def failure(error: Exception) -> dict[str, Any]:
    """An error as the hosts tell it."""
    told: dict[str, Any] = {"name": type(error).__name__, "message": str(error)}
    return {**told, "data": convex_to_json(error.data)} if isinstance(error, ConvexError) else told


class Host:
    """One client, and its subscriptions by name."""

    def __init__(self) -> None:
        self.client: Any = None
        self.subscriptions: dict[str, Any] = {}

    def obey(self, order: Order) -> Json:
        """Do what an order says; gives what it answers."""
        orders: dict[str, Callable[[Order], Any]] = {
            "open": self.open,
            "call": self.call,
            "subscribe": self.subscribe,
            "next": self.next,
            "unsubscribe": self.unsubscribe,
            "authenticate": self.authenticate,
            "administer": lambda order: self.client.set_admin_auth(order["key"]),
            "logOut": lambda _order: self.client.clear_auth(),
            "close": self.close,
        }
        return orders[order["op"]](order)

    def open(self, order: Order) -> None:
        """Make the client."""
        self.client = OPEN[order["kind"]](order["url"])

    def close(self, _order: Order) -> None:
        """Let go of the client."""
        self.subscriptions.clear()
        self.client = None

    def call(self, order: Order) -> dict[str, Any]:
        """Run a query, mutation or action."""
        value = getattr(self.client, order["kind"])(order["path"], arguments_of(order))
        return {"value": convex_to_json(value), "kinds": kinds(value)}

    def subscribe(self, order: Order) -> None:
        """Begin to watch a query."""
        watched = self.client.subscribe(order["path"], arguments_of(order))
        self.subscriptions[order["sub"]] = watched

    def next(self, order: Order) -> dict[str, Any]:
        """Wait for a watched query's next result."""
        watched: Iterator[Any] = self.subscriptions[order["sub"]]
        try:
            return {"value": convex_to_json(next(watched))}
        except ConvexError as error:
            return {"error": failure(error)}

    def unsubscribe(self, order: Order) -> None:
        """Stop watching."""
        self.subscriptions.pop(order["sub"]).unsubscribe()

    def authenticate(self, order: Order) -> None:
        """Show a key from now on."""
        self.client.set_auth(order["tokens"][0])


def answer(host: Host, order: Order) -> dict[str, Any]:
    """Obey, and tell how it went."""
    try:
        return {"id": order["id"], "done": host.obey(order)}
    except Exception as error:  # noqa: BLE001 - whatever the client raises is told
        return {"id": order["id"], "failed": failure(error)}


def main() -> None:
    """Obey orders until there are no more."""
    host = Host()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(host, json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
