"""What the page calls news, and what it passes over."""

import json
from typing import Any

import pytest

from tests.clients.server import Server
from tests.dashboard.browser import Browser, Tab

pytestmark = pytest.mark.slow

SKILL = {"name": "csv-report", "version": "1.0.0", "confidence": 61, "_creationTime": 5}
TRIAL = {"evolutionId": "e1", "skillName": "csv-report", "version": "1.0.1", "traffic": 5}
DRAFT = {"evolutionId": "e1", "skillName": "csv-report", "trigger": "improvement_threshold"}
REQUEST = {
    "groupId": "g1", "skillName": "csv-report", "suggestion": "Detect the encoding.",
    "agentCount": 1, "missing": "1 agent: 2 more agents needed", "lastSeen": 7,
}  # fmt: skip
NOTHING = {"trials": [], "drafts": [], "requests": []}
REFUSED = {
    "_id": "d2", "skill": "csv-report", "version": "1.0.1", "verdict": "refused", "decidedAt": 9,
    "findings": [{"blocks": True, "message": "it asks for a secret"}],
}  # fmt: skip

Look = tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Tab:
    """A page that has loaded the module; it needs its server no longer."""
    with Server(tmp_path_factory.mktemp("news") / "data") as hub:
        tab = browser.open()
        tab.go(hub.url + "/live/icon.svg")
        tab.evaluate("import('/live/news.js').then((module) => void (window.news = module))")
    return tab


def news(page: Tab, before: Look, after: Look) -> list[tuple[str, str]]:
    """Kind and text of what is new between two looks."""
    looks = ", ".join(
        f"news.look([{json.dumps(skill)}], {json.dumps(overview)}, {json.dumps(decisions)})"
        for skill, overview, decisions in (before, after)
    )
    told = page.evaluate(f"news.newsBetween({looks}, 1).map((one) => [one.kind, one.text ?? ''])")
    return [(kind, text) for kind, text in told]


def trial(**more: object) -> dict[str, Any]:
    return {**NOTHING, "trials": [{**TRIAL, **more}]}


def test_two_looks_at_the_same_are_no_news(page: Tab) -> None:
    same = {"trials": [TRIAL], "drafts": [DRAFT], "requests": [REQUEST]}
    assert news(page, (SKILL, same, []), (SKILL, same, [])) == []


def test_a_request_is_told_when_it_is_made_and_when_others_join(page: Tab) -> None:
    asked = {**NOTHING, "requests": [REQUEST]}
    joined = {**NOTHING, "requests": [{**REQUEST, "agentCount": 2, "missing": None}]}
    drafted = {**NOTHING, "drafts": [DRAFT]}
    told = [
        news(page, (SKILL, before, []), (SKILL, after, []))
        for before, after in ((NOTHING, asked), (asked, joined), (joined, drafted))
    ]
    assert told == [
        [("asked", "asked for: Detect the encoding. (1 agent: 2 more agents needed)")],
        [("asked", "asked for: Detect the encoding.")],
        [("draft", "enough ask for the same: a new version is being made")],
    ]


def test_a_trial_is_told_from_its_beginning_to_its_end(page: Tab) -> None:
    promoted = {**SKILL, "version": "1.0.1"}
    drafted = {**NOTHING, "drafts": [DRAFT]}
    told = [
        news(page, (SKILL, before, []), (skill, after, []))
        for before, after, skill in (
            (drafted, trial(), SKILL),
            (trial(), trial(traffic=25), SKILL),
            (trial(traffic=25), trial(traffic=0), SKILL),
            (trial(traffic=25), NOTHING, promoted),
            (trial(traffic=25), NOTHING, SKILL),
            (trial(skillName="far-down"), NOTHING, SKILL),
        )
    ]
    assert told == [
        [("trial", "version 1.0.1 goes on trial with 5% of the runs")],
        [("stage", "the trial of 1.0.1 goes on with 25% of the runs")],
        [("stage", "the trial of 1.0.1 is held up at 0% of the runs")],
        [("promoted", "version 1.0.1 was promoted: it is the stable one now")],
        [("ended", "the trial of 1.0.1 ended; 1.0.0 stays the stable one")],
        [("ended", "the trial of 1.0.1 is over")],
    ]


def test_a_version_that_became_stable_without_a_trial_is_told(page: Tab) -> None:
    told = news(page, (SKILL, NOTHING, []), ({**SKILL, "version": "2.0.0"}, NOTHING, []))
    assert told == [("version", "version 2.0.0 is the stable one now")]


def test_an_alert_is_told_once_and_so_is_what_a_draft_is_made_for(page: Tab) -> None:
    alert = {"alertId": "a1", "message": "1.0.0 fails more often than it did"}
    broken = {**SKILL, "alert": alert}
    draft = {**NOTHING, "drafts": [{**DRAFT, "trigger": "confidence_decline"}]}
    assert news(page, (SKILL, NOTHING, []), (broken, draft, [])) == [
        ("alert", "1.0.0 fails more often than it did"),
        ("draft", "the stable version broke: a new version is being made"),
    ]
    assert news(page, (broken, draft, []), ({**broken, "confidence": 50}, draft, [])) == [
        ("confidence", "")
    ]


def test_confidences_of_two_versions_are_not_compared(page: Tab) -> None:
    moved, replaced = {**SKILL, "confidence": 80}, {**SKILL, "confidence": 80, "version": "1.0.1"}
    assert news(page, (SKILL, NOTHING, []), (moved, NOTHING, [])) == [("confidence", "")]
    told = news(page, (SKILL, NOTHING, []), (replaced, NOTHING, []))
    assert [kind for kind, _text in told] == ["version"]


def test_a_refusal_says_what_blocks(page: Tab) -> None:
    told = news(page, (SKILL, NOTHING, []), (SKILL, NOTHING, [REFUSED]))
    assert told == [("gateway", "the gateway refused version 1.0.1: it asks for a secret")]
