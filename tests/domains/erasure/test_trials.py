"""A trial goes on without a person who took part: the same judge, the same reports, no name."""

from typing import Any

from tests.domains.erasure.erased_world import NAME, REQUEST, World, caller, left

HOUR_MS = 3_600_000
FLEET = ("quillon", "maud", "nils", "olga", "pia")


def in_trial() -> World:
    """A world in which a version is on trial, with reports of five owners."""
    world = World()
    world.publish(NAME, "Calls HTTP services and retries what may be retried.", caller("maud"))
    world.do("evolution:updateSettings", caller("maud"), skillName=NAME, minReporters=3)
    for place, owner in enumerate(("quillon", "nils", "olga")):
        world.report(owner, improvement=REQUEST[place])
    world.backend.run_due()
    for _ in range(6):
        run_fleet(world)
    return world


def run_fleet(world: World) -> None:
    """Everybody resolves, runs and reports once, an hour later."""
    for owner in FLEET:
        told = {"name": NAME, "agentId": f"{owner}-laptop"}
        ticket = world.backend.mutation("skills:resolve", told, principal=caller(owner)).ticket
        world.report(owner, ticket=ticket, platform="claude-code")
    world.backend.now_ms += HOUR_MS
    world.backend.run_due()


def judged(world: World) -> Any:  # noqa: ANN401 - each function answers its own type
    """What the judge says now, and what it says when it judges all reports again."""
    status = world.backend.query("evolution:getCanaryStatus", {"skillName": NAME})
    (evolution,) = world.backend.query("evolution:getHistory", {"skillName": NAME}).evolutions
    again = world.backend.query("learning:recheckCanary", {"evolutionId": evolution.id})
    return status, again


def test_what_the_judge_says_is_the_same_and_it_goes_on_judging() -> None:
    world = in_trial()
    before = judged(world)
    assert before[0].active
    assert "canary_judges" in left(world, b"quillon")
    asked = world.do("erasure:request", caller("quillon"), confirm="quillon")
    world.step()
    assert judged(world) == before
    world.finish(asked.id)
    assert left(world, b"quillon") == {}
    for owner in FLEET[1:]:
        world.report(owner)
    assert judged(world)[0].active
