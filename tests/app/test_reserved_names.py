"""Names of skills and the fixed words of REST paths: none may stand for the other."""

from collections.abc import Iterator
from itertools import permutations

from hubify.app.compose import DOMAINS
from hubify.domains.skills.rules import RESERVED_NAMES, may_be_named
from hubify.functions import Route, build_registry

NAMES = {"{name}", "{skill_name}"}


def routes() -> list[Route]:
    """Every route of the product."""
    specs = build_registry(DOMAINS)
    return [route for spec in specs if not spec.internal for route in spec.routes]


def shadowing(route: Route, other: Route) -> Iterator[str]:
    """The words of a route that stand where a path of another has a skill's name."""
    here, there = route.path.split("/"), other.path.split("/")
    if len(here) != len(there):
        return
    pairs = list(zip(here, there, strict=True))
    if all(mine == its or "{" in mine + its for mine, its in pairs):
        yield from (mine for mine, its in pairs if its in NAMES and "{" not in mine)


def test_no_skill_can_be_named_as_a_word_of_a_path_where_names_stand() -> None:
    words = {word for pair in permutations(routes(), 2) for word in shadowing(*pair)}
    assert words == RESERVED_NAMES, "keep RESERVED_NAMES in step with the routes"
    assert not any(map(may_be_named, words))
