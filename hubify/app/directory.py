"""The data directory: created, locked by one process, and the few files beside the store.

Invariant: while a process holds the lock no other opens the store; `admin.key` is readable by its
owner alone and is the one secret that lies in plain text.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from hubify.values.errors import Unavailable

STORE, LOCK, ADMIN_KEY, ADDRESS = "hubify.db", "lock", "admin.key", "server.url"
PRIVATE_DIRECTORY, PRIVATE_FILE = 0o700, 0o600


class DataDirectory:
    """A locked data directory, for use in a `with` block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    @property
    def store(self) -> Path:
        """The SQLite file."""
        return self.path / STORE

    def __enter__(self) -> Self:
        """Create and lock the directory.

        Raises:
            Unavailable: another process holds it.

        """
        self.path.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            message = f"the directory '{self.path}' is in use by a running server; stop it first"
            raise Unavailable(message) from None
        self._lock = lock
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Unlock."""
        (self.path / ADDRESS).unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def keep_admin_key(self, secret: str) -> Path:
        """Write the admin key where only the owner of the process may read it."""
        return self._write(ADMIN_KEY, secret)

    def keep_address(self, url: str) -> Path:
        """Say where the server listens, for local commands."""
        return self._write(ADDRESS, url)

    def _write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        return path


def admin_key(path: Path) -> str | None:
    """The admin key of a directory, if it was kept there."""
    file = path / ADMIN_KEY
    return file.read_text(encoding="utf-8").strip() if file.exists() else None
