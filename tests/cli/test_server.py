"""Settings as options, as variables and as a table."""

import json
from typing import get_type_hints

import pytest

from hubify.app.settings import Settings, variable_of
from tests.cli.terminal import hubify


def test_every_setting_is_an_option_of_serve_with_its_variable() -> None:
    page = " ".join(hubify("serve", "--help", environment={}).out.split())
    for name in get_type_hints(Settings):
        assert f"--{name.replace('_', '-')} " in page
        assert variable_of(name) in page


def test_settings_are_shown_with_what_is_set() -> None:
    finished = hubify("settings", environment={"HUBIFY_PORT": "4000", "HUBIFY_API_KEY": "hk_x"})
    rows = {line.split()[0]: line.split()[1:3] for line in finished.out.splitlines()}
    assert rows["HUBIFY_PORT"] == ["4000", "*"]
    assert rows["HUBIFY_HOST"] == ["127.0.0.1", "127.0.0.1"]
    assert rows["HUBIFY_API_KEY"] == ["(hidden)", "*"]
    assert "hk_x" not in finished.out


def test_settings_are_shown_as_json_for_programs() -> None:
    found = json.loads(hubify("settings", "--json", environment={"HUBIFY_PORT": "4000"}).out)
    port = next(each for each in found if each["variable"] == "HUBIFY_PORT")
    assert port["value"] == "4000"
    assert port["isSet"] is True
    assert {each["variable"] for each in found} >= {"HUBIFY_URL", "HUBIFY_FUNCTIONS"}


@pytest.mark.parametrize(
    ("argv", "environment"),
    [
        (["serve"], {"HUBIFY_PORT": "many"}),
        (["settings"], {"HUBIFY_PORT": "many"}),
        (["serve", "--log-level", "loud"], {}),
    ],
)
def test_a_setting_that_does_not_fit_is_one_line(
    argv: list[str], environment: dict[str, str]
) -> None:
    finished = hubify(*argv, environment=environment)
    assert finished.status == 1
    assert finished.err.startswith("hubify: VALIDATION_ERROR: ")
    assert finished.err.count("\n") == 1
