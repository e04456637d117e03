"""Backups: a data directory copied whole, by which it can be served again.

A backup *is* a data directory: `hubify serve --data BACKUP` serves it, and restoring one is copying
it back. So there is one copy, used for both.

Invariant: the store is copied before the keys that it needs, and keys are only ever added; so no
copy holds a secret that its keys do not open.
"""

import os
import shutil
from pathlib import Path

from hubify.app.directory import KEY_FILES, PRIVATE_DIRECTORY, PRIVATE_FILE, STORE, DataDirectory
from hubify.storage.copying import Progress, copy_database, flush
from hubify.storage.engine import StorageFailed
from hubify.values.errors import InvalidInput, Unavailable


def copy_directory(source: Path, target: Path, progress: Progress) -> int:
    """Copy a data directory that a server may be using to one that is not there or has no store.

    Returns:
        The size of the copied store, in bytes.

    Raises:
        InvalidInput: the source holds no store, or the target holds one; nothing was changed.
        Unavailable: a server uses the target, the copy is damaged, or a disk refused.

    """
    if not (source / STORE).is_file():
        message = f"there is no hub in '{source}'; name the data directory of one"
        raise InvalidInput(message)
    with DataDirectory(target) as directory:
        if directory.store.exists():
            message = f"'{target}' holds a hub already; name a directory that does not exist yet"
            raise InvalidInput(message)
        target.chmod(PRIVATE_DIRECTORY)
        try:
            size = copy_database(source / STORE, directory.store, progress)
        except StorageFailed as error:
            raise Unavailable(str(error)) from None
        directory.store.chmod(PRIVATE_FILE)
        _copy_keys(source, target)
    return size


def _copy_keys(source: Path, target: Path) -> None:
    for name in KEY_FILES:
        if not (source / name).exists():
            continue
        descriptor = os.open(target / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
        with (source / name).open("rb") as original, os.fdopen(descriptor, "wb") as copy:
            shutil.copyfileobj(original, copy)
        flush(target / name)
    flush(target)
