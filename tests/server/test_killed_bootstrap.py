"""A first start that is killed on the way leaves no store whose admin key nobody has."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hubify.app.compose import bootstrap, compose, registry_of
from hubify.app.directory import DataDirectory, admin_key
from hubify.app.settings import Settings
from hubify.functions.principal import CallerKind
from tests.clients.server import CHECKOUT

KILLED_AT = {
    "before the file": "kill_before(DataDirectory, 'keep_admin_key')",
    "before the file has its name": "kill_before(Path, 'replace')",
    "between the file and the store": "kill_before(Database, 'flush')",
    "before the commit": "kill_before(SqliteEngine, '_seal')",
    "after the commit": "kill_after(Database, 'flush')",
}
START = """
import os, signal, sys
from pathlib import Path
from hubify.app import compose as module
from hubify.app.directory import DataDirectory
from hubify.app.settings import Settings
from hubify.core.database import Database
from hubify.storage.sqlite import SqliteEngine

def die(*_given, **_named):
    os.kill(os.getpid(), signal.SIGKILL)

def kill_before(owner, name):
    setattr(owner, name, die)

def kill_after(owner, name):
    whole = getattr(owner, name)
    setattr(owner, name, lambda *given: (whole(*given), die()))

path = Path(sys.argv[1])
with DataDirectory(path) as directory:
    settings = Settings(data=str(path))
    parts = module.compose(settings, directory, module.registry_of(()), kick=lambda: None)
    {planted}
    module.bootstrap(parts, directory)
"""


def started(path: Path) -> tuple[str | None, CallerKind]:
    """Start whole; the key it mints, if any, and whom the key in the file stands for."""
    with DataDirectory(path) as directory:
        settings = Settings(data=str(path))
        parts = compose(settings, directory, registry_of(()), kick=lambda: None)
        try:
            minted = bootstrap(parts, directory)
            kept = admin_key(path)
            assert kept is not None
            return minted, parts.identities.find(kept).kind
        finally:
            parts.database.close()


@pytest.mark.parametrize("point", KILLED_AT)
def test_the_admin_key_is_never_lost(tmp_path: Path, point: str) -> None:
    program = START.replace("{planted}", KILLED_AT[point])
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True,
        timeout=60, check=False, cwd=CHECKOUT,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    kept = admin_key(tmp_path)
    minted, kind = started(tmp_path)
    assert kind is CallerKind.ADMIN
    assert kept in (None, admin_key(tmp_path)), "a key that was kept is the one that is taken"
    assert started(tmp_path) == (None, CallerKind.ADMIN)
    assert minted in (None, admin_key(tmp_path))


def test_a_file_that_holds_no_key_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / "admin.key").write_bytes(b"\xff half a key")
    assert started(tmp_path)[1] is CallerKind.ADMIN
    assert (tmp_path / "admin.key").stat().st_mode & 0o077 == 0
