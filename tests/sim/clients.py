"""A client of the simulator: its wishes, its live queries, the badge it is known by.

Invariant: a wish is sent again, under the same session and number, until its outcome is heard.
"""

import itertools
from typing import Any, Protocol

import msgspec

from hubify.functions.backend import Answer, Call
from hubify.functions.identities import Guard
from hubify.functions.live import Watcher, as_result
from hubify.functions.principal import CallerKind, Principal
from hubify.functions.runs import run_query
from hubify.values.errors import AppError, Unauthenticated
from tests.sim.badges import secret_of, stands
from tests.sim.processes import REGISTRY, Process


class Wish(msgspec.Struct):
    """One mutation a client wants done, until it has heard that it was."""

    label: str
    path: str
    arguments: dict[str, Any]
    session: str
    request: int
    outcome: Answer | AppError | None = None
    asked_of: Process | None = None


class Seen(msgspec.Struct, frozen=True):
    """What a live query showed at a timestamp."""

    ts: int
    path: str
    arguments: dict[str, Any]
    owner: str
    members: bytes
    journal: str | None


class Listener(Protocol):
    """What a client tells the world."""

    seen: list[Seen]

    def send(self, wish: Wish, process: Process) -> None:
        """Submit a wish to a process."""
        ...


class Client:
    """A session, its wishes not yet answered, its live queries on one process."""

    def __init__(self, world: Listener, number: int) -> None:
        self.world = world
        self.owner = f"owner{number % 2}"
        self.session = f"session-{number}"
        self.requests = itertools.count()
        self.wishes: list[Wish] = []
        self.questions: list[tuple[str, dict[str, Any]]] = []
        self.journals: list[str | None] = []
        self.watchers: list[Watcher] = []
        self.process: Process | None = None
        self.badge: str | None = None
        self._guard: Guard | None = None

    def connect(self, process: Process) -> None:
        """(Re)connect: subscribe anew, send everything unanswered again."""
        self.leave()
        self.process = process
        if self._is_let_in():
            self._watch_all()
        for wish in self.wishes:
            self.world.send(wish, process)

    def ask(self, path: str, arguments: dict[str, Any]) -> None:
        """Add a live query."""
        self.questions.append((path, arguments))
        self.journals.append(None)
        if self.is_watching:
            self._watch(path, arguments, None)

    def become(self, owner: str) -> None:
        """Authenticate as somebody else: every query is asked anew on the same connection."""
        self.owner = owner
        if self.process is not None:
            self.connect(self.process)

    def wear(self, badge: str) -> None:
        """Be known by a badge from here on, and by nothing else when it is not good."""
        self.badge = badge
        if self.process is not None:
            self.connect(self.process)

    def leave(self) -> None:
        """Stop watching."""
        for watcher in self.watchers:
            watcher.detach()
        self.watchers = []
        if self._guard is not None and self.process is not None:
            self.process.identities.release(self._guard)
        self._guard = None

    @property
    def is_watching(self) -> bool:
        """Whether its process shows it anything."""
        return self.process is not None and (self.badge is None or self._guard is not None)

    def look(self) -> None:
        """One turn: show every live query at the durable head of its process."""
        if self.process is None or not self.is_watching:
            return
        assert self._badge_is(good=True), f"{self.badge} is over and goes on watching"
        ts = self.process.database.head
        for place, (path, arguments) in enumerate(self.questions):
            result = self.watchers[place].result()
            journal = None if result.failed else journal_of(result.members)
            assert self.journals[place] in (None, journal), "a page keeps its end"
            self.journals[place] = journal
            self.world.seen.append(Seen(ts, path, arguments, self.owner, result.members, journal))

    def _is_let_in(self) -> bool:
        if self.badge is None:
            return True
        assert self.process is not None, "a badge is shown to a process"
        try:
            self._guard = self.process.identities.guard(secret_of(self.badge), self._is_ended)
        except Unauthenticated:
            assert self._badge_is(good=False), f"{self.badge} is good and was not let in"
            return False
        return True

    def _is_ended(self, _error: Unauthenticated) -> None:
        assert self._badge_is(good=False), f"{self.badge} is good and was turned away"
        self._guard = None
        self.leave()

    def _badge_is(self, *, good: bool) -> bool:
        """Whether the badge is good, or is not, at the durable head; to wear none is good."""
        if self.badge is None or self.process is None:
            return good
        reader = self.process.database.begin_read(lambda: None)
        return stands(reader, self.badge) is good

    def _watch_all(self) -> None:
        for (path, arguments), journal in zip(self.questions, self.journals, strict=True):
            self._watch(path, arguments, journal)

    def _watch(self, path: str, arguments: dict[str, Any], journal: str | None) -> None:
        assert self.process is not None, "a client watches while connected"
        call = Call(path, arguments, principal(self.owner, self.session))
        self.watchers.append(self.process.backend.attach(call, journal, lambda: None))


def principal(owner: str, credential: str) -> Principal:
    """A caller that may do everything; its label in the log is the credential."""
    return Principal(CallerKind.KEY, owner, None, frozenset({"*"}), credential)


def journal_of(members: bytes) -> str | None:
    """The journal that a live result ends with."""
    return msgspec.json.decode(members.rpartition(b'"journal":')[2])


def shown_again(process: Process, seen: Seen) -> bytes:
    """What a process shows today of a query at the time at which it was seen.

    Raises:
        PastNotReadable: that past is kept no more.

    """
    spec = REGISTRY.find(seen.path)
    bound = spec.binding.bind(seen.arguments)
    caller = principal(seen.owner, "fresh")
    wiring = process.backend.wiring
    return as_result(
        run_query(wiring, spec, bound, caller, journal=seen.journal, at=seen.ts)
    ).members
