"""What reports add up to, who may read what of them, and what others say of them."""

import pytest

from hubify.domains.evolution import GroupNotFound
from hubify.domains.evolution.views import PendingImprovement
from hubify.domains.learning.errors import OwnReport, ReportNotFound
from hubify.domains.learning.functions import ImprovementStanding
from hubify.functions import Conflict, Principal
from hubify.functions.principal import ANONYMOUS
from hubify.testing.backend import known
from tests.domains.story import NAME, OTHER_REQUEST, SAME_REQUEST, Story


@pytest.fixture
def story() -> Story:
    return Story()


def endorse(story: Story, owner: str, group_id: str, **more: object) -> ImprovementStanding:
    told = {"groupId": group_id, "agentId": f"{owner}-1", **more}
    return story.backend.mutation("learning:endorseImprovement", told, principal=known(owner))


def group_of(story: Story, text: str) -> PendingImprovement:
    found = story.ask("evolution:getPendingImprovements").improvements
    return next(one for one in found if one.suggestion == text)


def test_stats_of_a_skill_that_nobody_ran_are_all_nothing(story: Story) -> None:
    stats = story.ask("learning:getStats", principal=ANONYMOUS)
    assert (stats.total_executions, stats.success_rate, stats.agent_count) == (0, 0, 0)
    assert (stats.trend, stats.trend_percentage) == ("stable", 0)
    assert stats.platform_breakdown == {}
    assert stats.top_improvements == ()


def test_stats_tell_the_last_week_from_the_last_month_and_from_all_time(story: Story) -> None:
    for days, outcome in ((40, "fail"), (10, "fail"), (3, "success"), (0, "success")):
        for _ in range(2):
            story.report("ada", outcome, platform="cursor")
        story.wait(days)
    stats = story.ask("learning:getStats")
    assert stats.total_executions == 8
    assert (stats.last_7_days.executions, stats.last_7_days.success_rate) == (4, 1)
    assert (stats.last_30_days.executions, stats.last_30_days.success_rate) == (6, 0.6667)
    assert stats.success_rate == 0.5
    assert stats.platform_breakdown["cursor"].count == 8


def test_a_partial_run_counts_as_half_a_success(story: Story) -> None:
    story.report("ada", "partial")
    assert story.ask("learning:getStats").success_rate == 0.5


def test_the_trend_is_the_change_from_the_week_before(story: Story) -> None:
    for outcome in ("fail", "success"):
        story.wait(5)
        for place in range(20):
            story.report(f"owner-{place}", outcome)
    story.wait(3)
    stats = story.ask("learning:getStats")
    assert (stats.trend, stats.trend_percentage) == ("up", 100)


def test_stats_name_what_agents_ask_for_most(story: Story) -> None:
    story.suggest(2)
    story.report("ada", improvement=OTHER_REQUEST)
    top = story.ask("learning:getStats").top_improvements
    assert [(one.suggestion, one.count) for one in top] == [
        (SAME_REQUEST[0], 2),
        (OTHER_REQUEST, 1),
    ]


def test_note_and_error_are_for_the_reports_owner_and_the_maintainers(story: Story) -> None:
    story.report("ada", "fail", note="my note", error="my error", context={"files": 3})
    read = {
        who: story.ask("learning:getLogs", principal=principal).logs[0]
        for who, principal in {
            "owner": known("ada", "learning:report"),
            "maintainer": known("maria", "learning:read"),
            "other": known("eve", "learning:read"),
            "owner's narrow key": known("ada", "lab:x:r"),
            "maintainer's narrow key": known("maria", "skills:write", "learning:report"),
            "anonymous": ANONYMOUS,
        }.items()
    }
    for who in ("owner", "maintainer"):
        log = read.pop(who)
        assert (log.note, log.error) == ("my note", "my error")
    for log in read.values():
        assert (log.note, log.error, log.context) == (None, None, None)


STRANGERS = [ANONYMOUS, known("eve", "skills:read", "learning:report"), known("ada", "lab:x:r")]


@pytest.mark.parametrize("stranger", STRANGERS)
def test_no_answer_names_who_reported_to_strangers(story: Story, stranger: Principal) -> None:
    """What was run and asked for is public with its skill; by whom, and with what tools, is not."""
    for _ in range(2):
        story.report("ada", "fail", toolsUsed=["tool-x"], llm="model-x", improvement=OTHER_REQUEST)
    story.suggest()
    story.backend.advance(1)
    looks = [
        story.ask("learning:getLogs", principal=stranger),
        story.ask("evolution:getPendingImprovements", principal=stranger),
        story.ask("evolution:getHistory", principal=stranger),
        story.ask("evolution:getCanaryStatus", principal=stranger),
        story.backend.query(
            "evolution:get", {"evolutionId": story.latest().id}, principal=stranger
        ),
        story.backend.query("skills:listEvidence", {"name": NAME}, principal=stranger),
    ]
    told = " ".join(repr(look) for look in looks)
    assert OTHER_REQUEST in told
    for name in ("ada", "reporter-", "tool-x", "model-x"):
        assert name not in told
    first, second = looks[0].logs[-2:]
    assert (first.owner, first.agent_id) == (second.owner, second.agent_id)
    assert first.owner.startswith("owner-")


