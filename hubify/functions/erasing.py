"""Taking a person out of rows: whom, what stands in for each name, and what becomes of each row.

Each domain declares one eraser for each of its tables: a function that answers a row without the
person, or that the table names nobody. Names become pseudonyms, always the same one for the same
name, so that counts per owner and everything calculated from them stay as they were.

Invariant: a pseudonym follows from the name and a key that is dropped at the end, so afterwards
nobody can tell whose it was; an eraser that is called again changes nothing more.
"""

import hmac
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import msgspec

from hubify.core.log import StorageFailed, Traces
from hubify.functions.closures import ClosedName
from hubify.functions.context import MutationCtx
from hubify.functions.replay import Answered
from hubify.functions.schedule import Cron, Job, Tick
from hubify.functions.sealing import KeyInUse
from hubify.values.rows import Row

__all__ = ["Eraser", "Erasers", "StorageFailed", "Subject", "Traces", "erasers"]

R = TypeVar("R", bound=Row)
V = TypeVar("V")
Eraser = Callable[[MutationCtx, Any, "Subject"], Row | None]

PSEUDONYM = "erased-"
PSEUDONYM_DIGITS = 16


class Subject(msgspec.Struct, frozen=True):
    """Who is erased: an owner with all its agents, or one agent of an owner.

    `turn` gives other pseudonyms, for rows written so late that the usual one is taken.
    """

    owner: str
    agent: str | None
    key: bytes
    turn: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The names that a row or key of the subject's holds, all of them."""
        return (self.owner,) if self.agent is None else (self.owner, self.agent)

    def is_in(self, text: str) -> bool:
        """Whether a text holds the names."""
        return all(name in text for name in self.names)

    def alias(self, name: str) -> str:
        """The pseudonym of a name of the subject's."""
        told = f"{self.turn}:{name}".encode("utf-8", "surrogatepass")
        return PSEUDONYM + hmac.digest(self.key, told, "sha256").hex()[:PSEUDONYM_DIGITS]

    def is_owner(self, owner: str | None) -> bool:
        """Whether this is the erased owner; never when one agent alone is erased."""
        return self.agent is None and owner == self.owner

    def was_owner(self, owner: str) -> bool:
        """Whether this is the erased owner, under its name or already under a pseudonym."""
        turns = (msgspec.structs.replace(self, turn=turn) for turn in range(self.turn + 1))
        pseudonyms = (subject.alias(self.owner) for subject in turns)
        return self.agent is None and (owner == self.owner or owner in pseudonyms)

    def covers(self, owner: str, agent: str | None) -> bool:
        """Whether what this agent of this owner did is the subject's."""
        return owner == self.owner and self.agent in (None, agent)

    def named(self, owner: V) -> V | str:
        """An owner's name as it is to stand from now on."""
        return self.alias(self.owner) if owner == self.owner and self.agent is None else owner

    def pair(self, owner: str, agent: str) -> tuple[str, str]:
        """An owner's and an agent's name as they are to stand; an empty agent stays empty."""
        if not self.covers(owner, agent):
            return owner, agent
        return str(self.named(owner)), self.alias(agent) if agent else agent

    def within(self, value: V) -> V:
        """A value of any shape, with the owner's name replaced where it is a whole text."""
        return cast("V", self._within(value))

    def _within(self, value: object) -> object:
        if isinstance(value, str):
            return self.named(value)
        if isinstance(value, dict):
            items = cast("dict[object, object]", value).items()
            return {self._within(name): self._within(held) for name, held in items}
        if isinstance(value, list):
            return [self._within(held) for held in cast("list[object]", value)]
        if isinstance(value, tuple):
            return tuple(self._within(held) for held in cast("tuple[object, ...]", value))
        return value


class Erasers:
    """What one page declares of its tables."""

    def __init__(self) -> None:
        self._by_type: dict[type[Row], Eraser] = {}

    def of(
        self, row_type: type[R]
    ) -> Callable[
        [Callable[[MutationCtx, R, Subject], R | None]],
        Callable[[MutationCtx, R, Subject], R | None],
    ]:
        """Declare how a row of this type is erased: what it becomes, or None to remove it.

        Called with rows that hold the names, not all of which are the subject's. It may write other
        rows of its domain; one that cannot finish at once answers the row and is called again.
        """

        def declare(
            eraser: Callable[[MutationCtx, R, Subject], R | None],
        ) -> Callable[[MutationCtx, R, Subject], R | None]:
            self._by_type[row_type] = eraser
            return eraser

        return declare

    def nobody(self, *row_types: type[Row]) -> None:
        """Declare that rows of these types name no owner and no agent."""
        self._by_type |= dict.fromkeys(row_types, _unchanged)

    @property
    def by_type(self) -> Mapping[type[Row], Eraser]:
        """Every declared eraser."""
        return self._by_type


def _unchanged(_ctx: MutationCtx, row: Row, _subject: Subject) -> Row:
    return row


erasers = Erasers()
"""For the tables of this layer."""
erasers.nobody(Cron, KeyInUse, Tick)
erasers.nobody(ClosedName)  # a closure goes when the rest has gone


@erasers.of(Job)
def erase_in_job(_ctx: MutationCtx, row: Job, subject: Subject) -> Job:
    """A job goes on with the pseudonym; who asked for it, and what it said of a failure, goes."""
    told = row.last_error or ""
    is_over = row.finished_at is not None
    return row.changed(
        arguments={} if is_over else subject.within(row.arguments),
        requested_by="erased" if subject.is_in(row.requested_by) else row.requested_by,
        last_error=None if subject.is_in(told) else row.last_error,
    )


@erasers.of(Answered)
def erase_in_answer(_ctx: MutationCtx, row: Answered, subject: Subject) -> Answered:
    """That a call was answered is kept, so that it does not happen twice; what was answered goes.

    So does an answer to somebody else that holds the name.
    """
    owner, agent = subject.pair(row.owner, row.agent or "")
    return row.changed(answer=b"", owner=owner, agent=agent or None)
