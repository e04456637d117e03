"""What a declaration refuses at import, by name."""

from collections.abc import Callable
from typing import Any

import pytest

from hubify.functions import ActionCtx, Domain, MutationCtx, QueryCtx, RateClass
from hubify.functions.spec import FunctionKind


def look(_ctx: QueryCtx) -> None:
    """Look."""


def change(_ctx: MutationCtx) -> None:
    """Change."""


async def reach(_ctx: ActionCtx) -> None:
    """Reach."""


def silent(_ctx: QueryCtx) -> None:  # its docstring is what the test misses
    return


def declared(kind: str, function: Callable[..., Any], **options: object) -> Domain:
    """A domain with one function, declared as somebody without a type checker might."""
    domain = Domain("things")
    getattr(domain, kind)(**options)(function)
    return domain


@pytest.mark.parametrize(
    ("kind", "function", "option"),
    [
        ("query", look, "scpoe"), ("query", look, "secret"), ("query", look, "retries"),
        ("mutation", change, "retries"), ("action", reach, "secret"),
    ],
)  # fmt: skip
def test_an_option_that_a_kind_does_not_know_is_refused_by_name(
    kind: str, function: Callable[..., Any], option: str
) -> None:
    with pytest.raises(TypeError, match=f"no declaration says '{option}'; it may say "):
        declared(kind, function, public=True, **{option: 1})


@pytest.mark.parametrize("options", [{}, {"public": True, "scope": "things:read"}])
def test_a_declaration_says_a_scope_or_that_it_is_public(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"things:look: say scope=\.\.\. or public=True"):
        declared("query", look, **options)


@pytest.mark.parametrize(
    ("kind", "function"), [("query", reach), ("mutation", reach), ("action", look)]
)
def test_a_function_of_the_wrong_colour_is_refused(kind: str, function: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="is declared with"):
        declared(kind, function, public=True)


def test_a_function_that_does_not_say_what_it_does_is_refused() -> None:
    with pytest.raises(TypeError, match="things:silent: say in a docstring"):
        declared("query", silent, public=True)


def test_what_is_not_said_is_what_most_functions_need() -> None:
    (query,) = declared("query", look, scope="things:read").specs
    assert (query.path, query.kind, query.rate) == ("things:look", FunctionKind.QUERY, "query")
    (mutation,) = declared("mutation", change, internal=True, name="other").specs
    assert (mutation.path, mutation.rate, mutation.scope) == ("things:other", "mutation", "*")
    assert (mutation.secret, mutation.retries, mutation.routes) == (False, 0, ())
    (action,) = declared("action", reach, public=True, retries=2, rate=RateClass.NONE).specs
    assert (action.retries, action.rate, action.public) == (2, RateClass.NONE, True)
