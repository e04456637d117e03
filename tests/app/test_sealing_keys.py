"""A data directory and its sealing keys: minted, lost, renewed; and what the files give away."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import apsw
import msgspec
import pytest

from hubify.app.compose import Parts, bootstrap, call_now, compose, registry_of
from hubify.app.directory import KEY_FILES, SEALING_KEYS, DataDirectory
from hubify.app.sealing_keys import add_key, read_keys
from hubify.app.settings import Settings
from hubify.domains.skills.resolving import Resolved
from hubify.domains.skills.tables import Rollout, TicketKey
from hubify.functions.sealing import about, name_in
from hubify.values.errors import Unavailable
from hubify.values.rows import Row
from tests.cli.terminal import Finished, hubify
from tests.domains.skills.registry import skill_md

PLANTED = "tests.app.planted"
CALLER: dict[str, object] = {"name": "greet", "agentId": "a-1"}
COIN_SECRET = b"the coins of this trial are keyed with these bytes"


@contextmanager
def opened(data: Path, *, give_up: bool = False) -> Generator[Parts]:
    """The directory as a server has it open."""
    with DataDirectory(data) as directory:
        parts = compose(
            Settings(data=str(data)), directory, registry_of([PLANTED]), kick=lambda: None,
            give_up_secrets=give_up,
        )  # fmt: skip
        try:
            bootstrap(parts, directory)
            yield parts
        finally:
            parts.database.close()


def ticket_of(parts: Parts) -> str:
    """The ticket that the administrator's agent holds now."""
    resolved = call_now(parts, "skills:resolve", CALLER)
    assert isinstance(resolved, Resolved)
    assert resolved.ticket is not None
    return resolved.ticket


def stored(parts: Parts, row_type: type[Row]) -> list[Row]:
    reader = parts.database.begin_read(lambda: None)
    return reader.take(row_type.where(), limit=50)


def secrets_of(parts: Parts) -> list[bytes]:
    """The ticket keys and coin secrets, opened."""
    sealer = parts.backend.wiring.sealer
    fields = [(row, "key") for row in stored(parts, TicketKey)]
    fields += [(row, "secret") for row in stored(parts, Rollout)]
    return [sealer.unseal(getattr(row, name), about(row, name)) for row, name in fields]


def every_byte(data: Path) -> bytes:
    """What lies in the directory but for its files of keys."""
    return b"".join(
        path.read_bytes()
        for path in sorted(data.iterdir())
        if path.is_file() and path.name not in KEY_FILES
    )


def on_trial(data: Path) -> list[bytes]:
    """Serve a directory with a trial and a ticket; its secrets."""
    publish(data)
    with opened(data) as parts:
        call_now(parts, "planted:trial", {"secret": COIN_SECRET})
        ticket_of(parts)
        secrets = secrets_of(parts)
        for secret in secrets:  # while the log beside the file still holds the newest pages
            assert secret not in every_byte(data)
    return secrets


def publish(data: Path) -> None:
    """A directory with a skill that has a stable version and one to be tried."""
    with opened(data):
        pass
    for version in ("1.0.0", "1.1.0-beta.1"):
        told = {"skillMd": skill_md(version=version, body=version)}
        done = cli(data, "call", "skills:publish", json.dumps(told))
        assert done.status == 0, done.err


def cli(data: Path, *argv: str) -> Finished:
    environment = {"HUBIFY_DATA": str(data), "HUBIFY_FUNCTIONS": PLANTED}
    return hubify(*argv, environment=environment)


def test_the_files_of_a_store_never_hold_a_secret(tmp_path: Path) -> None:
    secrets = on_trial(tmp_path)
    assert len(secrets) == 2
    assert COIN_SECRET in secrets
    with opened(tmp_path) as parts:
        ticket_of(parts)
    held = every_byte(tmp_path)
    keys = (tmp_path / SEALING_KEYS).read_text(encoding="ascii").split()[-1]
    for secret in (*secrets, bytes.fromhex(keys), keys.encode()):
        assert secret not in held
        assert secret.hex().encode() not in held


def test_the_key_is_made_once_and_is_the_owners_alone(tmp_path: Path) -> None:
    with opened(tmp_path):
        first = read_keys(tmp_path)
    file = tmp_path / SEALING_KEYS
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    with opened(tmp_path):
        assert read_keys(tmp_path) == first
    assert file.stat().st_mode & 0o777 == 0o600


def test_tickets_outlive_a_restart(tmp_path: Path) -> None:
    on_trial(tmp_path)
    with opened(tmp_path) as parts:
        before = ticket_of(parts)
    with opened(tmp_path) as parts:
        assert ticket_of(parts) == before


def test_secrets_in_plain_text_are_sealed_at_the_start_and_the_ticket_key_is_renewed(
    tmp_path: Path,
) -> None:
    secrets = on_trial(tmp_path)
    lay_open(tmp_path, secrets)
    assert COIN_SECRET in every_byte(tmp_path)
    with opened(tmp_path) as parts:
        now = secrets_of(parts)
        fields = [row.key for row in stored(parts, TicketKey) if isinstance(row, TicketKey)]
        assert all(name_in(field) == parts.backend.wiring.sealer.newest for field in fields)
    assert set(secrets) < set(now)
    (fresh,) = set(now) - set(secrets)
    assert fresh not in every_byte(tmp_path)


