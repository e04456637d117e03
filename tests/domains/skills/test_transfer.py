"""A skill that changes hands: what was decided on it, and who may see it, goes with it."""

import pytest

from hubify.domains import gateway
from hubify.domains.gateway import DecisionNotFound
from hubify.domains.skills import GatewayRefused
from hubify.functions import Forbidden, InvalidInput
from hubify.functions.principal import ANONYMOUS
from hubify.testing.backend import known
from tests.domains.skills.registry import SkillRegistry, skill_md

OPS = known("ops", "skills:admin")


@pytest.fixture
def registry() -> SkillRegistry:
    made = SkillRegistry()
    for version in ("1.0.0", "1.1.0"):
        made.publish(skill_md(body=f"Say {version}."), version=version)
    return made


def transfer(registry: SkillRegistry, owner: str = "bob") -> None:
    registry.mutate("skills:transfer", by=OPS, name="greet", owner=owner)


def hide(registry: SkillRegistry) -> None:
    registry.mutate("skills:update", by=registry.bob, name="greet", visibility="private")
    registry.backend.run_due()


def test_decisions_go_with_the_skill_and_hide_with_it(
    registry: SkillRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "MAX_CHANGED", 1)
    decision = registry.query("gateway:listDecisions", by=ANONYMOUS).page[0]
    transfer(registry)
    hide(registry)
    assert registry.query("gateway:listDecisions", by=ANONYMOUS, skill="greet").page == []
    assert registry.query("gateway:listDecisions", mine=True).page == []
    assert len(registry.query("gateway:listDecisions", by=registry.bob, mine=True).page) == 2
    with pytest.raises(DecisionNotFound):
        registry.query("gateway:getDecision", decisionId=decision.id)


def test_jobs_left_of_a_change_of_visibility_find_the_new_owner(
    registry: SkillRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many changes are under way, decisions end as the skill is."""
    monkeypatch.setattr(gateway, "MAX_CHANGED", 1)
    registry.mutate("skills:update", name="greet", visibility="org")
    transfer(registry)
    registry.mutate("skills:update", by=registry.bob, name="greet", visibility="public")
    transfer(registry, "carol")
    registry.backend.run_due()
    found = registry.query("gateway:listDecisions", by=ANONYMOUS).page
    assert [decision.owner for decision in found] == ["carol", "carol"]


def test_the_new_owner_may_appeal_and_an_open_appeal_becomes_its_own(
    registry: SkillRegistry,
) -> None:
    with pytest.raises(GatewayRefused):
        registry.publish(skill_md(body="Say less."), version="1.0.5")
    told = {"verdict": "refused", "skill": "greet"}
    (decision,) = registry.query("gateway:listDecisions", by=ANONYMOUS, **told).page
    transfer(registry)
    appeal = {"decisionId": decision.id, "reason": "It is quoted."}
    with pytest.raises(Forbidden):
        registry.mutate("gateway:appeal", **appeal)
    registry.mutate("gateway:appeal", by=registry.bob, **appeal)
    transfer(registry, "carol")
    keeper = known("keeper", "gateway:admin")
    (opened,) = registry.query("gateway:listAppeals", by=keeper).page
    assert opened.owner == "carol"


@pytest.mark.parametrize("owner", ["No Such Owner!\n", "", "Bob", "-", "a" * 65])
def test_only_a_name_that_can_have_a_key_is_given_a_skill(
    registry: SkillRegistry, owner: str
) -> None:
    with pytest.raises(InvalidInput):
        transfer(registry, owner)
