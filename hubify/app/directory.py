"""The data directory: created, locked by one process, and the few files beside the store.

Invariant: while a process holds the lock no other opens the store; the files of keys are readable
by their owner alone, and no other secret lies in plain text.
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from hubify.values.errors import Unavailable

STORE, LOCK, ADMIN_KEY, ADDRESS = "hubify.db", "lock", "admin.key", "server.url"
SEALING_KEYS = "sealing.keys"
KEY_FILES = (ADMIN_KEY, SEALING_KEYS)
"""What a copy of the directory needs beside its store; written once or only ever added to."""
PRIVATE_DIRECTORY, PRIVATE_FILE = 0o700, 0o600


class DataDirectory:
    """A locked data directory, for use in a `with` block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._locks: list[int] = []

    @property
    def store(self) -> Path:
        """The SQLite file."""
        return self.path / STORE

    def __enter__(self) -> Self:
        """Create and lock the directory.

        Raises:
            Unavailable: another process holds it, or it cannot be written.

        """
        with _explaining(self.path):
            self.path.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            self._locks.append(os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, PRIVATE_FILE))
            self._locks.append(os.open(self.path, os.O_RDONLY | os.O_DIRECTORY))
        try:
            self._lock()
        except BlockingIOError:
            self._unlock()
            message = f"the directory '{self.path}' is in use by a running server; stop it first"
            raise Unavailable(message) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Unlock."""
        with suppress(OSError):  # a directory that may no longer be written keeps an old address
            (self.path / ADDRESS).unlink(missing_ok=True)
        self._unlock()

    def keep_admin_key(self, secret: str) -> Path:
        """Write the admin key where only the owner of the process may read it."""
        return self._write(ADMIN_KEY, secret)

    def keep_sealing_keys(self, text: str) -> Path:
        """Write the file of sealing keys anew."""
        return self._write(SEALING_KEYS, text)

    def keep_address(self, url: str) -> Path:
        """Say where the server listens, for local commands."""
        return self._write(ADDRESS, url)

    def _lock(self) -> None:
        """Lock the file, and the directory too: somebody may tidy the file away."""
        file, directory = self._locks
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            return  # not every file system locks directories

    def _unlock(self) -> None:
        while self._locks:
            os.close(self._locks.pop())

    def _write(self, name: str, text: str) -> Path:
        """Write a file whole or not at all, for good before this returns."""
        path, fresh = self.path / name, self.path / f"{name}.new"
        with _explaining(path):
            fresh.unlink(missing_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
            directory = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        return path


@contextmanager
def _explaining(path: Path) -> Generator[None]:
    """Say which file or directory could not be written."""
    try:
        yield
    except OSError as error:
        raise Unavailable(f"'{path}' cannot be written: {error.strerror}") from None


def admin_key(path: Path) -> str | None:
    """The admin key of a directory, if it was kept there."""
    file = path / ADMIN_KEY
    if not file.exists():
        return None
    return file.read_text(encoding="utf-8", errors="replace").strip()