def lay_open(data: Path, secrets: list[bytes]) -> None:
    """Make the directory what a version without sealing would have left."""
    (data / SEALING_KEYS).unlink()
    connection = apsw.Connection(str(data / "hubify.db"))
    (table,) = connection.execute(
        "SELECT id FROM rows WHERE instr(value, '_sealing_keys') > 0 AND instr(value, '.') = 0"
    ).fetchone() or (0,)
    assert table
    connection.execute("DELETE FROM rows WHERE tbl = ?", (table,))
    for number, value in connection.execute("SELECT id, value FROM rows").fetchall():
        assert isinstance(value, bytes)
        for field, secret in zip(("key", "secret"), secrets, strict=True):
            fields = msgspec.msgpack.decode(value)
            if isinstance(fields, dict) and name_in(fields.get(field) or b""):
                fields[field] = secret
                packed = msgspec.msgpack.encode(fields)
                connection.execute("UPDATE rows SET value = ? WHERE id = ?", (packed, number))
    connection.close()


def test_without_its_file_a_store_is_not_opened_and_the_error_says_what_to_do(
    tmp_path: Path,
) -> None:
    on_trial(tmp_path)
    keys = (tmp_path / SEALING_KEYS).read_text(encoding="ascii")
    (tmp_path / SEALING_KEYS).unlink()
    with pytest.raises(Unavailable) as refused, opened(tmp_path):
        pass
    told = refused.value.message
    assert "sealing.keys' is missing" in told
    for part in ("from a backup", "tickets", "trials", "hubify secrets give-up"):
        assert part in told
    assert not (tmp_path / SEALING_KEYS).exists()
    (tmp_path / SEALING_KEYS).write_text(keys, encoding="ascii")
    with opened(tmp_path) as parts:
        assert COIN_SECRET in secrets_of(parts)


def test_the_file_of_another_store_is_noticed(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    on_trial(mine)
    on_trial(other)
    (other / SEALING_KEYS).replace(mine / SEALING_KEYS)
    with pytest.raises(Unavailable, match=r"lacks the key [0-9a-f]{16} "), opened(mine):
        pass


@pytest.mark.parametrize("line", ["", "zz", "ab" * 31, "ab" * 33, "AB" * 32, "ab " * 32])
def test_a_damaged_file_is_refused_by_line_without_showing_it(tmp_path: Path, line: str) -> None:
    with opened(tmp_path):
        pass
    (tmp_path / SEALING_KEYS).write_text(f"# note\n{line or 'x'}\n", encoding="ascii")
    with pytest.raises(Unavailable, match="line 2, is no key") as refused, opened(tmp_path):
        pass
    assert (line or "'x'") not in refused.value.message


def test_secrets_can_be_given_up_and_the_hub_goes_on(tmp_path: Path) -> None:
    on_trial(tmp_path)
    (tmp_path / SEALING_KEYS).unlink()
    refused = cli(tmp_path, "keys", "list")
    assert refused.status == 1
    assert "give-up" in refused.err
    done = cli(tmp_path, "secrets", "give-up")
    assert done.status == 0, done.err
    with opened(tmp_path) as parts:
        resolved = call_now(parts, "skills:resolve", CALLER)
        assert isinstance(resolved, Resolved)
        assert (resolved.why, bool(resolved.ticket)) == ("stable", True)


def test_rotation_seals_everything_anew_and_the_old_key_is_not_needed(tmp_path: Path) -> None:
    on_trial(tmp_path)
    (old,) = read_keys(tmp_path)
    done = cli(tmp_path, "secrets", "rotate")
    assert done.status == 0, done.err
    kept, new = read_keys(tmp_path)
    assert kept == old
    assert not any(key.hex() in done.out + done.err for key in (old, new))
    (tmp_path / SEALING_KEYS).write_text(f"{new.hex()}\n", encoding="ascii")
    with opened(tmp_path) as parts:
        assert COIN_SECRET in secrets_of(parts)
        assert len(secrets_of(parts)) == 3, "tickets are signed with a new key, too"


def test_a_rotation_that_was_cut_short_is_finished_by_the_next_start(tmp_path: Path) -> None:
    on_trial(tmp_path)
    with DataDirectory(tmp_path) as directory:
        add_key(directory, Random(1).randbytes(32))
    with opened(tmp_path) as parts:
        newest = parts.backend.wiring.sealer.newest
        (rollout,) = stored(parts, Rollout)
        assert isinstance(rollout, Rollout)
        assert name_in(rollout.secret) == newest


def test_a_directory_in_use_is_left_alone(tmp_path: Path) -> None:
    with opened(tmp_path):
        before = read_keys(tmp_path)
        refused = cli(tmp_path, "secrets", "rotate")
    assert refused.status == 1
    assert "stop it first" in refused.err
    assert read_keys(tmp_path) == before


def test_where_there_is_no_hub_no_key_is_made(tmp_path: Path) -> None:
    refused = cli(tmp_path / "none", "secrets", "rotate")
    assert refused.status == 1
    assert not (tmp_path / "none").exists()
