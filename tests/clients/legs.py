"""The five official clients behind one set of verbs, so that a behaviour is asserted once for all.

Invariant: nothing here knows what a server should answer; it passes on what a client did. Values
are Convex's JSON (`{"$integer": ...}`), as the client itself reads and writes them.
"""

from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

from tests.clients.hosts import WAIT_S, Host, Pending, Refusal, Told
from tests.clients.server import Json

_numbers = count(1)


class Leg(NamedTuple):
    """One official client."""

    name: str
    language: str
    kind: str

    @property
    def is_live(self) -> bool:
        """Whether it subscribes."""
        return self.kind != "http"

    @property
    def is_npm(self) -> bool:
        """Whether it is npm's."""
        return self.language == "js"


NPM_HTTP = Leg("npm-ConvexHttpClient", "js", "http")
NPM_LIVE = Leg("npm-ConvexClient", "js", "live")
NPM_REACT = Leg("npm-ConvexReactClient", "js", "react")
PYPI_LIVE = Leg("pypi-ConvexClient", "python", "live")
PYPI_HTTP = Leg("pypi-ConvexHttpClient", "python", "http")
LEGS = (NPM_HTTP, NPM_LIVE, NPM_REACT, PYPI_LIVE, PYPI_HTTP)
HTTP_LEGS = (NPM_HTTP, PYPI_HTTP)
LIVE_LEGS = tuple(leg for leg in LEGS if leg.is_live)
NPM_LEGS = tuple(leg for leg in LEGS if leg.is_npm)
NPM_LIVE_LEGS = tuple(leg for leg in LIVE_LEGS if leg.is_npm)


class Client:
    """One client object in a host."""

    def __init__(self, leg: Leg, host: Host, url: str) -> None:
        self.leg = leg
        self.host = host
        self.name = f"client{next(_numbers)}"
        self.seen: dict[str, Any] = {}
        self.kinds: Any = None
        self.order("open", kind=leg.kind, url=url).done()

    def order(self, op: str, **fields: Json) -> Pending:
        """Send an order for this client."""
        return self.host.order(op, client=self.name, **fields)

    def start(self, kind: str, path: str | list[str], **arguments: Json) -> Pending:
        """Begin a call; its end is `{value, kinds, seen}`."""
        return self.order("call", kind=kind, path=path, args=arguments)

    def call(self, kind: str, path: str | list[str], **arguments: Json) -> Json:
        """Make a call and wait for its value; raises `Refusal`."""
        told = self.start(kind, path, **arguments).done()
        self.seen, self.kinds = told.get("seen") or {}, told["kinds"]
        return told["value"]

    def query(self, path: str | list[str], **arguments: Json) -> Json:
        """Run a query once."""
        return self.call("query", path, **arguments)

    def mutation(self, path: str | list[str], **arguments: Json) -> Json:
        """Run a mutation."""
        return self.call("mutation", path, **arguments)

    def action(self, path: str | list[str], **arguments: Json) -> Json:
        """Run an action."""
        return self.call("action", path, **arguments)

    def refusal(self, kind: str, path: str | list[str], **arguments: Json) -> Refusal:
        """The refusal that a call must end in."""
        try:
            value = self.call(kind, path, **arguments)
        except Refusal as refusal:
            return refusal
        message = f"{path} answered {value!r} instead of refusing"
        raise AssertionError(message)

    def subscribe(
        self, path: str | list[str], *, beside: bool = False, **arguments: Json
    ) -> "Subscription":
        """Watch a query; with `beside`, each update tells what the others hold at that moment."""
        watched = Subscription(self)
        sent = {"path": path, "args": arguments, "beside": beside}
        self.order("subscribe", sub=watched.name, **sent).done()
        return watched

    def paginate(self, path: str, items: int, **arguments: Json) -> "Subscription":
        """Watch a query page by page (npm's live clients)."""
        watched = Subscription(self)
        self.order("paginate", sub=watched.name, path=path, args=arguments, items=items).done()
        return watched

    def authenticate(self, *tokens: str) -> None:
        """Show a key; a live npm client is given one token at each time it asks."""
        self.host.events.pop((self.name, "auth"), None)
        self.order("authenticate", tokens=tokens).done()

    def administer(self, key: str) -> None:
        """Show an admin key, as Convex's own tools do."""
        self.order("administer", key=key).done()

    def log_out(self) -> None:
        """Show no key any more."""
        self.order("logOut").done()

    def auth(self, within_s: float = WAIT_S) -> bool:
        """The next change of whether the client holds itself authenticated (npm, live)."""
        return self._event("auth", "a change of auth", within_s)["auth"]

    @property
    def auth_changes(self) -> int:
        """How many changes of auth wait to be read (npm, live)."""
        return len(self.host.events.get((self.name, "auth"), ()))

    def tokens_asked(self) -> list[bool]:
        """For each time that the client asked for a token, whether it wanted a fresh one."""
        return self.order("state").done()["asked"]

    def connections(self) -> int:
        """How often the client has connected (npm, live)."""
        return self.order("state").done()["connection"]["connectionCount"]

    def close(self) -> None:
        """End the client."""
        self.order("close").done()

    def _event(self, about: str, what: str, within_s: float) -> Told:
        events = self.host.events.setdefault((self.name, about), deque())
        self.host.wait(lambda: bool(events), what, within_s)
        return events.popleft()


class Subscription:
    """A watched query."""

    def __init__(self, client: Client) -> None:
        self.name = f"sub{next(_numbers)}"
        self.beside: dict[str, Json] = {}
        self._client = client

    def next(self, within_s: float = WAIT_S) -> Json:
        """The next value that the client hands over; raises `Refusal`."""
        told = self._next(within_s)
        self.beside = told.get("beside", {})
        if "error" in told:
            raise Refusal(told["error"])
        return told["value"]

    def until(self, wanted: Callable[[Any], bool] | object, within_s: float = WAIT_S) -> Json:
        """Pass over values until one equals (or fits) what is wanted."""
        fits = wanted if callable(wanted) else lambda value: value == wanted
        while True:
            value = self.next(within_s)
            if fits(value):
                return value

    def refused(self, within_s: float = WAIT_S) -> Refusal:
        """Pass over values until the query is refused."""
        while True:
            try:
                self.next(within_s)
            except Refusal as refusal:
                return refusal

    def after_write(self) -> Json:
        """What the client had handed over when its last mutation's promise resolved.

        PyPI's client has no callbacks: there it is the next value, which is read only now.
        """
        return self._client.seen[self.name] if self._client.leg.is_npm else self.next()

    @property
    def unread(self) -> int:
        """How many values wait to be read (npm)."""
        return len(self._client.host.events.get((self._client.name, self.name), ()))

    def retry(self) -> None:
        """Render a component anew that threw; the other clients need not."""
        if self._client.leg.is_npm:
            self._client.order("retry", sub=self.name).done()

    def load_more(self, items: int) -> None:
        """Ask for the next page."""
        self._client.order("loadMore", sub=self.name, items=items).done()

    def unsubscribe(self) -> None:
        """Stop watching."""
        self._client.order("unsubscribe", sub=self.name).done()

    def _next(self, within_s: float) -> Told:
        if self._client.leg.is_npm:
            return self._client._event(self.name, "an update", within_s)
        return self._client.order("next", sub=self.name).done(within_s)
