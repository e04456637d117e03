"""How a domain declares its tables, functions and crons.

Invariant: a function is declared once, documented, with keyword-only typed arguments, of the right
colour, and with a scope or openly public; whatever breaks this fails at import, by name.
"""

import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypedDict, TypeVar, Unpack

from hubify.core.schema import Table
from hubify.functions.binding import Argument, Binding, arguments_of, camel
from hubify.functions.closures import CLOSED
from hubify.functions.replay import ANSWERED
from hubify.functions.route import Route
from hubify.functions.schedule import CRONS, JOBS, TICKS
from hubify.functions.sealing import KEYS_IN_USE
from hubify.functions.spec import CronSpec, FunctionKind, FunctionSpec, RateClass, Registry
from hubify.values.errors import AppError
from hubify.values.rows import Index, Row

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R", bound=type[Row])
RATES = {
    FunctionKind.QUERY: RateClass.QUERY,
    FunctionKind.MUTATION: RateClass.MUTATION,
    FunctionKind.ACTION: RateClass.MUTATION,
}
SYSTEM_TABLES = (JOBS, CRONS, TICKS, ANSWERED, KEYS_IN_USE, CLOSED)


class Options(TypedDict, total=False):
    """What every declaration may say; `scope` or `public`, or `internal`, it must.

    `name`: instead of the Python function's, in camel case. `also`: other names of arguments, each
    with its own. `aliases`: other paths. `rate`: which allowance a call draws on (`RATES`, if not
    said). `errors`: what it raises beyond what every function may.
    """

    public: bool
    scope: str | None
    rest: Route | tuple[Route, ...]
    errors: tuple[type[AppError], ...]
    rate: RateClass
    name: str | None
    also: Mapping[str, str] | None
    aliases: tuple[str, ...]
    internal: bool


class MutationOptions(Options, total=False):
    """`secret`: the answer is shown once, and not kept for a second arrival of the same call."""

    secret: bool


class ActionOptions(Options, total=False):
    """`retries`: how often a scheduled run that failed is tried again; only if idempotent.

    `one_write`: it calls one mutation, which an idempotency key that it is sent with is handed to.
    """

    retries: int
    one_write: bool


class Domain:
    """One module of the product: `skills = Domain("skills")`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tables: list[Table] = []
        self.specs: list[FunctionSpec] = []
        self.aliases: dict[str, str] = {}
        self.crons: list[CronSpec] = []

    def table(self, name: str, *indexes: Index) -> Callable[[R], R]:
        """Declare the rows of a table and the indexes they are read by."""

        def declare(row_type: R) -> R:
            fields = {*row_type.__struct_fields__}
            for item in indexes:
                if unknown := {*item.fields, *item.within, *item.by} - fields:
                    message = f"{row_type.__name__}: index over unknown fields {sorted(unknown)}"
                    raise TypeError(message)
            self.tables.append(Table(name, row_type, indexes))
            return row_type

        return declare

    def query(self, **options: Unpack[Options]) -> Callable[[F], F]:
        """Declare a read-only function; anybody may subscribe to it."""
        _refuse_unknown(options, Options)
        return self._declare(FunctionKind.QUERY, options)

    def mutation(self, **options: Unpack[MutationOptions]) -> Callable[[F], F]:
        """Declare a function that reads and writes in one serializable transaction."""
        _refuse_unknown(options, MutationOptions)
        return self._declare(FunctionKind.MUTATION, options, secret=options.get("secret", False))

    def action(self, **options: Unpack[ActionOptions]) -> Callable[[F], F]:
        """Declare an `async` function that may reach the world."""
        _refuse_unknown(options, ActionOptions)
        return self._declare(
            FunctionKind.ACTION,
            options,
            retries=options.get("retries", 0),
            one_write=options.get("one_write", False),
        )

    def cron(self, *, every_s: int, offset_s: int = 0) -> Callable[[F], F]:
        """Run a declared mutation or action without arguments at an interval.

        Stands above the function's own decorator.
        """

        def declare(function: F) -> F:
            path = next(spec.path for spec in self.specs if spec.function is function)
            self.crons.append(CronSpec(path=path, every_s=every_s, offset_s=offset_s))
            return function

        return declare

    def _declare(
        self,
        kind: FunctionKind,
        options: Options,
        *,
        secret: bool = False,
        retries: int = 0,
        one_write: bool = False,
    ) -> Callable[[F], F]:
        public, scope = options.get("public", False), options.get("scope")
        internal, routes = options.get("internal", False), options.get("rest", ())

        def declare(function: F) -> F:
            path = f"{self.name}:{options.get('name') or camel(function.__name__)}"
            _refuse_undeclarable(function, kind, path)
            if public == bool(scope) and not internal:
                message = f"{path}: say scope=... or public=True (exactly one)"
                raise TypeError(message)
            spec = FunctionSpec(
                path=path, kind=kind, function=function,
                binding=Binding(path, arguments_of(function), options.get("also") or {}),
                returns=typing.get_type_hints(function).get("return", Any),
                errors=options.get("errors", ()), scope=None if public else scope or "*",
                rate=options.get("rate", RATES[kind]),
                routes=(routes,) if isinstance(routes, Route) else routes, internal=internal,
                retries=retries, secret=secret, one_write=one_write,
            )  # fmt: skip
            self.specs.append(spec)
            self.aliases |= dict.fromkeys(options.get("aliases", ()), path)
            return function

        return declare


def build_registry(domains: Iterable[Domain]) -> Registry:
    """Join domains into one frozen registry.

    Raises:
        ValueError: two functions or tables share a name.

    """
    loaded = list(domains)
    return Registry(
        specs=[spec for domain in loaded for spec in domain.specs],
        aliases={alias: path for domain in loaded for alias, path in domain.aliases.items()},
        tables=[*SYSTEM_TABLES, *(table for domain in loaded for table in domain.tables)],
        crons=[cron for domain in loaded for cron in domain.crons],
    )


def _refuse_unknown(options: Options, known: type[Options]) -> None:
    """The type checker knows the options; whoever runs without one is told here."""
    if unknown := sorted(set(options) - known.__optional_keys__):
        names = ", ".join(sorted(known.__optional_keys__))
        message = f"no declaration says {unknown[0]!r}; it may say {names}"
        raise TypeError(message)


def _refuse_undeclarable(function: Callable[..., Any], kind: FunctionKind, path: str) -> None:
    is_async = inspect.iscoroutinefunction(function)
    if is_async != (kind is FunctionKind.ACTION):
        right = "async def" if kind is FunctionKind.ACTION else "def (it may not wait for anything)"
        message = f"{path}: a {kind} is declared with {right}"
        raise TypeError(message)
    if not (function.__doc__ or "").strip():
        message = f"{path}: say in a docstring what it does"
        raise TypeError(message)


__all__ = ["Argument", "Domain", "build_registry"]
