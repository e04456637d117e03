"""Publishing: what gets a number, what changes nothing, what the gateway refuses and keeps."""

import base64
import re
from typing import Any

import pytest

from hubify.domains.gateway import Verdict
from hubify.domains.skills import GatewayRefused, NameTaken, VersionExists, WrongState
from hubify.functions import Conflict, Forbidden, InvalidInput, Unauthenticated
from hubify.functions.principal import ANONYMOUS
from tests.domains.skills.registry import SkillRegistry, skill_md


@pytest.fixture
def registry() -> SkillRegistry:
    return SkillRegistry()


def test_a_first_version_without_a_number_is_1_0_0_and_stable(registry: SkillRegistry) -> None:
    published = registry.publish()
    assert (published.version, published.created, published.channel) == ("1.0.0", True, "stable")
    found = registry.query("skills:getByName", name="greet")
    assert (found.version, found.confidence, found.status) == ("1.0.0", 0, "active")


def test_the_number_in_the_file_is_taken(registry: SkillRegistry) -> None:
    assert registry.publish(skill_md(version="v2.1")).version == "2.1.0"


def test_changed_bytes_without_a_number_take_the_next_patch(registry: SkillRegistry) -> None:
    registry.publish(skill_md(body="One."))
    assert registry.publish(skill_md(body="Two.")).version == "1.0.1"


@pytest.mark.parametrize(
    ("bump", "raised"), [("patch", "1.2.4"), ("minor", "1.3.0"), ("major", "2.0.0")]
)
def test_a_bump_raises_the_highest_number(registry: SkillRegistry, bump: str, raised: str) -> None:
    registry.publish(skill_md(version="1.2.3"))
    assert registry.publish(skill_md(body="New.", version="1.2.3"), bump=bump).version == raised


def test_equal_bytes_again_change_nothing(registry: SkillRegistry) -> None:
    first = registry.publish()
    head = registry.backend.head()
    again = registry.publish()
    assert (again.changed, again.version_id) == (False, first.version_id)
    assert registry.backend.head() == head


def test_other_bytes_under_a_number_that_exists_are_refused(registry: SkillRegistry) -> None:
    registry.publish(skill_md(version="1.0.0"))
    with pytest.raises(VersionExists, match=r"greet@1\.0\.0"):
        registry.publish(skill_md(body="Other.", version="1.0.0"))


def test_a_number_below_the_stable_one_is_refused(registry: SkillRegistry) -> None:
    registry.publish(skill_md(version="2.0.0"))
    with pytest.raises(GatewayRefused, match="not above the stable"):
        registry.publish(skill_md(body="Old.", version="1.5.0"))


def test_a_prerelease_goes_to_the_beta_channel(registry: SkillRegistry) -> None:
    registry.publish()
    published = registry.publish(skill_md(body="New."), version="2.0.0-beta.1")
    found = registry.query("skills:getByName", name="greet")
    assert published.channel == "beta"
    assert (found.version, found.beta_version) == ("1.0.0", "2.0.0-beta.1")


def test_a_new_version_descends_from_the_stable_one(registry: SkillRegistry) -> None:
    first = registry.publish()
    registry.publish(skill_md(body="Two."))
    assert registry.query("skills:getVersion", name="greet").parents == (first.version_id,)


def test_a_refusal_names_file_and_line_and_its_decision_is_public(
    registry: SkillRegistry,
) -> None:
    with pytest.raises(GatewayRefused) as refused:
        registry.publish("---\nname: greet\ndescription: x\ndescription: y\n---\nBody.\n")
    (fault,) = refused.value.details["findings"]  # pyright: ignore[reportGeneralTypeIssues]
    assert (fault["path"], fault["line"]) == ("SKILL.md", 4)
    decision_id = refused.value.details["decisionId"]
    decision = registry.query("gateway:getDecision", by=ANONYMOUS, decisionId=decision_id)
    assert decision.verdict is Verdict.REFUSED
    assert decision.findings[0].line == 4


def test_nothing_of_a_refused_skill_is_stored(registry: SkillRegistry) -> None:
    with pytest.raises(GatewayRefused):
        registry.publish("---\nname: greet\n---\n")
    assert registry.query("skills:list", sort="name").page == []


