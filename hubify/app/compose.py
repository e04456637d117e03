"""The composition root: the only file that names an engine, an adapter, or the list of domains.

Invariant: everything below is handed what it needs from here; nothing looks anything up.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence

import msgspec

from hubify.adapters.system_runtime import SYSTEM_RUNTIME
from hubify.app.directory import DataDirectory, admin_key
from hubify.app.plugins import load_domains
from hubify.app.sealing_keys import add_key, with_secrets
from hubify.app.settings import Settings, Switch, rate_limits
from hubify.core.database import Database
from hubify.domains.agent_keys import agent_keys
from hubify.domains.agents import agents
from hubify.domains.auth import KEY, KEY_PREFIX, SECRET_BYTES, auth, authenticate, new_secret
from hubify.domains.contents import contents
from hubify.domains.erasure import erasure
from hubify.domains.evolution import evolution
from hubify.domains.gateway import gateway
from hubify.domains.learning import learning
from hubify.domains.learning.flags import report_flags
from hubify.domains.skills import skills
from hubify.domains.system import system
from hubify.domains.verification import verification
from hubify.functions.backend import Answer, Backend, Call
from hubify.functions.declare import Domain, build_registry
from hubify.functions.flusher import Flusher
from hubify.functions.identities import Identities
from hubify.functions.principal import SYSTEM
from hubify.functions.quota import Quota
from hubify.functions.schedule import oldest_readable
from hubify.functions.sealing import KEY_BYTES
from hubify.functions.spec import Registry
from hubify.functions.wiring import Wiring
from hubify.storage.engine import StorageFailed
from hubify.storage.sqlite import SqliteEngine
from hubify.values.errors import AppError, Unavailable

log = logging.getLogger("hubify")

DOMAINS: tuple[Domain, ...] = (
    system, auth, contents, agents, agent_keys, skills, gateway, verification, evolution, learning,
    report_flags, erasure,
)  # fmt: skip


class Parts(msgspec.Struct, frozen=True):
    """What a server runs on, joined."""

    database: Database
    backend: Backend
    identities: Identities


def registry_of(functions: Sequence[str]) -> Registry:
    """Our domains and an operator's own."""
    return build_registry([*DOMAINS, *load_domains(functions)])


def compose(
    settings: Settings,
    directory: DataDirectory,
    registry: Registry,
    kick: Callable[[], None],
    *,
    give_up_secrets: bool = False,
) -> Parts:
    """Join the parts over the directory's store, with every stored secret under its newest key.

    `give_up_secrets`: go on without those whose keys are lost.

    Raises:
        Unavailable: the store or its secrets cannot be opened; says what to do about it.

    """
    runtime = SYSTEM_RUNTIME
    try:
        engine = SqliteEngine(directory.store)
    except StorageFailed as error:
        raise Unavailable(f"'{directory.store}': {error}") from None
    database = Database(engine, registry.tables, runtime.wall_ns, oldest_of=oldest_readable)
    plain = Wiring(registry, database, runtime)
    try:
        wiring, resealed = with_secrets(plain, directory, give_up=give_up_secrets)
    except AppError:
        database.close()
        raise
    backend = Backend(
        wiring, Quota(rate_limits(settings), runtime.wall_ns), kick,
        anonymous_reads=settings.anonymous_reads is Switch.ON,
    )  # fmt: skip
    parts = Parts(database, backend, Identities(wiring, authenticate))
    if resealed.plain:  # what lay open once may have been copied: it shall soon be of no use
        log.info("secrets that lay in plain text and are sealed now: %d", resealed.plain)
        call_now(parts, "skills:renewTicketKey", {})
    return parts


def flusher_for(parts: Parts, loop: asyncio.AbstractEventLoop) -> Flusher:
    """Let the backend's commits be flushed from this loop."""
    flusher = Flusher(parts.database.committer, loop)
    parts.backend.on_kick = flusher.kick
    return flusher


def call_now(parts: Parts, path: str, arguments: dict[str, object]) -> object:
    """Run a mutation as the system without an event loop: bootstrap, and local commands.

    Raises:
        AppError: what the function refused.

    """
    settled: list[Answer | AppError] = []
    call = Call(path, arguments, SYSTEM, charged=False)
    parts.backend.submit(call, settled.append, internal=True)
    parts.database.flush()
    (outcome,) = settled
    if isinstance(outcome, AppError):
        raise outcome
    return outcome.value


def bootstrap(parts: Parts, directory: DataDirectory) -> str | None:
    """Mint the admin key of an empty directory; None when there is one.

    The file comes first and the store goes by it: whenever a start is cut short, the next one finds
    no key in the store, or the one that the file holds.

    Raises:
        Unavailable: it could not be stored or kept.

    """
    if parts.backend.query(Call("auth:isBootstrapped", {}, SYSTEM), internal=True).value:
        return None
    secret = admin_key(directory.path)
    if secret is None or not KEY.fullmatch(secret):
        secret = new_secret(KEY_PREFIX, parts.backend.wiring.runtime.entropy(SECRET_BYTES))
    directory.keep_admin_key(secret)
    call_now(parts, "auth:bootstrap", {"secret": secret})
    return secret


def add_sealing_key(directory: DataDirectory) -> None:
    """Mint a key that seals from the next start on, which seals anew what others have sealed.

    Raises:
        Unavailable: it could not be kept.

    """
    add_key(directory, SYSTEM_RUNTIME.entropy(KEY_BYTES))


def warnings_about(unknown: Iterable[str]) -> list[str]:
    """A sentence for each variable that nothing reads."""
    return [f"the variable {name} is not known and has no effect" for name in unknown]
