"""A command line that calls a function: to paste, fill in and run.

Invariant: it is quoted for a POSIX shell, whatever a declaration holds.
"""

import json
from collections.abc import Mapping
from shlex import quote
from typing import Any
from urllib.parse import quote as percent
from urllib.parse import urlencode

from hubify.functions.binding import camel
from hubify.functions.spec import FunctionSpec
from hubify.transports.rest.dialects import style_of
from hubify.transports.rest.documentation import documentation_of
from hubify.transports.rest.endpoints import Endpoint
from hubify.transports.rest.matcher import parameters_of
from hubify.transports.rest.openapi import IN_QUERY
from hubify.transports.rest.schemas import Schemas
from hubify.transports.rest.type_words import sample
from hubify.wire.styles import CLEAN

KEY = '-H "Authorization: Bearer $HUBIFY_API_KEY"'
JSON = "-H 'Content-Type: application/json'"
Arguments = Mapping[str, Any]


def curl(spec: FunctionSpec, endpoint: Endpoint | None, schemas: Schemas) -> str:
    """A call over the route, or over the Convex protocol when there is none."""
    if endpoint is None:
        sent = {camel(name): value for name, value in _samples(spec, None, schemas).items()}
        body = {"path": spec.path, "format": "json", "args": sent}
        return _command("POST", f"/api/{spec.kind}", "", body, key=not spec.public)
    route, arguments = endpoint.route, endpoint.arguments
    samples = _samples(spec, endpoint, schemas)
    path = route.path
    for name in parameters_of(route.path):
        path = path.replace(
            "{" + name + "}", percent(str(samples.pop(name, f"<{name}>")), safe="<>")
        )
    sent = {arguments.shown[name]: value for name, value in samples.items()}
    if route.method in IN_QUERY:
        return _command(route.method, path, _query(sent), None, key=not spec.public)
    return _command(route.method, path, "", sent or None, key=not spec.public)


def _samples(spec: FunctionSpec, endpoint: Endpoint | None, schemas: Schemas) -> dict[str, Any]:
    """What to send, by the arguments' own names: the example, or a sample of what is required."""
    example = documentation_of(spec.doc).example
    if example is not None:
        return dict(example.arguments)
    style = CLEAN if endpoint is None else style_of(endpoint.route.dialect)
    demanded = () if endpoint is None else endpoint.route.require
    return {
        item.name: sample(item.name, schemas.argument(item, style), schemas.components)
        for item in spec.arguments
        if item.required or item.name in demanded
    }


def _query(sent: Arguments) -> str:
    texts = {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in sent.items()
    }
    return urlencode(texts, safe="<>")


def _command(method: str, path: str, query: str, body: object, *, key: bool) -> str:
    verb = [] if method == "GET" or (method == "POST" and body is not None) else ["-X", method]
    tail = path + ("?" + query if query else "")
    parts = ["curl", *verb, f'"$HUBIFY_URL"{quote(tail)}']
    parts += [KEY] if key else []
    if body is not None:
        parts += [JSON, "-d", quote(json.dumps(body, ensure_ascii=False))]
    return " ".join(parts)
