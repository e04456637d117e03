"""The importer: each version once, parents first, and a reason for whatever is not taken."""

from typing import Any

import pytest

from hubify.formats.bundle import gather
from hubify.formats.importing import Importer, State, sendable_files
from hubify.formats.records import Candidate, Imported, ImportedSkill, Origin, Unreadable, assemble


class NotTaken(Exception):
    """What the registry of these tests raises."""


class FakeRegistry:
    """Takes every version but those of a name, and notes the calls."""

    def __init__(self, refused: str = "") -> None:
        self.calls: list[dict[str, Any]] = []
        self._refused = refused

    def call(self, path: str, arguments: dict[str, Any]) -> dict[str, Any]:
        assert path == "skills:importVersion"
        if arguments["name"] == self._refused:
            raise NotTaken("not this one")
        self.calls.append(arguments)
        return {
            "outcome": "imported",
            "name": arguments["name"],
            "version": arguments["version"],
            "versionId": f"id-{arguments['source']}",
            "findings": [],
        }

    @property
    def sources(self) -> list[str]:
        return [call["source"] for call in self.calls]


def skill(name: str, *versions: tuple[str, int, tuple[str, ...]]) -> Imported:
    """A skill with versions given as (source id, time, parents)."""
    candidates = [
        Candidate(
            source_id=source_id,
            gathered=gather([("SKILL.md", f"# {name}\n\n{source_id}\n".encode())]),
            published_at=at,
            parents=parents,
        )
        for source_id, at, parents in versions
    ]
    return assemble(Origin(source=name, slug=name, keep_repeats=True), candidates)


def test_parents_come_before_their_children_whatever_the_order() -> None:
    registry = FakeRegistry()
    child = skill("child", ("c", 1, ("p",)))
    parent = skill("parent", ("p", 2, ("g",)))
    grandparent = skill("grandparent", ("g", 3, ()))
    list(Importer(registry.call).run([child, parent, grandparent]))
    assert registry.sources == ["g", "p", "c"]
    assert [call["parents"] for call in registry.calls] == [[], ["id-g"], ["id-p"]]


def test_a_circle_is_imported_without_the_parent_that_cannot_come_first() -> None:
    registry = FakeRegistry()
    outcomes = list(
        Importer(registry.call).run([skill("a", ("a", 1, ("b",))), skill("b", ("b", 2, ("a",)))])
    )
    assert registry.sources == ["a", "b"]
    assert any("'b' is not in the registry" in finding for finding in outcomes[0].findings)


def test_what_cannot_be_read_is_told_and_the_rest_goes_on() -> None:
    registry = FakeRegistry()
    broken = skill("broken", ("x", 1, ()))
    unreadable = Unreadable("folder", ())
    outcomes = list(Importer(registry.call).run([unreadable, broken]))
    assert [outcome.state for outcome in outcomes] == [State.UNREADABLE, State.IMPORTED]


def test_what_the_registry_will_not_take_is_refused_with_its_words() -> None:
    registry = FakeRegistry(refused="bad")
    importer = Importer(registry.call, refusals=(NotTaken,))
    outcomes = list(importer.run([skill("bad", ("b", 1, ())), skill("good", ("g", 1, ()))]))
    assert [outcome.state for outcome in outcomes] == [State.REFUSED, State.IMPORTED]
    assert "not this one" in outcomes[0].findings


def test_what_is_not_a_refusal_is_not_swallowed() -> None:
    registry = FakeRegistry(refused="bad")
    with pytest.raises(NotTaken):
        list(Importer(registry.call).run([skill("bad", ("b", 1, ()))]))


def test_text_is_sent_as_text_and_all_else_as_base64() -> None:
    bundle = gather([("SKILL.md", b"text\r\n"), ("x.bin", b"\xff\x00")]).bundle
    assert bundle is not None
    assert sendable_files(bundle) == [
        {"path": "SKILL.md", "content": "text\r\n"},
        {"path": "x.bin", "content_base64": "/wA="},
    ]


def test_each_version_tells_what_was_found_once() -> None:
    read = skill("twice", ("one", 1, ()), ("two", 2, ()))
    assert isinstance(read, ImportedSkill)
    for outcome in Importer(FakeRegistry().call).run([read]):
        assert len(set(outcome.findings)) == len(outcome.findings)
        assert outcome.version_id == f"id-{outcome.source_id}"


def test_what_a_registry_finds_and_how_to_mend_it_are_two_sentences() -> None:
    finding = {
        "path": "SKILL.md", "line": 7, "blocks": True, "message": "runs what it loads",
        "fix": "Take that out.",
    }  # fmt: skip
    answer = {"outcome": "refused", "findings": [finding]}
    (outcome,) = Importer(lambda _path, _arguments: answer).run([skill("a", ("a1", 1, ()))])
    assert outcome.findings[-1] == "SKILL.md:7: refused: runs what it loads. Take that out."


@pytest.mark.parametrize(("answered", "state"), [("imported", "unchanged"), ("refused", "refused")])
def test_a_version_with_the_bytes_of_another_ends_as_that_one_did(
    answered: str, state: str
) -> None:
    same = gather([("SKILL.md", b"# A\n\nText.\n")])
    candidates = [Candidate(source_id=source_id, gathered=same) for source_id in ("a1", "a2")]
    registry = {"outcome": answered, "findings": [], "version_id": "id-1"}
    importer = Importer(lambda _path, _arguments: registry)
    first, second = importer.run([assemble(Origin(source="a", slug="a"), candidates)])
    assert (first.source_id, second.source_id) == ("a1", "a2")
    assert (second.state, second.version) == (state, first.version)
    assert second.findings == ("It has the bytes of 1.0.0 again.",)
