"""Skills that are not public: to everybody but their owner they do not exist."""

import base64
from collections.abc import Callable

import pytest

from hubify.domains.gateway import DecisionNotFound
from hubify.domains.skills import NameTaken, SkillNotFound
from hubify.functions import Forbidden, Principal
from hubify.functions.principal import ANONYMOUS
from hubify.functions.runs import run_query
from hubify.testing.backend import known
from tests.domains.skills.registry import SkillRegistry, skill_md

READS = (
    "skills:getByName",
    "skills:getVersion",
    "skills:listVersions",
    "skills:getFiles",
    "skills:explainConfidence",
    "skills:lineage",
    "skills:listMoves",
)


@pytest.fixture
def registry() -> SkillRegistry:
    made = SkillRegistry()
    made.publish(visibility="private", category="secrets")
    return made


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("stranger", [ANONYMOUS, known("bob", "skills:read", "skills:write")])
def test_a_private_skill_is_not_found_by_others(
    registry: SkillRegistry, path: str, stranger: Principal
) -> None:
    with pytest.raises(SkillNotFound, match="Skill 'greet' not found"):
        registry.query(path, by=stranger, name="greet")
    assert registry.query(path, name="greet") is not None


@pytest.mark.parametrize("path", ["resolve", "star", "fork", "deprecate", "delete"])
def test_a_private_skill_cannot_be_acted_on_by_others(registry: SkillRegistry, path: str) -> None:
    with pytest.raises(SkillNotFound):
        registry.mutate(f"skills:{path}", by=registry.bob, name="greet")


def test_the_refusal_is_that_of_a_name_that_nobody_holds(registry: SkillRegistry) -> None:
    def refusal(name: str) -> str:
        with pytest.raises(SkillNotFound) as refused:
            registry.query("skills:getByName", by=registry.bob, name=name)
        return refused.value.message.replace(name, "*")

    assert refusal("greet") == refusal("nothing")


def test_lists_and_search_leave_a_private_skill_out(registry: SkillRegistry) -> None:
    looks: list[Callable[[Principal], object]] = [
        lambda who: registry.query("skills:list", by=who).page,
        lambda who: registry.query("skills:list", by=who, owner="ada").page,
        lambda who: registry.query("skills:search", by=who, query="greet"),
    ]
    for look in looks:
        assert look(registry.bob) == []
        assert look(ANONYMOUS) == []


def test_its_owner_lists_and_finds_it(registry: SkillRegistry) -> None:
    assert [s.name for s in registry.query("skills:list", owner="ada").page] == ["greet"]
    assert [s.name for s in registry.query("skills:search", query="greet")] == ["greet"]


def test_its_gateway_decisions_are_its_owners(registry: SkillRegistry) -> None:
    (decision,) = registry.query("gateway:listDecisions", mine=True).page
    assert registry.query("gateway:listDecisions", by=ANONYMOUS).page == []
    with pytest.raises(DecisionNotFound):
        registry.query("gateway:getDecision", by=registry.bob, decisionId=decision.id)


def test_a_skill_made_public_is_found_with_its_decisions(registry: SkillRegistry) -> None:
    registry.mutate("skills:update", name="greet", visibility="public")
    assert registry.query("skills:getByName", by=ANONYMOUS, name="greet").name == "greet"
    assert len(registry.query("gateway:listDecisions", by=ANONYMOUS).page) == 1
    registry.mutate("skills:update", name="greet", visibility="org")
    assert registry.query("gateway:listDecisions", by=ANONYMOUS).page == []


def test_its_name_is_taken_all_the_same(registry: SkillRegistry) -> None:
    with pytest.raises(NameTaken):
        registry.publish(skill_md(body="Mine."), by=registry.bob)


def test_who_administers_skills_may_see_it(registry: SkillRegistry) -> None:
    keeper = known("keeper", "skills:admin")
    assert registry.query("skills:getByName", by=keeper, name="greet").owner == "ada"


def test_a_deleted_skill_is_gone_for_everybody_and_its_name_stays_taken(
    registry: SkillRegistry,
) -> None:
    registry.mutate("skills:delete", name="greet")
    with pytest.raises(SkillNotFound):
        registry.query("skills:getByName", name="greet")
    assert registry.query("skills:list", owner="ada").page == []
    with pytest.raises(NameTaken):
        registry.publish()


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("skills:getByName", {"name": "open"}),
        ("skills:lineage", {"name": "open"}),
        ("skills:list", {"sort": "name"}),
        ("skills:search", {"query": "open"}),
        ("gateway:listDecisions", {}),
    ],
)
def test_what_is_public_is_read_once_for_all_who_watch_it(
    registry: SkillRegistry, path: str, arguments: dict[str, object]
) -> None:
    registry.publish(skill_md("open"))
    wiring = registry.backend.backend.wiring
    spec = wiring.registry.find(path)
    run = run_query(wiring, spec, spec.binding.bind(arguments), registry.bob)
    assert run.error is None
    assert not run.personal


@pytest.mark.parametrize("sort", ["name", "newest", "confidence"])
@pytest.mark.parametrize(
    "stranger", [ANONYMOUS, known("bob", "skills:read"), known("ada", "learning:report")]
)
def test_no_page_of_an_owners_list_tells_of_hidden_skills(
    registry: SkillRegistry, stranger: Principal, sort: str
) -> None:
    """Neither an empty page nor one more to come stands where a hidden skill does."""
    for name in ("alpha", "zulu"):
        registry.publish(skill_md(name))
        registry.publish(skill_md(f"{name}-hidden"), visibility="private")
    cursor, names = None, list[str]()
    while True:
        opts = {"numItems": 1, "cursor": cursor}
        page = registry.query(
            "skills:list", by=stranger, owner="ada", sort=sort, paginationOpts=opts
        )
        names += [skill.name for skill in page.page]
        assert page.page or not names
        if page.is_done:
            break
        cursor = page.continue_cursor
    assert sorted(names) == ["alpha", "zulu"]


def test_a_cursor_does_not_tell_what_it_stands_behind(registry: SkillRegistry) -> None:
    opts = {"numItems": 1}
    registry.publish(skill_md("greet-two"), visibility="private")
    page = registry.query("skills:list", owner="ada", sort="name", paginationOpts=opts)
    assert not page.is_done
    raw = base64.urlsafe_b64decode(page.continue_cursor + "==")
    assert b"greet" not in raw
    assert b"ada" not in raw


@pytest.mark.parametrize("scope", ["lab:x:r", "learning:report", "evolution:write"])
def test_an_owners_key_without_skills_read_sees_what_strangers_see(
    registry: SkillRegistry, scope: str
) -> None:
    narrow = known("ada", scope)
    for path in READS:
        with pytest.raises(SkillNotFound):
            registry.query(path, by=narrow, name="greet")
    assert registry.query("skills:search", by=narrow, query="greet") == []
    assert registry.query("skills:list", by=narrow, owner="ada").page == []
    (decision,) = registry.query("gateway:listDecisions", mine=True).page
    with pytest.raises(DecisionNotFound):
        registry.query("gateway:getDecision", by=narrow, decisionId=decision.id)
    with pytest.raises(Forbidden):
        registry.query("gateway:listDecisions", by=narrow, mine=True)
