"""Where a function stands on REST, and in which of the documented dialects it speaks there.

Invariant: a dialect is plain data; only `transports/rest` acts on it, and no function body knows
it.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

OK = 200


class Case(StrEnum):
    """How field names are spelled in an answer."""

    SNAKE = "snake"
    CAMEL = "camel"


class Dialect(msgspec.Struct, frozen=True):
    """One documented generation of the REST API: spelling, envelope, and its names of codes."""

    name: str
    case: Case
    enveloped: bool
    codes: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    messages: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])


V1 = Dialect("v1", Case.SNAKE, enveloped=True)
"""`/v1/...`: snake_case inside `{data, meta}` (product.md, "Wire and shapes")."""

API_V1 = Dialect("api-v1", Case.CAMEL, enveloped=False)
"""`/api/v1/...`: camelCase bare objects, as on the Files page (seed 002)."""


class Route(msgspec.Struct, frozen=True):
    """A method and a path template (`/v1/skills/{name}`) under which a function is called.

    Path parts in braces, query parameters and the JSON body together are the arguments. `spell`
    renames an argument on this route only ({"outcome": "result"}); `require` makes arguments
    mandatory here that are optional elsewhere; `fields` picks and orders the answer's members.
    `created_by` names the answer's field that says whether anything was made: `status` then, else
    200.
    """

    method: str
    path: str
    dialect: Dialect = V1
    status: int = OK
    spell: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    require: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    created_by: str = ""

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every status that an answer may have."""
        return (self.status,) if not self.created_by else (OK, self.status)

    def status_of(self, value: object) -> int:
        """The status of an answer."""
        if self.created_by and not getattr(value, self.created_by):
            return OK
        return self.status


class Verb:
    """Builds routes of one HTTP method."""

    def __init__(self, method: str) -> None:
        self._method = method

    def __call__(
        self,
        path: str,
        dialect: Dialect = V1,
        *,
        status: int = OK,
        spell: Mapping[str, str] | None = None,
        require: tuple[str, ...] = (),
        fields: tuple[str, ...] = (),
        created_by: str = "",
    ) -> Route:
        """Describe a route; see `Route` for the options."""
        renamed = spell or {}
        return Route(self._method, path, dialect, status, renamed, require, fields, created_by)


get = Verb("GET")
post = Verb("POST")
put = Verb("PUT")
patch = Verb("PATCH")
delete = Verb("DELETE")
