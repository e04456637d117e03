"""What a sync session needs from whoever runs the functions.

Invariant: nothing here waits. While a session takes its turn the head does not move, so all results
that it reads then are true at one timestamp.
"""

from collections.abc import Callable
from typing import Protocol

from hubify.functions.backend import Call
from hubify.functions.principal import Principal
from hubify.values.errors import AppError
from hubify.wire.results import CallResult, LiveResult

Done = Callable[[CallResult], None]


class LiveQuery(Protocol):
    """One session's hold on a query and its arguments."""

    def result(self) -> LiveResult:
        """The result at the head; runs the query again when a commit has made it stale."""
        ...

    def detach(self) -> None:
        """Let go; `on_stale` is not called any more."""
        ...


class Host(Protocol):
    """Runs functions. Paths are canonical; results are wire text."""

    def head(self) -> int:
        """Timestamp of the newest durable commit (nanoseconds since 1970)."""
        ...

    def authenticate(self, token_type: str, value: str, address: str) -> Principal:
        """Who shows this credential: `token_type` is `User`, `Admin` or `None` (then anonymous).

        Raises:
            AppError: `Unauthenticated` when the credential is wrong; another kind when it cannot be
                told now, so that the client keeps it and tries again.

        """
        ...

    def watch_identity(
        self, principal: Principal, value: str, ended: Callable[[AppError], None]
    ) -> Callable[[], None]:
        """Call `ended` once when the credential is revoked or expires; returns how to stop that."""
        ...

    def attach(self, call: Call, journal: str | None, on_stale: Callable[[], None]) -> LiveQuery:
        """Watch a query. `on_stale` may be called at any time, during a turn too.

        Raises:
            AppError: there is no such query, its arguments are wrong, or the allowance is used up.

        """
        ...

    def start_mutation(self, call: Call, session_id: str, request_id: int, done: Done) -> None:
        """Run a mutation, once for each (session, request). `done` comes when it is durable.

        It has run when this returns, so what is started next sees its effect.

        `done` may be called before this returns. When it is called with a timestamp, `head()` has
        reached that timestamp.
        """
        ...

    def start_action(self, call: Call, done: Done) -> None:
        """Run an action; `done` may be called before this returns."""
        ...
