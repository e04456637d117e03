"""The database file of the SQLite engine: opening it, knowing it as ours, and explaining failures.

Invariant: a file is used only when its marks say that it is ours and of the form this program
writes, and only through a SQLite without the bug that could corrupt it.
"""

# apsw's types name `collections.abc.Buffer`, which is complete from Python 3.12 on.
# pyright: reportUnknownMemberType=false

from collections.abc import Generator
from contextlib import contextmanager
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
CHECKPOINT_PAGES: Final = 1_000  # a COMMIT that finds the write-ahead log longer moves it home

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


def connect(path: Path, *, vfs: str | None, busy_timeout_s: float, flush: bool) -> apsw.Connection:
    """Open a connection; without `flush` its commits reach the disk with the next that flushes."""
    connection = apsw.Connection(str(path), vfs=vfs)
    connection.set_busy_timeout(round(busy_timeout_s * 1000))
    # Bound values must not make SQLite plan a statement again.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    connection.pragma("cache_size", -CACHE_KIB)
    connection.pragma("synchronous", "FULL" if flush else "NORMAL")
    connection.pragma("wal_autocheckpoint", CHECKPOINT_PAGES if flush else 0)
    return connection


def make_or_check(connection: apsw.Connection) -> None:
    """Lay the tables of an empty file, or make sure that the file is ours and of our form.

    Raises:
        StorageFailed: it belongs to another program, or to a newer version of this one.

    """
    if _is_ours(connection):
        return
    connection.pragma("page_size", PAGE_BYTES)
    connection.pragma("journal_mode", "WAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _is_ours(connection):  # another process may have been first
            connection.execute(files("hubify.storage").joinpath("schema.sql").read_text("utf-8"))
            connection.pragma("application_id", APPLICATION)
            connection.pragma("user_version", FORM)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _is_ours(connection: apsw.Connection) -> bool:
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
