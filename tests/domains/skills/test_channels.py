"""Channels: what moves when a version is promoted, rolled back, tried or deprecated."""

import pytest

from hubify.domains.skills import NothingStable, VersionNotFound, WrongState
from hubify.functions import Forbidden
from tests.domains.skills.registry import SkillRegistry, skill_md


@pytest.fixture
def registry() -> SkillRegistry:
    made = SkillRegistry()
    for number, body in enumerate(("One.", "Two.", "Three.")):
        made.publish(skill_md(body=body, version=f"1.{number}.0"))
    return made


def statuses(registry: SkillRegistry) -> dict[str, str]:
    found = registry.query("skills:listVersions", name="greet").page
    return {version.version: str(version.status) for version in found}


def stable(registry: SkillRegistry) -> str:
    return registry.query("skills:getByName", name="greet").version


def test_one_version_is_stable_and_those_before_it_superseded(registry: SkillRegistry) -> None:
    assert statuses(registry) == {"1.0.0": "superseded", "1.1.0": "superseded", "1.2.0": "stable"}


def test_rolling_back_is_one_call(registry: SkillRegistry) -> None:
    registry.mutate("skills:rollback", name="greet", reason="It greets nobody.")
    assert stable(registry) == "1.1.0"
    assert statuses(registry)["1.2.0"] == "rolled_back"
    move = registry.query("skills:listMoves", name="greet").page[0]
    assert (move.before, move.after, move.reason) == ("1.2.0", "1.1.0", "It greets nobody.")


def test_rolling_back_twice_goes_further_back_and_never_forth(registry: SkillRegistry) -> None:
    for expected in ("1.1.0", "1.0.0"):
        registry.mutate("skills:rollback", name="greet", reason="Bad.")
        assert stable(registry) == expected
    with pytest.raises(NothingStable):
        registry.mutate("skills:rollback", name="greet", reason="Bad.")


def test_a_version_may_be_named_to_roll_back_to(registry: SkillRegistry) -> None:
    registry.mutate("skills:rollback", name="greet", reason="Bad.", version="1.0.0")
    assert stable(registry) == "1.0.0"
    with pytest.raises(WrongState):
        registry.mutate("skills:rollback", name="greet", reason="Bad.", version="1.0.0")
    with pytest.raises(VersionNotFound, match=r"greet@9\.9\.9"):
        registry.mutate("skills:rollback", name="greet", reason="Bad.", version="9.9.9")


def test_only_the_owner_rolls_back(registry: SkillRegistry) -> None:
    with pytest.raises(Forbidden):
        registry.mutate("skills:rollback", by=registry.bob, name="greet", reason="Mine.")


def test_the_skill_stands_as_its_stable_version_does(registry: SkillRegistry) -> None:
    registry.report(version="1.1.0")
    assert registry.query("skills:getByName", name="greet").confidence == 0
    registry.mutate("skills:rollback", name="greet", reason="Bad.")
    assert registry.query("skills:getByName", name="greet").confidence == 5


def test_a_trial_shows_and_ends_with_its_version_stable(registry: SkillRegistry) -> None:
    registry.publish(skill_md(body="Four."), version="1.3.0-beta.1")
    registry.backend.mutation("probe:begin", {"name": "greet", "version": "1.1.0", "share": 0.5})
    found = registry.query("skills:getByName", name="greet")
    assert (found.version, found.canary_version, found.status) == ("1.2.0", "1.1.0", "canary")
    registry.backend.mutation("probe:end", {"name": "greet", "promote": True})
    found = registry.query("skills:getByName", name="greet")
    assert (found.version, found.canary_version, found.status) == ("1.1.0", None, "active")


def test_a_trial_that_fails_leaves_the_stable_version_alone(registry: SkillRegistry) -> None:
    registry.backend.mutation("probe:begin", {"name": "greet", "version": "1.1.0", "share": 0.5})
    with pytest.raises(WrongState, match="on trial"):
        registry.backend.mutation("probe:begin", {"name": "greet", "version": "1.0.0", "share": 1})
    registry.backend.mutation("probe:end", {"name": "greet", "promote": False})
    assert stable(registry) == "1.2.0"
    assert statuses(registry)["1.1.0"] == "rolled_back"


def test_an_owner_points_stable_and_beta_but_no_canary(registry: SkillRegistry) -> None:
    def point(channel: str) -> None:
        registry.mutate("skills:setChannel", name="greet", version="1.0.0", channel=channel)

    point("beta")
    assert registry.query("skills:getByName", name="greet").beta_version == "1.0.0"
    point("stable")
    assert stable(registry) == "1.0.0"
    with pytest.raises(WrongState):
        point("canary")


def test_a_deprecated_skill_says_why_and_leaves_the_list(registry: SkillRegistry) -> None:
    registry.mutate("skills:deprecate", name="greet", notice="Use welcome.")
    found = registry.query("skills:getByName", name="greet")
    assert (found.status, found.notice) == ("deprecated", "Use welcome.")
    assert registry.query("skills:list").page == []
    assert len(registry.query("skills:list", status="deprecated").page) == 1
    assert registry.resolve().notice == "Use welcome."
    registry.mutate("skills:restore", name="greet")
    assert len(registry.query("skills:list").page) == 1


