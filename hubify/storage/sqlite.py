"""The engine on one SQLite file: the default store of a server.

The owner's thread runs the statements of a batch inside one transaction (`append`); the seal is
COMMIT alone, so another thread can wait for the disk. Reads have a connection of their own and so
never see a staged batch. Two processes may open one file: `append` takes SQLite's write lock and
compares the head under it. What stood before is moved aside in the same transaction.

Invariant: when a call raises `StorageFailed`, nothing of its batch is in the file, now or after a
restart. A COMMIT whose flush failed may leave a whole transaction behind the end of the write-ahead
log, where a recovery would find it: `CUT` writes over it at once, as the next batch would. If the
disk refuses that too the message says that the outcome is in doubt until something is written.
"""

# apsw's types name `collections.abc.Buffer`, which is complete from Python 3.12 on.
# pyright: reportUnknownMemberType=false

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from hubify.storage import sqlite_file
from hubify.storage.engine import (
    Commit,
    Entry,
    HeadMoved,
    RowWrite,
    Seal,
    StorageFailed,
    Traces,
    Version,
    check_order,
    without_traces,
)
from hubify.storage.sqlite_file import LogKeeper, explained, explaining
from hubify.values.interval import Interval

Run = Callable[..., Any]  # a statement and its values; what comes back, the statement says

HEAD: Final = "SELECT max(ts) FROM log"
GET: Final = "SELECT since, value FROM rows WHERE id = ?"
GET_PAST: Final = (
    "SELECT since, value FROM past_rows WHERE id = ? AND until > ? ORDER BY until LIMIT 1"
)
SCAN: Final = """
    SELECT e.key, e.id, r.since, r.value FROM entries AS e CROSS JOIN rows AS r ON r.id = e.id
    WHERE e.idx = ? AND e.key >= ? AND e.key < ? ORDER BY e.key LIMIT ?"""
SCAN_PAST: Final = """
    SELECT m.key, m.id, coalesce(r.since, p.since), coalesce(r.value, p.value) FROM (
        SELECT key, id FROM entries
        WHERE idx = ?1 AND key >= ?2 AND key < ?3 AND since <= ?5
        UNION ALL
        SELECT key, id FROM past_entries
        WHERE idx = ?1 AND key >= ?2 AND key < ?3 AND since <= ?5 AND until > ?5
        ORDER BY key LIMIT ?4
    ) AS m
    LEFT JOIN rows AS r ON r.id = m.id AND r.since <= ?5
    LEFT JOIN past_rows AS p ON r.id IS NULL AND p.seq = (
        SELECT seq FROM past_rows WHERE id = m.id AND until > ?5 ORDER BY until LIMIT 1
    )
    ORDER BY m.key"""
SCAN_BACK: Final = SCAN.replace("key LIMIT", "key DESC LIMIT")
SCAN_PAST_BACK: Final = SCAN_PAST.replace("key LIMIT", "key DESC LIMIT") + " DESC"
ROWS: Final = "SELECT id, since, value FROM rows WHERE tbl = ? AND id > ? ORDER BY id LIMIT ?"
TAIL: Final = """
    SELECT ts, function, caller, record FROM log WHERE ts > ? AND ts <= ? ORDER BY ts LIMIT ?"""

INSERT_ROW: Final = "INSERT INTO rows (id, tbl, since, value) VALUES (?, ?, ?, ?)"
UPDATE_ROW: Final = "UPDATE rows SET since = ?, value = ? WHERE id = ?"
DELETE_ROW: Final = "DELETE FROM rows WHERE id = ?"
MOVE_ROW: Final = """
    INSERT INTO past_rows (id, until, since, value)
    SELECT id, ?, since, value FROM rows WHERE id = ?"""
INSERT_ENTRY: Final = "INSERT INTO entries (idx, key, id, since) VALUES (?, ?, ?, ?)"
DELETE_ENTRY: Final = "DELETE FROM entries WHERE idx = ? AND key = ?"
MOVE_ENTRY: Final = """
    INSERT INTO past_entries (idx, key, until, since, id)
    SELECT idx, key, ?, since, id FROM entries WHERE idx = ? AND key = ?"""
