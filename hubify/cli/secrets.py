"""`hubify secrets`: the keys that seal what a hub keeps secret.

Both commands work on a data directory that no server holds: a server reads its keys when it starts.

Invariant: no key and no secret is printed; keys are told by their names.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Group

from hubify.cli.options import branch, told
from hubify.cli.targets import DATA, DEFAULT_DATA, listed_functions
from hubify.cli.world import World
from hubify.sdk.errors import HubifyError

if TYPE_CHECKING:
    from hubify.app.compose import Parts
    from hubify.app.directory import DataDirectory

DataDirectoryOption = Annotated[
    str | None, told("Data directory (HUBIFY_DATA; default: data).", "DIR")
]


class SecretCommands:
    """The commands, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def rotate(self, *, data: DataDirectoryOption = None) -> None:
        """Seal every stored secret with a new key; stop the server first.

        Tickets, too, are signed with a new key from then on. The old sealing keys stay in
        `sealing.keys`, because past states are read with them; where one has leaked, delete its
        line.
        """
        from hubify.app.compose import add_sealing_key, call_now

        with self._locked(data) as directory:
            add_sealing_key(directory)
            with self._opened(directory) as parts:
                call_now(parts, "skills:renewTicketKey", {})
                newest = parts.backend.wiring.sealer.newest
        self._world.print(f"every secret is sealed with the key {newest} now")
        self._world.say(
            "Keep a copy of sealing.keys: without it the secrets are lost. Backups made before "
            "hold the older keys only, and need no other."
        )

    def give_up(self, *, data: DataDirectoryOption = None) -> None:
        """Go on without the secrets whose keys are lost; stop the server first.

        Open tickets are refused from then on (agents resolve again), running trials wait for a
        person, and credentials of other services have to be entered again. Secrets that can be
        opened stay.
        """
        with self._locked(data) as directory, self._opened(directory, give_up=True) as parts:
            newest = parts.backend.wiring.sealer.newest
        self._world.print(f"secrets that could not be opened are gone; the key {newest} seals now")

    @contextmanager
    def _locked(self, data: str | None) -> "Generator[DataDirectory]":
        from hubify.app.directory import DataDirectory

        path = Path(data or self._world.environment.get(DATA) or DEFAULT_DATA)
        directory = DataDirectory(path)
        if not directory.store.exists():
            message = f"there is no hub in '{path}'; name its data directory with --data"
            raise HubifyError("NOT_FOUND", message)
        with directory:
            yield directory

    @contextmanager
    def _opened(self, directory: "DataDirectory", *, give_up: bool = False) -> "Generator[Parts]":
        from hubify.app.compose import compose, registry_of
        from hubify.app.settings import Settings

        registry = registry_of(listed_functions(self._world.environment))
        settings = Settings(data=str(directory.path))
        parts = compose(settings, directory, registry, kick=lambda: None, give_up_secrets=give_up)
        try:
            yield parts
        finally:
            parts.database.close()


def secrets_app(world: World, group: Group, place: int) -> App:
    """`hubify secrets`."""
    commands = SecretCommands(world)
    app = branch("secrets", "Renew the keys that seal what a hub keeps secret.", group, place)
    app.command(commands.rotate)
    app.command(commands.give_up)
    return app
