"""A data directory opened in this process: who calls, and what it may do."""

import json
from pathlib import Path

import pytest

from hubify.app.compose import bootstrap, compose, registry_of
from hubify.app.directory import DataDirectory
from hubify.app.settings import Settings
from tests.cli.terminal import Finished, hubify


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A directory that was served once."""
    with DataDirectory(tmp_path) as directory:
        parts = compose(Settings(data=str(tmp_path)), directory, registry_of([]), kick=lambda: None)
        assert bootstrap(parts, directory)
        parts.database.close()
    return tmp_path


def local(data: Path, *argv: str, key: str = "") -> Finished:
    """Run a command on a directory."""
    return hubify(*argv, environment={"HUBIFY_DATA": str(data), "HUBIFY_API_KEY": key})


def new_key(data: Path, owner: str, *scopes: str) -> str:
    """A key that was made in the directory."""
    flags = [part for scope in scopes for part in ("--scope", scope)]
    made = local(data, "keys", "create", "--name", "n", "--owner", owner, *flags)
    assert made.status == 0, made.err
    return made.out.strip()


def test_who_may_read_the_files_is_the_administrator(data: Path) -> None:
    new_key(data, "ann", "auth:read")
    listed = json.loads(local(data, "keys", "list", "--owner", "ann", "--json").out)
    assert [key["owner"] for key in listed["tokens"]] == ["ann"]


def test_a_key_is_held_to_its_scopes_here_too(data: Path) -> None:
    key = new_key(data, "ann", "auth:read")
    assert json.loads(local(data, "keys", "list", "--json", key=key).out)["tokens"]
    refused = local(data, "keys", "create", "--name", "n", "--owner", "ann", key=key)
    assert refused.status == 1
    assert refused.err.startswith("hubify: FORBIDDEN: this key lacks the scope 'auth:write'")


def test_a_wrong_key_is_refused_before_anything_is_done(data: Path) -> None:
    refused = local(data, "keys", "list", key="hk_live_wrong")
    assert refused.status == 1
    assert refused.err.startswith("hubify: UNAUTHORIZED: ")


def test_only_an_administrator_acts_for_another_owner(data: Path) -> None:
    folder = data / "greet"
    folder.mkdir()
    (folder / "SKILL.md").write_text("---\nname: greet\ndescription: Greets.\n---\nSay hello.")
    source = str(folder)
    key = new_key(data, "ann", "skills:write")
    refused = local(data, "skills", "import", source, "--owner", "ben", key=key)
    assert refused.err.startswith("hubify: FORBIDDEN: ")
    hostile = local(data, "skills", "import", source, "--owner", "../ben")
    assert hostile.status == 2
    assert hostile.err.startswith("hubify: '../ben' cannot be an owner's name")


def test_internal_functions_cannot_be_called(data: Path) -> None:
    refused = local(data, "call", "auth:bootstrap")
    assert refused.status == 1
    assert refused.err.startswith("hubify: NOT_FOUND: ")


def test_functions_that_do_not_load_are_one_line(data: Path) -> None:
    environment = {"HUBIFY_DATA": str(data), "HUBIFY_FUNCTIONS": "missing.py"}
    refused = hubify("keys", "list", environment=environment)
    assert refused.status == 1
    assert refused.err == (
        "hubify: VALIDATION_ERROR: there is no file 'missing.py' to load functions from\n"
    )
