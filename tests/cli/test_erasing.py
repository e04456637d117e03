"""Erasing a person: said beforehand, confirmed by the name, told in counts afterwards."""

from typing import Any

from tests.cli.terminal import FakeServer, hubify

PLAN = {
    "owner": "ann",
    "agentId": None,
    "confirm": "ann",
    "keys": 2.0,
    "publishedSkills": ["csv-reader"],
    "hiddenSkills": [f"draft-{number}" for number in range(12)],
}
BEGUN: dict[str, Any] = {
    "_id": "e1",
    "state": "running",
    "pseudonym": "erased-0123456789abcdef",
    "erased": {},
    "kept": {},
    "keeps": [],
}
DONE = BEGUN | {
    "state": "done",
    "erased": {"stars": 1.0, "learning_reports": 5.0},
    "keeps": ["Public skills stay published."],
}


def server() -> FakeServer:
    """A server that erases at once."""
    return FakeServer({"erasure:plan": PLAN, "erasure:request": BEGUN, "erasure:get": DONE})


def test_what_will_happen_is_said_before_anything_does() -> None:
    asked = server()
    finished = hubify("erase", "ann", server=asked, source="ann\n")
    assert finished.status == 0
    assert finished.out == "e1\n"
    assert "2 keys and every session end at once" in finished.err
    assert "these skills stay published, and belong to nobody: csv-reader" in finished.err
    assert "draft-9 and 2 more" in finished.err
    assert "backups and copies are not reached" in finished.err
    assert "hubify call erasure:get erasureId=e1" in finished.err
    assert [call.path for call in asked.calls] == ["erasure:plan", "erasure:request"]
    assert asked.calls[1].arguments == {"owner": "ann", "confirm": "ann"}


def test_another_word_than_the_name_erases_nothing() -> None:
    for word in ("", "yes\n", "anna\n"):
        asked = server()
        finished = hubify("erase", "ann", server=asked, source=word)
        assert finished.status == 2
        assert "nothing was erased" in finished.err
        assert [call.path for call in asked.calls] == ["erasure:plan"]


def test_a_script_can_say_yes_and_wait_for_the_end() -> None:
    asked = server()
    finished = hubify("erase", "ann", "--agent", "bot", "--yes", "--wait", server=asked)
    assert finished.status == 0
    assert asked.calls[1].arguments == {"owner": "ann", "agentId": "bot", "confirm": "ann"}
    assert "rows changed: learning_reports 5, stars 1" in finished.err
    assert "- Public skills stay published." in finished.err
