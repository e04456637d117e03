"""Every spelling of a function's path leads to one form, or is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.values.errors import InvalidInput
from hubify.wire.paths import BadFunctionPath, MissingIdentifier, canonical_path, run_path


@pytest.mark.parametrize(
    ("spelling", "canonical"),
    [
        ("skills:getByName", "skills:getByName"),
        ("skills.js:getByName", "skills:getByName"),
        ("learning", "learning:default"),
        ("learning.js", "learning:default"),
        ("learning:default", "learning:default"),
        ("labs/files:list", "labs/files:list"),
        ("labs/files.js:list", "labs/files:list"),
        ("labs/files", "labs/files:default"),
        ("api.skills.getByName", "skills:getByName"),
        ("skills.getByName", "skills:getByName"),
        ("api.labs.files.list", "labs/files:list"),
        ("api.learning.default", "learning:default"),
    ],
)
def test_spellings_of_one_function(spelling: str, canonical: str) -> None:
    assert canonical_path(spelling) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "a:",
        ":a",
        "a:b:c",
        "skills.ts:get",
        "skills:___",
        "skills:get-by-name",
        "/skills:get",
        "skills/:get",
        "skills:" + "x" * 65,
        "x" * 65 + ":get",
        "x/" * 400 + "y:get",
        "skills:gét",
        "skills:get\n",
        "api.x",
        "a\x00b:c",
    ],
)
def test_what_cannot_name_a_function_is_refused(text: str) -> None:
    with pytest.raises(BadFunctionPath) as refused:
        canonical_path(text)
    assert refused.value.code == "BadConvexFunctionIdentifier"


def test_a_rest_path_names_a_function() -> None:
    assert run_path("skills/getByName") == "skills:getByName"
    assert run_path("labs/files/list") == "labs/files:list"


@pytest.mark.parametrize("rest", ["", "skills", "/skills", "skills/"])
def test_a_rest_path_needs_a_module_and_a_function(rest: str) -> None:
    with pytest.raises(MissingIdentifier) as refused:
        run_path(rest)
    assert refused.value.code == "MissingIdentifier"


@given(st.text())
def test_a_canonical_path_is_its_own_canonical_path(text: str) -> None:
    try:
        canonical = canonical_path(text)
    except InvalidInput:
        return
    assert canonical_path(canonical) == canonical
