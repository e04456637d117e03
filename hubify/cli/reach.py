"""How a command reaches a hub's functions: over the network, or in the data directory.

A data directory is reached through the server that holds it when one runs, else opened here, under
its lock.

Invariant: two processes never have one directory open; a directory that is not there is not made.
"""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from hubify.cli.targets import URL, Directory, Hub, Remote, target_of
from hubify.cli.world import World
from hubify.sdk.errors import HubifyError

LOCK_TRIES, LOCK_WAIT_S = 20, 0.25


@contextmanager
def reached(world: World, data: str | None) -> Generator[Hub]:
    """The hub that a command works on.

    Raises:
        HubifyError: there is none, or it cannot be opened.

    """
    target = target_of(world.environment, data)
    with ExitStack() as stack:
        if isinstance(target, Directory):
            remote = _claimed(world, target, stack)
            if remote is None:
                from hubify.cli.local import opened

                yield stack.enter_context(opened(target))
                return
            target = remote
        yield stack.enter_context(world.client(target.url, target.key))


def _claimed(world: World, target: Directory, stack: ExitStack) -> Remote | None:
    """Lock a directory until the stack unwinds; or the server that holds it."""
    from hubify.app.directory import ADDRESS, DataDirectory, admin_key
    from hubify.values.errors import Unavailable

    directory = DataDirectory(target.path)
    if not directory.store.exists():
        message = (
            f"there is no hub in '{target.path}': start one with `hubify serve`, "
            f"name its directory with --data, or set {URL}"
        )
        raise HubifyError("NOT_FOUND", message)
    address = target.path / ADDRESS
    for _ in range(LOCK_TRIES):
        try:
            stack.enter_context(directory)
        except Unavailable:
            if address.exists():
                url = address.read_text(encoding="utf-8").strip()
                return Remote(url, target.key or admin_key(target.path))
            world.sleep(LOCK_WAIT_S)
        else:
            address.unlink(missing_ok=True)  # left behind by a server that was killed
            return None
    message = f"'{target.path}' is in use by another process; try again in a moment"
    raise HubifyError("UNAVAILABLE", message)
