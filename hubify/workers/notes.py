"""Taking in what functions noted in memory (`ctx.note`), in batches.

Invariant: a batch that the store refuses is put back; one that its function refuses is logged and
gone, so that it cannot stand in the way of the rest.
"""

import logging

from hubify.functions.backend import Backend, Call
from hubify.functions.principal import SYSTEM
from hubify.values.errors import AppError, Unavailable

log = logging.getLogger("hubify.notes")


async def commit_notes(backend: Backend) -> int:
    """Hand everything noted so far to its functions; how many items that were.

    Raises:
        Unavailable: the store takes no writes now; what is left waits for the next time.

    """
    behind = backend.wiring.write_behind
    if dropped := behind.take_dropped():
        log.warning("%d notes found no room and were dropped", dropped)
    committed = 0
    while notes := behind.take():
        call = Call(notes[0].path, {"items": [note.item for note in notes]}, SYSTEM, charged=False)
        try:
            await backend.mutation(call, internal=True)
            committed += len(notes)
        except Unavailable:
            behind.put_back(notes)
            raise
        except AppError as error:
            log.error("%d notes for %s were refused: %s", len(notes), call.path, error.message)  # noqa: TRY400 - its traceback is logged where it was raised
    return committed
