"""Copying a database file while others write it.

Invariant: the copy holds every commit that was durable when the copying began and no part of a
later one; under its own name it is complete, checked and on the disk, or it is not there at all.
"""

# apsw's types name `collections.abc.Buffer`, which is complete from Python 3.12 on.
# pyright: reportUnknownMemberType=false

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import apsw

from hubify.storage import sqlite_file
from hubify.storage.engine import StorageFailed
from hubify.storage.sqlite_file import explaining

Progress = Callable[[int, int], None]
"""Called now and then with pages copied and pages in all."""

PAGES_PER_STEP: Final = 2_048  # 8 MiB between two words of progress
BUSY_TIMEOUT_S: Final = 5.0
UNFINISHED: Final = ".part"


def copy_database(source: Path, target: Path, progress: Progress) -> int:
    """Copy a database that servers may be writing; answers its size in bytes.

    One read transaction is held throughout: its snapshot does not move, so that writers neither
    wait for the copy nor make it begin anew (https://sqlite.org/c3ref/backup_finish.html); until
    it ends the write-ahead log of the source grows with what they write.

    Raises:
        StorageFailed: the source cannot be opened or is not ours, the copy is damaged, or a disk
            refused.

    """
    part = target.with_name(target.name + UNFINISHED)
    part.unlink(missing_ok=True)
    try:
        with explaining():
            _copy(source, part, progress)
            _check(part)
        flush(part)
        part.rename(target)
        flush(target.parent)
    finally:
        for suffix in ("", "-wal", "-shm"):
            part.with_name(part.name + suffix).unlink(missing_ok=True)
    return target.stat().st_size


def _copy(source: Path, part: Path, progress: Progress) -> None:
    reader = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READWRITE)
    writer = apsw.Connection(str(part))
    try:
        reader.set_busy_handler(sqlite_file.patience(BUSY_TIMEOUT_S))
        if not sqlite_file.is_ours(reader):
            raise StorageFailed(f"'{source}' is empty; name the directory of a hub")
        reader.execute("BEGIN; SELECT max(ts) FROM log")
        with writer.backup("main", reader, "main") as backup:
            while not backup.done:
                backup.step(PAGES_PER_STEP)
                progress(backup.page_count - backup.remaining, backup.page_count)
    finally:
        writer.close()
        reader.close()


def _check(part: Path) -> None:
    connection = apsw.Connection(str(part), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        said = connection.pragma("quick_check")
    finally:
        connection.close()
    if said != "ok":
        raise StorageFailed(f"the copy is damaged ({said}): check the disk, and copy once more")


def flush(path: Path) -> None:
    """Make a file's bytes, or a directory's names, outlast a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
