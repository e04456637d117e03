"""Lists and search: pages that show each skill once, and an order that a person would accept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.domains.skills.listing import confidence_floor
from hubify.functions import InvalidInput
from hubify.values import limits
from tests.domains.skills.registry import SkillRegistry, skill_md


@pytest.fixture
def registry() -> SkillRegistry:
    made = SkillRegistry()
    for name, category in [("beta-skill", "coding"), ("alpha-skill", "docs"), ("gamma", "coding")]:
        made.publish(skill_md(name, category=category))
        made.backend.now_ms += 1_000
    for run in range(10):
        made.report("gamma", owner=f"o{run}")
    made.report("alpha-skill")
    return made


def names(registry: SkillRegistry, **more: object) -> list[str]:
    page = registry.backend.query("skills:list", more, principal=registry.ada)
    return [skill.name for skill in page.page]


def found(registry: SkillRegistry, query: str, **more: object) -> list[str]:
    asked = {"query": query, **more}
    hits = registry.backend.query("skills:search", asked, principal=registry.ada)
    return [hit.name for hit in hits]


def test_skills_are_listed_by_confidence_by_age_or_by_name(registry: SkillRegistry) -> None:
    assert names(registry) == ["gamma", "alpha-skill", "beta-skill"]
    assert names(registry, sort="newest") == ["gamma", "alpha-skill", "beta-skill"]
    assert names(registry, sort="name") == ["alpha-skill", "beta-skill", "gamma"]


@pytest.mark.parametrize("sort", ["confidence", "newest", "name"])
def test_a_list_keeps_to_a_category_and_to_an_owner(registry: SkillRegistry, sort: str) -> None:
    assert set(names(registry, sort=sort, category="coding")) == {"beta-skill", "gamma"}
    assert set(names(registry, sort=sort, category="coding", owner="ada")) == {
        "beta-skill",
        "gamma",
    }
    assert names(registry, sort=sort, owner="bob") == []


@pytest.mark.parametrize("sort", ["confidence", "newest", "name"])
def test_pages_show_each_skill_once(registry: SkillRegistry, sort: str) -> None:
    seen: list[str] = []
    cursor: str | None = None
    while True:
        options = {"numItems": 2, "cursor": cursor}
        page = registry.query("skills:list", sort=sort, paginationOpts=options)
        seen.extend(skill.name for skill in page.page)
        cursor = page.continue_cursor
        if page.is_done:
            break
    assert seen == names(registry, sort=sort)


def test_the_name_that_was_asked_for_comes_first(registry: SkillRegistry) -> None:
    registry.publish(skill_md("gamma-rays", body="gamma gamma"))
    for run in range(20):
        registry.report("gamma-rays", owner=f"o{run}")
    assert found(registry, "gamma")[0] == "gamma"
    assert found(registry, "Alpha Skill")[0] == "alpha-skill"


def test_of_two_that_match_alike_the_better_trusted_comes_first(registry: SkillRegistry) -> None:
    registry.report("beta-skill", owner="x")
    registry.report("beta-skill", owner="y")
    assert found(registry, "skill") == ["beta-skill", "alpha-skill"]


def test_a_word_of_the_name_counts_more_than_one_of_the_text(registry: SkillRegistry) -> None:
    registry.publish(skill_md("delta", description="Better than any omega."))
    registry.publish(skill_md("omega", description="The last letter."))
    assert found(registry, "omega") == ["omega", "delta"]


def test_the_beginning_of_a_word_finds_it_too(registry: SkillRegistry) -> None:
    assert found(registry, "gam") == ["gamma"]


def test_search_keeps_to_category_confidence_and_level(registry: SkillRegistry) -> None:
    assert found(registry, "what is for", category="docs") == ["alpha-skill"]
    assert found(registry, "what is for", minConfidence=0.7) == ["gamma"]
    assert found(registry, "what is for", minConfidence=70) == ["gamma"]
    assert found(registry, "what is for", verified=True) == []
    for run in range(20):
        registry.report("gamma", owner=f"o{run % 5}")
    assert found(registry, "what is for", verified=True) == ["gamma"]


def test_search_gives_no_more_than_is_asked_for(registry: SkillRegistry) -> None:
    assert len(found(registry, "what is for", limit=2)) == 2
    with pytest.raises(InvalidInput):
        found(registry, "what", limit=0)


def test_a_deprecated_skill_is_found_last(registry: SkillRegistry) -> None:
    registry.mutate("skills:deprecate", name="gamma")
    assert found(registry, "what is for")[-1] == "gamma"


def test_a_skill_that_cannot_be_run_yet_is_not_listed(registry: SkillRegistry) -> None:
    registry.mutate("skills:importVersion", name="idea", description="Only an idea.")
    assert "idea" not in names(registry)
    assert found(registry, "idea") == []
    assert registry.query("skills:getByName", name="idea").status == "pending"


@given(st.floats(0, 100))
def test_a_confidence_up_to_one_is_a_share_of_a_hundred(asked: float) -> None:
    assert confidence_floor(asked) == (100 * asked if asked <= 1 else asked)


@given(st.text(max_size=60).filter(bool))
def test_no_text_breaks_a_search(text: str) -> None:
    registry = SkillRegistry()
    registry.publish()
    try:
        registry.query("skills:search", query=text)
    except InvalidInput:
        pytest.fail(f"search refused {text!r}")


def test_no_crowd_of_private_skills_hides_a_public_one(
    registry: SkillRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_WORD_POSTINGS", 5)
    for number in range(6):
        text = skill_md(f"thing-{number}", description="Runs docker.")
        registry.publish(text, by=registry.bob, visibility="private")
    registry.publish(skill_md("docker-files", description="Writes docker files."))
    assert found(registry, "docker") == ["docker-files"]
    mine = registry.query("skills:search", by=registry.bob, query="docker", limit=100)
    assert len(mine) == 7


def test_a_crowd_hides_neither_a_trusted_skill_nor_the_one_of_that_name(
    registry: SkillRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_WORD_POSTINGS", 5)
    registry.publish(skill_md("trusted", description="Knows docker well."))
    registry.publish(skill_md("docker"))
    for run in range(20):
        registry.report("trusted", owner=f"o{run % 5}", platform=f"p{run % 3}")
    for number in range(8):
        registry.publish(skill_md(f"thing-{number}", description="Runs docker."), by=registry.bob)
    assert found(registry, "docker")[0] == "docker"
    assert found(registry, "docker verified", verified=True) == ["trusted"]
