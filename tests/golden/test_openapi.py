"""The OpenAPI document of the whole product: a change of the public REST face is a visible one."""

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema

from hubify.app.compose import registry_of
from hubify.transports.rest.endpoints import endpoints_of
from hubify.transports.rest.openapi import document

META_SCHEMA = Path(__file__).parents[1] / "transports" / "rest" / "openapi_3_1.json"


def test_the_rest_face_is_the_one_that_was_agreed(golden: Callable[[str, str], None]) -> None:
    golden("openapi.json", document(endpoints_of(registry_of([]))).decode() + "\n")


def test_the_rest_face_is_described_in_valid_openapi() -> None:
    described = json.loads(document(endpoints_of(registry_of([]))))
    schema = json.loads(META_SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(described)
    for component in described["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(component)
