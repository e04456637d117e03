"""A skill that breaks says so: to whoever asks, to its own evolution, and until it is mended."""

import pytest

from hubify.domains.verification.functions import AlertClosed, AlertNotFound
from hubify.functions import Forbidden
from hubify.testing.backend import known
from tests.domains.story import AUTHOR, MINUTE_MS, NAME, SAME_REQUEST, SKILL_MD, Story

EVE = known("eve", "skills:read", "skills:write")
ERROR = "TimeoutError: no answer after {} s"


def used(story: Story, runs: int, success: float, *, owners: int = 10, **more: object) -> None:
    """Owners run the stable version; a minute later what they reported has been taken in."""
    for number in range(runs):
        outcome = "success" if story.random.random() < success else "fail"
        told = {key: str(value).format(number) for key, value in more.items()}
        story.report(f"owner-{number % owners}", outcome, **told)
        story.backend.now_ms += 1
    story.backend.advance(MINUTE_MS)


def alerts(story: Story, **told: object) -> list[tuple[str, str]]:
    found = story.backend.query("verification:listAlerts", told).alerts
    return [(one.version, str(one.kind)) for one in found]


@pytest.fixture
def broken() -> Story:
    story = Story()
    used(story, 200, 0.95)
    used(story, 150, 0.6)
    return story


def test_a_skill_that_does_as_before_raises_no_alert() -> None:
    story = Story()
    for _ in range(4):
        used(story, 150, 0.9)
    assert alerts(story) == []
    assert story.skill().alert is None


def test_a_break_is_seen_in_the_list_and_on_the_skill(broken: Story) -> None:
    assert alerts(broken) == [("1.0.0", "confidence_decline")]
    assert alerts(broken, skillName=NAME) == alerts(broken)
    alert = broken.skill().alert
    assert alert is not None
    assert (alert.kind, alert.version) == ("confidence_decline", "1.0.0")
    assert "1.0.0 fails more often than it did" in alert.message


def test_an_alert_is_raised_once_and_ends_with_its_version(broken: Story) -> None:
    used(broken, 50, 0.5)
    assert len(alerts(broken)) == 1
    new = {"skillMd": SKILL_MD + "\nMended.\n", "name": NAME, "version": "1.0.1"}
    broken.backend.action("skills:publish", new, principal=AUTHOR)
    assert alerts(broken) == []
    assert broken.skill().alert is None
    (closed,) = broken.backend.query("verification:listAlerts", {"status": "closed"}).alerts
    assert closed.reason == "another version is stable"


def test_one_owner_alone_raises_no_alert() -> None:
    story = Story()
    used(story, 200, 0.95)
    used(story, 150, 0.0, owners=1, error=ERROR)
    assert alerts(story) == []


def test_a_short_record_says_that_no_break_can_be_noticed_yet() -> None:
    story = Story()
    watch = story.ask("verification:getWatch")
    assert (watch.runs, watch.alerts) == (0, ())
    used(story, 31, 0.9)
    watch = story.ask("verification:getWatch")
    assert (watch.runs, watch.missing_runs) == (31, 19)
    assert watch.says == "31 runs of 1.0.0: 19 more before a break can be noticed"
    used(story, 30, 0.9)
    assert (
        story.ask("verification:getWatch").says == "61 runs of 1.0.0 are known; a break is noticed"
    )


def test_only_maintainers_close_an_alert_and_it_is_measured_anew_after(broken: Story) -> None:
    (alert,) = broken.backend.query("verification:listAlerts").alerts
    told = {"alertId": alert.id, "reason": "the service was down"}
    with pytest.raises(Forbidden):
        broken.backend.mutation("verification:closeAlert", told, principal=EVE)
    closed = broken.backend.mutation("verification:closeAlert", told, principal=AUTHOR)
    assert (closed.status, closed.closed_by) == ("closed", "maria")
    with pytest.raises(AlertClosed):
        broken.backend.mutation("verification:closeAlert", told, principal=AUTHOR)
    assert broken.skill().alert is None
    used(broken, 40, 0.7)
    assert alerts(broken) == []


