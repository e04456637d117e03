"""The registry's routes, compiled: what each takes, how it answers, under which path it stands.

Invariant: there is one endpoint per declared route of a public function, and nothing else.
"""

from collections.abc import Iterator
from typing import NamedTuple

from hubify.functions import Route
from hubify.functions.spec import FunctionSpec, Registry
from hubify.transports.rest.arguments import RouteArguments
from hubify.transports.rest.dialects import RouteAnswers
from hubify.transports.rest.matcher import parameters_of


class Endpoint(NamedTuple):
    """One route of one function; `shown_path` has its parameters as the dialect spells them."""

    spec: FunctionSpec
    route: Route
    arguments: RouteArguments
    answers: RouteAnswers
    shown_path: str

    @property
    def replayable(self) -> bool:
        """Whether an `Idempotency-Key` makes it happen once."""
        return self.spec.replayable


def endpoints_of(registry: Registry) -> Iterator[Endpoint]:
    """Every route, in the order of declaration.

    Raises:
        ValueError: a route names an argument that its function does not take.

    """
    for spec in registry:
        if spec.internal:
            continue
        for route in spec.routes:
            arguments = RouteArguments(spec, route)
            answers = RouteAnswers(spec.returns, route)
            yield Endpoint(spec, route, arguments, answers, _shown_path(route, arguments))


def _shown_path(route: Route, arguments: RouteArguments) -> str:
    shown = route.path
    for name in parameters_of(route.path):
        shown = shown.replace("{" + name + "}", "{" + arguments.shown[name] + "}")
    return shown
