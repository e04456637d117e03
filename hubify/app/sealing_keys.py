"""The file of sealing keys beside the store: read and minted at the start, added to by rotation.

The file is text: lines that begin with `#` are for people, each other line is a key of 64
hexadecimal digits, the newest last.

Invariant: a key is on the disk before anything is sealed with it, and nothing of a key but its name
is ever printed, logged or put into a message.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from hubify.app.directory import PRIVATE_FILE, SEALING_KEYS, DataDirectory
from hubify.functions.resealing import Resealed, missing_keys, reseal
from hubify.functions.sealing import KEY_BYTES, Sealer
from hubify.functions.wiring import Wiring
from hubify.values.errors import Unavailable

HEADER = """\
# The keys that open the secrets in hubify.db: keep this file, and keep a copy of it.
# The last key seals; older ones open what was sealed before, and past states of it.
"""
LINE = re.compile(rf"[0-9a-f]{{{2 * KEY_BYTES}}}", re.ASCII)
MAX_FILE_BYTES = 65_536
OTHERS = 0o077
LOST = (
    "Without it these secrets are lost: the key that tickets are signed with (agents resolve "
    "again), the coins of running trials (a person decides them), and every stored credential of "
    "another service (enter it again). Everything else is unharmed."
)


class OpenedSecrets(NamedTuple):
    """A wiring that can seal and unseal, and what had to be done to the store for it."""

    wiring: Wiring
    resealed: Resealed


def read_keys(directory: Path) -> list[bytes]:
    """The keys of a data directory, newest last; none when there is no file.

    A file that others may read is made private.

    Raises:
        Unavailable: it cannot be read, or a line is no key; names the line and not what it holds.

    """
    path = directory / SEALING_KEYS
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            if os.fstat(file.fileno()).st_mode & OTHERS:
                os.fchmod(file.fileno(), PRIVATE_FILE)
            text = file.read(MAX_FILE_BYTES)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Unavailable(f"'{path}' cannot be read: {error.strerror}") from None
    lines = enumerate(map(str.strip, text.splitlines()), start=1)
    return [_key(path, number, line) for number, line in lines if line and line[0] != "#"]


def add_key(directory: DataDirectory, key: bytes) -> None:
    """Append a key to the file, for good before it returns.

    Raises:
        Unavailable: the file cannot be read or written; it is then as it was.

    """
    keys = [*read_keys(directory.path), key]
    directory.keep_sealing_keys(HEADER + "\n".join(one.hex() for one in keys))


def with_secrets(
    wiring: Wiring, directory: DataDirectory, *, give_up: bool = False
) -> OpenedSecrets:
    """The wiring with a directory's keys, and every stored secret under the newest of them.

    A directory without keys gets its first one.

    Args:
        wiring: over the directory's store, which no other process has open.
        directory: locked by this process.
        give_up: go on without the secrets whose keys are lost.

    Raises:
        Unavailable: a key is missing that secrets need; says what is lost and how to go on.

    """
    keys = read_keys(directory.path)
    missing = missing_keys(_knowing(wiring, keys))
    if missing and not give_up:
        raise Unavailable(_explained(directory.path, missing, has_file=bool(keys)))
    if not keys:
        keys = [wiring.runtime.entropy(KEY_BYTES)]
        add_key(directory, keys[0])
    opened = _knowing(wiring, keys)
    return OpenedSecrets(opened, reseal(opened, give_up=give_up))


def _knowing(wiring: Wiring, keys: Sequence[bytes]) -> Wiring:
    return msgspec.structs.replace(wiring, sealer=Sealer(keys))


def _explained(directory: Path, missing: Sequence[str], *, has_file: bool) -> str:
    path = directory / SEALING_KEYS
    found = f"'{path}' lacks the key" if has_file else f"'{path}' is missing, with the key"
    return (
        f"{found} {', '.join(missing)} that secrets in the store are sealed with. Put back the "
        f"file that belongs to this store, from a backup of the directory. {LOST} "
        f"To go on without: hubify secrets give-up --data {directory}"
    )


def _key(path: Path, number: int, line: str) -> bytes:
    if not LINE.fullmatch(line):
        digits = 2 * KEY_BYTES
        raise Unavailable(
            f"'{path}', line {number}, is no key of {digits} hexadecimal digits; "
            "put back the file from a backup of the directory"
        )
    return bytes.fromhex(line)
