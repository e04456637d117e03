"""The queries that one client watches, and which of their results it has not been told.

Invariant: a query is either due (to be run), news (run, and not told yet) or told; what is told was
true at one head together with everything told before it. A result equal to the one told last is not
told again.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from hubify.functions.backend import Call
from hubify.functions.principal import Principal
from hubify.transports.sync.frames import Digests
from hubify.transports.sync.host import Host, LiveQuery
from hubify.transports.sync.room import Room
from hubify.values import limits
from hubify.values.errors import AppError, InternalError, TooLarge, Unavailable
from hubify.values.values import Value
from hubify.wire.calls import parse_arguments, read_path
from hubify.wire.convex_json import count_values
from hubify.wire.limits import MAX_WATCHED_BYTES, MAX_WATCHED_VALUES
from hubify.wire.results import LiveResult, live_refusal
from hubify.wire.server_texts import query_removed, query_result
from hubify.wire.sync_messages import Add, ProtocolViolation

ALLOWED_BYTES = 64 * 1024  # of one session's arguments, however much others hold
REMOVED = b""
MAX_SHOWN_BYTES = 2 * limits.MAX_ANSWER_BYTES  # of all results that one client is shown


class Size(NamedTuple):
    """What arguments take up: bytes of their text, values in them."""

    size_bytes: int
    values: int


NOTHING = Size(0, 0)


class Refused:
    """A query that cannot be run, which fails the same way until it is removed."""

    def __init__(self, error: AppError) -> None:
        self._result = live_refusal(error)

    def result(self) -> LiveResult:
        """The refusal."""
        return self._result

    def detach(self) -> None:
        """Nothing is held."""


class Watched:
    """One query of the set: what it asks, and the digest of what the client knows of it."""

    __slots__ = (
        "arguments",
        "charged",
        "fixed",
        "journal",
        "live",
        "path",
        "shown",
        "size",
        "told",
    )

    def __init__(
        self, path: str, arguments: dict[str, Value], journal: str | None, size: Size
    ) -> None:
        self.path = path
        self.arguments = arguments
        self.journal = journal
        self.size = size
        self.live: LiveQuery | None = None
        self.told: bytes | None = None
        self.charged = True
        self.fixed = False
        self.shown = 0


class QuerySet:
    """All queries of one session."""

    def __init__(
        self,
        host: Host,
        address: str,
        on_due: Callable[[], None],
        on_fault: Callable[[Exception], None],
        room: Room,
    ) -> None:
        """`on_fault` hears of a fault of the host's, which fails the one query that met it.

        `room` is what the arguments of all sessions share.
        """
        self._host = host
        self._address = address
        self._on_due = on_due
        self._on_fault = on_fault
        self._room = room
        self._size = NOTHING
        self._shown_bytes = 0
        self._watched: dict[int, Watched] = {}
        self._due: dict[int, None] = {}
        self._news: dict[int, LiveResult] = {}
        self._removed: dict[int, None] = {}
        self._passing: set[int] = set()

    def __len__(self) -> int:
        return len(self._watched)

    @property
    def settled(self) -> bool:
        """Whether every query has a result that is true at the head."""
        return not self._due

    def add(self, message: Add, *, charged: bool = True) -> None:
        """Watch a query; what is wrong with it becomes its result.

        `charged`: it draws on the caller's allowance when it is asked, once.

        Raises:
            ProtocolViolation: the id is in use.

        """
        query_id = message.query_id
        if query_id in self._watched:
            raise ProtocolViolation(f"query {query_id} is being watched already")
        self._removed.pop(query_id, None)
        watched = self._watched[query_id] = self._read(message)
        watched.charged = charged
        self._due[query_id] = None

    def remove(self, query_id: int) -> None:
        """Stop watching; an id that is not watched is let be."""
        watched = self._watched.pop(query_id, None)
        if watched is None:
            return
        self._hold(NOTHING, watched.size)
        self._shown_bytes -= watched.shown
        self._let_go(watched)
        self._due.pop(query_id, None)
        self._news.pop(query_id, None)
        self._passing.discard(query_id)
        self._removed[query_id] = None

    def ask_anew(self) -> None:
        """Ask every query again, for another caller."""
        for query_id, watched in self._watched.items():
            if watched.live is not None and not watched.fixed:
                self._let_go(watched)
                self._due[query_id] = None

    def try_again(self) -> bool:
        """Ask again what was refused for a passing reason; whether there was any."""
        again, self._passing = self._passing, set()
        for query_id in again:
            watched = self._watched[query_id]
            if isinstance(watched.live, Refused):
                self._let_go(watched)
            self._due[query_id] = None
        return bool(again)

    def run_due(
        self, principal: Principal, refusal: AppError | None, may_go_on: Callable[[], bool]
    ) -> None:
        """Run due queries until all are settled, or until `may_go_on` says to stop for now."""
        while self._due:
            query_id, _ = self._due.popitem()
            watched = self._watched[query_id]
            if watched.live is None:
                watched.live = self._attach(query_id, watched, principal, refusal)
            result = self._news[query_id] = self._fitting(watched, self._run(watched.live))
            watched.journal = result.journal or watched.journal
            if result.passing and not watched.fixed:
                self._passing.add(query_id)
            if self._due and not may_go_on():
                return

    def take_news(self) -> tuple[Digests, Callable[[], list[bytes]]]:
        """What to tell now: digests that stand for it, and how to write it."""
        removed, self._removed = self._removed, {}
        news, self._news = self._news, {}
        digests = [(query_id, REMOVED) for query_id in removed]
        changed: list[tuple[int, LiveResult]] = []
        for query_id, result in sorted(news.items()):
            watched = self._watched[query_id]
            if watched.told != result.digest:
                watched.told = result.digest
                digests.append((query_id, result.digest))
                changed.append((query_id, result))

        def modifications() -> list[bytes]:
            return [*map(query_removed, removed), *(query_result(*each) for each in changed)]

        return tuple(digests), modifications

    def end(self) -> None:
        """Let go of everything."""
        for watched in self._watched.values():
            self._let_go(watched)
        self._hold(NOTHING, self._size)
        self._shown_bytes = 0
        for kept in (self._watched, self._due, self._news, self._removed, self._passing):
            kept.clear()

    def check(self) -> None:
        """Assert what always holds between turns."""
        watched = self._watched.keys()
        assert self._due.keys() | self._news.keys() | self._passing <= watched
        assert not self._removed.keys() & watched
        sizes = [each.size for each in self._watched.values()]
        assert self._size == Size(sum(size[0] for size in sizes), sum(size[1] for size in sizes))
        assert self._shown_bytes == sum(each.shown for each in self._watched.values())
        for query_id, each in self._watched.items():
            assert each.live is not None or query_id in self._due, f"query {query_id} is forgotten"
            pending = query_id in self._due or query_id in self._news
            assert each.told is not None or pending, f"query {query_id} is never told"

    def _read(self, message: Add) -> Watched:
        try:
            if len(self._watched) >= limits.MAX_QUERIES_PER_SOCKET:
                raise _too_many()
            size = _size_of(message)
            self._check_room(size)
            arguments = parse_arguments(message.args)
            path = read_path(message.udf_path, message.component_path)
        except AppError as error:
            watched = Watched("", {}, None, NOTHING)
            watched.live, watched.fixed = Refused(error), True
            return watched
        self._hold(size, NOTHING)
        return Watched(path, arguments, message.journal, size)

    def _check_room(self, more: Size) -> None:
        size_bytes, values = (
            self._size.size_bytes + more.size_bytes,
            self._size.values + more.values,
        )
        if size_bytes > MAX_WATCHED_BYTES or values > MAX_WATCHED_VALUES:
            raise _too_much()
        if size_bytes > ALLOWED_BYTES and not self._room.has(more.size_bytes):
            raise Unavailable(
                "the server holds as many arguments of live queries as it can; "
                "watch with shorter ones, or try again later"
            )

    def _hold(self, more: Size, less: Size) -> None:
        self._size = Size(
            self._size.size_bytes + more.size_bytes - less.size_bytes,
            self._size.values + more.values - less.values,
        )
        self._room.take(more.size_bytes - less.size_bytes)

    def _attach(
        self, query_id: int, watched: Watched, principal: Principal, refusal: AppError | None
    ) -> LiveQuery:
        if refusal is not None:
            return Refused(refusal)
        call = Call(
            watched.path, watched.arguments, principal, self._address, charged=watched.charged
        )
        try:
            live = self._host.attach(call, watched.journal, partial(self._stale, query_id))
        except AppError as error:
            return Refused(error)
        except Exception as fault:  # noqa: BLE001 - told, and answered
            return self._failed(fault)
        watched.charged = False
        return live

    def _fitting(self, watched: Watched, result: LiveResult) -> LiveResult:
        """The result, or that there is no room for it beside those that the client is shown."""
        shown_bytes = self._shown_bytes + len(result.members) - watched.shown
        if shown_bytes > MAX_SHOWN_BYTES and len(result.members) > watched.shown:
            self._let_go(watched)
            watched.live = Refused(_too_much_shown())
            result = watched.live.result()
            shown_bytes = self._shown_bytes + len(result.members) - watched.shown
        self._shown_bytes, watched.shown = shown_bytes, len(result.members)
        return result

    def _run(self, live: LiveQuery) -> LiveResult:
        try:
            return live.result()
        except Exception as fault:  # noqa: BLE001 - told, and answered
            return self._failed(fault).result()

    def _failed(self, fault: Exception) -> Refused:
        self._on_fault(fault)
        return Refused(InternalError("internal error; the server's log has it"))

    def _let_go(self, watched: Watched) -> None:
        live, watched.live = watched.live, None
        if live is not None:
            live.detach()

    def _stale(self, query_id: int) -> None:
        if query_id in self._watched:
            self._due[query_id] = None
            self._on_due()


def _too_many() -> TooLarge:
    most = limits.MAX_QUERIES_PER_SOCKET
    return TooLarge(f"more than {most} live queries on one connection; stop watching some")


def _too_much() -> TooLarge:
    return TooLarge(
        f"the live queries of one connection may have {MAX_WATCHED_BYTES} bytes and "
        f"{MAX_WATCHED_VALUES} values of arguments in all; stop watching some, or send less"
    )


def _too_much_shown() -> TooLarge:
    return TooLarge(
        f"the live queries of one connection may show {MAX_SHOWN_BYTES} bytes in all; "
        "stop watching some and watch this one again, or ask for less"
    )


def _size_of(message: Add) -> Size:
    text = bytes(message.args)
    return Size(len(text), count_values(text, MAX_WATCHED_VALUES))