INSERT_LOG: Final = "INSERT INTO log (ts, function, caller, record) VALUES (?, ?, ?, ?)"
PRUNE_ROWS: Final = """
    DELETE FROM past_rows WHERE seq <= (
        SELECT max(seq) FROM (SELECT seq, until FROM past_rows ORDER BY seq LIMIT ?)
        WHERE until <= ?)"""
PRUNE_ENTRIES: Final = PRUNE_ROWS.replace("past_rows", "past_entries")
OLDEST_ROW: Final = "SELECT until FROM past_rows ORDER BY seq LIMIT 1"
OLDEST_ENTRY: Final = OLDEST_ROW.replace("past_rows", "past_entries")
UPDATE_LOG: Final = "UPDATE log SET caller = ?, record = ? WHERE ts = ?"
# Writing the mark anew changes nothing and writes one page over the end of the write-ahead log.
CUT: Final = f"PRAGMA application_id = {sqlite_file.APPLICATION}"
IN_DOUBT: Final = "should the server die before the disk mends, the write may yet appear"

ASKED_S: Final = 0.02  # how long another process may be at it before the file is not free

END_OF_TIME: Final = 2**63 - 1

encode_record = msgspec.msgpack.Encoder().encode
decode_record = msgspec.msgpack.Decoder(tuple[RowWrite, ...]).decode


def record_of(commit: Commit) -> bytes:
    """What the log keeps of a commit's writes: everything but the bytes of the rows."""
    return encode_record(
        [(row.table, row.id, None, None, row.removed, row.added) for row in commit.writes]
    )