def test_a_key_with_learning_read_is_told_who_reported(story: Story) -> None:
    story.report("ada", toolsUsed=["tool-x"], llm="model-x", improvement=OTHER_REQUEST)
    reader = known("eve", "learning:read")
    (log,) = story.ask("learning:getLogs", principal=reader).logs
    assert (log.owner, log.agent_id, log.tools_used, log.llm) == (
        "ada", "ada-1", ("tool-x",), "model-x",
    )  # fmt: skip
    (asked,) = story.ask("evolution:getPendingImprovements", principal=reader).improvements
    assert asked.agents == ("ada-1",)


def test_logs_come_in_pages_newest_first(story: Story) -> None:
    for place in range(5):
        story.report(f"owner-{place}")
    first = story.ask("learning:getLogs", limit=3)
    rest = story.ask("learning:getLogs", limit=3, cursor=first.continue_cursor)
    assert [log.owner for log in first.logs] == ["owner-4", "owner-3", "owner-2"]
    assert [log.owner for log in rest.logs] == ["owner-1", "owner-0"]
    assert (first.is_done, rest.is_done) == (False, True)


def test_a_report_is_endorsed_once_per_owner_and_kind(story: Story) -> None:
    told = {"reportId": story.report("ada").report_id, "type": "helpful"}
    for _ in range(2):
        story.backend.mutation("learning:endorseReport", told, principal=known("bob"))
    counts = story.backend.mutation(
        "learning:endorseReport", {**told, "type": "insightful"}, principal=known("bob")
    )
    assert (counts.helpful, counts.accurate, counts.insightful) == (1, 0, 1)
    with pytest.raises(OwnReport):
        story.backend.mutation("learning:endorseReport", told, principal=known("ada"))
    with pytest.raises(ReportNotFound):
        story.backend.mutation(
            "learning:endorseReport", {**told, "reportId": "none"}, principal=known("bob")
        )


def test_saying_same_counts_an_owner_once_and_may_be_what_was_missing(story: Story) -> None:
    story.suggest(1)
    group = group_of(story, SAME_REQUEST[0])
    assert endorse(story, "reporter-0", group.group_id).agent_count == 1
    assert endorse(story, "bob", group.group_id).agent_count == 2
    assert endorse(story, "bob", group.group_id).agent_count == 2
    tipped = endorse(story, "eve", group.group_id, opinion="same")
    assert (tipped.agent_count, tipped.count, tipped.evolution_triggered) == (3, 1, True)
    story.backend.advance(1)
    assert story.status().status == "canary"


def test_saying_same_with_a_report_brings_its_suggestion_along(story: Story) -> None:
    story.suggest(1)
    group = group_of(story, SAME_REQUEST[0])
    own = story.report("bob", improvement=OTHER_REQUEST)
    joined = endorse(story, "bob", group.group_id, reportId=own.report_id)
    assert (joined.count, joined.agent_count) == (2, 2)
    assert len(story.ask("evolution:getPendingImprovements").improvements) == 1


def test_saying_different_takes_a_suggestion_out_again(story: Story) -> None:
    story.report("ada", improvement=SAME_REQUEST[0])
    own = story.report("bob", improvement=SAME_REQUEST[1])
    group = group_of(story, SAME_REQUEST[0])
    assert group.count == 2
    left = endorse(story, "bob", group.group_id, opinion="different", reportId=own.report_id)
    assert (left.count, left.agent_count) == (1, 1)
    assert group_of(story, SAME_REQUEST[1]).count == 1


def test_an_owners_later_word_on_a_group_replaces_its_earlier_one(story: Story) -> None:
    story.suggest(1)
    group = group_of(story, SAME_REQUEST[0])
    counts = [
        endorse(story, "bob", group.group_id, opinion=opinion).owner_count
        for opinion in ("different", "same", "same", "different", "same")
    ]
    assert counts == [1, 2, 2, 1, 2]


def test_another_owners_report_cannot_be_moved(story: Story) -> None:
    other = story.report("ada", improvement=SAME_REQUEST[0])
    group = group_of(story, SAME_REQUEST[0])
    with pytest.raises(ReportNotFound):
        endorse(story, "bob", group.group_id, opinion="different", reportId=other.report_id)
    with pytest.raises(GroupNotFound):
        endorse(story, "bob", "no-such-group")


def test_a_group_that_is_decided_takes_no_more_endorsements(story: Story) -> None:
    story.suggest(3)
    group = group_of(story, SAME_REQUEST[0])
    story.backend.advance(1)
    story.maintain("promote")
    with pytest.raises(Conflict):
        endorse(story, "bob", group.group_id)
    assert story.backend.query("skills:getByName", {"name": NAME}).version == "1.0.1"
