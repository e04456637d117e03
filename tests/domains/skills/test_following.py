"""Stars and pins: counted once, kept per agent, and pins that never move."""

from typing import Any

import pytest

from hubify.domains.skills import VersionNotFound, WrongState, following
from hubify.functions import Conflict, Forbidden
from hubify.testing.backend import known
from tests.domains.skills.registry import SkillRegistry, skill_md


@pytest.fixture
def registry() -> SkillRegistry:
    made = SkillRegistry()
    made.publish(skill_md(version="1.0.0"))
    return made


def test_a_star_counts_once(registry: SkillRegistry) -> None:
    for _ in range(2):
        assert registry.mutate("skills:star", by=registry.bob, name="greet").stars == 1
    assert registry.mutate("skills:star", name="greet", agentId="a-1").stars == 2
    assert registry.mutate("skills:star", name="greet", agentId="a-2").stars == 2
    assert registry.mutate("skills:star", name="greet").stars == 2
    for agent, left in (("a-1", 2), ("a-2", 2), (None, 1)):
        assert registry.mutate("skills:unstar", name="greet", agentId=agent).stars == left
    registry.mutate("skills:star", name="greet", agentId="a-1")
    assert registry.query("skills:getByName", name="greet").stars == 2
    assert registry.query("skills:listStarred", by=registry.bob) == ["greet"]


def test_a_star_taken_back_counts_no_more(registry: SkillRegistry) -> None:
    registry.mutate("skills:star", name="greet")
    for _ in range(2):
        assert registry.mutate("skills:unstar", name="greet").stars == 0
    assert registry.query("skills:listStarred") == []


def test_an_owner_has_so_many_stars_and_pins_and_no_more(
    registry: SkillRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MAX_STARS", 3)
    monkeypatch.setattr(following, "MAX_PINS", 3)
    reason: dict[str, Any] = {"reason": "Stay."}
    for path, more in (("star", {}), ("pin", reason)):
        for agent in ("a-1", "a-2", "a-3", "a-3"):
            registry.mutate(f"skills:{path}", name="greet", agentId=agent, **more)
        with pytest.raises(Conflict, match=f"3 {path}s at most"):
            registry.mutate(f"skills:{path}", name="greet", agentId="a-4", **more)
        registry.mutate(f"skills:un{path}", name="greet", agentId="a-1")
        registry.mutate(f"skills:{path}", name="greet", agentId="a-4", **more)
        registry.mutate(f"skills:{path}", by=registry.bob, name="greet", **more)


def test_a_star_does_not_touch_the_skill_itself(registry: SkillRegistry) -> None:
    before = registry.query("skills:getByName", name="greet").updated_at
    registry.backend.now_ms += 1_000
    registry.mutate("skills:star", name="greet")
    assert registry.query("skills:getByName", name="greet").updated_at == before


def test_an_owners_pin_holds_for_its_agents_and_an_agents_own_comes_first(
    registry: SkillRegistry,
) -> None:
    registry.mutate("skills:pin", name="greet", reason="All.", version="1.0.0")
    registry.publish(skill_md(body="Two.", version="2.0.0"))
    registry.mutate("skills:pin", name="greet", reason="Mine.", version="2.0.0", agentId="a-2")
    assert registry.resolve(agentId="a-1").version == "1.0.0"
    assert registry.resolve(agentId="a-2").pin_reason == "Mine."
    assert registry.resolve(by=registry.bob).version == "2.0.0"
    assert [pin.version for pin in registry.query("skills:listPins")] == ["1.0.0", "2.0.0"]


def test_pinning_anew_replaces_the_pin_and_unpinning_ends_it(registry: SkillRegistry) -> None:
    registry.publish(skill_md(body="Two.", version="2.0.0"))
    registry.mutate("skills:pin", name="greet", reason="Old.", version="1.0.0")
    registry.mutate("skills:pin", name="greet", reason="New.", version="2.0.0")
    assert len(registry.query("skills:listPins")) == 1
    assert registry.mutate("skills:unpin", name="greet") is True
    assert registry.mutate("skills:unpin", name="greet") is False


def test_only_a_version_that_can_be_run_is_pinned(registry: SkillRegistry) -> None:
    registry.mutate("skills:importVersion", name="idea", description="Only an idea.")
    with pytest.raises(WrongState, match="placeholder"):
        registry.mutate("skills:pin", name="idea", reason="No.", version="1.0.0")
    with pytest.raises(VersionNotFound):
        registry.mutate("skills:pin", name="greet", reason="No.", version="3.0.0")


def test_a_key_of_one_agent_acts_as_that_agent_only(registry: SkillRegistry) -> None:
    agent = known("ada", "skills:read", agent="a-1")
    with pytest.raises(Forbidden, match="acts as 'a-1' only"):
        registry.mutate("skills:pin", by=agent, name="greet", reason="No.", agentId="a-2")
    registry.mutate("skills:pin", by=agent, name="greet", reason="Yes.")
    assert registry.query("skills:listPins")[0].agent_id == "a-1"
