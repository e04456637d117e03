"""Flags on reports: visible with their evidence, and of no weight."""

import pytest

from hubify.domains.learning.flags import EXAMPLES, Flags, report_flags
from hubify.evidence.flags import BURST
from hubify.functions import NotFound
from hubify.functions.principal import ANONYMOUS
from hubify.testing.backend import known
from tests.domains.story import MINUTE_MS, NAME, Story


@pytest.fixture
def story() -> Story:
    return Story(report_flags)


def flags(story: Story, **arguments: object) -> Flags:
    return story.ask("verification:getFlags", principal=known("root"), **arguments)


def test_ordinary_reports_raise_no_flag(story: Story) -> None:
    for turn in range(120):
        assert story.report(f"owner-{turn % 4}", "fail" if turn % 7 == 0 else "success").flags == ()
        story.backend.advance(MINUTE_MS)
    assert flags(story) == Flags((), complete=True)


def test_a_burst_is_told_to_its_reporter_and_shown_with_the_reports_behind_it(story: Story) -> None:
    told = [story.report("ada") for _ in range(BURST + 7)]
    assert [bool(one.flags) for one in told] == [False] * BURST + [True] * 7
    (flag,) = flags(story).flags
    assert (flag.kind, flag.owner, flag.skill_version) == ("burst", "ada", "1.0.0")
    assert (flag.reports, flag.measure) == (7, BURST + 7)
    assert flag.examples == tuple(one.report_id for one in told[-EXAMPLES:])
    assert "7 reports came when the owner was more than 60 ahead of one a minute" in flag.says


def test_several_agents_of_one_owner_are_one_stream(story: Story) -> None:
    told = [story.report("ada", agentId=f"ada-{turn}") for turn in range(BURST + 1)]
    assert told[-1].flags == ("burst",)


def test_the_same_report_again_and_again_is_flagged(story: Story) -> None:
    told = [story.report("ada", durationMs=1503.5, note="fine") for _ in range(5)]
    assert [one.flags for one in told] == [()] * 3 + [("duplicates",)] * 2
    (flag,) = flags(story).flags
    assert flag.says == "4 reports said the very same as one shortly before"
    assert story.report("bob", durationMs=1503.5, note="fine").flags == ()


def test_a_stream_without_failures_among_others_failing_is_flagged(story: Story) -> None:
    for turn in range(40):
        story.report(f"owner-{turn % 4}", "fail" if turn % 2 else "success", platform="cursor")
        story.backend.advance(MINUTE_MS)
    found: list[int] = []
    for turn in range(60):
        if story.report("eve").flags:
            found.append(turn)
        story.backend.advance(MINUTE_MS)
    assert 15 < found[0] < 40
    (flag,) = flags(story).flags
    assert (flag.kind, flag.owner) == ("too_perfect", "eve")


def test_a_flag_changes_no_number() -> None:
    def end(*, burst: bool) -> float:
        story = Story(report_flags)
        for turn in range(BURST + 20):
            story.report("ada", "fail" if turn % 9 == 0 else "success")
            story.backend.advance(1 if burst else MINUTE_MS)
        assert bool(flags(story).flags) == burst
        return story.skill().confidence

    assert end(burst=True) == end(burst=False)


def test_strangers_see_flags_without_names_and_none_of_hidden_skills(story: Story) -> None:
    for _ in range(BURST + 1):
        story.report("ada")
    (flag,) = story.ask("verification:getFlags", principal=ANONYMOUS).flags
    assert flag.owner.startswith("owner-")
    assert "ada" not in flag.owner
    story.backend.mutation("skills:update", {"name": NAME, "visibility": "private"})
    with pytest.raises(NotFound):
        story.ask("verification:getFlags", principal=ANONYMOUS)
    own = story.backend.query(
        "verification:listOwnFlags", {}, principal=known("ada", "learning:report")
    )
    assert own.flags == ()


def test_an_owner_is_shown_its_own_flags(story: Story) -> None:
    for _ in range(BURST + 1):
        story.report("ada")
    (flag,) = story.backend.query("verification:listOwnFlags", {}, principal=known("ada")).flags
    assert (flag.owner, flag.skill_name) == ("ada", NAME)
    assert story.backend.query("verification:listOwnFlags", {}, principal=known("bob")).flags == ()
