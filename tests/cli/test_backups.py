"""Backups through the program: taken from a server at work, served and restored."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from hubify.sdk.http import Client
from tests.cli.terminal import hubify as run_here
from tests.cli.test_processes import good, serving

pytestmark = pytest.mark.slow
SKILL = "---\nname: {name}\ndescription: Counts to {name}. Use in tests.\n---\n\n# Count\n"


def publish_until(stop: Event, url: str, key: str, published: list[str]) -> None:
    """Publish skills one after the other, noting each that was acknowledged."""
    with Client(url, key) as client:
        while not stop.is_set():
            name = f"skill-{len(published)}"
            client.action("skills:publish", {"skillMd": SKILL.format(name=name)})
            published.append(name)


def names_in(data: Path) -> set[str]:
    """The names of all skills in a directory, served by no one else."""
    arguments = '{"paginationOpts": {"numItems": 500, "cursor": null}}'
    listed = good("call", "skills:list", arguments, HUBIFY_DATA=str(data))
    return {skill["name"] for skill in json.loads(listed)["page"]}


def test_a_backup_of_a_server_at_work_holds_all_that_was_acknowledged_before(
    tmp_path: Path,
) -> None:
    data, copy, restored = tmp_path / "data", tmp_path / "copy", tmp_path / "restored"
    published: list[str] = []
    stop = Event()
    with serving(data, environment={"HUBIFY_RATE_LIMITS": "off"}) as server:
        key = (data / "admin.key").read_text(encoding="utf-8").strip()
        with ThreadPoolExecutor(1) as pool:
            load = pool.submit(publish_until, stop, server.url, key, published)
            while len(published) < 5:
                assert not load.done(), load.exception()
            before = set(published)
            good("backup", str(copy), HUBIFY_DATA=str(data))
            stop.set()
            load.result()
    good("restore", str(copy), "--data", str(restored))
    found = names_in(restored)
    assert before <= found <= set(published)
    assert names_in(copy) == found
    assert (restored / "admin.key").read_text(encoding="utf-8").strip() == key
    assert (copy.stat().st_mode & 0o777, (copy / "hubify.db").stat().st_mode & 0o777) == (
        0o700, 0o600,
    )  # fmt: skip
    with serving(restored) as server, Client(server.url, key) as client:
        assert client.query("skills:getByName", {"name": "skill-0"})


def test_a_backup_never_writes_over_a_hub(tmp_path: Path) -> None:
    data, other = str(tmp_path / "data"), str(tmp_path / "other")
    for directory in (data, other):
        with serving(Path(directory)):
            pass
    before = (tmp_path / "other" / "hubify.db").read_bytes()
    for command in (["backup", other, "--data", data], ["restore", data, "--data", other]):
        finished = run_here(*command, environment={})
        assert finished.status == 1
        assert "VALIDATION_ERROR" in finished.err
        assert "holds a hub already" in finished.err
    assert (tmp_path / "other" / "hubify.db").read_bytes() == before


def test_where_there_is_no_hub_nothing_is_made(tmp_path: Path) -> None:
    target = tmp_path / "copy"
    finished = run_here("backup", str(target), "--data", str(tmp_path / "nowhere"), environment={})
    assert finished.status == 1
    assert "there is no hub in" in finished.err
    assert not target.exists()
