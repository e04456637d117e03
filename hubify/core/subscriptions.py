"""Who is to be told after a commit.

Invariant: a token whose read set overlaps a published commit is reported stale exactly once; a
commit costs what it touches and hits, not how many others are subscribed. Re-running instead of
maintaining results incrementally is decided in docs/decisions/0004; operators that maintain their
result would register here too, as another kind of token.
"""

from collections.abc import Iterable

from hubify.core.interval_map import IntervalMap
from hubify.core.reads import ReadSet
from hubify.storage.engine import Commit


class Token:
    """One subscription: a read set, held until it is stale or dropped."""

    __slots__ = ("reads",)

    def __init__(self, reads: ReadSet) -> None:
        self.reads = reads


NOBODY: frozenset[Token] = frozenset()


class Subscriptions:
    """All live tokens of a process, by what they read."""

    def __init__(self) -> None:
        self._by_row: dict[int, set[Token]] = {}
        self._by_index: dict[int, IntervalMap[Token]] = {}
        self._live: set[Token] = set()

    def __len__(self) -> int:
        return len(self._live)

    def add(self, token: Token) -> None:
        """Hold a token whose read set is true of the newest published commit."""
        self._live.add(token)
        for number in token.reads.rows:
            self._by_row.setdefault(number, set()).add(token)
        for index, spans in token.reads.spans.items():
            held = self._by_index.setdefault(index, IntervalMap())
            for span in spans:
                held.add(span, token)

    def drop(self, token: Token) -> None:
        """Forget a token; forgetting one that is already stale does nothing."""
        if token not in self._live:
            return
        self._live.discard(token)
        for number in token.reads.rows:
            holders = self._by_row[number]
            holders.discard(token)
            if not holders:
                del self._by_row[number]
        for index, spans in token.reads.spans.items():
            held = self._by_index[index]
            for span in spans:
                held.remove(span, token)
            if not held:
                del self._by_index[index]

    def publish(self, commits: Iterable[Commit]) -> set[Token]:
        """The tokens that these commits make stale; they are dropped here."""
        stale: set[Token] = set()
        for commit in commits:
            for write in commit.writes:
                stale |= self._by_row.get(write.id, NOBODY)
                for index, key in (*write.removed, *write.added):
                    held = self._by_index.get(index)
                    if held is not None:
                        stale.update(*held.stab(key))
        for token in stale:
            self.drop(token)
        return stale
