"""The OpenAPI document is valid, says what the handler does, and depends on the registry alone."""

import json
from collections.abc import Iterator
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import jsonschema
import msgspec
import pytest
from msgspec import UNSET, UnsetType

from hubify.functions import API_V1, Domain, Int64, QueryCtx, build_registry, get
from hubify.functions.schedule import Job
from hubify.transports.rest.documentation import documentation_of
from hubify.transports.rest.endpoints import endpoints_of
from hubify.transports.rest.openapi import document
from hubify.transports.rest.schemas import Schemas
from hubify.wire.styles import CAMEL, CLEAN, SNAKE, Style
from tests.transports.rest.shop import Shop
from tests.transports.rest.shop import shop as shop_domain

META_SCHEMA = Path(__file__).with_name("openapi_3_1.json")
T = TypeVar("T")
Json = Any


@cache
def described() -> dict[str, Any]:
    return json.loads(document(endpoints_of(build_registry([shop_domain]))))


def operation(method: str, path: str) -> dict[str, Any]:
    return described()["paths"][path][method]


def resolved(schema: Json) -> Json:
    """A schema with its references followed, for small ones that do not hold themselves."""
    if isinstance(schema, list):
        return [resolved(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" not in schema:
        return {name: resolved(each) for name, each in schema.items()}
    found: Any = described()
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return resolved(found)


def references(part: Json) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for each in part.values():
            yield from references(each)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)


def test_the_document_is_valid_openapi() -> None:
    schema = json.loads(META_SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(described())


def test_every_schema_in_it_is_valid_json_schema() -> None:
    for schema in described()["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere_and_every_component_is_used() -> None:
    named = set(references(described()))
    for reference in named:
        assert resolved({"$ref": reference})
    components = described()["components"]
    for kind in ("schemas", "responses", "headers"):
        for name in components[kind]:
            assert f"#/components/{kind}/{name}" in named


def test_equal_registries_give_equal_bytes() -> None:
    registry = build_registry([shop_domain])
    assert document(endpoints_of(registry)) == document(endpoints_of(registry))


def test_every_operation_has_an_id_of_its_own() -> None:
    ids = [each["operationId"] for path in described()["paths"].values() for each in path.values()]
    assert len(set(ids)) == len(ids)
    assert {"shop.list", "shop.list.2", "shop.getByName"} <= set(ids)


def test_internal_functions_are_not_described() -> None:
    assert "inside" not in json.dumps(described())


@pytest.mark.parametrize(
    ("method", "path", "sent", "template"),
    [
        ("GET", "/v1/things/lamp", None, "/v1/things/{name}"),
        ("GET", "/v1/things?limit=2", None, "/v1/things"),
        ("GET", "/api/v1/things?limit=2", None, "/api/v1/things"),
        ("GET", "/v1/things/search?query=x", None, "/v1/things/search"),
        (
            "GET",
            "/v1/things/search?query=x&near=%7B%22from_left%22:1%7D&serial=5&tags=a",
            None,
            "/v1/things/search",
        ),
        ("POST", "/v1/things", {"name": "stool"}, "/v1/things"),
        ("POST", "/api/v1/things", {"name": "stool"}, "/api/v1/things"),
        (
            "POST",
            "/v1/report",
            {"thing_name": "lamp", "result": "fail", "version": "1"},
            "/v1/report",
        ),
        ("GET", "/v1/nothing", None, "/v1/nothing"),
        ("POST", "/v1/reach", {"far": 1.5}, "/v1/reach"),
        ("GET", "/v1/things/door", None, "/v1/things/{name}"),
        ("POST", "/v1/things", {"name": 5}, "/v1/things"),
        ("GET", "/v1/refusals/conflict", None, "/v1/refusals/{kind}"),
        ("GET", "/v1/refusals/unavailable", None, "/v1/refusals/{kind}"),
    ],
)
def test_what_is_answered_is_what_is_described(
    method: str, path: str, sent: object, template: str
) -> None:
    shop = Shop()
    shop.stock("lamp", "chair", "table")
    got = shop.call(method, path, sent, key="ada-key")
    response = resolved(operation(method.lower(), template)["responses"][str(got.status)])
    schema = response["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator(closed(schema)).validate(got.json)


def closed(schema: Json) -> Json:
    """The schema, taking no properties that it does not describe."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(each) for name, each in schema.items()}
    return inner | {"additionalProperties": False} if "properties" in inner else inner


def test_parameters_are_described_where_they_are_sent() -> None:
    asked = {each["name"]: each for each in operation("get", "/v1/things/search")["parameters"]}
    assert asked["query"]["required"]
    assert asked["limit"]["schema"] == {"type": "integer", "default": 10}
    assert asked["tags"]["schema"] == {"type": "array", "items": {"type": "string"}}
    assert asked["min_price"]["schema"] == {"type": "number"}
    assert "application/json" in asked["near"]["content"]


def test_a_page_is_asked_for_by_limit_and_cursor() -> None:
    named = [each["$ref"] for each in operation("get", "/v1/things")["parameters"]]
    assert named == ["#/components/parameters/limit", "#/components/parameters/cursor"]


def test_a_body_is_described_as_the_route_spells_it() -> None:
    body = operation("post", "/v1/report")["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == {"thing_name", "result", "version"}
    assert body["required"] == ["thing_name", "result", "version"]
    body = operation("post", "/api/v1/things")["requestBody"]["content"]["application/json"]
    assert set(body["schema"]["properties"]) == {"name", "unitPrice", "note"}


def test_what_a_function_refuses_with_is_listed_in_the_words_of_its_page() -> None:
    responses = operation("post", "/v1/report")["responses"]
    assert resolved(responses["401"])["x-codes"] == ["AUTH_REQUIRED"]
    assert resolved(responses["404"])["x-codes"] == ["THING_NOT_FOUND"]
    assert "No thing has that name" in resolved(responses["404"])["description"]


def test_scopes_are_security_requirements() -> None:
    assert operation("post", "/v1/things")["security"] == [{"key": ["shop:write"]}]
    assert operation("get", "/v1/things")["security"] == [{}, {"key": []}]


def test_a_docstrings_example_is_shown() -> None:
    responses = operation("get", "/v1/things/{name}")["responses"]
    example = responses["200"]["content"]["application/json"]["example"]
    assert example["data"]["name"] == "lamp"


def test_a_docstring_is_taken_apart() -> None:
    doc = """Do it.

    In one
    go.

    Raises:
        NotFound: never.

    Example:
        {"a": 1} -> [2]
    """
    about = documentation_of(doc)
    assert about.summary == "Do it."
    assert about.description == "In one go."
    assert about.example == ({"a": 1}, [2])
    with pytest.raises(ValueError, match="Expecting"):
        documentation_of("Do it.\n\nExample:\n    {a: 1}\n")


# Schemas.


class Number(IntEnum):
    ONE = 1


class Plant(msgspec.Struct, tag="plant", tag_field="sort"):
    """A thing that grows."""

    leaf_count: int
    parent: "Plant | None" = None
    pot: str | UnsetType = UNSET


class Stone(msgspec.Struct, tag="stone", tag_field="sort", forbid_unknown_fields=True):
    weight: Annotated[float, msgspec.Meta(gt=0, description="In grams.")]
    number: Number = Number.ONE


class Box(msgspec.Struct, Generic[T]):
    content: T


def components(declared: object, style: Style = SNAKE) -> dict[str, Any]:
    schemas = Schemas()
    schemas.answer(declared, style)
    return schemas.components


def test_a_record_may_hold_others_of_its_kind() -> None:
    plant = components(Plant)["Plant"]
    assert plant["properties"]["sort"] == {"const": "plant"}
    assert plant["properties"]["parent"] == {
        "anyOf": [{"$ref": "#/components/schemas/Plant"}, {"type": "null"}]
    }
    assert plant["required"] == ["sort", "leaf_count", "parent"], "pot may be left out"


def test_bounds_and_descriptions_are_kept() -> None:
    weight = components(Stone)["Stone"]["properties"]["weight"]
    assert weight == {"type": "number", "exclusiveMinimum": 0, "description": "In grams."}


def test_each_spelling_is_a_component_of_its_own() -> None:
    schemas = Schemas()
    assert schemas.answer(Plant, SNAKE)["$ref"].endswith("/Plant")
    assert schemas.answer(Plant, CAMEL)["$ref"].endswith("/PlantCamel")
    assert "leafCount" in schemas.components["PlantCamel"]["properties"]


def test_records_of_one_name_are_told_apart() -> None:
    other = msgspec.defstruct("Plant", [("height", int)], module="a.garden")
    schemas = Schemas()
    assert schemas.answer(Plant, SNAKE) != schemas.answer(other, SNAKE)
    assert schemas.answer(Plant, SNAKE)["$ref"].endswith("/Plant")
    assert "AGardenPlant" in schemas.components


def test_a_generic_record_is_named_for_what_it_holds() -> None:
    assert set(components(Box[Stone])) == {"BoxOfStone", "Stone", "Number"}


@pytest.mark.parametrize(
    ("declared", "schema"),
    [
        (None, {"type": "null"}),
        (bytes, {"type": "string", "contentEncoding": "base64"}),
        (Int64, {"type": "string", "format": "int64"}),
        (Any, {}),
        (dict[str, Any], {"type": "object"}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (Literal["a", "b"], {"enum": ["a", "b"]}),
        (float | None, {"type": ["number", "null"]}),
        (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (
            tuple[int, str],
            {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
                "items": False,
            },
        ),
        (
            Annotated[tuple[str, ...], msgspec.Meta(max_length=2)],
            {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        ),
    ],
)
def test_plain_types_are_described(declared: object, schema: object) -> None:
    assert Schemas().answer(declared, SNAKE) == schema


def test_rows_on_the_protocol_tell_when_they_were_made() -> None:
    schemas = Schemas(usual=CLEAN)
    schemas.answer(Job, CLEAN)
    assert list(schemas.components["Job"]["properties"])[:2] == ["_id", "_creationTime"]


def test_a_route_that_requires_what_is_never_missing_is_refused() -> None:
    wrong = Domain("wrong")

    @wrong.query(public=True, rest=get("/v1/wrong", require=("size",)))
    def look(ctx: QueryCtx, *, size: int = 1) -> int:  # noqa: ARG001
        """Look."""
        return size

    with pytest.raises(ValueError, match="have a default already"):
        list(endpoints_of(build_registry([wrong])))


def test_a_route_that_names_an_unknown_argument_is_refused() -> None:
    wrong = Domain("wrong")

    @wrong.query(public=True, rest=get("/v1/wrong/{nmae}", API_V1))
    def look(ctx: QueryCtx, *, name: str) -> str:  # noqa: ARG001
        """Look."""
        return name

    with pytest.raises(ValueError, match="takes no \\['nmae'\\]"):
        list(endpoints_of(build_registry([wrong])))