class SqliteEngine:
    """One process's handle on a database file (see the `Engine` contract for the methods)."""

    def __init__(self, path: Path, *, busy_timeout_s: float = 5.0, vfs: str | None = None) -> None:
        """Open the file, or make it; `vfs` names a registered SQLite VFS (to inject faults).

        Raises:
            StorageFailed: the library is too old, or the file is not ours, of another form,
                damaged, or cannot be opened.

        """
        sqlite_file.check_library(apsw.sqlite_lib_version())
        self._connect = connect = partial(sqlite_file.connect, path, vfs=vfs)
        with explaining():
            self._writer = connect(busy_timeout_s=busy_timeout_s, flush=True)
            sqlite_file.make_or_check(self._writer, busy_timeout_s=busy_timeout_s)
            self._reader = connect(busy_timeout_s=busy_timeout_s, flush=True)
            # What is pruned may come back after a power cut; it is not worth a flush.
            self._pruner = connect(busy_timeout_s=0, flush=False)
            self._asker = connect(busy_timeout_s=min(busy_timeout_s, ASKED_S), flush=False)
        self._log = LogKeeper(self._writer, busy_timeout_s=busy_timeout_s)
        self._write: Run = self._writer.cursor().execute
        self._read: Run = self._reader.cursor().execute
        self._prune: Run = self._pruner.cursor().execute
        self._writing = threading.Lock()
        self._staged: object | None = None
        # While a batch is staged, reads answer as of the head before it: COMMIT may already have
        # happened on the seal's thread without the owner knowing.
        self._ceiling: int | None = None
        self._seen_version, self._seen_head = -1, 0  # the head in one state of the file

    def head(self) -> int:
        """See `Engine.head`."""
        if (ceiling := self._ceiling) is not None:
            return ceiling
        with explaining():
            newest: int | None = self._read(HEAD).get
        return newest or 0

    def get(self, number: int, at: int | None = None) -> Version | None:
        """See `Engine.get`."""
        if at is None:
            at = self._ceiling
        try:
            found = self._read(GET, (number,)).get
            if at is not None and (found is None or found[0] > at):
                found = self._read(GET_PAST, (number, at)).get
                if found is not None and found[0] > at:
                    return None
        except apsw.Error as error:
            raise explained(error) from error
        except OverflowError:  # no row has a number beyond 64 bits
            return None
        return None if found is None else Version._make(found)

    def scan(
        self,
        index: int,
        span: Interval,
        *,
        limit: int,
        reverse: bool = False,
        at: int | None = None,
    ) -> list[Entry]:
        """See `Engine.scan`."""
        if limit < 1:
            return []
        if at is None:
            at = self._ceiling
        bounds = (index, span.start, span.end, limit)
        past = at is not None and at < self._seen_head  # a head never falls back
        found: list[tuple[bytes, int, int, bytes]] = []
        try:
            if not past:
                found = self._read(SCAN_BACK if reverse else SCAN, bounds).fetchall()
                past = at is not None and not self._was_newest(at)
            if past:
                sql = SCAN_PAST_BACK if reverse else SCAN_PAST
                found = self._read(sql, (*bounds, at)).fetchall()
        except apsw.Error as error:
            raise explained(error) from error
        return list(map(Entry._make, found))

    def rows(self, table: int, *, after: int, limit: int) -> list[tuple[int, Version]]:
        """See `Engine.rows`."""
        with explaining():
            found = self._read(ROWS, (table, after, max(limit, 0))).fetchall()
        return [(number, Version(since, value)) for number, since, value in found]

    def tail(self, after: int, limit: int) -> list[Commit]:
        """See `Engine.tail`."""
        until = END_OF_TIME if (ceiling := self._ceiling) is None else ceiling
        with explaining():
            found = self._read(TAIL, (after, until, max(limit, 0))).fetchall()
        return [_commit_of(*record) for record in found]

    def is_free(self) -> bool:
        """See `Engine.is_free`."""
        with self._writing, explaining():
            if self._staged is not None:
                return False
            try:
                self._asker.execute("BEGIN IMMEDIATE")
                self._asker.execute("ROLLBACK")
            except apsw.BusyError:
                return False
        return True

    def append(self, after: int, commits: Sequence[Commit]) -> Seal:
        """See `Engine.append`."""
        check_order(after, commits)
        with self._writing:
            if self._staged is not None:
                raise RuntimeError("a batch is staged; seal it before the next one")
            try:
                self._begin(after)
                for commit in commits:
                    self._stage(commit)
            except apsw.ConstraintError as error:
                self._roll_back()
                raise ValueError(f"the batch contradicts the store: {error}") from error
            except apsw.Error as error:
                self._roll_back()
                raise explained(error) from error
            except BaseException:
                self._roll_back()
                raise
            self._ceiling = after
            self._staged = batch = object()
        return partial(self._seal, batch, commits[-1].ts)

    def prune(self, before: int, limit: int) -> int:
        """See `Engine.prune`."""
        dropped = 0
        with explaining():
            try:
                with self._pruner as pruner:
                    for sql in (PRUNE_ROWS, PRUNE_ENTRIES):
                        pruner.execute(sql, (max(limit - dropped, 0), before))
                        dropped += pruner.changes()
            except apsw.BusyError:  # a batch is staged, here or in another process
                return 0
        return dropped

    def erase(self, traces: Traces, *, after: int, until: int, limit: int) -> int:
        """See `Engine.erase`."""
        found: list[tuple[int, str, str, bytes]] = []
        if limit < 1:
            return after
        with explaining():
            try:
                with self._pruner:
                    found = self._prune(TAIL, (after, until, limit + 1)).fetchall()
                    for record in found[:limit]:
                        commit = _commit_of(*record)
                        cleared = without_traces(commit, traces)
                        if cleared is not commit:
                            self._prune(
                                UPDATE_LOG, (cleared.caller, record_of(cleared), cleared.ts)
                            )
            except apsw.BusyError:  # a batch is staged, here or in another process
                return after
        return found[limit - 1][0] if len(found) > limit else max(after, until)

    def shred(self, before: int) -> bool:
        """See `Engine.shred`.

        What SQLite frees it may keep in the page, and what moved between pages it keeps in both,
        even with `secure_delete`; so the file is written anew, and the log ahead of it emptied.
        """
        with explaining():
            shredder = self._connect(busy_timeout_s=0, flush=True)  # another thread has the others
            try:
                for oldest in (OLDEST_ROW, OLDEST_ENTRY):
                    until: int | None = shredder.execute(oldest).get
                    if until is not None and until <= before:
                        return False
                shredder.execute("VACUUM")
                shredder.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            except apsw.BusyError:  # a batch is staged, or somebody reads
                return False
            finally:
                shredder.close()
        return True

    def close(self) -> None:
        """See `Engine.close`."""
        with self._writing:
            self._staged = self._ceiling = None
            for connection in (self._asker, self._pruner, self._reader, self._writer):
                connection.close()

    def _was_newest(self, at: int) -> bool:
        """Whether the last read saw the state `at`: no later commit was in it.

        The version is the reader's own and moves only when a read finds the file changed, so it
        names the very state that the last read saw.
        """
        version = self._reader.data_version()
        if version != self._seen_version:
            head: int = self._read(HEAD).get or 0
            if self._reader.data_version() != version:
                return False
            self._seen_version, self._seen_head = version, head
        return at >= self._seen_head

    # Writing.

    def _begin(self, after: int) -> None:
        if self._writer.in_transaction:
            self._write("ROLLBACK")
        self._write("BEGIN IMMEDIATE")
        head: int = self._write(HEAD).get or 0
        if head != after:
            raise HeadMoved(f"the head is {head}, not {after}")

    def _stage(self, commit: Commit) -> None:
        write, ts = self._write, commit.ts
        for row in commit.writes:
            if row.before != row.after:
                self._stage_row(row, ts)
            for entry in row.removed:
                write(MOVE_ENTRY, (ts, *entry))
                self._check_moved(entry)
                write(DELETE_ENTRY, entry)
        for row in commit.writes:
            for index, key in row.added:
                write(INSERT_ENTRY, (index, key, row.id, ts))
        write(INSERT_LOG, (ts, commit.function, commit.caller, record_of(commit)))

    def _stage_row(self, row: RowWrite, ts: int) -> None:
        if row.before is None:
            self._write(INSERT_ROW, (row.id, row.table, ts, row.after))
            return
        self._write(MOVE_ROW, (ts, row.id))
        self._check_moved(row.id)
        if row.after is None:
            self._write(DELETE_ROW, (row.id,))
        else:
            self._write(UPDATE_ROW, (ts, row.after, row.id))

    def _check_moved(self, what: object) -> None:
        if self._writer.changes() != 1:
            raise ValueError(f"the batch contradicts the store: {what} is not there")

    def _seal(self, batch: object, last: int) -> None:
        with self._writing:
            if self._staged is not batch:
                raise StorageFailed("the batch was dropped before its seal; append it again")
            try:
                self._write("COMMIT")
            except apsw.Error as error:
                if failed := self._failed_commit(error, last):
                    raise failed from error
            else:
                self._log.tidy()
            finally:
                self._staged = self._ceiling = None

    def _failed_commit(self, error: apsw.Error, last: int) -> StorageFailed | None:
        """Take a batch whose COMMIT failed out of the file, and say so; None if it is whole."""
        self._roll_back()
        failed = explained(error)
        try:
            self._write(CUT)
            return None if self._write(HEAD).get == last else failed
        except apsw.Error:
            return StorageFailed(f"{failed}; {IN_DOUBT}")

    def _roll_back(self) -> None:
        with suppress(apsw.Error):  # the next `append` tries again before it begins
            if self._writer.in_transaction:
                self._write("ROLLBACK")


def _commit_of(ts: int, function: str, caller: str, record: bytes) -> Commit:
    return Commit(ts, function, caller, decode_record(record))
