"""What every part of the function layer stands on, joined once by the composition root.

Invariant: these do not change while a server runs.
"""

import logging
from typing import Any

import msgspec

from hubify.core.database import Database
from hubify.functions.sealing import NO_KEYS, Sealer
from hubify.functions.spec import Registry
from hubify.functions.write_behind import WriteBehind
from hubify.ports.runtime import Runtime

log = logging.getLogger("hubify.functions")


class Wiring(msgspec.Struct, frozen=True):
    """Registry, database, time and randomness, the outside world, keys for secrets, notes.

    `strict` turns an error that a function raises without declaring it into a failure (tests).
    """

    registry: Registry
    database: Database
    runtime: Runtime
    ports: Any = None
    strict: bool = False
    sealer: Sealer = NO_KEYS
    write_behind: WriteBehind = msgspec.field(default_factory=WriteBehind)
