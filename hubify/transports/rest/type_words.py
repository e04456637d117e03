"""Schemas for people: a type in a few words of HTML, and a sample value to start from.

Invariant: what is returned as HTML is escaped.
"""

import json
from collections.abc import Mapping
from html import escape
from typing import cast

from hubify.transports.rest.schemas import Schema

BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "over {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "under {}",
    "minLength": "{} characters at least",
    "maxLength": "{} characters at most",
    "minItems": "{} elements at least",
    "maxItems": "{} elements at most",
    "pattern": "like {}",
    "default": "default {}",
}
FIXED = ("default", "const")
SAMPLES: Mapping[str, object] = {"integer": 1, "number": 1.5, "boolean": True, "null": None}
MAX_DEPTH = 4


def type_html(schema: Schema) -> str:
    """The type with links to named ones, as HTML."""
    if "$ref" in schema:
        name = escape(_name(schema))
        return f'<a href="#type-{name}">{name}</a>'
    if choices := _choices(schema):
        return " or ".join(map(type_html, choices))
    if "enum" in schema or "const" in schema:
        values = schema.get("enum") or [schema["const"]]
        return " | ".join(f"<code>{escape(json.dumps(value))}</code>" for value in values)
    if inner := _inner(schema):
        return f"{schema['type']} of {type_html(inner)}"
    return escape(str(schema.get("format") or schema.get("type", "any value")))


def bounds_html(schema: Schema) -> str:
    """What else holds of a value, as HTML."""
    said = [
        words.format(json.dumps(schema[name], ensure_ascii=False))
        for name, words in BOUNDS.items()
        if name in schema
    ]
    if description := schema.get("description"):
        said.insert(0, description)
    return escape("; ".join(said))


def sample(name: str, schema: Schema, named: Mapping[str, Schema], depth: int = 0) -> object:
    """A value of a type, to be filled in: `"<name>"` for a text."""
    if "$ref" in schema:
        return sample(name, named[_name(schema)], named, depth)
    if fixed := [schema[word] for word in FIXED if word in schema] or schema.get("enum"):
        return fixed[0]
    if choices := _choices(schema):
        return sample(name, choices[0], named, depth)
    if schema.get("type") == "array":
        inner = _inner(schema)
        return [sample(name, inner, named, depth + 1)] if inner and depth < MAX_DEPTH else []
    if schema.get("type") == "object":
        properties: dict[str, Schema] = schema.get("properties", {})
        wanted = schema.get("required", ()) if depth < MAX_DEPTH else ()
        return {each: sample(each, properties[each], named, depth + 1) for each in wanted}
    return SAMPLES.get(str(schema.get("type")), f"<{name}>")


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _choices(schema: Schema) -> list[Schema]:
    """The types between which a schema leaves a choice."""
    kinds: object = schema.get("type")
    if isinstance(kinds, list):
        return [{**schema, "type": kind} for kind in cast("list[str]", kinds)]
    return schema.get("anyOf", [])


def _inner(schema: Schema) -> Schema | None:
    """The schema of an array's elements, or of an object's values."""
    inner: object = schema.get("items" if schema.get("type") == "array" else "additionalProperties")
    return cast("Schema", inner) if isinstance(inner, dict) and inner else None
