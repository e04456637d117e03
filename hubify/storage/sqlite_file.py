"""The database file of the SQLite engine: opening it, knowing it as ours, and explaining failures.

Invariant: a file is used only when its marks say that it is ours and of the form this program
writes, and only through a SQLite without the bug that could corrupt it.
"""

# apsw's types name `collections.abc.Buffer`, which is complete from Python 3.12 on.
# pyright: reportUnknownMemberType=false

import itertools
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Final

import apsw

from hubify.storage.engine import StorageFailed

# Before 3.51.3 two connections that write and checkpoint may corrupt a database in WAL mode
# (https://sqlite.org/wal.html, "The WAL-Reset Bug").
OLDEST_SQLITE: Final = (3, 51, 3)
APPLICATION: Final = int.from_bytes(b"Hubi", "big")  # PRAGMA application_id, marks the file as ours
FORM: Final = 1  # PRAGMA user_version, the form of schema.sql
PAGE_BYTES: Final = 4096  # measured: docs/decisions/0003-current-rows-and-moved-past.md
CACHE_KIB: Final = 16 * 1024  # of each connection, taken as needed
CHECKPOINT_PAGES: Final = 1_000  # in the write-ahead log, before a seal moves them home
CROWDED_PAGES: Final = 4_000  # readers kept it from ever being empty: wait for them
BUSY_PAUSE_S: Final = 0.0003  # between two tries for a lock; a flush holds it about so long
CROWDED_TIMEOUT_S: Final = 0.1  # writers wait meanwhile, so a reader that hangs must not stop them

# What to do about each failure; the first class that fits counts.
ADVICE: Final[tuple[tuple[type[apsw.Error], str], ...]] = (
    (apsw.FullError, "the disk is full: free some space (no restart is needed)"),
    (apsw.BusyError, "another process keeps the database locked: stop it, or try again"),
    (apsw.ReadOnlyError, "the database may not be written: mend the permissions of its files"),
    (apsw.CantOpenError, "the database cannot be opened: its directory must exist and be writable"),
    (apsw.NotADBError, "the file is not a database: restore a backup, or name another file"),
    (apsw.CorruptError, "the database is damaged: stop the server and restore a backup"),
    (apsw.IOError, "the disk refused to read or write: check it, and the space left on it"),
)


def check_library(version: str) -> None:
    """Refuse a SQLite that could corrupt the database.

    Raises:
        StorageFailed: it is older than `OLDEST_SQLITE`.

    """
    if tuple(map(int, version.split("."))) < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise StorageFailed(
            f"SQLite {version} can corrupt a database that two connections write; "
            f"install an apsw that brings SQLite {oldest} or later"
        )


class LogKeeper:
    """Keeps the write-ahead log of a writing connection short.

    A checkpoint that waits for nobody never empties the log while others read all the time. Past a
    length it therefore waits a moment for those who read the log (new readers then need it not);
    should one of them hang, the log grows by as much again before the next such wait.
    """

    def __init__(self, writer: apsw.Connection, *, busy_timeout_s: float) -> None:
        self._writer = writer
        self._usual, self._short = patience(busy_timeout_s), patience(CROWDED_TIMEOUT_S)
        self._pages = 0
        self._crowded = CROWDED_PAGES
        writer.set_wal_hook(self._grown)

    def tidy(self) -> None:
        """Move the log home when it is long; call after each COMMIT.

        It may fail without harm: what is in the log is durable, and the next call tries again.
        """
        if self._pages < CHECKPOINT_PAGES:
            return
        with suppress(apsw.Error):
            if self._pages < self._crowded:
                self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                return
            self._crowded = self._pages + CROWDED_PAGES
            self._writer.set_busy_handler(self._short)
            try:
                self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
                self._crowded = CROWDED_PAGES
            finally:
                self._writer.set_busy_handler(self._usual)

    def _grown(self, _writer: apsw.Connection, _database: str, pages: int) -> int:
        self._pages = pages
        return apsw.SQLITE_OK


def connect(path: Path, *, vfs: str | None, busy_timeout_s: float, flush: bool) -> apsw.Connection:
    """Open a connection.

    Without `flush` a commit reaches the disk with the next one that flushes. (Never OFF: when the
    write-ahead log begins anew not even that beginning would be flushed, and a power cut could
    bring back pages of the log before.)
    """
    connection = apsw.Connection(str(path), vfs=vfs)
    connection.set_busy_handler(patience(busy_timeout_s))
    # Bound values must not make SQLite plan a statement again.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    connection.pragma("cache_size", -CACHE_KIB)
    connection.pragma("synchronous", "FULL" if flush else "NORMAL")
    connection.pragma("wal_autocheckpoint", 0)  # see `LogKeeper`
    connection.pragma("journal_size_limit", CROWDED_PAGES * PAGE_BYTES)
    return connection


def patience(seconds: float) -> Callable[[int], bool]:
    """A busy handler that gives up after some time.

    SQLite's own pauses grow to 100 ms, so that one of two busy processes starves for a second.
    """
    pause = threading.Event()

    def wait(waits_before: int) -> bool:
        if waits_before * BUSY_PAUSE_S >= seconds:
            return False
        pause.wait(BUSY_PAUSE_S)
        return True

    return wait


def make_or_check(connection: apsw.Connection, *, busy_timeout_s: float) -> None:
    """Lay the tables of an empty file, or make sure that the file is ours and of our form.

    Raises:
        StorageFailed: it belongs to another program, or to a newer version of this one.

    """
    if is_ours(connection):
        return
    connection.pragma("page_size", PAGE_BYTES)
    _enter_wal(connection, patience(busy_timeout_s))
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not is_ours(connection):  # another process may have been first
            connection.execute(files("hubify.storage").joinpath("schema.sql").read_text("utf-8"))
            connection.pragma("application_id", APPLICATION)
            connection.pragma("user_version", FORM)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _enter_wal(connection: apsw.Connection, wait: Callable[[int], bool]) -> None:
    # Two processes that make one file at once may be refused here without being asked to wait.
    for tries in itertools.count():
        try:
            connection.pragma("journal_mode", "WAL")
        except apsw.BusyError:
            if not wait(tries):
                raise
        else:
            return


def is_ours(connection: apsw.Connection) -> bool:
    """Whether the file holds our tables; False when it is empty."""
    application, form = connection.pragma("application_id"), connection.pragma("user_version")
    if application == APPLICATION:
        if form == FORM:
            return True
        raise StorageFailed(
            f"the database has form {form} and this program writes form {FORM}; "
            "start the version of Hubify that made it"
        )
    if connection.execute("SELECT count(*) FROM sqlite_schema").get:
        raise StorageFailed("the file is another program's database; name another file")
    return False


def explained(error: apsw.Error) -> StorageFailed:
    """Say what SQLite's refusal means and what to do about it."""
    for kind, advice in ADVICE:
        if isinstance(error, kind):
            return StorageFailed(f"{advice} (SQLite: {error})")
    return StorageFailed(f"the database refused: {error}")


@contextmanager
def explaining() -> Generator[None]:
    """Turn SQLite's refusals into `StorageFailed` (a microsecond: not for `get` and `scan`)."""
    try:
        yield
    except apsw.Error as error:
        raise explained(error) from error
