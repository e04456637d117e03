"""The OpenAPI 3.1 description of every route, read off the registry.

Invariant: equal registries give equal bytes; each answer is described as its dialect spells it, and
each refusal that a function declares is listed with its code.
"""

import json
from collections.abc import Iterable
from typing import Any

from hubify import __version__
from hubify.functions import Dialect
from hubify.functions.binding import Argument
from hubify.functions.spec import FunctionKind, FunctionSpec, RateClass
from hubify.transports.rest.arguments import BODILESS
from hubify.transports.rest.components import (
    COMMON_SCHEMAS,
    EXAMPLE_META,
    HEADERS,
    LIMIT_HEADERS,
    PAGE_META,
    PAGE_PARAMETERS,
    PARAMETERS,
    REFUSAL_HEADERS,
    SECURITY,
    header,
    parameter,
)
from hubify.transports.rest.dialects import spelled_refusal, status_of, style_of
from hubify.transports.rest.documentation import documentation_of, paragraphs
from hubify.transports.rest.endpoints import Endpoint
from hubify.transports.rest.matcher import parameters_of
from hubify.transports.rest.schemas import NULL, Schema, Schemas, without_null
from hubify.values.errors import (
    AppError,
    Conflict,
    Forbidden,
    InternalError,
    InvalidInput,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

IN_QUERY = (*BODILESS, "DELETE")
ABOUT = (
    "Every function that has a route, as declared. Arguments are accepted in snake_case and in "
    "camelCase. The same functions answer live over the sync protocol, under the name in "
    "`x-function`."
)


def description(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """The whole document, in JSON's own types."""
    schemas = Schemas()
    shared: dict[str, Schema] = {}
    paths: dict[str, dict[str, Any]] = {}
    modules: dict[str, None] = {}
    seen: dict[str, int] = {}
    for endpoint in endpoints:
        spec = endpoint.spec
        seen[spec.path] = seen.get(spec.path, 0) + 1
        operation = _operation(endpoint, schemas, shared, seen[spec.path])
        paths.setdefault(endpoint.shown_path, {})[endpoint.route.method.lower()] = operation
        modules[_module(spec)] = None
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hubify",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in modules],
        "paths": paths,
        "components": {
            "schemas": {**COMMON_SCHEMAS, **schemas.components},
            "responses": shared,
            "headers": HEADERS,
            "parameters": PARAMETERS,
            "securitySchemes": SECURITY,
        },
    }


def document(endpoints: Iterable[Endpoint]) -> bytes:
    """The document as indented JSON text."""
    return json.dumps(description(endpoints), indent=1, ensure_ascii=False).encode()


def _operation(
    endpoint: Endpoint, schemas: Schemas, shared: dict[str, Schema], number: int
) -> dict[str, Any]:
    spec, route = endpoint.spec, endpoint.route
    about = documentation_of(spec.doc)
    operation: dict[str, Any] = {
        "operationId": spec.path.replace(":", ".") + ("" if number == 1 else f".{number}"),
        "summary": about.summary,
        "tags": [_module(spec)],
        "x-function": spec.path,
        "x-kind": str(spec.kind),
        "x-rate-class": str(spec.rate),
    }
    if about.description:
        operation["description"] = about.description
    operation["security"] = [{}, {"key": []}] if spec.public else [{"key": [str(spec.scope)]}]
    if parameters := _parameters(endpoint, schemas):
        operation["parameters"] = parameters
    if route.method not in IN_QUERY and (body := _body(endpoint, schemas)):
        operation["requestBody"] = body
    operation["responses"] = {
        **{str(status): _answer(endpoint, schemas) for status in route.statuses},
        **_refusals(endpoint, shared),
    }
    return operation


# Arguments.


def _parameters(endpoint: Endpoint, schemas: Schemas) -> list[Schema]:
    in_path = parameters_of(endpoint.route.path)
    listed = [
        _parameter(endpoint, item, schemas, "path")
        for item in endpoint.spec.arguments
        if item.name in in_path
    ]
    if endpoint.route.method in IN_QUERY:
        listed += [_parameter(endpoint, item, schemas, "query") for item in _sent(endpoint)]
        if endpoint.arguments.paged is not None:
            listed += [parameter(name) for name in PAGE_PARAMETERS]
    if endpoint.replayable:
        listed.append(parameter("idempotencyKey"))
    return listed


def _sent(endpoint: Endpoint) -> list[Argument]:
    """The arguments that stand neither in the path nor behind `limit` and `cursor`."""
    elsewhere = {*parameters_of(endpoint.route.path), endpoint.arguments.paged}
    return [item for item in endpoint.spec.arguments if item.name not in elsewhere]


def _parameter(endpoint: Endpoint, item: Argument, schemas: Schemas, place: str) -> Schema:
    schema = without_null(argument_schema(endpoint, item, schemas))
    about: Schema = {"name": endpoint.arguments.shown[item.name], "in": place}
    if place == "path" or is_required(endpoint, item):
        about["required"] = True
    if _is_record(schema, schemas):
        return {**about, "content": {"application/json": {"schema": schema}}}
    return {**about, "schema": schema}


def argument_schema(endpoint: Endpoint, item: Argument, schemas: Schemas) -> Schema:
    """What may be sent for an argument on a route; nothing where the route requires something."""
    schema = schemas.argument(item, style_of(endpoint.route.dialect))
    return without_null(schema) if item.name in endpoint.route.require else schema


def is_required(endpoint: Endpoint, item: Argument) -> bool:
    """Whether a caller of this route must send it."""
    return item.required or item.name in endpoint.route.require


def _is_record(schema: Schema, schemas: Schemas) -> bool:
    found = schemas.components.get(str(schema.get("$ref", "")).rpartition("/")[2], schema)
    return found.get("type") == "object"


def _body(endpoint: Endpoint, schemas: Schemas) -> Schema | None:
    sent = _sent(endpoint)
    shown = endpoint.arguments.shown
    properties = {shown[item.name]: argument_schema(endpoint, item, schemas) for item in sent}
    if endpoint.arguments.paged is not None:
        properties |= {name: PARAMETERS[name]["schema"] for name in PAGE_PARAMETERS}
    if not properties:
        return None
    required = [shown[item.name] for item in sent if is_required(endpoint, item)]
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = required
    content: Schema = {"schema": schema}
    example = documentation_of(endpoint.spec.doc).example
    if example is not None:
        in_path = parameters_of(endpoint.route.path)
        content["example"] = {
            shown.get(name, name): value
            for name, value in example.arguments.items()
            if name not in in_path
        }
    return {"required": bool(required), "content": {"application/json": content}}


# Answers.


def answer_schema(endpoint: Endpoint, schemas: Schemas) -> Schema:
    """The whole body of an answer, in its envelope."""
    schema = _data(endpoint, schemas)
    if endpoint.answers.paged:
        return _page(schema, enveloped=endpoint.route.dialect.enveloped)
    return _enveloped(schema, "Meta") if endpoint.route.dialect.enveloped else schema


def data_schema(endpoint: Endpoint, schemas: Schemas) -> Schema:
    """What an answer says within its envelope; a page as the array of what it holds."""
    schema = _data(endpoint, schemas)
    return {"type": "array", "items": schema} if endpoint.answers.paged else schema


def _answer(endpoint: Endpoint, schemas: Schemas) -> Schema:
    content: Schema = {"schema": answer_schema(endpoint, schemas)}
    example = documentation_of(endpoint.spec.doc).example
    if example is not None and example.answer is not None:
        content["example"] = _example(endpoint, example.answer)
    return {
        "description": "What the function answers.",
        "headers": _headers(endpoint),
        "content": {"application/json": content},
    }


def _data(endpoint: Endpoint, schemas: Schemas) -> Schema:
    returns = endpoint.answers.item
    if returns is None:
        return NULL
    style = style_of(endpoint.route.dialect)
    if endpoint.route.fields:
        return schemas.fields(returns, style, endpoint.route.fields)
    return schemas.answer(returns, style)


def _enveloped(schema: Schema, meta: str) -> Schema:
    properties = {"data": schema, "meta": {"$ref": f"#/components/schemas/{meta}"}}
    return {"type": "object", "properties": properties, "required": ["data", "meta"]}


def _page(item: Schema, *, enveloped: bool) -> Schema:
    items: Schema = {"type": "array", "items": item}
    if enveloped:
        return _enveloped(items, "PageMeta")
    cursor, more = PAGE_META.values()
    properties = {"items": items, "nextCursor": cursor, "hasMore": more}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _example(endpoint: Endpoint, answer: object) -> object:
    if not endpoint.route.dialect.enveloped:
        return answer
    meta: dict[str, object] = dict(EXAMPLE_META)
    if endpoint.answers.paged:
        meta |= {"next_cursor": None, "has_more": False}
    return {"data": answer, "meta": meta}


def _headers(endpoint: Endpoint) -> Schema:
    limited = LIMIT_HEADERS if endpoint.spec.rate is not RateClass.NONE else ()
    return {name: header(name) for name in ("X-Request-Id", *limited)}


# Refusals.


def _refusals(endpoint: Endpoint, shared: dict[str, Schema]) -> dict[str, Schema]:
    """By status. What many functions refuse with in the same words is described once."""
    by_status: dict[int, list[type[AppError]]] = {}
    for error in refusals_of(endpoint.spec):
        by_status.setdefault(status_of(error.kind), []).append(error)
    described: dict[str, Schema] = {}
    for status, errors in sorted(by_status.items()):
        response = _refusal(status, errors, endpoint.route.dialect)
        name = errors[0].__name__
        if len(errors) == 1 and shared.setdefault(name, response) == response:
            response = {"$ref": f"#/components/responses/{name}"}
        described[str(status)] = response
    return described


def _refusal(status: int, errors: list[type[AppError]], dialect: Dialect) -> Schema:
    told: dict[str, list[str]] = {}
    for error in errors:
        code, _ = spelled_refusal(error.code, "", dialect)
        told.setdefault(code, []).append(paragraphs(error.__doc__ or "")[0])
    return {
        "description": " ".join(f"`{code}`: {' '.join(said)}" for code, said in told.items()),
        "x-codes": list(told),
        "headers": {name: header(name) for name in REFUSAL_HEADERS.get(status, ("X-Request-Id",))},
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }


def refusals_of(spec: FunctionSpec) -> list[type[AppError]]:
    """What a function may refuse with: what it declares, and what any call of its sort may meet."""
    found: list[type[AppError]] = [*spec.errors]
    if spec.arguments:
        found += [InvalidInput, TooLarge]
    if not spec.public:
        found += [Unauthenticated, Forbidden]
    if spec.kind is FunctionKind.MUTATION:
        found.append(Conflict)
    return list(dict.fromkeys([*found, RateLimited, InternalError, Unavailable]))


GENERAL = (
    InvalidInput, Unauthenticated, Forbidden, Conflict, TooLarge, RateLimited, InternalError,
    Unavailable,
)  # fmt: skip
"""What calls of all sorts may be refused with."""


def _module(spec: FunctionSpec) -> str:
    return spec.path.partition(":")[0]
