"""Which hub a command line and the variables mean."""

from pathlib import Path

import pytest

from hubify.cli.targets import Directory, Remote, target_of

URL, KEY = "http://hub.example", "hk_live_x"


@pytest.mark.parametrize(
    ("environment", "data", "target"),
    [
        ({}, None, Directory(Path("data"), None)),
        ({}, "d", Directory(Path("d"), None)),
        ({"HUBIFY_DATA": "e"}, None, Directory(Path("e"), None)),
        ({"HUBIFY_DATA": "e"}, "d", Directory(Path("d"), None)),
        ({"HUBIFY_API_KEY": KEY}, "d", Directory(Path("d"), KEY)),
        ({"HUBIFY_URL": URL}, None, Remote(URL, None)),
        ({"HUBIFY_URL": f" {URL} ", "HUBIFY_API_KEY": f"{KEY}\n"}, None, Remote(URL, KEY)),
        ({"HUBIFY_URL": URL, "HUBIFY_DATA": "e"}, None, Remote(URL, None)),
        ({"HUBIFY_URL": URL}, "d", Directory(Path("d"), None)),
        ({"HUBIFY_URL": "", "HUBIFY_API_KEY": ""}, None, Directory(Path("data"), None)),
        (
            {"HUBIFY_FUNCTIONS": "a.py, b.c,,"},
            None,
            Directory(Path("data"), None, ("a.py", "b.c")),
        ),
    ],
)
def test_the_command_line_goes_before_the_address_before_the_directory(
    environment: dict[str, str], data: str | None, target: Remote | Directory
) -> None:
    assert target_of(environment, data) == target
