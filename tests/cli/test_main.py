"""How each way to fail ends, whatever the command."""

import errno
import io

import pytest

from hubify.cli.main import run
from hubify.cli.world import World
from tests.cli.terminal import URL, FakeServer, Refusal, hubify


@pytest.mark.parametrize(
    "argv",
    [
        ["serv"],
        ["skills", "info"],
        ["skills", "info", "a", "b"],
        ["skills", "info", "a", "--nope"],
        ["skills", "search"],
        ["skills", "search", "x", "--limit", "many"],
        ["skills", "export", "name"],
        ["skills", "export", "--all", "name", "dir"],
        ["skills", "import", ".", "--visibility", "secret"],
        ["keys", "create", "--name", "x"],
        ["keys", "create", "--name", "x", "--owner", "y", "--expires-in", "soon"],
        ["report", "x"],
        ["report", "x", "--success", "--fail"],
        ["call", "skills:info", "[1]"],
        ["call", "skills:info", "{"],
        ["call", "a b"],
        ["serve", "--port", "many"],
    ],
)
def test_what_cannot_be_understood_ends_with_two_and_one_line(argv: list[str]) -> None:
    finished = hubify(*argv)
    assert finished.status == 2
    assert finished.out == ""
    assert finished.err.startswith("hubify: ")
    assert finished.err.endswith("(--help shows how)\n")
    assert finished.err.count("\n") == 1


def test_a_refusal_is_one_line_with_its_code_and_ends_with_one() -> None:
    server = FakeServer({"skills:getByName": _refuse})
    finished = hubify("skills", "info", "x", server=server)
    assert finished.status == 1
    assert finished.out == ""
    assert finished.err == "hubify: NOT_FOUND: Skill 'x' not found here\n"


def _refuse(_arguments: object) -> object:
    raise Refusal("NOT_FOUND", "Skill 'x' not\nfound here")


def test_a_refused_caller_is_told_where_keys_come_from() -> None:
    def refuse(_arguments: object) -> object:
        raise Refusal("UNAUTHORIZED", "Valid API key required")

    server = FakeServer({"skills:getByName": refuse})
    environment = {"HUBIFY_URL": URL}
    finished = hubify("skills", "info", "x", server=server, environment=environment)
    assert "`hubify keys create` makes a key" in finished.err


def test_a_caller_whose_key_is_refused_is_told_which_key_it_was() -> None:
    def refuse(_arguments: object) -> object:
        raise Refusal("UNAUTHORIZED", "Valid API key required")

    server = FakeServer({"skills:getByName": refuse})
    finished = hubify("skills", "info", "x", server=server)
    assert finished.err.endswith(
        "required (the key in HUBIFY_API_KEY is not, or no longer, one of this hub's)\n"
    )


def test_a_full_disk_behind_the_output_is_one_line() -> None:
    class Full(io.StringIO):
        def write(self, _text: str, /) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    err = io.StringIO()
    world = World({}, Full(), err, io.StringIO())
    assert run(["version"], world) == 1
    assert err.getvalue() == "hubify: UNAVAILABLE: the output: No space left on device\n"


@pytest.mark.parametrize("port", ["-1", "65536", "99999999999"])
def test_a_port_that_cannot_be_is_one_line(port: str) -> None:
    finished = hubify("serve", f"--port={port}")
    assert finished.status == 1
    assert finished.err == "hubify: VALIDATION_ERROR: the port must be a number from 0 to 65535\n"


def test_a_server_that_is_not_there_is_one_line() -> None:
    finished = hubify("keys", "list")
    assert finished.status == 1
    assert finished.err == (
        "hubify: UNAVAILABLE: nothing answers at http://127.0.0.1:3210; "
        "is the server running there?\n"
    )


def test_an_address_that_is_none_is_one_line() -> None:
    finished = hubify("keys", "list", environment={"HUBIFY_URL": "localhost"})
    assert finished.status == 1
    assert finished.err.startswith("hubify: VALIDATION_ERROR: 'localhost' is not an address")


def test_an_answer_of_another_shape_is_one_line() -> None:
    server = FakeServer({"skills:getByName": {"name": 3}})
    finished = hubify("skills", "info", "x", server=server)
    assert finished.status == 1
    assert finished.err.startswith("hubify: BAD_ANSWER: the answer is not what was expected")


def test_nothing_that_others_wrote_reaches_the_terminal_as_control_characters() -> None:
    def refuse(_arguments: object) -> object:
        raise Refusal("CONFLICT", "\x1b[2J\x9b31m \u202e gone")

    finished = hubify("skills", "info", "x", server=FakeServer({"skills:getByName": refuse}))
    assert finished.err == "hubify: CONFLICT: \\u001b[2J\\u009b31m \\u202e gone\n"


def test_without_arguments_there_is_help() -> None:
    finished = hubify()
    assert finished.status == 0
    assert "Use a hub:" in finished.out
    assert finished.out == hubify("--help").out


def test_the_version_is_told_either_way() -> None:
    told = hubify("version")
    assert told.status == 0
    assert told.out == hubify("--version").out