def test_files_come_out_as_they_went_in(registry: SkillRegistry) -> None:
    data = bytes(range(256))
    files = [
        {"path": "SKILL.md", "content": skill_md()},
        {"path": "assets/all.bin", "contentBase64": base64.b64encode(data).decode()},
        {"path": "notes.txt", "content": "a\r\nb\n"},
    ]
    registry.publish(files=files)
    found = {file.path: file for file in registry.query("skills:getFiles", name="greet").files}
    assert base64.b64decode(found["assets/all.bin"].content_base64) == data
    assert found["notes.txt"].content == "a\r\nb\n"
    single = registry.query("skills:getFile", name="greet", path="notes.txt")
    assert single == found["notes.txt"]
    assert registry.query("skills:getByName", name="greet").has_assets


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("../SKILL.md", "../SKILL.md"),
        ("/etc/passwd", "/etc/passwd"),
        ("a\\b", "a"),
        ("a\0b", "a"),
        (".", "."),
        ("x//etc/passwd", "x//etc/passwd"),
        ("a\u200bb", "U+200B"),
        ("n" * 1_001, "255 bytes"),
        ("skill.md", "skill.md"),
    ],
)
def test_a_hostile_path_is_refused_by_name(registry: SkillRegistry, path: str, shown: str) -> None:
    files = [{"path": "SKILL.md", "content": skill_md()}, {"path": path, "content": "x"}]
    with pytest.raises(GatewayRefused, match=re.escape(shown)):
        registry.publish(files=files)


@pytest.mark.parametrize(
    "file",
    [
        {"path": "a"},
        {"path": "a", "content": "x", "contentBase64": "eA=="},
        {"path": "a", "contentBase64": "?"},
        {"path": "a", "content": "\ud800"},
    ],
)
def test_a_file_without_one_readable_content_is_named(
    registry: SkillRegistry, file: dict[str, str]
) -> None:
    with pytest.raises(InvalidInput, match="'a'"):
        registry.publish(files=[{"path": "SKILL.md", "content": skill_md()}, file])


def test_a_name_belongs_to_who_took_it_first(registry: SkillRegistry) -> None:
    registry.publish()
    with pytest.raises(Forbidden, match="belongs to ada"):
        registry.publish(by=registry.bob)


def test_creating_demands_a_free_name(registry: SkillRegistry) -> None:
    registry.publish()
    with pytest.raises(NameTaken):
        registry.backend.action(
            "skills:create", {"skillMd": skill_md(body="x")}, principal=registry.ada
        )


def test_publishing_takes_a_key(registry: SkillRegistry) -> None:
    with pytest.raises(Unauthenticated):
        registry.publish(by=ANONYMOUS)


@pytest.mark.parametrize("name", ["Not A Slug", "search", "a--b", "x" * 65])
def test_a_name_that_cannot_be_one_is_refused(registry: SkillRegistry, name: str) -> None:
    with pytest.raises(GatewayRefused, match="cannot be a name"):
        registry.publish(name=name)


def test_a_version_shown_otherwise_than_its_skill_is_refused_not_shown(
    registry: SkillRegistry,
) -> None:
    registry.publish()
    with pytest.raises(WrongState, match=r"is public; change that first with skills\.update"):
        registry.publish(skill_md(body="A secret plan."), visibility="private")
    with pytest.raises(WrongState, match="is public, so a version of it cannot be private"):
        registry.mutate(
            "skills:importVersion",
            name="greet",
            files=[{"path": "SKILL.md", "content": skill_md(body="A secret plan.")}],
            visibility="private",
        )
    assert registry.query("skills:getByName", name="greet").versions == 1
    assert registry.publish(skill_md(body="Two."), visibility="public").changed


def test_known_bytes_are_answered_with_the_channel_that_they_are_in(
    registry: SkillRegistry,
) -> None:
    registry.publish(skill_md(version="1.0.0"))
    registry.publish(skill_md(body="Two.", version="1.1.0"))
    assert registry.publish(skill_md(body="Two.", version="1.1.0")).channel == "stable"
    assert registry.publish(skill_md(version="1.0.0")).channel is None
    for channel in ("beta", "stable"):
        with pytest.raises(WrongState, match=rf"is not {channel}; move that channel"):
            registry.publish(skill_md(version="1.0.0"), channel=channel)