def test_a_version_is_deprecated_unless_a_channel_points_to_it(registry: SkillRegistry) -> None:
    registry.mutate("skills:deprecate", name="greet", version="1.0.0")
    assert statuses(registry)["1.0.0"] == "deprecated"
    with pytest.raises(WrongState, match="move that first"):
        registry.mutate("skills:deprecate", name="greet", version="1.2.0")


def test_what_is_said_of_a_skill_changes_without_a_version(registry: SkillRegistry) -> None:
    found = registry.mutate(
        "skills:update",
        name="greet",
        displayName="Greeter",
        category=" Social  Grace ",
        tags=["hello"],
    )
    assert (found.display_name, found.category, found.tags) == (
        "Greeter", "social grace", ("hello",),
    )  # fmt: skip
    assert registry.query("skills:list", category="Social Grace").page[0].name == "greet"
    assert found.versions == 3


def test_who_administers_skills_may_give_one_away(registry: SkillRegistry) -> None:
    with pytest.raises(Forbidden):
        registry.mutate("skills:transfer", name="greet", owner="bob")
    registry.backend.mutation("skills:transfer", {"name": "greet", "owner": "bob"})
    assert registry.query("skills:list", owner="bob").page[0].name == "greet"


def test_the_stable_version_stays_stable_when_the_beta_channel_points_to_it_too(
    registry: SkillRegistry,
) -> None:
    registry.mutate("skills:setChannel", name="greet", channel="beta", version="1.2.0")
    found = registry.query("skills:getByName", name="greet")
    assert (found.version, found.beta_version) == ("1.2.0", "1.2.0")
    assert statuses(registry)["1.2.0"] == "stable"


def beta(registry: SkillRegistry) -> str | None:
    return registry.query("skills:getByName", name="greet").beta_version


def point(registry: SkillRegistry, channel: str, version: str) -> None:
    registry.mutate("skills:setChannel", name="greet", channel=channel, version=version)


def test_no_channel_serves_a_version_that_was_rolled_back(registry: SkillRegistry) -> None:
    point(registry, "beta", "1.1.0")
    registry.backend.mutation("probe:begin", {"name": "greet", "version": "1.1.0", "share": 0.5})
    registry.backend.mutation("probe:end", {"name": "greet", "promote": False})
    assert (statuses(registry)["1.1.0"], beta(registry)) == ("rolled_back", None)
    point(registry, "beta", "1.2.0")
    registry.mutate("skills:rollback", name="greet", version="1.0.0", reason="Bad.")
    assert (statuses(registry)["1.2.0"], beta(registry)) == ("rolled_back", None)
    move = registry.query("skills:listMoves", name="greet").page[1]
    assert (move.channel, move.before, move.after) == ("beta", "1.2.0", None)


def test_a_version_that_is_stable_no_longer_goes_on_as_the_beta(registry: SkillRegistry) -> None:
    point(registry, "beta", "1.2.0")
    registry.publish(skill_md(body="Four.", version="1.3.0"))
    assert (stable(registry), beta(registry)) == ("1.3.0", "1.2.0")
    assert statuses(registry)["1.2.0"] == "beta"


def test_a_channel_that_stays_where_it_is_leaves_no_step(registry: SkillRegistry) -> None:
    point(registry, "beta", "1.1.0")
    steps = len(registry.query("skills:listMoves", name="greet").page)
    point(registry, "beta", "1.1.0")
    point(registry, "stable", "1.2.0")
    assert len(registry.query("skills:listMoves", name="greet").page) == steps


def test_rolling_back_never_goes_forth_to_what_was_not_stable_yet(registry: SkillRegistry) -> None:
    registry.publish(skill_md(body="Four."), version="1.3.0-beta.1")
    for _once_as_beta_and_once_superseded in range(2):
        with pytest.raises(WrongState, match=r"1\.3\.0-beta\.1' was never stable.*setChannel"):
            registry.mutate("skills:rollback", name="greet", version="1.3.0-beta.1", reason="Bad.")
        registry.publish(skill_md(body="Five."), version="1.3.0-beta.2")
    assert stable(registry) == "1.2.0"


def test_rolling_back_does_not_promote_what_is_on_trial(registry: SkillRegistry) -> None:
    registry.publish(skill_md(body="Four."), version="1.3.0-beta.1")
    tried = "1.3.0-beta.1"
    registry.backend.mutation("probe:begin", {"name": "greet", "version": tried, "share": 0.5})
    with pytest.raises(WrongState, match=r"never stable.* on trial; use evolution\.promote"):
        registry.mutate("skills:rollback", name="greet", version=tried, reason="Bad.")
    assert registry.query("skills:getByName", name="greet").canary_version == tried


def test_however_long_ago_it_was_stable_a_version_may_be_rolled_back_to(
    registry: SkillRegistry,
) -> None:
    for number in range(110):
        version = f"1.{number % 2 + 1}.0"
        registry.mutate("skills:setChannel", name="greet", channel="stable", version=version)
    registry.mutate("skills:rollback", name="greet", reason="Bad.", version="1.0.0")
    assert stable(registry) == "1.0.0"