def test_the_words_of_an_error_are_for_maintainers_only() -> None:
    story = Story(minReporters=50)
    used(story, 1, 1.0)
    used(story, 300, 0.6, error=ERROR)
    seen = {
        caller: {one.kind: one.error for one in story.backend.query(
            "verification:listAlerts", principal=caller
        ).alerts}
        for caller in (AUTHOR, EVE)
    }  # fmt: skip
    assert seen[AUTHOR]["error_pattern"] == "timeouterror: no answer after <n> s"
    assert seen[EVE]["error_pattern"] is None


def test_alerts_of_a_skill_that_is_private_are_its_owners(broken: Story) -> None:
    (alert,) = broken.backend.query("verification:listAlerts").alerts
    private = {"name": NAME, "visibility": "private"}
    broken.backend.mutation("skills:update", private, principal=AUTHOR)
    assert broken.backend.query("verification:listAlerts", principal=EVE).alerts == ()
    told = {"alertId": alert.id, "reason": "no"}
    with pytest.raises(AlertNotFound):
        broken.backend.mutation("verification:closeAlert", told, principal=EVE)


def test_a_break_lets_half_as_many_reporters_do() -> None:
    story = Story(minReporters=4)
    story.suggest(2)
    used(story, 200, 0.95)
    assert story.status().status == "stable"
    used(story, 150, 0.6)
    story.backend.advance(1)
    assert story.latest().trigger == "confidence_decline"


def test_the_suggestion_that_comes_after_a_break_is_followed_too(broken: Story) -> None:
    broken.maintain("updateSettings", minReporters=3)
    assert not broken.report("helper-1", improvement=SAME_REQUEST[0]).evolution_triggered
    assert broken.report("helper-2", improvement=SAME_REQUEST[1]).evolution_triggered
    assert broken.latest().trigger == "confidence_decline"


def test_a_platform_and_a_rate_have_bounds_of_the_skills_own() -> None:
    story = Story(leastSuccess=0.8, platformGap=0.1)
    used(story, 1, 1.0)
    used(story, 300, 0.95, platform="claude-code")
    used(story, 150, 0.3, platform="cursor")
    kinds = {kind for _version, kind in alerts(story)}
    assert {"platform_gap", "confidence_decline"} <= kinds
    switched_off = Story(leastSuccess=0, platformGap=0, sameError=0)
    used(switched_off, 1, 1.0)
    used(switched_off, 45, 0.0, error=ERROR)
    assert alerts(switched_off) == []


def test_a_long_backlog_is_taken_in_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubify.domains.learning.watching.PART", 9)
    monkeypatch.setattr("hubify.domains.learning.watching.CHUNK", 3)
    story = Story()
    used(story, 1, 1.0)
    used(story, 60, 0.9)
    assert story.ask("verification:getWatch").runs == 61


def test_reports_as_long_as_they_may_be_are_taken_in_too() -> None:
    story = Story()
    used(story, 1, 1.0)
    tools = [{"text": "x" * 4_000}] * 50
    for number in range(90):
        story.report(f"owner-{number % 9}", toolsUsed=tools)
        story.backend.now_ms += 1
    story.backend.advance(MINUTE_MS)
    assert story.ask("verification:getWatch").runs == 91


def test_reports_on_other_versions_say_nothing_of_the_stable_one() -> None:
    story = Story()
    new = {"skillMd": SKILL_MD + "\nMore.\n", "name": NAME, "version": "1.1.0"}
    story.backend.action("skills:publish", new, principal=AUTHOR)
    used(story, 5, 1.0)
    used(story, 40, 0.0, skillVersion="1.0.0")
    assert story.ask("verification:getWatch").runs == 5
