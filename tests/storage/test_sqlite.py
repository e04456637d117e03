"""What is SQLite's own affair: whose file it is, which library, how long the log, when seen."""

from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from threading import Event

import apsw
import pytest

from hubify.storage import sqlite_file
from hubify.storage.engine import StorageFailed
from hubify.storage.sqlite import SqliteEngine
from tests.storage import story


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


def pages_of_log(path: Path) -> int:
    return Path(f"{path}-wal").stat().st_size // sqlite_file.PAGE_BYTES


@pytest.mark.parametrize("version", ["3.7.0", "3.40.1", "3.51.2"])
def test_a_library_that_can_corrupt_the_file_is_refused(version: str) -> None:
    with pytest.raises(StorageFailed, match=r"install an apsw that brings SQLite 3\.51\.3"):
        sqlite_file.check_library(version)


@pytest.mark.parametrize("version", ["3.51.3", "3.52.0", "3.100.0", "4.0.0"])
def test_a_library_without_that_bug_is_taken(version: str) -> None:
    sqlite_file.check_library(version)


def test_an_engine_looks_at_the_library_it_runs_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.51.2")
    with pytest.raises(StorageFailed, match="corrupt"):
        SqliteEngine(path)
    assert not path.exists()


def test_another_program_s_database_is_refused_untouched(path: Path) -> None:
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StorageFailed, match="another program's database"):
        SqliteEngine(path)
    assert path.read_bytes() == before


def test_a_newer_form_is_refused(path: Path) -> None:
    SqliteEngine(path).close()
    newer = apsw.Connection(str(path))
    newer.pragma("user_version", sqlite_file.FORM + 1)
    newer.close()
    with pytest.raises(StorageFailed, match="start the version of Hubify that made it"):
        SqliteEngine(path)


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"just some words " * 1000)
    with pytest.raises(StorageFailed, match="not a database"):
        SqliteEngine(path)


def test_a_missing_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="its directory must exist"):
        SqliteEngine(tmp_path / "missing" / "x.db")


def test_every_commit_is_flushed_and_the_log_is_written_ahead(path: Path) -> None:
    engine = SqliteEngine(path)
    assert engine._writer.pragma("journal_mode") == "wal"
    assert engine._writer.pragma("synchronous") == 2  # FULL
    assert engine._pruner.pragma("synchronous") == 1  # NORMAL: flushed later, never out of order
    assert engine._writer.pragma("page_size") == sqlite_file.PAGE_BYTES
    engine.close()


def test_nothing_is_seen_between_the_commit_and_the_end_of_its_seal(path: Path) -> None:
    engine, other = SqliteEngine(path), SqliteEngine(path)
    engine.append(0, story.batch(0, 4))()
    seen: list[int] = []

    def look() -> None:
        assert other.head() == 5
        assert engine.head() == 4
        assert engine.tail(4, 9) == []
        assert engine.get(story.FIRST_ROW + 5) is None
        story.check_state(engine, 4)
        counted = engine.get(story.COUNTER)
        assert counted is not None
        assert counted.value == b"4"
        (entry,) = engine.scan(story.BY_COUNT, story.EVERYTHING, limit=9)
        assert entry.value == b"4"
        seen.append(engine.head())

    engine._log.tidy = look  # runs in the seal, right after COMMIT
    engine.append(4, story.batch(4, 1))()
    assert seen == [4]
    assert story.check_prefix(engine) == 5
    engine.close()
    other.close()


def test_a_process_that_keeps_the_lock_is_told_about(path: Path) -> None:
    engine, other = SqliteEngine(path, busy_timeout_s=0.01), SqliteEngine(path)
    seal = other.append(0, story.batch(0, 1))
    with pytest.raises(StorageFailed, match="another process keeps the database locked"):
        engine.append(0, story.batch(0, 1))
    seal()
    engine.append(1, story.batch(1, 1))()
    assert story.check_prefix(other) == 2
    engine.close()
    other.close()


def test_a_file_is_not_free_while_another_process_writes(path: Path) -> None:
    engine, other = SqliteEngine(path), SqliteEngine(path)
    seal = other.append(0, story.batch(0, 1))
    assert not engine.is_free()
    seal()
    assert engine.is_free()
    engine.append(1, story.batch(1, 1))()
    engine.close()
    other.close()


@pytest.fixture
def short_log(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sqlite_file, "CHECKPOINT_PAGES", 20)
    monkeypatch.setattr(sqlite_file, "CROWDED_PAGES", 80)
    return 80


class WaitsForReaders:
    """Counts the checkpoints that wait; everything else is the writer's."""

    def __init__(self, writer: apsw.Connection) -> None:
        self.count = 0
        self.set_busy_handler = writer.set_busy_handler
        self.checkpoint = writer.wal_checkpoint

    def wal_checkpoint(self, *, mode: int) -> tuple[int, int]:
        self.count += mode == apsw.SQLITE_CHECKPOINT_RESTART
        return self.checkpoint(mode=mode)


def test_the_log_stays_short_under_constant_load(path: Path, short_log: int) -> None:
    engine = SqliteEngine(path)
    for head in range(100):
        engine.append(head, story.batch(head, 1))()
        engine.scan(story.BY_NUMBER, story.EVERYTHING, limit=9)
        assert pages_of_log(path) < short_log
    engine.close()


def test_a_reader_that_hangs_stops_no_writer_and_the_log_recovers(
    path: Path, short_log: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "CROWDED_TIMEOUT_S", 0.001)
    engine = SqliteEngine(path)
    waits = WaitsForReaders(engine._writer)
    engine._log._writer = waits  # type: ignore[assignment]
    hanging = apsw.Connection(str(path))
    hanging.execute("BEGIN")
    assert hanging.execute("SELECT count(*) FROM log").get == 0
    for head in range(40):
        engine.append(head, story.batch(head, 1))()
    assert 2 <= waits.count <= pages_of_log(path) / short_log
    assert hanging.execute("SELECT count(*) FROM log").get == 0
    hanging.execute("COMMIT")
    for head in range(40, 60):
        engine.append(head, story.batch(head, 1))()
    assert pages_of_log(path) <= short_log
    assert story.check_prefix(engine) == 60
    hanging.close()
    engine.close()


def test_readers_who_leave_no_gap_do_not_let_the_log_grow(path: Path, short_log: int) -> None:
    engine, done = SqliteEngine(path), Event()
    engine.append(0, story.batch(0, 1))()

    def read_without_a_gap() -> None:
        readers = [apsw.Connection(str(path)) for _ in range(2)]
        for reader in readers:
            reader.set_busy_timeout(1000)
        for coming, going in cycle([readers, readers[::-1]]):
            coming.execute("BEGIN")
            assert coming.execute("SELECT max(ts) FROM log").get
            if going.in_transaction:
                going.execute("COMMIT")
            if done.is_set():
                break
        for reader in readers:
            reader.close()

    with ThreadPoolExecutor(1) as thread:
        reading = thread.submit(read_without_a_gap)
        for head in range(1, 200):
            engine.append(head, story.batch(head, 1))()
        done.set()
        reading.result()
    assert pages_of_log(path) < 3 * short_log
    engine.close()
