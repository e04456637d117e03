"""The OpenAPI document of the whole product: a change of the public REST face is a visible one."""

import json
from collections.abc import Callable

from hubify.app.compose import registry_of
from hubify.transports.rest.endpoints import endpoints_of
from hubify.transports.rest.openapi import document


def test_the_rest_face_is_the_one_that_was_agreed(golden: Callable[[str, str], None]) -> None:
    text = document(endpoints_of(registry_of([]))).decode()
    golden("openapi.json", json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n")
