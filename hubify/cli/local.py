"""The functions of a data directory that no server holds, called in this process.

Invariant: what a call answers went through the same encoding as over the network, and what it wrote
is on the disk when it answers. Jobs that it schedules wait for the next server.
"""

import asyncio
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress

from hubify.app.compose import Parts, compose, flusher_for, registry_of
from hubify.app.directory import DataDirectory
from hubify.app.settings import Settings
from hubify.cli.targets import Directory
from hubify.domains.auth import ADMIN_OWNER
from hubify.functions.backend import Answer, Call
from hubify.functions.principal import CallerKind, Principal
from hubify.functions.spec import FunctionKind
from hubify.sdk.errors import HubifyError
from hubify.values.errors import AppError
from hubify.values.values import Value
from hubify.wire import convex_json
from hubify.wire.calls import read_arguments
from hubify.wire.paths import canonical_path
from hubify.workers.notes import commit_notes

EVERY_SCOPE = frozenset({"*"})


class LocalHub:
    """Calls the backend from a loop of its own."""

    def __init__(self, parts: Parts, runner: asyncio.Runner, principal: Principal) -> None:
        self._parts = parts
        self._runner = runner
        self._principal = principal

    def query(self, path: str, arguments: Mapping[str, object] | None = None) -> Value:
        """What a query answers."""
        return self._run(FunctionKind.QUERY, path, arguments)

    def mutation(self, path: str, arguments: Mapping[str, object] | None = None) -> Value:
        """Do something once."""
        return self._run(FunctionKind.MUTATION, path, arguments)

    def action(self, path: str, arguments: Mapping[str, object] | None = None) -> Value:
        """Run an action."""
        return self._run(FunctionKind.ACTION, path, arguments)

    def functions(self) -> bytes:
        """What there is to call."""
        from hubify.transports.rest.catalogue import catalogue
        from hubify.transports.rest.endpoints import endpoints_of
        from hubify.wire.styles import CLEAN, encode

        registry = self._parts.backend.wiring.registry
        return encode(catalogue(registry, endpoints_of(registry)), CLEAN)

    def _run(self, kind: FunctionKind, path: str, given: Mapping[str, object] | None) -> Value:
        try:
            arguments = read_arguments(convex_json.parse(convex_json.encode(dict(given or {}))))
            call = Call(canonical_path(path), arguments, self._principal, charged=False)
            answer = self._runner.run(self._answer(kind, call))
            return convex_json.decode(convex_json.encode(answer.value), "the answer")
        except AppError as error:
            raise HubifyError(error.code, error.message, error.details) from None

    async def _answer(self, kind: FunctionKind, call: Call) -> Answer:
        backend = self._parts.backend
        match kind:
            case FunctionKind.QUERY:
                return backend.query(call)
            case FunctionKind.MUTATION:
                return await backend.mutation(call)
            case FunctionKind.ACTION:
                return await backend.action(call)


@contextmanager
def opened(target: Directory) -> Generator[LocalHub]:
    """The functions of a directory that this process has locked.

    Raises:
        HubifyError: the key is not good, or the operator's functions do not load.

    """
    directory = DataDirectory(target.path)
    try:
        registry = registry_of(target.functions)
        parts = compose(Settings(data=str(target.path)), directory, registry, kick=lambda: None)
    except AppError as error:
        raise HubifyError(error.code, error.message, error.details) from None
    with asyncio.Runner() as runner:
        flusher = flusher_for(parts, runner.get_loop())
        try:
            yield LocalHub(parts, runner, _principal(parts, target.key))
        finally:
            with suppress(AppError):  # what was noted beside the answers is not worth an error
                runner.run(commit_notes(parts.backend))
            runner.run(flusher.close())
            parts.database.close()


def _principal(parts: Parts, key: str | None) -> Principal:
    """Who calls: the key's holder; without one, the owner of the files, who may do anything."""
    if key is None:
        return Principal(CallerKind.ADMIN, ADMIN_OWNER, scopes=EVERY_SCOPE)
    try:
        return parts.identities.find(key)
    except AppError as error:
        raise HubifyError(error.code, error.message) from None
