"""The storage contract, on SQLite."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hubify.storage.sqlite import SqliteEngine
from hubify.testing.engine_contract import EngineContract


class SqliteFile:
    """One database file and the engines that have it open."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.engines: list[SqliteEngine] = []
        self.crashes = 0

    @property
    def path(self) -> Path:
        return self.directory / f"after-{self.crashes}-crashes.db"

    def open(self) -> SqliteEngine:
        self.engines.append(SqliteEngine(self.path, busy_timeout_s=1.0))
        return self.engines[-1]

    def crash(self) -> None:
        # What a killed process leaves is in the files as they are now; closing would tidy them.
        left = self.path
        self.crashes += 1
        for suffix in ("", "-wal"):
            if Path(f"{left}{suffix}").exists():
                shutil.copyfile(f"{left}{suffix}", f"{self.path}{suffix}")
        self.close()

    def close(self) -> None:
        while self.engines:
            self.engines.pop().close()


class TestSqliteEngine(EngineContract):
    @contextmanager
    def new_store(self) -> Generator[SqliteFile]:
        with TemporaryDirectory() as directory:
            file = SqliteFile(Path(directory))
            yield file
            file.close()
