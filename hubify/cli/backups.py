"""`hubify backup` and `hubify restore`: a data directory copied, whole, while its server works.

Invariant: neither changes what it copies from, and neither writes over a hub that is there.
"""

from pathlib import Path
from typing import Annotated

from hubify.cli.options import told
from hubify.cli.targets import DATA, DEFAULT_DATA
from hubify.cli.world import World

MIB = 1024 * 1024
TENTH = 10

DataDirectoryOption = Annotated[
    str | None, told("Data directory (HUBIFY_DATA; default: data).", "DIR")
]


class BackupCommands:
    """The two commands, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def backup(
        self,
        target: Annotated[str, told("A directory that does not exist yet.", "TARGET")],
        /,
        *,
        data: DataDirectoryOption = None,
    ) -> None:
        """Copy the data directory as it stands now; its server goes on working.

        The copy holds everything acknowledged before the command began. It is a data directory of
        its own: `hubify serve --data TARGET` serves it, `hubify restore TARGET` copies it back. It
        holds the keys too, so keep it as safe as the original.
        """
        source = self._data(data)
        self._copy(source, Path(target))
        self._world.print(f"copied '{source}' to '{target}'")

    def restore(
        self,
        backup: Annotated[str, told("What `hubify backup` made.", "BACKUP")],
        /,
        *,
        data: DataDirectoryOption = None,
    ) -> None:
        """Copy a backup to a data directory that is not there yet, or holds no hub.

        A hub that is there is never written over: move its directory away first.
        """
        target = self._data(data)
        self._copy(Path(backup), target)
        self._world.print(f"restored '{target}'; `hubify serve --data {target}` serves it")

    def _data(self, given: str | None) -> Path:
        return Path(given or self._world.environment.get(DATA) or DEFAULT_DATA)

    def _copy(self, source: Path, target: Path) -> None:
        from hubify.app.backups import copy_directory

        shown = 0

        def progress(pages: int, of: int) -> None:
            nonlocal shown
            tenths = pages * TENTH // max(of, 1)
            if shown < tenths < TENTH:
                shown = tenths
                self._world.say(f"  {tenths * TENTH} %")

        size = copy_directory(source, target, progress)
        self._world.say(f"  {size / MIB:.1f} MiB, checked")
