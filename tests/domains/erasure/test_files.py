"""After an erasure no file of the data directory has a byte of the name, whatever SQLite kept."""

from pathlib import Path

import pytest

from hubify.storage.sqlite import SqliteEngine
from tests.domains.erasure.erased_world import HIDDEN, PERSON, SECRET_WORDS, lived_in

NAME = b"quillon"


def holders(path: Path, name: bytes) -> list[str]:
    """The files of a store that have a name in them."""
    return [file.name for file in path.iterdir() if name in file.read_bytes()]


def test_the_name_is_nowhere_in_the_files_after_an_erasure(tmp_path: Path) -> None:
    world = lived_in(SqliteEngine(tmp_path / "hub.db"))
    for turn in range(30):  # so that pages are split, freed and used again
        world.report("quillon", note=f"once more {turn} " * 40)
        world.do("skills:star" if turn % 2 else "skills:unstar", PERSON, name="other-skill")
    assert holders(tmp_path, NAME)
    world.erase()
    for name in (NAME, SECRET_WORDS.encode(), HIDDEN.encode()):
        assert holders(tmp_path, name) == []
    world.engine.close()
    assert holders(tmp_path, NAME) == []


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_a_process_killed_in_the_middle_leaves_nothing_for_ever(tmp_path: Path, steps: int) -> None:
    world = lived_in(SqliteEngine(tmp_path / "hub.db"))
    asked = world.do("erasure:request", PERSON, confirm="quillon")
    for _ in range(steps):
        world.step()
        world.backend.advance(700_000)
    copy = tmp_path / "as-killed"  # what a killed process leaves: the files as they are just then
    copy.mkdir()
    for file in tmp_path.glob("hub.db*"):
        (copy / file.name).write_bytes(file.read_bytes())
    world.engine.close()
    world.engine = SqliteEngine(copy / "hub.db")
    world.restart()
    world.finish(asked.id)
    assert holders(copy, NAME) == []
    world.engine.close()