@pytest.mark.parametrize("wish", [{"tags": ["new"]}, {"category": "new"}])
def test_what_a_beta_or_known_bytes_would_not_tell_of_their_skill_is_refused(
    registry: SkillRegistry, wish: dict[str, Any]
) -> None:
    registry.publish()
    (field,) = wish
    with pytest.raises(WrongState, match=rf"{field} is told with a new stable version"):
        registry.publish(**wish)
    with pytest.raises(WrongState, match=rf"{field} is told"):
        registry.publish(skill_md(body="New."), channel="beta", **wish)
    assert registry.publish(skill_md(body="New."), **wish).channel == "stable"
    assert not registry.publish(skill_md(body="New."), **wish).changed


@pytest.mark.parametrize("path", ["skills:publish", "skills:create"])
def test_a_publish_with_an_idempotency_key_happens_once(registry: SkillRegistry, path: str) -> None:
    def send(body: str) -> Any:  # noqa: ANN401 - a function's own answer
        told = {"skillMd": skill_md(body=body), "idempotencyKey": "once"}
        return registry.backend.action(path, told, principal=registry.ada)

    first, again = send("One."), send("One.")
    assert first == again
    assert first.created
    with pytest.raises(Conflict, match="another call"):
        send("Two.")
    assert registry.query("skills:getByName", name="greet").versions == 1


def test_tags_and_categories_are_kept_plain(registry: SkillRegistry) -> None:
    registry.publish(tags=["a", " b  c ", "A", " ", "\u202eb C"], category="Web\u202e Pages ")
    found = registry.query("skills:getByName", name="greet")
    assert (found.tags, found.category) == (("a", "b c"), "web pages")
    found = registry.mutate(
        "skills:update", name="greet", tags=["x", "x", " "], displayName="\u202eG"
    )
    assert (found.tags, found.display_name) == (("x",), "G")


def test_a_file_with_another_name_does_not_rename_the_skill(registry: SkillRegistry) -> None:
    registry.publish(skill_md("greet"))
    named = registry.query("skills:getByName", name="greet").display_name
    registry.publish(skill_md("different"), name="greet")
    assert registry.query("skills:getByName", name="greet").display_name == named
    registry.publish(skill_md("different"), name="fresh")
    assert registry.query("skills:getByName", name="fresh").display_name == "fresh"


LONG = "long " * 13

ALIKE = [
    ("F#", "F++", "f"),
    ("a/b", "a--b", "a-b"),
    ("a", "ä", "a"),
    (f"{LONG}one", f"{LONG}two", "-".join(["long"] * 13)[:64]),
]
"""Two names that become one when they are made names of the registry, and which."""


@pytest.mark.parametrize(("first", "second", "slug"), ALIKE)
def test_a_name_never_becomes_that_of_a_skill_that_is_called_otherwise(
    registry: SkillRegistry, first: str, second: str, slug: str
) -> None:
    assert registry.publish(skill_md(first)).name == slug
    with pytest.raises(NameTaken, match=rf"would become '{slug}'.*ada.*give name='{slug}'"):
        registry.publish(skill_md(second, "Other."))
    assert registry.query("skills:getByName", name=slug).versions == 1


def test_a_name_that_is_repaired_the_same_way_again_is_the_same_skill(
    registry: SkillRegistry,
) -> None:
    registry.publish(skill_md("F#"))
    assert registry.publish(skill_md("F#", "Newer.")).version == "1.0.1"
    assert registry.publish(skill_md("F++", "By name."), name="f").version == "1.0.2"
    assert registry.publish(skill_md("F#", "Newest.")).version == "1.0.3"
    assert not registry.publish(skill_md("F#", "Newest.")).changed


def test_a_skill_shown_by_a_name_may_be_published_under_it(registry: SkillRegistry) -> None:
    registry.publish(skill_md("greet", display_name="Greet!"))
    assert registry.publish(skill_md("Greet!", "Newer.")).version == "1.0.1"


def test_a_title_is_repaired_as_a_name_is(registry: SkillRegistry) -> None:
    text = "---\ndescription: What it is for.\n---\n\n# {}\n\nDo it.\n"
    registry.publish(text.format("F sharp"))
    with pytest.raises(NameTaken, match="'F-sharp' would become 'f-sharp'"):
        registry.publish(text.format("F-sharp"))
