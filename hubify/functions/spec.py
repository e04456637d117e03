"""A declared function as data, and the registry that every face is projected from.

Invariant: the registry is complete and frozen once built; no transport holds a list of functions.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from hubify.core.schema import Table
from hubify.functions.binding import Argument, Binding
from hubify.functions.route import Route
from hubify.values.errors import AppError, NotFound


class FunctionKind(StrEnum):
    """What a function may do: read; read and write; reach the world."""

    QUERY = "query"
    MUTATION = "mutation"
    ACTION = "action"


class RateClass(StrEnum):
    """Which allowance a call draws on (seeds 000 and 002)."""

    QUERY = "query"
    MUTATION = "mutation"
    SEARCH = "search"
    ANALYSIS = "analysis"  # weighs a whole record anew; may take the server half a second
    FILE_READ = "file_read"
    FILE_WRITE = "file_write"
    IMPORT = "import"  # a history is many versions; each costs the server some milliseconds
    WRONG_KEY = "wrong_key"  # not a call: a credential that was none, counted by address
    NONE = "none"


class FunctionSpec:
    """One function as declared: everything a face needs to offer it."""

    def __init__(
        self,
        *,
        path: str,
        kind: FunctionKind,
        function: Callable[..., Any],
        binding: Binding,
        returns: Any,
        errors: tuple[type[AppError], ...],
        scope: str | None,
        rate: RateClass,
        routes: tuple[Route, ...],
        internal: bool,
        retries: int,
        secret: bool,
        one_write: bool,
    ) -> None:
        self.path = path
        self.kind = kind
        self.function = function
        self.binding = binding
        self.returns = returns
        self.errors = errors
        self.scope = scope
        self.rate = rate
        self.routes = routes
        self.internal = internal
        self.retries = retries
        self.secret = secret
        self.one_write = one_write

    @property
    def public(self) -> bool:
        """Whether anonymous callers may call it."""
        return self.scope is None

    @property
    def replayable(self) -> bool:
        """Whether an idempotency key makes it happen once."""
        return self.kind is FunctionKind.MUTATION or self.one_write

    @property
    def doc(self) -> str:
        """The docstring; its first line is the summary."""
        return self.function.__doc__ or ""

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """Declared arguments in order."""
        return self.binding.arguments

    def __repr__(self) -> str:
        return f"<{self.kind} {self.path}>"


class UnknownFunction(NotFound):
    """No public function has that path; `GET /api/functions` lists them all."""

    def __init__(self, path: str, message: str | None = None) -> None:
        super().__init__(message or f"Could not find public function for '{path}'.")


class CronSpec:
    """A function that runs at an interval: path, seconds between runs, offset into it."""

    def __init__(self, *, path: str, every_s: int, offset_s: int) -> None:
        self.path = path
        self.every_s = every_s
        self.offset_s = offset_s


class Registry:
    """All functions, tables and crons of the loaded domains."""

    def __init__(
        self,
        specs: Iterable[FunctionSpec],
        aliases: Mapping[str, str],
        tables: Iterable[Table],
        crons: Iterable[CronSpec],
    ) -> None:
        self._specs: dict[str, FunctionSpec] = {}
        for spec in specs:
            if spec.path in self._specs:
                message = f"two functions are named '{spec.path}'; rename one"
                raise ValueError(message)
            self._specs[spec.path] = spec
        self._aliases = {alias: path for alias, path in aliases.items() if alias not in self._specs}
        self.tables = tuple(tables)
        self.crons = tuple(crons)
        self._by_function = {spec.function: spec for spec in self._specs.values()}

    def __iter__(self) -> Iterator[FunctionSpec]:
        return iter(self._specs.values())

    @property
    def aliases(self) -> Mapping[str, str]:
        """Other names of functions: alias to path."""
        return self._aliases

    def find(self, path: str, *, internal: bool = False) -> FunctionSpec:
        """The function of a canonical path.

        Raises:
            UnknownFunction: there is none, or it may not be called from outside.

        """
        spec = self._specs.get(self._aliases.get(path, path))
        if spec is None or (spec.internal and not internal):
            raise UnknownFunction(path)
        return spec

    def of(self, function: Callable[..., Any]) -> FunctionSpec:
        """The spec of a declared Python function."""
        return self._by_function[function]
