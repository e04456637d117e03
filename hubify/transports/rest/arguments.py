"""The arguments of one route, read from its path, its query string and its JSON body.

Names may come in either case, and the route may spell some otherwise. A list that comes in pages
takes `limit` and `cursor` (surface.md 1.3).

Invariant: what leaves here is named as the caller named it, and each name is there once; whatever
is wrong is an `InvalidInput` or `TooLarge` that says so in the caller's own words.
"""

import typing
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from hubify.functions import PageRequest, Route
from hubify.functions.backend import IDEMPOTENCY_KEYS
from hubify.functions.binding import Argument, camel, spellings
from hubify.functions.route import Case
from hubify.functions.spec import FunctionSpec
from hubify.transports.rest.matcher import parameters_of
from hubify.transports.rest.query_text import Read, reader_of
from hubify.values import limits
from hubify.values.errors import InvalidInput
from hubify.wire import convex_json

MAX_QUERY_CHARACTERS = 16_384
MAX_QUERY_PARAMETERS = 256
MAX_PAGE = 100
JSON_TYPES = ("application/json", "")
BODILESS = ("GET", "HEAD")


class Parts(NamedTuple):
    """Where a request's arguments lie."""

    path: Mapping[str, str]
    query: str
    body: bytes
    content_type: str


class RouteArguments:
    """How the arguments of one route are read."""

    def __init__(self, spec: FunctionSpec, route: Route) -> None:
        own_names = {item.name for item in spec.arguments}
        self._check(spec, route, own_names)
        self._path = f"{route.method} {route.path}"
        self._has_body = route.method not in BODILESS
        self.paged = _paged(spec.arguments)
        """The argument that `limit` and `cursor` stand for, if the function pages."""
        self.shown = {item.name: _shown(item.name, route) for item in spec.arguments}
        """Each argument as this route spells it: what errors and descriptions say."""
        self._required = route.require
        self._bind = spec.binding.bind
        self._own = {spelled: own for own in own_names for spelled in spellings(own)}
        self._own |= {shown: own for own, shown in self.shown.items()}
        self._readers = {
            item.name: reader_of(item.type) for item in spec.arguments if item.name != self.paged
        }

    @property
    def spell(self) -> Mapping[str, str]:
        """What `Binding.bind` should call each argument when it speaks to this caller."""
        if self.paged is None:
            return self.shown
        return {**self.shown, self.paged: "limit, cursor"}

    def read(self, parts: Parts) -> dict[str, Any]:
        """The arguments as sent, each under the name that it was sent with.

        Raises:
            InvalidInput, TooLarge: naming the parameter and what it should be.

        """
        sent: dict[str, Any] = {}
        for name, text in parts.path.items():
            shown = self.shown[name]
            sent[shown] = self._readers[name](shown, (text,))
        if parts.query:
            self._merge(sent, self._query(parts.query))
        if parts.body:
            self._merge(sent, self._body(parts))
        if self.paged is not None:
            self._page(sent, self.paged)
        self._demand(sent)
        return sent

    def _query(self, query: str) -> dict[str, Any]:
        texts: dict[str, list[str]] = {}
        for name, text in _parameters(query):
            texts.setdefault(name, []).append(text)
        return {name: self._reader(name)(name, each) for name, each in texts.items()}

    def _reader(self, name: str) -> Read:
        own = self._own.get(name)
        reader = self._readers.get(own) if own is not None else None
        if reader is not None:
            return reader
        return LIMIT if self.paged is not None and name == "limit" else TEXT

    def _body(self, parts: Parts) -> dict[str, Any]:
        if not self._has_body:
            message = f"{self._path} takes no body; put its arguments in the query string"
            raise InvalidInput(message)
        _check_content_type(parts.content_type)
        body = convex_json.decode(parts.body, "the body")
        if not isinstance(body, dict):
            message = "the body must be a JSON object of named arguments"
            raise InvalidInput(message)
        return body

    def _merge(self, sent: dict[str, Any], more: Mapping[str, Any]) -> None:
        for name, value in more.items():
            if name in sent and sent[name] != value:
                message = f"{name} is given twice, with different values"
                raise InvalidInput(message)
            sent[name] = value

    def _page(self, sent: dict[str, Any], paged: str) -> None:
        for name in spellings(paged):
            if name in sent:
                message = f"unknown argument '{name}'; here, use limit and cursor"
                raise InvalidInput(message)
        limit, cursor = sent.pop("limit", None), sent.pop("cursor", None)
        if limit is None:
            limit = limits.DEFAULT_PAGE_ROWS
        if type(limit) is not int or not 1 <= limit <= MAX_PAGE:
            message = f"limit must be a whole number from 1 to {MAX_PAGE}"
            raise InvalidInput(message)
        if cursor is not None and not isinstance(cursor, str):
            message = "cursor must be a string: the next_cursor of the page before"
            raise InvalidInput(message)
        sent[paged] = {"numItems": limit, "cursor": cursor or None}

    def _demand(self, sent: Mapping[str, Any]) -> None:
        if not self._required:
            return
        # Bound once more than the call itself does: only the binding knows every accepted name.
        given = {name: value for name, value in sent.items() if name not in IDEMPOTENCY_KEYS}
        bound = self._bind(given, self.spell)
        for own in self._required:
            if bound[own] is None:
                message = f"{self.shown[own]} is required"
                raise InvalidInput(message)

    def _check(self, spec: FunctionSpec, route: Route, own_names: set[str]) -> None:
        named = {*parameters_of(route.path), *route.spell, *route.require}
        if unknown := named - own_names:
            message = f"{route.method} {route.path}: {spec.path} takes no {sorted(unknown)}"
            raise ValueError(message)
        given = {
            item.name for item in spec.arguments if not (item.required or item.default is None)
        }
        if never_missing := given.intersection(route.require):
            message = f"{route.method} {route.path}: {sorted(never_missing)} have a default already"
            raise ValueError(message)


