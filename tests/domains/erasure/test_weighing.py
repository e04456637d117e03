"""A record that is being weighed for a new day in parts, in order of owner, loses nobody."""

import pytest

from hubify.domains.skills import fading, standing
from tests.domains.erasure.erased_world import NAME, World, caller, left

OWNERS = ("anton", "zoe", "quillon", "maud")


@pytest.mark.parametrize("parts", range(5))
@pytest.mark.parametrize("erased", ["anton", "zoe", "quillon"])
def test_an_erasure_in_the_middle_of_a_weighing_leaves_the_numbers_right(
    parts: int, erased: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fading, "WEIGHED_ROWS", 1)
    monkeypatch.setattr(standing, "QUICK_CELLS", 0)
    world = World()
    world.publish(NAME, "Calls HTTP services.", caller("maud"))
    for owner in OWNERS:
        for outcome in ("success", "fail", "success"):
            world.report(owner, outcome)
    world.backend.now_ms += 86_400_000
    for _ in range(parts):
        world.backend.mutation("skills:fade")
    world.erase(caller(erased))
    while world.backend.mutation("skills:fade"):
        pass
    world.backend.run_due()
    explained = world.backend.query("skills:explainConfidence", {"name": NAME}).explanation
    shown = world.backend.query("skills:getByName", {"name": NAME}).confidence
    assert explained.owners == len(OWNERS)
    assert shown == round(explained.confidence)
    assert left(world, erased.encode()) == {}
