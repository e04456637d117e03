"""Carries erasures out: walks through all rows, clears the log, drops the past, shreds the files.

Rows are looked for by the bytes of the name in the store itself, so that none is missed for want
of an index, and changed by mutations, so that each change commits like any other. A walk is done
again until it finds nothing to change; a process that stops in the middle begins with a walk.

Invariant: an erasure counts as done only after the log up to it holds no trace, the past before it
cannot be read, and the files have been written anew.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol, cast

import msgspec

from hubify.functions.backend import Backend, Call
from hubify.functions.erasing import StorageFailed, Subject, Traces
from hubify.functions.principal import SYSTEM
from hubify.values.durations import NS_PER_MS
from hubify.values.errors import AppError, Conflict, TooLarge
from hubify.values.ids import RowId, encode_id
from hubify.values.keys import encode_component

log = logging.getLogger("hubify.erasing")

SETTLE_S = 660.0
"""Longer than any call that was under way when the erasure was asked for (an action: 600 s)."""
LOOK_EVERY_S = 30.0
AGAIN_S = 1.0  # after a refusal: of the store, or because somebody writes just then
WALKED_ROWS = 500
ERASED_ROWS = 200
CLEARED_RECORDS = 500
PRUNED = 500
READ_BATCHES = 50
MOST_TURNS = MOST_WALKS = 100
MS_PER_S = 1_000

Quietly = Callable[[Callable[[], bool]], Awaitable[bool]]


class Erasure(Protocol):
    """What is needed of an erasure's row."""

    id: str
    state: str
    changed_at: int
    subject: Subject


class Batch(Protocol):
    """Rows, by number, and callers of which the log is to be cleared."""

    place: int
    numbers: tuple[int, ...]
    callers: tuple[str, ...]


class Wanted:
    """The names that are looked for, all of them in one row."""

    def __init__(self, names: Sequence[str]) -> None:
        self._bytes = [name.encode("utf-8", "surrogatepass") for name in names]
        self._words = [re.compile(rf"(?<!\w){re.escape(name)}(?!\w)") for name in names]

    def may_be_in(self, value: bytes) -> bool:
        """Whether a stored row has the names' bytes; quick, for every row of the store."""
        return all(name in value for name in self._bytes)

    def is_in(self, row: object) -> bool:
        """Whether the names stand in the row's texts as whole words: `ann` does not in `anna`."""
        texts = [*texts_of(msgspec.to_builtins(row, builtin_types=(bytes,), enc_hook=str))]
        return all(
            any(_has(text, word, name) for text in texts)
            for word, name in zip(self._words, self._bytes, strict=True)
        )


def texts_of(value: object) -> Iterator[str | bytes]:
    """Every text, and every run of bytes, in a value."""
    if isinstance(value, str | bytes):
        yield value
    elif isinstance(value, dict):
        for name, held in cast("dict[object, object]", value).items():
            yield from texts_of(name)
            yield from texts_of(held)
    elif isinstance(value, list | tuple):
        for held in cast("Sequence[object]", value):
            yield from texts_of(held)


def _has(text: str | bytes, word: re.Pattern[str], name: bytes) -> bool:
    return name in text if isinstance(text, bytes) else word.search(text) is not None