def _shown(own: str, route: Route) -> str:
    # The enveloped generations name arguments in snake_case even where they answer in camelCase
    # (seed 004); the bare one is camelCase throughout (seed 002).
    in_camel = route.dialect.case is Case.CAMEL and not route.dialect.enveloped
    return route.spell.get(own, camel(own) if in_camel else own)


def _paged(arguments: tuple[Argument, ...]) -> str | None:
    """The argument that asks for a page, unless the function has a `limit` of its own."""
    names = {item.name for item in arguments}
    for item in arguments:
        if item.type is PageRequest or PageRequest in typing.get_args(item.type):
            return None if names & {"limit", "cursor"} else item.name
    return None


def _parameters(query: str) -> list[tuple[str, str]]:
    if len(query) > MAX_QUERY_CHARACTERS:
        message = f"the query string is over {MAX_QUERY_CHARACTERS} characters; send a body instead"
        raise InvalidInput(message)
    if query.count("&") >= MAX_QUERY_PARAMETERS:
        message = f"over {MAX_QUERY_PARAMETERS} query parameters; send a body instead"
        raise InvalidInput(message)
    try:
        return parse_qsl(query, keep_blank_values=True, errors="strict")
    except UnicodeError:
        message = "the query string is not UTF-8 once its %-escapes are decoded"
        raise InvalidInput(message) from None


def _check_content_type(content_type: str) -> None:
    media, _, rest = content_type.partition(";")
    media = media.strip().lower()
    charset = rest.lower().replace(" ", "").removeprefix("charset=").strip('"')
    if media not in JSON_TYPES and not (
        media.startswith("application/") and media.endswith("+json")
    ):
        message = (
            f"send the body as JSON, with 'Content-Type: application/json', not '{media[:60]}'"
        )
        raise InvalidInput(message)
    if rest and charset not in ("utf-8", "utf8"):
        message = "send the body in UTF-8"
        raise InvalidInput(message)


LIMIT = reader_of(int)
TEXT = reader_of(str)
