"""Calling any function, and listing them."""

import json

from tests.cli.terminal import FakeServer, Refusal, hubify

KINDS = {"skills:getByName": "query", "learning:report": "mutation", "skills:publish": "action"}


def server() -> FakeServer:
    return FakeServer({path: {"ok": True, "n": 2.0} for path in KINDS}, KINDS)


def test_a_function_is_called_as_what_it_is() -> None:
    for path, kind in KINDS.items():
        fake = server()
        finished = hubify("call", path, '{"name": "x", "n": 3}', server=fake)
        assert json.loads(finished.out) == {"ok": True, "n": 2}
        assert fake.calls[0][:3] == (kind, path, {"name": "x", "n": 3})


def test_a_path_may_be_spelled_as_in_the_documentation() -> None:
    fake = server()
    hubify("call", "api.skills.getByName", server=fake)
    assert fake.calls[0].path == "skills:getByName"


def test_arguments_may_come_from_standard_input() -> None:
    fake = server()
    hubify("call", "skills:getByName", "-", server=fake, source='{"name": "ü"}')
    assert fake.calls[0].arguments == {"name": "ü"}


def test_a_function_that_is_not_there_is_not_found() -> None:
    finished = hubify("call", "skills:nope", server=server())
    assert finished.status == 1
    assert "NOT_FOUND: there is no function 'skills:nope'; `hubify functions`" in finished.err


def test_a_refusal_of_the_function_is_told() -> None:
    def refuse(_arguments: object) -> object:
        raise Refusal("VALIDATION_ERROR", "name is required")

    fake = FakeServer({"skills:getByName": refuse}, KINDS)
    finished = hubify("call", "skills:getByName", server=fake)
    assert (finished.status, finished.err) == (1, "hubify: VALIDATION_ERROR: name is required\n")


def test_functions_are_listed_by_the_beginning_of_their_path() -> None:
    finished = hubify("functions", "skills", server=server())
    paths = [line.split()[0] for line in finished.out.splitlines()]
    assert paths == ["FUNCTION", "skills:getByName", "skills:publish"]


def test_one_function_is_shown_with_its_arguments() -> None:
    finished = hubify("functions", "learning:report", server=server())
    assert "takes     name, [limit]" in finished.out
    assert "kind      mutation" in finished.out


def test_functions_are_listed_as_json_for_programs() -> None:
    finished = hubify("functions", "learning", "--json", server=server())
    assert [each["path"] for each in json.loads(finished.out)["functions"]] == ["learning:report"]