class EraseLoop:
    """Works on the erasures of one process's store."""

    def __init__(self, backend: Backend, quietly: Quietly, *, settle_s: float = SETTLE_S) -> None:
        """`quietly` runs something that takes its time while nothing is flushed."""
        self._backend = backend
        self._quietly = quietly
        self._database = backend.wiring.database
        self._settle_ms = int(settle_s * MS_PER_S)
        self._wake = asyncio.Event()
        for table in self._database.catalog.tables:
            if table.name == "erasures":
                backend.on_change(table.row_type, self._wake.set)

    async def run(self) -> None:
        """Work until cancelled; what fails is logged and tried again."""
        while True:
            self._wake.clear()
            try:
                wait_s = await self.step()
            except AppError as error:
                log.warning("an erasure waits: %s", error.message)
                wait_s = AGAIN_S
            except StorageFailed as error:
                log.warning("an erasure waits: %s", error)
                wait_s = AGAIN_S
            except Exception:
                log.exception("a round of erasing failed")
                wait_s = LOOK_EVERY_S
            try:
                await asyncio.wait_for(self._wake.wait(), wait_s)
            except TimeoutError:
                continue

    async def step(self) -> float:
        """Do what can be done now of every erasure; seconds until there may be more to do."""
        waits = [LOOK_EVERY_S]
        for erasure in self._ask("erasure:due", {}):
            match str(erasure.state):
                case "running" | "settling":
                    waits.append(await self._look_through(erasure))
                case "clearing":
                    await self._clear_log(erasure)
                    waits.append(0.0)
                case _:
                    waits.append(await self._shred(erasure))
        return min(waits)

    # Rows.

    async def _look_through(self, erasure: Erasure) -> float:
        """Walk until nothing is found to change; seconds until the next step."""
        due_ms = erasure.changed_at + self._settle_ms
        if str(erasure.state) == "settling" and self._now_ms() < due_ms:
            return min(LOOK_EVERY_S, (due_ms - self._now_ms()) / MS_PER_S)
        kept: dict[str, int] = {}
        for _ in range(MOST_WALKS):
            kept.clear()
            if not await self._walk(erasure, kept):
                break
        else:
            log.error(
                "erasure %s: rows change anew in every walk; an eraser is at fault", erasure.id
            )
            return LOOK_EVERY_S
        told = {"erasure_id": erasure.id, "kept": kept, "settle_ms": self._settle_ms}
        state = await self._do("erasure:endWalk", told)
        return AGAIN_S if str(state) == "settling" else 0.0

    async def _walk(self, erasure: Erasure, kept: dict[str, int]) -> int:
        """Look at each row of each table once; how many rows were changed."""
        wanted = Wanted(erasure.subject.names)
        changed = 0
        for table in self._database.catalog.tables:
            after = 0
            while rows := self._database.engine.rows(table.number, after=after, limit=WALKED_ROWS):
                found = [
                    encode_id(table.number, number)
                    for number, version in rows
                    if wanted.may_be_in(version.value) and wanted.is_in(table.decode(version.value))
                ]
                for start in range(0, len(found), ERASED_ROWS):
                    some = found[start : start + ERASED_ROWS]
                    changed += await self._erase(erasure, table.name, some)
                if found:
                    kept[table.name] = kept.get(table.name, 0) + len(found)
                after = rows[-1][0]
                await asyncio.sleep(0)
        return changed

    async def _erase(self, erasure: Erasure, table: str, ids: list[RowId], turn: int = 0) -> int:
        """Change some rows; how many.

        Fewer at once where they are too much for one mutation; one by one and under other
        pseudonyms where they were written so late that the usual ones are taken.
        """
        told = {"erasure_id": erasure.id, "table": table, "ids": ids, "turn": turn}
        try:
            return await self._do("erasure:eraseRows", told)
        except TooLarge:
            if len(ids) == 1:
                raise
        except Conflict:
            if len(ids) == 1:
                if turn == MOST_TURNS:
                    raise
                return await self._erase(erasure, table, ids, turn + 1)
        half = len(ids) // 2
        first = await self._erase(erasure, table, ids[:half], turn)
        return first + await self._erase(erasure, table, ids[half:], turn)

    # The log.

    async def _clear_log(self, erasure: Erasure) -> None:
        """Take the subject's traces out of the whole log up to now."""
        traces = self._traces_of(erasure)
        until, done = self._database.head, 0
        while done < until:
            reached = self._database.engine.erase(
                traces, after=done, until=until, limit=CLEARED_RECORDS
            )
            await asyncio.sleep(0.001 if reached == done else 0)
            done = reached
        await self._do("erasure:forgetSubject", {"erasure_id": erasure.id})

    def _traces_of(self, erasure: Erasure) -> Traces:
        """What of the log is the subject's."""
        names = tuple(encode_component(name) for name in erasure.subject.names)
        rows: set[int] = set()
        callers: set[str] = set()
        place = 0
        while batches := self._written(erasure, place):
            for batch in batches:
                rows.update(batch.numbers)
                callers.update(batch.callers)
            place = batches[-1].place + 1
        return Traces(rows, names, callers)

    def _written(self, erasure: Erasure, place: int) -> list[Batch]:
        told = {"erasure_id": erasure.id, "place": place, "limit": READ_BATCHES}
        return self._ask("erasure:writtenRows", told)

    # The past, and the files.

    async def _shred(self, erasure: Erasure) -> float:
        """Drop the past up to now and write the files anew; seconds until the next try."""
        head = self._database.head
        before_ms = head // NS_PER_MS + 1
        if self._now_ms() <= before_ms:
            return 2 / MS_PER_S  # so that the head does not lie before the history that is kept
        await self._do("system:forgetBefore", {"ms": before_ms})
        self._database.oldest = max(self._database.oldest, head)
        dropped = PRUNED
        while dropped:  # what is left because somebody writes, `shred` finds
            dropped = self._database.prune(head, PRUNED)
            await asyncio.sleep(0)
        if not await self._quietly(partial(self._database.engine.shred, head)):
            return AGAIN_S
        await self._do("erasure:finish", {"erasure_id": erasure.id})
        log.info("erasure %s is done", erasure.id)
        return 0.0

    def _now_ms(self) -> int:
        return self._backend.wiring.runtime.wall_ns() // NS_PER_MS

    def _ask(self, path: str, arguments: dict[str, Any]) -> Any:
        return self._backend.query(
            Call(path, arguments, SYSTEM, charged=False), internal=True
        ).value

    async def _do(self, path: str, arguments: dict[str, Any]) -> Any:
        call = Call(path, arguments, SYSTEM, charged=False)
        return (await self._backend.mutation(call, internal=True)).value
