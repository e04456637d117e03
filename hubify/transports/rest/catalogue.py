"""`GET /api/functions`: every public function, whether or not it has a route, as one JSON object.

Invariant: it lists exactly the functions that may be called from outside, in the spelling of the
sync protocol (camelCase arguments and answers).
"""

from collections.abc import Iterable
from typing import Any

from hubify.functions.binding import camel
from hubify.functions.spec import FunctionSpec, Registry
from hubify.transports.rest.dialects import status_of
from hubify.transports.rest.documentation import documentation_of, paragraphs
from hubify.transports.rest.endpoints import Endpoint
from hubify.transports.rest.openapi import refusals_of
from hubify.transports.rest.schemas import Schema, Schemas
from hubify.wire.styles import CLEAN


def catalogue(registry: Registry, endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """`{functions, schemas}`; the schemas of arguments and answers refer to `#/schemas/...`."""
    schemas = Schemas("#/schemas/", usual=CLEAN)
    routes: dict[str, list[dict[str, Any]]] = {}
    for each in endpoints:
        shown = {"method": each.route.method, "path": each.shown_path}
        dialect = {"dialect": each.route.dialect.name, "status": each.route.status}
        routes.setdefault(each.spec.path, []).append(shown | dialect)
    other_names: dict[str, list[str]] = {}
    for alias, path in registry.aliases.items():
        other_names.setdefault(path, []).append(alias)
    listed = [
        {
            **_entry(spec, schemas),
            "routes": routes.get(spec.path, []),
            "aliases": other_names.get(spec.path, []),
        }
        for spec in registry
        if not spec.internal
    ]
    return {"functions": listed, "schemas": schemas.components}


def _entry(spec: FunctionSpec, schemas: Schemas) -> dict[str, Any]:
    about = documentation_of(spec.doc)
    return {
        "path": spec.path,
        "kind": str(spec.kind),
        "summary": about.summary,
        "description": about.description,
        "scope": spec.scope,
        "rateClass": str(spec.rate),
        "arguments": [
            {
                "name": camel(item.name),
                "required": item.required,
                "schema": schemas.argument(item, CLEAN),
            }
            for item in spec.arguments
        ],
        "answer": _answer(spec, schemas),
        "errors": [
            {
                "code": error.code,
                "name": error.__name__,
                "status": status_of(error.kind),
                "description": paragraphs(error.__doc__ or "")[0],
            }
            for error in refusals_of(spec)
        ],
    }


def _answer(spec: FunctionSpec, schemas: Schemas) -> Schema:
    return schemas.answer(spec.returns, CLEAN)
