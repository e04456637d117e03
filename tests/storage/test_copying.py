"""A copy made while another process writes is a whole, and holds what was durable before it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from hubify.storage import copying
from hubify.storage.copying import UNFINISHED, copy_database
from hubify.storage.engine import StorageFailed
from hubify.storage.sqlite import SqliteEngine
from tests.storage import story
from tests.storage.killed_writer import REMEMBERED

COMMITS_BEFORE_A_COPY = 200


def ignore(_done: int, _of: int) -> None:
    """Nobody watches."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


@pytest.fixture
def writer(path: Path) -> "Iterator[subprocess.Popen[str]]":
    """Another process that writes without pause, telling its head after each seal."""
    command = [sys.executable, "-m", "tests.storage.killed_writer", "--write", str(path)]
    with subprocess.Popen([*command, "--seed", "1"], stdout=subprocess.PIPE, text=True) as child:
        yield child
        child.kill()


def test_a_copy_under_load_holds_every_commit_before_it_and_no_half_of_another(
    path: Path, tmp_path: Path, writer: "subprocess.Popen[str]"
) -> None:
    assert writer.stdout is not None
    told = 0
    for number in range(5):
        while told < COMMITS_BEFORE_A_COPY * (number + 1):
            told = int(writer.stdout.readline())
        copy = tmp_path / f"copy{number}.db"
        size = copy_database(path, copy, ignore)
        assert size == copy.stat().st_size
        engine = SqliteEngine(copy)
        assert story.check_prefix(engine, back=REMEMBERED) >= told
        engine.close()


def test_a_copy_is_not_begun_anew_when_somebody_writes_between_its_steps(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PAGES_PER_STEP", 2)
    engine = SqliteEngine(path)
    engine.append(0, story.batch(0, 50))()
    seen: list[int] = []

    def write(done: int, of: int) -> None:
        seen.append(done)
        assert of == pages
        head = engine.head()
        engine.append(head, story.batch(head, 5))()

    connection = apsw.Connection(str(path))
    pages = int(str(connection.pragma("page_count")))
    connection.close()
    copy_database(path, tmp_path / "copy.db", write)
    copied = SqliteEngine(tmp_path / "copy.db")
    assert story.check_prefix(copied, back=10) == 50
    assert seen == [*range(2, pages, 2), pages]
    assert len(seen) > 3
    copied.close()
    engine.close()


def test_what_is_not_ours_is_refused_and_leaves_nothing(path: Path, tmp_path: Path) -> None:
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(StorageFailed, match="another program's database"):
        copy_database(path, tmp_path / "copy.db", ignore)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["x.db"]


def test_an_interrupted_copy_never_stands_under_its_name(path: Path, tmp_path: Path) -> None:
    engine = SqliteEngine(path)
    engine.append(0, story.batch(0, 50))()
    engine.close()

    def interrupt(_done: int, _of: int) -> None:
        assert (tmp_path / f"copy.db{UNFINISHED}").exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_database(path, tmp_path / "copy.db", interrupt)
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith("copy")] == []
